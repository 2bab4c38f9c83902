"""What a whole-day answer of the simulated exchange costs, beside Python's own JSON writer.

    PYTHONPATH=lib python benchmarks/exchange.py --stocks 4400 --sessions 1225

makes a folder of random tables of that size, asks for each day of each in turn, and prints CPU time
an answer, its share of what json.dumps needs for the same rows, and the memory resident at most.
"""

import argparse
import functools
import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from gogooku import files
from gogooku.raw.catalogue import DATASETS
from simulated_exchange.server.exchange import ROOT, Exchange

KEY = "benchmark"
NAMES = ("bars", "valuation", "master", "options_225", "breakdown")


def random_day(rng, name, day, codes):
    """Rows of one session, with a number in every number."""
    count = len(codes)
    columns = {}
    for field, kind in DATASETS[name].schema.items():
        if kind == pl.Date:
            columns[field] = pl.Series([day] * count, dtype=kind)
        elif kind == pl.Float64:
            columns[field] = np.round(rng.uniform(100, 5000, count), 1)
        else:
            columns[field] = codes if field == "Code" else ["0"] * count
    if name == "bars":
        columns["AdjFactor"] = np.where(rng.random(count) < 2.5e-4, 0.5, 1.0)
        columns["ExRT"] = pl.Series([None] * count, dtype=pl.String)
    return pl.DataFrame(columns)


def write(folder, stocks, days):
    rng = np.random.default_rng(0)
    codes = [f"{1000 + n}0" for n in range(stocks)]
    for name in NAMES:
        table = pl.concat([random_day(rng, name, day, codes) for day in days])
        files.write_parquet(table, folder / f"{name}.parquet")
    calendar = pl.DataFrame({"Date": days, "HolDiv": ["1"] * len(days)})
    files.write_parquet(calendar, folder / "calendar.parquet")


def cpu(action):
    """Time [ms of CPU] and result."""
    start = time.process_time()
    result = action()
    return 1e3 * (time.process_time() - start), result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stocks", type=int, default=4400)
    parser.add_argument("--sessions", type=int, default=250)
    asked = parser.parse_args()
    every = np.arange(np.datetime64("2020-01-06"), np.datetime64("2040-01-01"))
    days = every[np.is_busday(every)][: asked.sessions].tolist()
    with tempfile.TemporaryDirectory() as name:
        makes = multiprocessing.get_context("spawn").Process(
            target=write, args=(Path(name), asked.stocks, days)
        )
        makes.start()  # apart, so that its memory does not count
        makes.join()
        for plan in ("standard", "premium"):
            measure(Path(name), plan, days)
    print(f"resident at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def measure(folder, plan, days):
    with Exchange(folder, key=KEY, today=days[-1], plan=plan) as exchange:
        for name in NAMES:
            path = ROOT + DATASETS[name].path
            ours, theirs, size = [], [], []
            for day in days[-100:]:
                spent, reply = cpu(
                    functools.partial(exchange.answer, path, {"date": str(day)}, KEY)
                )
                if reply.status != 200:
                    break
                rows = json.loads(reply.body)["data"]
                ours.append(spent)
                size.append(len(reply.body))
                theirs.append(cpu(functools.partial(json.dumps, rows))[0])
            if ours:
                mean = sum(ours) / len(ours)
                print(
                    f"{plan:9}{name:12}{sum(size) / len(size) / 1e6:5.2f} MB {mean:6.1f} ms CPU an"
                    f" answer, {mean / (sum(theirs) / len(theirs)):.2f} of json.dumps alone"
                )


if __name__ == "__main__":
    main()
