"""Years of a whole market through the client, against the plan's floor.

    PYTHONPATH=lib python benchmarks/fetching.py FOLDER [--stocks 4000] [--years 5] [--speed 15]

A simulated market of all data sets of the plan is written to FOLDER/market (once), served by a
process of its own whose clock and rate limit run `--speed` times as fast, and fetched quarter by
quarter with a cache of days. Then it is fetched again, and once more a session later. Printed:
requests and their minimum, refusals (429), wall time and the plan's floor for those requests,
peak memory of client and server. The floor is requests / rate: 120 a minute on Standard, 60 for
filings.
"""

import argparse
import datetime as dt
import itertools
import json
import multiprocessing as mp
import resource
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from gogooku import calendar, files, point_in_time
from gogooku.config import availability
from gogooku.raw import plans
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor import fetch
from gogooku.vendor.cache import Cache
from gogooku.vendor.jquants import Client
from gogooku.vendor.schedule import SHORTEST_WEEK
from simulated_exchange.market import simulation
from simulated_exchange.server import clock
from simulated_exchange.server.exchange import Exchange
from simulated_exchange.server.limits import Limiter

KEY = "benchmark"
END = dt.date(2026, 6, 30)
JST = dt.timezone(dt.timedelta(hours=9))
RATES = {"light": 60, "standard": 120, "premium": 500}
FILINGS = 60
PUBLICATION = 2  # sessions after a week's last one on which its balances are out
TOGETHER = 3  # spans that are fetched at one time
CONFIG = Path(__file__).parents[1] / "config" / "availability.yaml"


def data_sets(plan):
    return [
        name
        for name, entry in DATASETS.items()
        if plans.serves(plan, entry) and entry.request != "now" and entry.plan != "minute"
    ]


def write_market(folder, stocks, years, plan):
    """Simulate the market, a table at a time; finished if its last file stands."""
    stamp = folder / "whole.json"
    facts = {"stocks": stocks, "years": years, "plan": plan}
    if stamp.exists() and files.read_json(stamp) == facts:
        return
    started = time.process_time()
    names = data_sets(plan)
    start = END.replace(year=END.year - years) + dt.timedelta(1)
    made = simulation.simulate(
        seed=1, start=start, end=END, stocks=stocks, parts={}, datasets=names
    )
    for name in names:
        files.write_parquet(made.tables[name], folder / f"{name}.parquet")
    files.write_json(facts, stamp)
    print(f"simulated in {time.process_time() - started:.0f} CPU-s, peak {peak():.1f} GB")


def peak():
    """Largest memory of this process so far [GB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def serve(folder, plan, minute, moments, pipe):
    """Serve until told to stop; answer each word with what was counted so far."""
    place = itertools.count()
    now = {"moment": moments[next(place)]}
    limiter = Limiter(plan, on=True, minute=minute)
    with Exchange(folder, key=KEY, now=lambda: now["moment"], plan=plan, limiter=limiter) as server:
        pipe.send(server.url)
        while (word := pipe.recv()) != "stop":
            if word == "next day":
                now["moment"] = moments[next(place)]
            filings = sum(path.startswith("/v2/fins/summary") for path, _ in server.requests)
            pipe.send({
                "requests": len(server.requests), "filings": filings, "refused": limiter.refused,
                "busiest": dict(limiter.most), "peak": peak(),
                "cpu": time.process_time(),
            })  # fmt: skip


def spans_of(first, last):
    return calendar.spans(first, last, "quarter")


def fetch_all(client, url, raw, names, first, last, now, rules, closes):
    """Fetch every data set and span as the workflow does, the calendar before the rest."""
    cache = Cache.beside(raw / "any" / "file", client.plan, url)
    clamp = lambda span: (  # noqa: E731 - two words
        max(calendar.bounds(span)[0], first), min(calendar.bounds(span)[1], last)
    )  # fmt: skip
    whole = fetch.read(
        client, "calendar", first, last + dt.timedelta(30), [], now=now, cache=cache
    ).rows
    sessions = calendar.Sessions.of(whole["Date"].to_numpy(), whole["HolDiv"].to_list()).days

    def one(job):
        name, span = job
        start, end = clamp(span)
        found = fetch.read(client, name, start, end, sessions, now=now, cache=cache).rows
        rows = point_in_time.stamp(found, rules[name], closes, sessions)
        files.write_parquet(rows, raw / name / f"{span}.parquet")
        return len(rows)

    jobs = [(name, span) for name in names if name != "calendar" for span in spans_of(first, last)]
    # The scarcest rate first: filings share a minute with nothing else.
    jobs.sort(key=lambda job: job[0] != "summary")
    slow, rest = [j for j in jobs if j[0] == "summary"], [j for j in jobs if j[0] != "summary"]
    with ThreadPoolExecutor(1) as scarce, ThreadPoolExecutor(TOGETHER) as pool:
        counts = [scarce.map(one, slow), pool.map(one, rest)]
        return sum(map(sum, counts)), len(sessions[sessions <= np.datetime64(last)])


def least(names, sessions, weeks, spans):
    """Fewest requests: one a session and data set, one a week, one a span asked as a range."""
    ways = {"session": sessions, "week": weeks, "range": spans}
    return sum(ways[DATASETS[name].request] for name in names if name != "calendar") + 1


def weeks(days):
    """Count the weeks whose balances are out; short ones have none."""
    _, lengths = np.unique((days.astype(int) - 4) // 7, return_counts=True)
    published = np.cumsum(lengths) - 1 + PUBLICATION
    return int(((lengths >= SHORTEST_WEEK) & (published < len(days))).sum())


def least_more(names):
    """Fewest requests for one session more: it, sessions open to correction, the ranges."""
    ways = {"session": lambda entry: 1 + entry.reread, "range": lambda _: 1, "week": lambda _: 0}
    return sum(ways[entry.request](entry) for entry in (DATASETS[name] for name in names))


def report(title, wall, before, after, plan, minute, smallest):
    asked, filings = (after[key] - before[key] for key in ("requests", "filings"))
    floor = max(asked / RATES[plan], filings / FILINGS) * minute
    row = {
        "pass": title, "requests": asked, "minimum": smallest,
        "ratio": round(asked / smallest, 4) if smallest else None,
        "refused": after["refused"] - before["refused"], "wall s": round(wall, 1),
        "floor s": round(floor, 1), "wall/floor": round(wall / floor, 3) if floor else None,
        "client GB": round(peak(), 2), "server GB": round(after["peak"], 2),
        "busiest minute": after["busiest"],
    }  # fmt: skip
    print(json.dumps(row), flush=True)


def main():
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    ask.add_argument("folder", type=Path)
    ask.add_argument("--stocks", type=int, default=4000)
    ask.add_argument("--years", type=int, default=5)
    ask.add_argument("--speed", type=float, default=15)
    ask.add_argument("--plan", choices=sorted(RATES), default="standard")
    knobs = ask.parse_args()
    market, raw = knobs.folder / "market", knobs.folder / "raw"
    maker = mp.get_context("spawn").Process(
        target=write_market, args=(market, knobs.stocks, knobs.years, knobs.plan)
    )
    maker.start()
    maker.join()
    if maker.exitcode:
        sys.exit("the market could not be simulated")
    shutil.rmtree(raw, ignore_errors=True)
    shutil.rmtree(knobs.folder / "ledger", ignore_errors=True)
    settings = availability.read(CONFIG)
    rules, closes = settings.datasets, settings.close
    names = data_sets(knobs.plan)
    first = END.replace(year=END.year - knobs.years) + dt.timedelta(1)
    days = calendar.Sessions.read(market / "calendar.parquet").days
    days = days[days <= np.datetime64(END)]
    yesterday, today = days[-2].item(), days[-1].item()
    moments = [clock.end_of(day) for day in (yesterday, today)]
    minute = 60 / knobs.speed
    ours, theirs = mp.get_context("spawn").Pipe()
    server = mp.get_context("spawn").Process(
        target=serve, args=(market, knobs.plan, minute, moments, theirs)
    )
    server.start()
    url = ours.recv()
    smallest = least(names, len(days) - 1, weeks(days[:-1]), len(spans_of(first, yesterday)))
    passes = [
        ("all", yesterday, moments[0], smallest),
        ("again", yesterday, moments[0], 0),
        ("one session more", today, moments[1], least_more(names)),
    ]  # fmt: skip
    before = {"requests": 0, "filings": 0, "refused": 0}
    with Client(
        url, KEY, knobs.plan, 60, 5, ledger=knobs.folder / "ledger", minute=minute
    ) as client:
        for title, last, now, smallest in passes:
            if title == "one session more":
                ours.send("next day")
                before = ours.recv()
            started = time.monotonic()
            fetch_all(client, url, raw, names, first, last, now, rules, closes)
            wall = time.monotonic() - started
            ours.send("count")
            after = ours.recv()
            report(title, wall, before, after, knobs.plan, minute, smallest)
            before = after
    ours.send("stop")
    server.join()
    print(f"CPU-s: client {time.process_time():.0f}, server {after['cpu']:.0f}")


if __name__ == "__main__":
    main()
