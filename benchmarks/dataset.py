"""What the whole data set costs, from raw files, by stocks and years; and what a day more costs.

    PYTHONPATH=lib python benchmarks/dataset.py FOLDER [--stocks 500 1000 ...] [--years 1 3 5]

A market of all data sets is simulated once, of the most stocks and years, and filed as raw spans
under FOLDER; smaller ones are drawn from its codes and end on the same day. Each is run by
`snakemake --cores 2 dataset_all` with every family (config/research.yaml) and `source: stored`:
panel, quality, features, graphs, labels, data set. The largest ends a session before the others and
is run once more with that session.
"""

import argparse
import datetime as dt
import multiprocessing as mp
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
from gogooku import calendar, files, point_in_time
from gogooku.config import availability
from gogooku.families import BUILT, FAMILIES
from gogooku.raw import schema
from gogooku.raw.catalogue import DATASETS
from gogooku.report import provenance
from simulated_exchange.market import simulation

ROOT = Path(__file__).parents[1]
END = dt.date(2025, 12, 30)
RAW = Path("data", "raw", "stored")
NAMES = sorted({"calendar", "master", "bars"}.union(*FAMILIES.values()) - {*BUILT})


def first_day(years):
    return dt.date(END.year - years + 1, 1, 1)


def write_market(folder, stocks, years):
    """Simulate all data sets and stamp them; finished if its last file stands."""
    facts = {"stocks": stocks, "years": years}
    if (folder / "whole.json").exists() and files.read_json(folder / "whole.json") == facts:
        return
    rules = availability.read(ROOT / "config" / "availability.yaml")
    market = simulation.simulate(
        seed=1, start=first_day(years), end=END, stocks=stocks, parts={}, datasets=NAMES
    )
    files.write_parquet(market.tables["calendar"], folder / "calendar.parquet")
    sessions = calendar.Sessions.read(folder / "calendar.parquet").days
    for name in NAMES:
        rows = market.tables.get(name, schema.empty(name))
        day = pl.col(DATASETS[name].day)
        rows = rows.filter(day <= END) if name != "calendar" else rows
        stamped = point_in_time.stamp(rows, rules.datasets[name], rules.close, sessions)
        files.write_parquet(stamped, folder / f"{name}.parquet")
    files.write_json(facts, folder / "whole.json")


def quarters(years):
    return calendar.spans(first_day(years), END, "quarter")


def write_raw(market, raw, stocks, last, spans):
    """File the market's rows up to `last`, of so many of its codes, by span."""
    codes = pl.read_parquet(market / "master.parquet")["Code"].unique().sort()
    whole = files.read_json(market / "whole.json")["stocks"]
    drawn = np.random.default_rng(0).permutation(len(codes))[: len(codes) * stocks // whole]
    kept = pl.Series(codes[np.sort(drawn)]).implode()
    for name in NAMES:
        rows = pl.read_parquet(market / f"{name}.parquet")
        if "Code" in rows.columns and name not in ("indices", "options_225"):
            rows = rows.filter(pl.col("Code").is_in(kept))
        day = pl.col(DATASETS[name].day)
        rows = rows if name == "calendar" else rows.filter(day <= last)
        for span in spans:
            inside = rows.filter(day.is_between(*calendar.bounds(span)))
            files.write_parquet(inside, raw / name / f"{span}.parquet")


def dataset(work, stocks, years, last):
    """Run the workflow; gives its wall time [s]."""
    settings = ["source=stored", "store=stored", "name=sized"]
    settings += ["splits={train: 2, valid: 1, test: 1}"]  # short enough for a year
    settings += [f"dates={{start: {first_day(years)}, end: {last}}}"]
    settings += [f"market={{start: {first_day(years)}, end: {END}, stocks: {stocks}}}"]
    overlay = ROOT / "config" / "research.yaml"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(work), "--cores", "2", "dataset_all"]
    command += ["--configfile", str(overlay), "--config", *settings]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    return time.perf_counter() - started


def costs(work):
    """Give CPU-seconds of all jobs and the peak of the largest [GB]."""
    stages = provenance.stages(work / "runs" / "sized")
    return stages["cpu"].sum(), stages["peak"].max() / 1e3


def main():
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("folder", type=Path)
    ask.add_argument("--stocks", type=int, nargs="+", default=[500, 1000, 2000, 4000])
    ask.add_argument("--years", type=int, nargs="+", default=[1, 3, 5])
    knobs = ask.parse_args()
    market, most = knobs.folder / "market", (max(knobs.stocks), max(knobs.years))
    maker = mp.get_context("spawn").Process(target=write_market, args=(market, *most))
    maker.start()
    maker.join()
    if maker.exitcode:
        sys.exit("the market could not be simulated")
    days = calendar.Sessions.read(market / "calendar.parquet").days
    before = days[days < np.datetime64(END)][-1].item()
    print(f"{'stocks':>7}{'years':>7}{'wall s':>9}{'CPU s':>9}{'peak GB':>9}{'s/1000/year':>13}")
    for stocks in knobs.stocks:
        for years in knobs.years:
            last = before if (stocks, years) == most else END
            work = knobs.folder / f"{stocks}x{years}"
            shutil.rmtree(work, ignore_errors=True)
            write_raw(market, work / RAW, stocks, last, quarters(years))
            wall = dataset(work, stocks, years, last)
            cpu, peak = costs(work)
            each = 1000 * wall / stocks / years
            told = f"{stocks:>7}{years:>7}{wall:>9.0f}{cpu:>9.0f}{peak:>9.2f}{each:>13.1f}"
            print(told, flush=True)
    work = knobs.folder / "x".join(map(str, most))
    write_raw(market, work / RAW, most[0], END, quarters(most[1])[-1:])
    print(f"one session more: {dataset(work, *most, END):.0f} s")


if __name__ == "__main__":
    main()
