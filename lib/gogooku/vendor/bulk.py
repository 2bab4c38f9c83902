"""Whole months from the vendor's files, split into the days of the cache.

A file of a month replaces some twenty requests. Its days count as checked at the moment at which
the file was last written: days that were still open to correction then are asked for again.
"""

import datetime as dt
import functools
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gogooku import errors, jobs
from gogooku.raw import plans, schema
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor.cache import Cache
from gogooku.vendor.jquants import Client, NotInPlan, OutsideWindow

log = logging.getLogger(__name__)

FEWEST_DAYS = 3
"""A month of which fewer days are missing is asked for day by day."""

AT_ONCE = 4  # files: a month of daily bars takes 100 MB when unpacked

MONTH = re.compile(r"_(20\d\d(?:0[1-9]|1[0-2]))\.csv\.gz$")


def fill(
    client: Client,
    cache: Cache,
    dataset: str,
    days: Sequence[dt.date],
    now: dt.datetime,
) -> None:
    """Put the days of months that are over into the cache, from files where the vendor has them.

    A month is read if the cache lacks FEWEST_DAYS of it and its file was not read before, or its
    file is newer than what the cache holds of it. A plan without files fills nothing. Raises
    UserError as the client does.
    """
    months = by_month(days, now)
    try:
        files = _covered_files(client, dataset, months)
    except NotInPlan:
        log.warning("%s: the plan has no files, days are asked for", DATASETS[dataset].path)
        return
    news = {
        month: file
        for month, file in files.items()
        if _is_news(cache, dataset, months[month], _modified(dataset, file))
    }
    read = functools.partial(_read, client, cache, dataset, now)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        months_read = pool.map(read, (months[month] for month in news), news.values())
        list(jobs.progress(months_read, f"{dataset} (files)", len(news)))


def _covered_files(
    client: Client, dataset: str, months: Mapping[dt.date, object]
) -> dict[dt.date, dict[str, Any]]:
    """List the files of the months that the plan covers; a refusal may tell which they are."""
    try:
        return _files(client, dataset, _inside(months, client.memory.window))
    except OutsideWindow as outside:
        return _files(client, dataset, _inside(months, outside.window))


def _inside(months: Mapping[dt.date, object], window: plans.Window | None) -> dict[dt.date, object]:
    return {month: days for month, days in months.items() if window is None or month in window}


def by_month(days: Iterable[dt.date], now: dt.datetime) -> dict[dt.date, list[dt.date]]:
    """Sort days into their months, each by its first day; those of the present month go."""
    present = now.astimezone(plans.JAPAN).date().replace(day=1)
    months: dict[dt.date, list[dt.date]] = {}
    for day in days:
        if day < present:
            months.setdefault(day.replace(day=1), []).append(day)
    return months


def _files(
    client: Client, dataset: str, months: Mapping[dt.date, object]
) -> dict[dt.date, dict[str, Any]]:
    """List the newest file of each month; the month stands in the digits of a file's name."""
    newest: dict[dt.date, dict[str, Any]] = {}
    if not months:
        return newest
    for file in client.listed(dataset, f"{min(months):%Y-%m}", f"{max(months):%Y-%m}"):
        digits = MONTH.search(file["Key"])
        if not digits:
            continue
        month = dt.datetime.strptime(digits[1], "%Y%m").date()
        newer = month in newest and _modified(dataset, newest[month]) >= _modified(dataset, file)
        if month in months and not newer:
            newest[month] = file
    return newest


def _modified(dataset: str, file: Mapping[str, Any]) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(file["LastModified"]).astimezone(dt.UTC)
    except (KeyError, TypeError, ValueError):
        raise errors.UserError(
            f"/bulk/list answered a file of {DATASETS[dataset].path} without a moment in "
            "LastModified"
        ) from None


def _is_news(cache: Cache, dataset: str, days: Iterable[dt.date], modified: dt.datetime) -> bool:
    """Whether a file of that moment tells more than the cache; days that it lacks stay missing."""
    answers = [cache.held(dataset, str(day)) for day in days]
    times = [answer.checked for answer in answers if answer is not None]
    if any(time < modified for time in times):
        return True
    return modified not in times and answers.count(None) >= FEWEST_DAYS


def _read(
    client: Client,
    cache: Cache,
    dataset: str,
    now: dt.datetime,
    days: Sequence[dt.date],
    file: Mapping[str, Any],
) -> None:
    """Read one file into the cache; days that a later answer told of stay as they are."""
    rows = schema.table(dataset, client.file(file["Key"], file["Size"]))
    modified, entry = _modified(dataset, file), DATASETS[dataset]
    by_day = rows.sort(entry.order).partition_by(entry.day, as_dict=True)
    for day in days:
        held = cache.held(dataset, str(day))
        if held is None or held.checked < modified:
            of_day = by_day.get((day,), rows.clear())
            if len(of_day) or entry.empty:  # a day that must have rows is asked for otherwise
                cache.put(dataset, str(day), of_day, modified, now)
    log.info("%s: %d days of %s from a file", entry.path, len(days), str(days[0])[:7])
