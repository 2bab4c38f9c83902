"""How fast answers become typed Parquet, alone and against the vendor's own client.

python benchmarks/parsing.py
python benchmarks/parsing.py --official ENVIRONMENT/bin/python

One day of daily bars of a whole market is parsed and written again and again: from JSON pages and
from CSV files, in one process and in one for each core. With --official both clients ask the same
server on this machine in the same run, one after the other, and their own CPU seconds are compared;
ENVIRONMENT must hold jquants-api-client.
"""

import argparse
import concurrent.futures
import datetime as dt
import gzip
import http.server
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import numpy as np

LIB = Path(__file__).parents[1] / "lib"
sys.path.insert(0, str(LIB))

from gogooku.sources import schema  # noqa: E402
from gogooku.sources.cache import Cache  # noqa: E402

STOCKS = 4400
NOW = dt.datetime(2024, 5, 7, tzinfo=dt.UTC)
ADJUSTED = ("AdjO", "AdjH", "AdjL", "AdjC", "AdjVo")


def market(seed=0):
    """Rows of one day as the plans below Premium get them; one stock in fifty does not trade."""
    draw = np.random.default_rng(seed)
    rows = []
    for n in range(STOCKS):
        price, shares = round(draw.uniform(100, 9000), 1), 100.0 * int(draw.integers(1, 50_000))
        prices = dict(zip("OHLC", (price, price + 10, price - 10, price + 5), strict=True))
        row = prices | {"UL": "0", "LL": "0", "Vo": shares, "Va": round(price * shares)}
        row |= {"AdjFactor": 1.0, **{name: row[name[3:]] for name in ADJUSTED}}
        row |= {"MktCap": round(price * 12.3, 1), "ExRT": None}
        if n % 50 == 0:
            row |= {k: None for k in row if k not in ("UL", "LL", "AdjFactor", "ExRT")}
        rows.append({"Date": "2024-05-07", "Code": f"{1300 + n}0", **row})
    return rows


def as_csv(rows):
    names = [name for name in rows[0] if name not in ADJUSTED]
    lines = [",".join("" if row[n] is None else str(row[n]) for n in names) for row in rows]
    return "\n".join([",".join(names), *lines]).encode()


def parse(kind, content, days, folder):
    """Parse and write one day `days` times; gives wall and CPU seconds."""
    cache, begin = Cache(Path(folder), None), time.monotonic_ns()
    wall, cpu = time.perf_counter(), time.process_time()
    for day in range(days):
        frame = schema.page("bars", content)[0] if kind == "JSON" else schema.table("bars", content)
        cache.put("bars", f"{os.getpid()}-{begin}-{day}", frame, NOW)
    return time.perf_counter() - wall, time.process_time() - cpu


def own(days, cores):
    rows = market()
    bodies = {"JSON": json.dumps({"data": rows}).encode(), "CSV": as_csv(rows)}
    print(f"{STOCKS:,} rows a day, to typed Parquet; million rows a second")
    print(f"{'':<8}{'1 process':>12}{f'{cores} processes':>14}{'a CPU second':>16}")
    with (
        tempfile.TemporaryDirectory() as folder,
        concurrent.futures.ProcessPoolExecutor(cores) as pool,
    ):
        for kind, content in bodies.items():
            list(pool.map(parse, [kind] * cores, [content] * cores, [5] * cores, [folder] * cores))
            alone, cpu = pool.submit(parse, kind, content, days, folder).result()
            begin = time.perf_counter()
            jobs = [pool.submit(parse, kind, content, days, folder) for _ in range(cores)]
            concurrent.futures.wait(jobs)
            together = time.perf_counter() - begin
            speeds = [days * STOCKS / alone, cores * days * STOCKS / together, days * STOCKS / cpu]
            print(f"{kind:<8}" + "".join(f"{speed / 1e6:>13.2f}" for speed in speeds))


OURS = """
    import sys, time
    sys.path.insert(0, {lib!r})
    from gogooku.sources import jquants
    with jquants.Client({url!r}, "key", None, 30, 1) as client:
        client.rows("bars", {{"date": "2024-05-07"}})
        begin = time.process_time()
        for _ in range({days}):
            rows = client.rows("bars", {{"date": "2024-05-07"}})
        print(len(rows), time.process_time() - begin)
"""
THEIRS = """
    import time
    import jquantsapi
    client = jquantsapi.ClientV2(api_key="key")
    client.JQUANTS_API_BASE = {url!r}
    client.get_eq_bars_daily(date_yyyymmdd="2024-05-07")
    begin = time.process_time()
    for _ in range({days}):
        rows = client.get_eq_bars_daily(date_yyyymmdd="2024-05-07")
    print(len(rows), time.process_time() - begin)
"""


def against_official(python, days):
    packed = gzip.compress(json.dumps({"data": market()}).encode(), 6)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = {"url": f"http://127.0.0.1:{server.server_port}/v2", "lib": str(LIB), "days": days}
        seconds = {}
        for name, interpreter, text in [("ours", sys.executable, OURS), ("theirs", python, THEIRS)]:
            code = textwrap.dedent(text).format(**place)
            command = [interpreter, "-c", code]
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            rows, spent = told.split()
            assert int(rows) == STOCKS, told
            seconds[name] = float(spent) / days
        server.shutdown()
    print("from request to typed frame, CPU milliseconds a day, gzip and HTTP included")
    print("".join(f"{name:>10} {1e3 * spent:.1f}" for name, spent in seconds.items()))
    print(f"theirs / ours: {seconds['theirs'] / seconds['ours']:.1f}")


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--days", type=int, default=60)
    words.add_argument("--cores", type=int, default=2)
    words.add_argument("--official", help="the Python of an environment with jquants-api-client")
    told = words.parse_args()
    own(told.days, told.cores)
    if told.official:
        against_official(told.official, told.days)


if __name__ == "__main__":
    main()
