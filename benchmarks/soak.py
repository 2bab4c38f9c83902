"""Fetches under faults and kills, compared with undisturbed ones.

    PYTHONPATH=lib python benchmarks/soak.py [--faults 1000] [--kills 50] [--stocks 60] [--seed 1]

A simulated market of all data sets, served with the limit and the block of Premium, is fetched
undisturbed: once by the API, once with the files of whole months. Then it is fetched in rounds, the
two ways by turns, each into an empty folder, while requests go wrong and the fetching process is
killed (SIGKILL) at random moments and started again until it ends by itself. Clocks run SPEED times
as fast as time, so that a block of five minutes passes in one second.

After each round every raw file and every cached answer must be the undisturbed one: byte for byte,
or but for the times of fetching, or but for keys that no specification names, which the client
keeps. One more fetch must then ask for no rows and change no byte. Faults, kills, retries and
verdicts are printed; the exit status is 1 if anything differs or the key stands in a file.
"""

import argparse
import base64
import collections
import contextlib
import datetime as dt
import gzip
import multiprocessing as mp
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from gogooku import calendar, errors, files, jobs, point_in_time
from gogooku.config import availability
from gogooku.raw import inventory, provenance
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor import fetch
from gogooku.vendor.cache import DAYS, Cache
from gogooku.vendor.jquants import Client
from simulated_exchange.market import simulation
from simulated_exchange.server.clock import JST
from simulated_exchange.server.exchange import ROOT, Exchange
from simulated_exchange.server.limits import Limiter

KEY = "a-key-that-must-not-be-found"
PLAN = "premium"
CONFIG = Path(__file__).parents[1] / "config" / "availability.yaml"

START, END = dt.date(2024, 1, 4), dt.date(2024, 6, 28)  # of the market
NOW = dt.datetime(2024, 6, 27, 23, 30, tzinfo=JST)
LAST = dt.date(2024, 6, 26)  # the newest day of which all data sets are out
NAMES = [name for name in DATASETS if name != "bars_minute"]  # an add-on, and all but all requests

PAGE_ROWS = 30
CHAIN = 60  # contracts a day that are left of the options, or most requests would be theirs

SPEED = 300.0
SHARE = 0.3  # of requests go wrong
PATIENCE, SLOW, LATE = 3.0, 0.3, 3.5  # time-out, an answer within it and one beyond [s]
BURST = 3  # most refusals in a row
LIFE = 1.5  # mean time to the kill [s]

TRANSPORT = (
    "429", "429-text", "429-after", "429-block", "500", "500-json", "502", "truncate", "reset",
    "reset-body", "slow", "late", "210", "empty-body",
)  # fmt: skip
ROWS = ("repeat", "null-key", "empty-key", "empty-page", "duplicate", "flip", "mix", "extra")
EXTENDED = ("bars", "short_ratio", "dividend")  # where unknown keys come; all others stay bytewise
PATHS = {f"{ROOT}{entry.path}": name for name, entry in DATASETS.items()}
FETCHED = ("fetched_first", "fetched_last")


class Mischief:
    """Decides the fate of requests: a share of them fails, until `most` have or it is off."""

    def __init__(self, seed, most):
        self._random, self._most = random.Random(seed), most
        self._lock, self._burst = threading.Lock(), []
        self.counts, self.on = collections.Counter(), False

    def __call__(self, path, query):
        with self._lock:
            kind = self._drawn(PATHS.get(path))
        if kind == "late":
            time.sleep(LATE)
            return None
        return kind

    def _drawn(self, dataset):
        if not self.on or self.counts.total() >= self._most:
            return None
        if self._burst:
            kind = self._burst.pop()
        elif self._random.random() < SHARE:
            kind = self._random.choice(TRANSPORT + ROWS if dataset else TRANSPORT)
            if kind == "extra" and dataset not in EXTENDED:
                kind = "flip"
            if kind == "210" and dataset == "bars_am":  # there it is an answer
                kind = "empty-body"
            if kind in ("429", "429-text", "429-after"):
                self._burst = [kind] * self._random.randrange(BURST)
        else:
            return None
        self.counts[kind] += 1
        return kind


class FastClock:
    """Runs SPEED times as fast as time, from one moment for all processes."""

    def __init__(self, start):
        self._start = start

    def time(self):
        return self._start + SPEED * (time.time() - self._start)

    def sleep(self, seconds):
        time.sleep(seconds / SPEED)


# ---- the process that is killed ------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """All data sets from `first` on, by months, into the store `raw`."""

    url: str
    raw: Path
    ledger: Path
    first: dt.date
    start: float
    in_bulk: bool


def fetch_all(job, log):
    """Fetch as the workflow does, the calendar before the rest; status 1 after a UserError."""
    jobs.log_to(log)
    os.dup2(2, 1)
    settings = availability.read(CONFIG)
    closes = settings.close
    cache = Cache.beside(job.raw / "any" / "file", PLAN, "")  # of any port: folders are compared
    with Client(
        job.url, KEY, PLAN, PATIENCE, 6, ledger=job.ledger, workers=6, clock=FastClock(job.start)
    ) as client:

        def read(name, first, last, sessions):
            return fetch.read(
                client, name, first, last, sessions, now=NOW, cache=cache, in_bulk=job.in_bulk
            )

        def file(name, span, sessions):
            start, end = calendar.bounds(span)
            last = NOW.date() if DATASETS[name].request == "now" else LAST
            got = read(name, max(start, job.first), min(end, last), sessions)
            rows = point_in_time.stamp(got.rows, settings.datasets[name], closes, sessions)
            told = provenance.describe(rows, name, "jquants", PLAN, got.times)
            files.write_parquet(rows, job.raw / name / f"{span}.parquet", told)

        try:
            days = read("calendar", job.first, LAST + dt.timedelta(30), []).rows
            sessions = calendar.Sessions.of(days["Date"].to_numpy(), days["HolDiv"].to_list()).days
            spans = calendar.spans(job.first, LAST, "month")
            with ThreadPoolExecutor(3) as pool:
                list(pool.map(lambda of: file(*of, sessions), wanted(spans)))
        except errors.UserError as error:
            sys.exit(str(error))


def wanted(spans):
    return [(name, span) for name in NAMES for span in spans]


# ---- rounds --------------------------------------------------------------------------------------


@dataclass
class Result:
    faults: collections.Counter = field(default_factory=collections.Counter)
    verdicts: collections.Counter = field(default_factory=collections.Counter)
    rounds: int = 0
    kills: int = 0
    gave_up: int = 0
    crashed: int = 0
    retries: int = 0
    requests: int = 0
    asked_again: int = 0
    drafts: int = 0
    different: list[Path] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)
    found: list[Path] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def equal(self):
        return not (self.different or self.changed or self.asked_again or self.crashed)


class Soak:
    """One exchange, its disturbed and its undisturbed fetches, all below `folder`."""

    def __init__(self, folder, faults, kills, first, seed):
        self.folder, self.faults, self.kills, self.first = folder, faults, kills, first
        self.random, self.mischief = random.Random(seed), Mischief(seed, faults)
        self.context, self.start = mp.get_context("forkserver"), time.time()
        self.context.set_forkserver_preload(
            ["simulated_exchange.server.exchange", "gogooku.vendor.fetch"]
        )
        self.result = Result(self.mischief.counts)

    def run(self, tables):
        limiter = Limiter(PLAN, on=True, minute=60 / SPEED)
        with Exchange(
            tables, key=KEY, now=lambda: NOW, plan=PLAN, page_rows=PAGE_ROWS, limiter=limiter,
            faults=self.mischief, slow=SLOW,
        ) as self.exchange:  # fmt: skip
            calm = [self.undisturbed(in_bulk) for in_bulk in (False, True)]
            asked = len(self.exchange.requests)
            while not self.enough():
                self.round(calm)
        self.result.requests = len(self.exchange.requests) - asked
        self.result.found = traces(self.folder, KEY)
        return self.result

    def enough(self):
        return self.mischief.counts.total() >= self.faults and self.result.kills >= self.kills

    def a_kill_is_due(self):
        """Say whether kills lag behind faults, so that both are spread over all rounds."""
        kills, faults = self.result.kills, self.mischief.counts.total()
        return kills < self.kills and kills * self.faults <= faults * self.kills

    def job(self, name, in_bulk):
        ledger = self.folder / "ledger"
        return Job(self.exchange.url, self.folder / name, ledger, self.first, self.start, in_bulk)

    def life(self, job, number):
        """Let a process fetch; gives its exit status, negative if it was killed."""
        log = self.folder / "logs" / f"{job.raw.name}-{number}.log"
        log.parent.mkdir(exist_ok=True)
        process = self.context.Process(target=fetch_all, args=(job, log))
        process.start()
        while process.is_alive():
            process.join(self.random.expovariate(1 / LIFE))
            if self.mischief.on and log.exists() and self.a_kill_is_due():
                process.kill()
                process.join()
        said = log.read_text()
        self.result.retries += said.count("next try in")
        self.result.crashed += "Traceback" in said
        return process.exitcode

    def undisturbed(self, in_bulk):
        job = self.job(f"calm{int(in_bulk)}", in_bulk)
        if status := self.life(job, 0):
            sys.exit(f"the undisturbed fetch ended with status {status}: see {self.folder}/logs")
        return job.raw

    def round(self, calm):
        in_bulk = bool(self.result.rounds % 2)
        job = self.job(f"round{self.result.rounds}", in_bulk)
        self.mischief.on, lives, status = True, 0, None
        while status != 0:
            status = self.life(job, lives)
            lives += 1
            self.result.kills += status < 0
            self.result.gave_up += status > 0
        self.mischief.on = False
        self.result.rounds += 1
        before, asked = contents(job.raw), len(self.exchange.requests)
        if status := self.life(job, lives):
            sys.exit(f"the fetch after round {self.result.rounds} ended with status {status}")
        after = contents(job.raw)
        rows = [path for path, _ in self.exchange.requests[asked:] if path in PATHS]
        self.result.asked_again += len(rows)
        self.result.changed += [
            job.raw / name
            for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)
        ]
        found = compared(calm[in_bulk], job.raw)
        self.result.verdicts.update(found.values())
        self.result.different += [job.raw / name for name in found if found[name] == "differs"]
        self.result.drafts += len(drafts(job.raw))


def whole_files(raw):
    """Name the files that a run takes for data: what the client's own patterns find."""
    found = {path for path in raw.glob("*/*.parquet")}
    found |= {path for path in (raw / DAYS).glob("*/*/*.parquet")}
    return {path.relative_to(raw) for path in found}


def contents(raw):
    """Give the bytes of each such file."""
    return {name: (raw / name).read_bytes() for name in whole_files(raw)}


def drafts(raw):
    """List what killed processes left behind of files that they were writing."""
    return [path for path in raw.rglob(".*") if path.is_file()]


def compared(calm, disturbed):
    """Give one verdict for each raw file and cached answer, by name."""
    names = whole_files(calm) | whole_files(disturbed)
    return {name: verdict(calm / name, disturbed / name) for name in sorted(names)}


def verdict(calm, disturbed):
    if not (calm.exists() and disturbed.exists()):
        return "differs"
    if calm.read_bytes() == disturbed.read_bytes():
        return "byte for byte"
    one, other = pl.read_parquet(calm), pl.read_parquet(disturbed)
    told, untold = (pl.read_parquet_metadata(path) for path in (calm, disturbed))
    less, verdict = {"ARROW:schema", "fetched", "checked", *FETCHED}, "but for times"
    if set(other.columns) - set(one.columns) == {"NewFld", "NewNum", "NewObj"}:
        other, verdict = other.select(one.columns), "but for unknown keys"
        less |= {"content"}
    facts = [{key: it for key, it in of.items() if key not in less} for of in (told, untold)]
    equal = one.equals(other) and one.schema == other.schema and facts[0] == facts[1]
    return verdict if equal else "differs"


# ---- the key -------------------------------------------------------------------------------------


def traces(folder, key):
    """List the files below `folder` in which an API key stands, in their names or packed too."""
    forms = [key.encode(), *encoded(key.encode())]
    return [
        path
        for path in sorted(folder.rglob("*"))
        if key in path.name or (path.is_file() and any(form in unpacked(path) for form in forms))
    ]


def encoded(key):
    """Give what base64 makes of a key, wherever in a text it begins; its ends mix with others."""
    return [base64.b64encode(bytes(n) + key)[4 if n else 0 : -4] for n in range(3)]


def unpacked(path):
    """Give the bytes of a file, and behind them what is in it if it is packed."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content += gzip.decompress(content)
    if path.suffix == ".parquet":
        with contextlib.suppress(pl.exceptions.PolarsError, OSError):  # half written, or no frame
            content += str(pl.read_parquet_metadata(path)).encode()
            content += pl.read_parquet(path).write_csv().encode()
    return content


# ---- the whole -----------------------------------------------------------------------------------


def soak(folder, *, faults, kills, stocks, first, seed):
    """Let `faults` requests go wrong and kill `kills` processes at least; gives the Result."""
    started = time.monotonic()
    market = simulation.simulate(seed=seed, start=START, end=END, stocks=stocks, parts={})
    tables = dict(market.tables)
    for name in ("options", "options_225"):
        tables[name] = tables[name].group_by("Date", maintain_order=True).head(CHAIN)
    result = Soak(folder, faults, kills, first, seed).run(tables)
    result.seconds = time.monotonic() - started
    return result


def report(result):
    """Lay the result out in tables."""
    counted = [{"fault": name, "times": count} for name, count in sorted(result.faults.items())]
    counted.append({"fault": "all", "times": result.faults.total()})
    facts = {
        "rounds": result.rounds,
        "requests": result.requests,
        "kills": result.kills,
        "lives that gave up": result.gave_up,
        "lives that crashed": result.crashed,
        "retries": result.retries,
        "drafts left by kills": result.drafts,
        "files that the next fetch changed": len(result.changed),
        "answers that it asked for": result.asked_again,
        **{f"files equal {name}": n for name, n in sorted(result.verdicts.items()) if n},
        "files that hold the key": len(result.found),
        "seconds": round(result.seconds),
    }
    rows = [{"": name, "count": count} for name, count in facts.items()]
    wrong = [f"{path}\n" for path in (*result.different, *result.changed, *result.found)]
    equal = f"result equal: {'yes' if result.equal else 'NO'}"
    return "\n".join([inventory.text(counted), inventory.text(rows), *wrong, equal])


def main():
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    ask.add_argument("--faults", type=int, default=1000)
    ask.add_argument("--kills", type=int, default=50)
    ask.add_argument("--stocks", type=int, default=60)
    ask.add_argument("--first", type=dt.date.fromisoformat, default=dt.date(2024, 4, 1))
    ask.add_argument("--seed", type=int, default=1)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    result = soak(folder, **vars(ask.parse_args()))
    print(report(result))
    if not result.equal or result.found:
        sys.exit(f"see {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
