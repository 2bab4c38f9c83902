"""Whole months and days as files: the list of them, their content, and links to fetch them by.

A month's file appears on the second day of the next month, while the days' files of that month
stay until the tenth, so for a week the two overlap. A month at the edge of the subscription's
window is served whole. A file is made when it is listed or asked for and kept in a folder that
goes with the exchange.

The vendor publishes the patterns of the keys; that of the calendar's one file is ours, and so are
the days on which files come and go.
"""

import datetime as dt
import itertools
import json
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.server import answers
from simulated_exchange.server.clock import JST, Timetable, Window
from simulated_exchange.server.http import Reply
from simulated_exchange.server.queries import month_of
from simulated_exchange.server.refusals import (
    NO_FILES,
    NOT_IN_PLAN,
    Refusal,
    invalid,
    lacking,
    message,
    together,
)
from simulated_exchange.server.tables import Shelf

MONTH_APPEARS = dt.timedelta(days=1, hours=5)
"""From the end of a month to its file."""

DAYS_STAY = dt.timedelta(days=9)
"""From the end of a month to the removal of its days' files."""

VALID = 5
"""Minutes for which a link can be used, once."""

FREE = ("calendar",)
"""Data sets whose files are open to the Free plan."""

MONTHS_ALONE = ("bars_minute",)
"""Data sets whose days have no files."""

NOT_FILED = {"bars": {"MktCap", "ExRT"}}
"""Fields that answers have and files lack, beside adjusted values."""

Query = Mapping[str, str]
_PATHS = {entry.path: name for name, entry in DATASETS.items() if entry.bulk}


@dataclass(frozen=True)
class File:
    """A file of the rows of the days `first` to `last`, as it is since `modified`."""

    dataset: str
    key: str
    first: dt.date
    last: dt.date
    modified: dt.datetime


class Files:
    """The files of one subscription.

    plan     None has all files
    serves   says whether the subscription includes a data set
    """

    def __init__(
        self, shelf: Shelf, times: Timetable, plan: str | None, serves: Callable[[str], bool]
    ) -> None:
        self._shelf, self._times, self._plan = shelf, times, plan
        self._serves = lambda dataset: serves(dataset) and (plan != "free" or dataset in FREE)
        self._folder = tempfile.TemporaryDirectory(prefix="exchange-files-")
        self._made: dict[File, Path] = {}
        self._numbers, self._lock = itertools.count(), threading.Lock()

    def close(self) -> None:
        """Remove the files."""
        self._folder.cleanup()

    def listed(self, query: Query, now: dt.datetime, window: Window | None) -> list[dict[str, Any]]:
        """Answer /bulk/list: Key, LastModified and Size of each file, in the keys' order.

        Raises Refusal.
        """
        if "endpoint" in query and "date" in query:
            raise together("endpoint", "date")
        files = sorted(self._asked(query, now, window), key=lambda file: file.key)
        return [
            {
                "Key": file.key,
                "LastModified": file.modified.astimezone(dt.UTC).isoformat(timespec="microseconds"),
                "Size": self.path(file).stat().st_size,
            }
            for file in files
        ]

    def one(self, query: Query, now: dt.datetime, window: Window | None) -> File:
        """Find the file that /bulk/get asks for; raises Refusal."""
        if "key" in query and ("endpoint" in query or "date" in query):
            raise together("key", "endpoint" if "endpoint" in query else "date")
        if "key" not in query and not ("endpoint" in query and "date" in query):
            raise lacking(["key", "endpoint"])
        for dataset in _PATHS.values() if "key" in query else [self._dataset(query["endpoint"])]:
            for file in self._of(dataset, now, window) if self._serves(dataset) else ():
                if "key" in query and file.key == query["key"]:
                    return file
                if "date" in query and (file.first, file.last) == month_of("date", query["date"]):
                    return file
        raise invalid("key" if "key" in query else "date")

    def path(self, file: File) -> Path:
        """Give the path of a file, which is made at its first use."""
        with self._lock:
            if file not in self._made:
                path = Path(self._folder.name) / f"{next(self._numbers)}.csv.gz"
                rows = _flat(file.dataset, self._content(file))
                rows.write_csv(path, compression="gzip", compression_level=1)
                self._made[file] = path
            return self._made[file]

    def _asked(self, query: Query, now: dt.datetime, window: Window | None) -> Iterator[File]:
        if "endpoint" in query:
            yield from self._within(self._dataset(query["endpoint"]), query, now, window)
        elif "date" in query:
            first, last = month_of("date", query["date"])
            for dataset in filter(self._serves, _PATHS.values()):
                files = self._of(dataset, now, window) if dataset != "calendar" else ()
                yield from (file for file in files if file.first <= last and first <= file.last)
        else:
            raise lacking(["endpoint", "date"])

    def _within(
        self, dataset: str, query: Query, now: dt.datetime, window: Window | None
    ) -> Iterator[File]:
        first = month_of("from", query["from"])[0] if "from" in query else dt.date.min
        last = month_of("to", query["to"])[1] if "to" in query else dt.date.max
        for file in self._of(dataset, now, window):
            if dataset == "calendar" or (file.first <= last and first <= file.last):
                yield file

    def _dataset(self, endpoint: str) -> str:
        if endpoint not in _PATHS:
            raise Refusal(400, NO_FILES)
        if not self._serves(_PATHS[endpoint]):
            raise Refusal(403, NOT_IN_PLAN)
        return _PATHS[endpoint]

    def _of(self, dataset: str, now: dt.datetime, window: Window | None) -> Iterator[File]:
        """List the files of a data set that exist at `now`."""
        days = self._days(dataset, now)
        if dataset == "calendar":
            if days:
                start = dt.datetime.combine(now.date(), dt.time(), JST)
                yield File(dataset, "markets/calendar/markets_calendar.csv.gz", *_ends(days), start)
            return
        for month, held in itertools.groupby(days, key=lambda day: day.replace(day=1)):
            yield from self._of_month(dataset, month, list(held), now, window)

    def _of_month(
        self,
        dataset: str,
        month: dt.date,
        days: list[dt.date],
        now: dt.datetime,
        window: Window | None,
    ) -> Iterator[File]:
        end = (month + dt.timedelta(days=31)).replace(day=1)
        start = window[0] if window else dt.date.min
        over = dt.datetime.combine(end, dt.time(), JST)
        corrected = self._shelf.corrected.get((dataset, month), dt.datetime.min.replace(tzinfo=JST))
        if now >= over + MONTH_APPEARS and end > start:
            complete = self._times.served_at(dataset, days[-1])
            since = max(over + MONTH_APPEARS, complete, corrected)
            last = end - dt.timedelta(days=1)
            yield File(dataset, _key(dataset, self._wide, f"{month:%Y%m}"), month, last, since)
        if now < over + DAYS_STAY and dataset not in MONTHS_ALONE:
            for day in days:
                since = max(self._times.served_at(dataset, day), corrected)
                key = _key(dataset, self._wide, f"{day:%Y%m%d}")
                if day >= start:
                    yield File(dataset, key, day, day, since)

    @property
    def _wide(self) -> bool:
        return self._plan in (None, "premium")

    def _days(self, dataset: str, now: dt.datetime) -> list[dt.date]:
        source = "bars" if dataset == "bars_minute" else dataset
        if source not in self._shelf:
            return []
        days = self._shelf.days(source)
        return days.filter(days <= self._times.newest(dataset, now)).to_list()

    def _content(self, file: File) -> pl.DataFrame:
        dataset = file.dataset
        source = "bars" if dataset == "bars_minute" else dataset
        rows = self._shelf.rows(source, file.first, file.last)
        rows = rows.filter(self._times.appeared(source, file.modified))
        if dataset == "bars_minute":
            rows = answers.minutes(rows)
        return answers.spoken(dataset, rows, self._shelf, file.last, self._wide)


def _ends(days: list[dt.date]) -> tuple[dt.date, dt.date]:
    return days[0], days[-1]


def _key(dataset: str, wide: bool, date: str) -> str:
    path = DATASETS[dataset].path.strip("/")
    folder = f"{path}/premium" if dataset == "bars" and wide else path
    part = f"historical/{date[:4]}" if len(date) == 6 else "live"
    return f"{folder}/{part}/{path.replace('/', '_')}_{date}.csv.gz"


def _flat(dataset: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Give rows as the cells of a file: without NOT_FILED, objects as Python writes them.

    A missing value is an empty cell; but ratios that a fund does not have keep their "*".
    """
    objects = [field.name for field in DATASETS[dataset].fields if field.unit == "object"]
    lacking = NOT_FILED.get(dataset, set()) | {name for name in rows.columns if "Adj" in name}
    rows = rows.drop(lacking - {"AdjFactor"})
    stars = [name for name, text in answers.blanks(dataset).items() if text == "*"]
    return rows.with_columns(
        pl.col(objects).map_elements(_as_python, pl.String),
        pl.col(stars).cast(pl.String).fill_null("*"),
    )


def _as_python(text: str) -> str:
    return repr(json.loads(text))


class Links:
    """Links to files: each can be used once, for five minutes, and without the API key."""

    def __init__(self, minute: float, clock: Callable[[], float]) -> None:
        self._valid, self._clock = VALID * minute, clock
        self._open: dict[str, tuple[str, Path, float]] = {}
        self._lock = threading.Lock()
        self.downloads: list[str] = []

    def sign(self, file: File, path: Path) -> str:
        """Give path and parameters of a new link."""
        signature = secrets.token_hex(16)
        with self._lock:
            until = self._clock() + self._valid
            self._open[signature] = (file.key, path, until)
        return f"/{file.key}?X-Amz-Expires=300&X-Amz-Signature={signature}"

    def answer(self, path: str, query: dict[str, str], key: str | None) -> Reply:
        """Serve the file of a link. A request that carries an API key is refused with 400."""
        if key is not None:
            return Reply(400, message("The API key was sent to a host that must not see it."))
        with self._lock:
            link = self._open.pop(query.get("X-Amz-Signature", ""), None)
        if link is None or "/" + link[0] != path or self._clock() >= link[2]:
            denied = (
                b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
            )
            return Reply(403, denied, "application/xml")
        self.downloads.append(link[0])
        return Reply(200, link[1].read_bytes(), "application/gzip")
