"""How fast answers become typed Parquet, alone and against the vendor's own client.

python benchmarks/parsing.py
python benchmarks/parsing.py --official ENVIRONMENT/bin/python

One day of daily bars of a whole market is parsed and written again and again: from JSON pages and
from CSV files, in one process and in one for each core. With --official both clients ask the same
server on this machine in the same run, one after the other: for a day of bars, and for a month of
them, which our client takes from the vendor's file and theirs from the API; wall time and each
client's own CPU seconds are compared. ENVIRONMENT must hold jquants-api-client.
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
import urllib.parse
from pathlib import Path

import numpy as np

LIB = Path(__file__).parents[1] / "lib"
sys.path.insert(0, str(LIB))

from gogooku.raw import schema  # noqa: E402
from gogooku.vendor.cache import Cache  # noqa: E402

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
    cache, begin = Cache(Path(folder), None, ""), time.monotonic_ns()
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


HEAD = {
    "ours": """
        import datetime as dt, sys, time
        from pathlib import Path
        sys.path.insert(0, {lib!r})
        from gogooku.raw import schema
        from gogooku.vendor import bulk, jquants
        from gogooku.vendor.cache import Cache
        every = [dt.date(2024, 5, day) for day in range(1, 32)]
        month = [day for day in every if day.weekday() < 5]
        now = dt.datetime(2024, 7, 1, tzinfo=dt.UTC)
        client = jquants.Client({url!r}, "key", None, 30, 1)
    """,
    "theirs": """
        import time
        import jquantsapi
        client = jquantsapi.ClientV2(api_key="key")
        client.JQUANTS_API_BASE = {url!r}
    """,
}
ASK = {
    "a day": {
        "ours": "rows = len(client.rows('bars', {{'date': '2024-05-07'}}))",
        "theirs": "rows = len(client.get_eq_bars_daily(date_yyyymmdd='2024-05-07'))",
    },
    "a month to a frame": {
        "ours": """
            file, = client.files("bars", "2024-05", "2024-05")
            rows = len(schema.table("bars", client.download(file)))
        """,
        "theirs": "rows = len(client.get_eq_bars_daily_range('20240501', '20240531'))",
    },
    "a month to Parquet": {
        "ours": """
            cache = Cache(Path({folder!r}, str(turn)), None, {url!r})
            bulk.fill(client, cache, "bars", month, now)
            rows = sum(cache.answer("bars", str(day)).rows for day in month)
        """,
        "theirs": "rows = len(client.get_eq_bars_daily_range('20240501', '20240531'))",
    },
}
TIMED = """
    for turn in range({turns} + 1):
        if turn == 1:
            wall, cpu = time.perf_counter(), time.process_time()
        {ask}
    print(rows, time.perf_counter() - wall, time.process_time() - cpu)
"""


class Month:
    """May 2024 as the vendor serves it: days as JSON, the month as one file; all packed before."""

    def __init__(self):
        rows = market()
        first, last = dt.date(2024, 5, 1), dt.date(2024, 5, 31)
        every = [first + dt.timedelta(n) for n in range((last - first).days + 1)]
        days = [str(day) for day in every if day.weekday() < 5]
        of_day = {day: [row | {"Date": day} for row in rows] for day in days}
        self.days = {day: self.packed(of_day[day]) for day in days}
        self.none = self.packed([])
        whole = [row for day in days for row in of_day[day]]
        self.file, self.rows = gzip.compress(as_csv(whole), 6), len(whole)

    @staticmethod
    def packed(rows):
        return gzip.compress(json.dumps({"data": rows}).encode(), 6)

    def answer(self, path, query, port):
        """Give an answer's body and whether it is gzipped on the way."""
        if path == "/file":
            return self.file, False
        if path == "/v2/equities/bars/daily":
            return self.days.get(query["date"], self.none), True
        if path == "/v2/bulk/get":
            return json.dumps({"url": f"http://127.0.0.1:{port}/file"}).encode(), False
        name = "equities/bars/daily/historical/2024/equities_bars_daily_202405.csv.gz"
        written = "2024-06-05T00:00:00+00:00"
        listed = {"Key": name, "LastModified": written, "Size": len(self.file)}
        return json.dumps({"data": [listed]}).encode(), False


def serving(month):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            asked = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(asked.query))
            body, packed = month.answer(asked.path, query, self.server.server_port)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            if packed:
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def against_official(python, days):
    month = Month()
    print("from request to typed frame, HTTP and gzip included; thousand rows a second")
    print("a month: we from the vendor's file, they from the API, day by day, to a frame")
    with serving(month) as server, tempfile.TemporaryDirectory() as folder:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = {"url": f"http://127.0.0.1:{server.server_port}/v2", "lib": str(LIB)}
        for what, sides in ASK.items():
            turns, size = (days, STOCKS) if what == "a day" else (max(days // 20, 3), month.rows)
            speeds = {}
            for side, interpreter in (("ours", sys.executable), ("theirs", python)):
                ask = textwrap.indent(textwrap.dedent(sides[side]).strip(), " " * 4)
                code = textwrap.dedent(HEAD[side]) + textwrap.dedent(TIMED).replace(
                    "    {ask}", ask
                )
                code = code.format(**place, turns=turns, folder=folder)
                command = [interpreter, "-c", code]
                told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                rows, wall, cpu = told.split()
                assert int(rows) == size, told
                speeds[side] = [turns * int(rows) / float(x) / 1e3 for x in (wall, cpu)]
            for unit, ours, theirs in zip(("wall", "CPU"), *speeds.values(), strict=True):
                ratio = f"{ours / theirs:.1f} times"
                print(f"{what:<20}{unit:<5} ours {ours:>6.0f}  theirs {theirs:>6.0f}  {ratio}")
        server.shutdown()


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
