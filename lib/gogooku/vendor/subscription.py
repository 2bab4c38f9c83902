"""What people ask about their subscription and its data: tables for the terminal."""

import datetime as dt
import json
import math
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gogooku import calendar, files, layout
from gogooku.raw import inventory, plans
from gogooku.raw.catalogue import DATASETS
from gogooku.raw.dataset import PLANS, Plan
from gogooku.vendor import account, bulk, pace
from gogooku.vendor.cache import DAYS, Cache
from gogooku.vendor.jquants import Client
from gogooku.vendor.schedule import Deliveries, utc

RICHER = {"bars": "premium"}
"""Data sets of which one plan serves more fields than the others."""

ABANDONED = dt.timedelta(days=1)
"""Age at which a draft of files.atomic counts as left behind by a job that was killed."""

LONGEST_GAP = dt.timedelta(14)
"""A span that begins later than this after its first day was cut by the window of a plan."""

Period = tuple[dt.date, dt.date]


def check(client: Client) -> str:
    """Say whether the key works, for which plan and for which days; asks three times at most.

    Raises UserError if the key is refused or the subscription has ended.
    """
    plan = account.probe(client)
    window = client.memory.window or "unknown until a day outside it is asked for"
    lacks = [name for name, entry in DATASETS.items() if not plans.serves(plan, entry)]
    return inventory.text([
        {"": "key", "value": "works"},
        {"": "plan", "value": plan},
        {"": "days covered", "value": window},
        {"": "requests a minute", "value": pace.LIMITS[plan]},
        {"": "data sets it lacks", "value": ", ".join(lacks) or "none"},
    ])  # fmt: skip


def status(
    client: Client,
    cache: Cache,
    datasets: Iterable[str],
    periods: Sequence[Period],
    sessions: calendar.Days,
    share: float,
    now: dt.datetime,
    in_bulk: bool,
) -> str:
    """Say of each data set what is there, what is missing, and how long the rest takes.

    periods    first and last day of each span
    sessions   (T,) trading days
    in_bulk    whether whole months are read from the vendor's files

    Days are answers: of a data set that is asked for by range, spans. `open` counts those there
    that may still be corrected, `ask` the requests of the next fetch at one page each, and in bulk
    one a file, as if the vendor had all of them.
    """
    rows = [
        _standing(client, cache, name, periods, sessions, share, now, in_bulk) for name in datasets
    ]
    buckets = dict.fromkeys(pace.SLOTS, 0)
    for row in rows:
        buckets[DATASETS[row["data set"]].bucket] += row["ask"]
    requests = sum(buckets.values())
    total = {**dict.fromkeys(rows[0], ""), "data set": "all", "ask": requests}
    limits = {**buckets, "": requests}  # the plan's counts all of them
    minutes = max(_minutes(client, count, share, bucket) for bucket, count in limits.items())
    return inventory.text([*rows, {**total, "min": round(minutes, 1)}])


def _standing(
    client: Client,
    cache: Cache,
    dataset: str,
    periods: Sequence[Period],
    sessions: calendar.Days,
    share: float,
    now: dt.datetime,
    in_bulk: bool,
) -> inventory.Row:
    entry = DATASETS[dataset]
    moment = utc(now)
    deliveries = Deliveries(entry, sessions)
    if entry.request == "range":
        answers = {f"{first}_{last}": last for first, last in periods}
    else:
        days = (day for period in periods for day in deliveries.requested(*period))
        answers = {str(day): day for day in days}
    covers = client.memory.covers if plans.serves(client.plan, entry) else lambda day: False
    covered = {name: day for name, day in answers.items() if covers(day)}
    due = {name: day for name, day in covered.items() if deliveries.moment(day) <= moment}
    look_up = cache.of_any_plan if entry.request == "now" else cache.answer
    answers_there = {name: answer for name in due if (answer := look_up(dataset, name))}
    stale = [
        name
        for name in answers_there
        if deliveries.is_stale(due[name], utc(answers_there[name].checked), moment)
    ]
    still = [name for name in answers_there if moment < deliveries.settled(due[name])]
    missing = [day for name, day in due.items() if name not in answers_there]
    ask = len(missing) + len(stale) if entry.request != "now" else 0
    if in_bulk and entry.bulk and entry.request != "range" and client.plan != "free":
        ask -= sum(_spared(missing, *period, now) for period in periods)
    return {
        "data set": dataset,
        "plan": entry.plan,
        "days": len(answers),
        "there": len(answers_there),
        "missing": len(missing),
        "not covered": len(answers) - len(covered),
        "open": len(still),
        "ask": ask,
        "min": round(_minutes(client, ask, share, entry.bucket), 1),
    }


def _spared(missing: Iterable[dt.date], first: dt.date, last: dt.date, now: dt.datetime) -> int:
    """Count the requests of a span that files of months spare, over those for files and list."""
    months = bulk.by_month((day for day in missing if first <= day <= last), now)
    counts = [len(days) for days in months.values() if len(days) >= bulk.FEWEST_DAYS]
    return sum(counts) - len(counts) - bool(counts)


def _minutes(client: Client, requests: int, share: float, bucket: str = "") -> float:
    limit = min(pace.LIMITS[client.plan or "free"], pace.CHILDREN.get(bucket, math.inf))
    return requests / (share * limit)


class _File(NamedTuple):
    """A raw file or an answer: its data set, the plan under which it came, its days in order."""

    path: Path
    dataset: str
    plan: Plan
    days: list[dt.date]


def outgrown(raw: Path, plan: str | None) -> str:
    """Name the raw files below `raw` that a cheaper plan left without what `plan` serves.

    A plan that is found out by asking is no parameter of theirs, so nothing fetches them again.
    The text is "" if there are none, or the plan is unknown.
    """
    lines = [f"  {file.path}  {gain}\n" for file in _spans(raw) if (gain := _gain(file, plan))]
    if not lines:
        return ""
    head = f"fetched with a cheaper plan than {plan}; delete them to have them fetched again:\n"
    return "".join([head, *lines])


def _gain(file: _File, plan: str | None) -> str:
    """Say what `plan` serves of a raw file's span and the file lacks; "" if nothing."""
    entry, had = DATASETS[file.dataset], file.plan
    first, last = calendar.bounds(layout.span(file.path))
    if plan not in PLANS or PLANS.index(had) >= PLANS.index(plan):
        return ""
    if entry.request == "now" or entry.since > last:  # past days cannot be asked for
        return ""
    if not plans.serves(had, entry) and plans.serves(plan, entry):
        return f"the plan {had} lacks the data set"
    if RICHER.get(file.dataset) == plan:
        return f"the plan {had} has fewer fields"
    late = not file.days or file.days[0] > max(first, entry.since) + LONGEST_GAP
    return f"the plan {had} covers fewer days" if late else ""


def uncovered(client: Client, raw: Path) -> dict[Path, str]:
    """Find the files below `raw` that hold what the subscription does not serve now.

    raw   the store's folder: raw files of spans, and the answers that they were made of

    Returns path → reason. The plan is asked for again; where the vendor does not tell the window,
    only the plan counts. Drafts that killed jobs have left are among them, whatever they hold.
    """
    plan = account.probe(client)
    newest = time.time() - ABANDONED.total_seconds()
    drafts = (path for path in sorted(raw.rglob(".*.parquet.*")) if path.stat().st_mtime < newest)
    reasons = dict.fromkeys(drafts, "left by a job that was killed")
    for file in (*_answers(raw), *_spans(raw)):
        if reason := _reason(file, plan, client.memory.window):
            reasons[file.path] = reason
    return reasons


def _reason(file: _File, plan: str, window: plans.Window | None) -> str:
    """Say why the subscription does not serve a file now; "" if it does."""
    richest = RICHER.get(file.dataset)
    if not plans.serves(plan, DATASETS[file.dataset]):
        return f"not part of the plan {plan}"
    if file.plan == richest and plan != richest:
        return f"has fields of the plan {file.plan}, and the plan is {plan}"
    if window and any(day not in window for day in (*file.days[:1], *file.days[-1:])):
        return f"holds days outside {window}"
    return ""


def listed(reasons: Mapping[Path, str], raw: Path) -> str:
    """Count the files that `uncovered` gives, by folder and reason."""
    folders = Counter((path.parent.relative_to(raw), reason) for path, reason in reasons.items())
    return inventory.text([
        {"folder": folder, "files": count, "reason": reason}
        for (folder, reason), count in sorted(folders.items())
    ])  # fmt: skip


def purge(paths: Collection[Path]) -> str:
    """Delete the files that `uncovered` gives."""
    for path in paths:
        path.unlink(missing_ok=True)
    return (
        f"{len(paths)} files deleted; what runs were built from them holds their rows too: delete "
        "the folders of those runs\n"
    )


def _answers(raw: Path) -> Iterator[_File]:
    for path in sorted((raw / DAYS).glob("[!.]*/[!.]*/*.parquet")):
        days = map(dt.date.fromisoformat, path.stem.split("_"))
        yield from _file(path, path.parents[1].name, path.parent.name.split("-")[-1], days)


def _spans(raw: Path) -> Iterator[_File]:
    for path in sorted(raw.glob("[!.]*/*.parquet")):
        metadata = files.read_metadata(path)
        days = map(dt.date.fromisoformat, json.loads(metadata.get("rows", "{}")))
        yield from _file(path, layout.dataset(path), metadata.get("plan"), days)


def _file(path: Path, dataset: str, plan: str | None, days: Iterable[dt.date]) -> Iterator[_File]:
    """Give the file unless it is of another source, which has no plan."""
    if plan in PLANS and dataset in DATASETS:
        yield _File(path, dataset, plan, sorted(days))
