"""Whole months from the vendor's files, split into the days of the cache.

A file of a month replaces some twenty requests. Its days count as checked at the moment at which
the file was last written: days that were still open to correction then are asked for again.
"""

import datetime as dt
import functools
import logging
import re
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from gogooku import jobs
from gogooku.raw import plans, schema
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor.cache import Cache
from gogooku.vendor.jquants import Client, File, NotInPlan, OutsideWindow

log = logging.getLogger(__name__)

FEWEST_DAYS = 3
"""A month of which fewer days are missing is asked for day by day."""

AT_ONCE = 4  # files: a month of daily bars takes 100 MB when unpacked

MONTH = re.compile(r"_(20\d\d(?:0[1-9]|1[0-2]))\.csv\.gz$")


def fill(
    client: Client, cache: Cache, dataset: str, days: Sequence[dt.date], now: dt.datetime
) -> None:
    """Put the days of months that are over into the cache, from files where the vendor has them.

    A month is read if the cache lacks FEWEST_DAYS of it and its file was not read before, or its
    file is newer than what the cache holds of it. A plan without files fills nothing. Raises
    UserError as the client does.
    """
    months = by_month(days, now)
    try:
        files = _newest_files(client, dataset, months)
    except NotInPlan:
        log.warning("%s: the plan has no files, days are asked for", DATASETS[dataset].path)
        return
    of_months = ((months[month], file) for month, file in files.items())
    news = [(days, file) for days, file in of_months if _is_news(cache, dataset, days, file)]
    read = functools.partial(_read, client, cache, dataset, now)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        months_read = pool.map(read, *zip(*news, strict=True)) if news else []
        list(jobs.progress(months_read, f"{dataset} (files)", len(news)))


def by_month(days: Iterable[dt.date], now: dt.datetime) -> dict[dt.date, list[dt.date]]:
    """Sort days into their months, each by its first day; those of the present month go."""
    present = now.astimezone(plans.JAPAN).date().replace(day=1)
    months: dict[dt.date, list[dt.date]] = {}
    for day in days:
        if day < present:
            months.setdefault(day.replace(day=1), []).append(day)
    return months


def _newest_files(client: Client, dataset: str, months: Collection[dt.date]) -> dict[dt.date, File]:
    """List the newest file of each month that the plan covers; a refusal tells which those are."""
    try:
        files = _files(client, dataset, months)
    except OutsideWindow:
        files = _files(client, dataset, months)
    newest: dict[dt.date, File] = {}
    for file in sorted(files, key=lambda file: file.modified, reverse=True):
        if digits := MONTH.search(file.key):
            newest.setdefault(dt.datetime.strptime(digits[1], "%Y%m").date(), file)
    return {month: file for month, file in newest.items() if month in months}


def _files(client: Client, dataset: str, months: Collection[dt.date]) -> list[File]:
    covered = [*filter(client.memory.covers, months)]
    if not covered:
        return []
    return client.files(dataset, f"{min(covered):%Y-%m}", f"{max(covered):%Y-%m}")


def _is_news(cache: Cache, dataset: str, days: Iterable[dt.date], file: File) -> bool:
    """Whether a file holds more than the cache; days that it lacks stay missing."""
    answers = [cache.answer(dataset, str(day)) for day in days]
    times = [answer.checked for answer in answers if answer is not None]
    if any(time < file.modified for time in times):
        return True
    return file.modified not in times and answers.count(None) >= FEWEST_DAYS


def _read(
    client: Client,
    cache: Cache,
    dataset: str,
    now: dt.datetime,
    days: Sequence[dt.date],
    file: File,
) -> None:
    """Read one file into the cache; days of which a later answer is there stay as they are."""
    rows, entry = schema.table(dataset, client.download(file)), DATASETS[dataset]
    by_day = rows.sort(entry.order).partition_by(entry.day, as_dict=True)
    for day in days:
        there = cache.answer(dataset, str(day))
        if there is None or there.checked < file.modified:
            of_day = by_day.get((day,), rows.clear())
            if len(of_day) or entry.empty:  # a day that must have rows is asked for otherwise
                cache.put(dataset, str(day), of_day, file.modified, now)
    log.info("%s: %d days of %s from a file", entry.path, len(days), str(days[0])[:7])
