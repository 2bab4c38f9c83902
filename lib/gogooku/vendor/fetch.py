"""A data set of a span, day by day: what is kept and holds is not asked for again."""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from gogooku import calendar, errors, jobs
from gogooku.raw import plans, schema
from gogooku.raw.catalogue import DATASETS, HALTED
from gogooku.vendor import bulk
from gogooku.vendor.cache import Answer, Cache
from gogooku.vendor.jquants import Client, NotInPlan, OutsideWindow
from gogooku.vendor.schedule import Deliveries, utc

log = logging.getLogger(__name__)

NEEDED = {"calendar", "master", "bars"}
"""Data sets without which there is nothing to compute; a plan may lack the others."""

UNSETTLED = dt.datetime(9998, 1, 1, tzinfo=dt.UTC)
"""A moment after all deliveries, for an exchange without a clock: every answer of it is final."""

UNCHECKED = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""A moment before all deliveries. An answer that lacks sessions is filed as checked then, so that
each fetch asks for it again; as long as it comes back equal, the time at which it first came
stands."""


@dataclass
class SpanRows:
    """Rows of a span, and for each of its answers when they first came."""

    rows: pl.DataFrame
    times: list[dt.datetime] = field(default_factory=list)


def read(
    client: Client,
    dataset: str,
    first: dt.date,
    last: dt.date,
    sessions: Sequence[dt.date] | calendar.Days,
    *,
    now: dt.datetime = UNSETTLED,
    cache: Cache | None = None,
    in_bulk: bool = False,
) -> SpanRows:
    """Read all rows of `dataset` from day `first` to day `last`, both inclusive.

    sessions   trading days, as many beyond `last` as are known
    now        the moment of asking
    cache      answers of earlier runs; None keeps none
    in_bulk    read whole months from the vendor's files, where it has them

    Returns the catalogue's fields, and behind them new ones as text, in the catalogue's order.
    A data set that the plan lacks has no rows, nor have days that it does not cover: a warning says
    so, or, if it is one of NEEDED, an error.
    Raises UserError: all that Client.rows refuses, rows of another day than the one asked for, a
    day whose rows are not there yet.
    """
    days = np.asarray(sessions, "datetime64[D]")
    if dataset in NEEDED and dataset != "calendar" and not len(days):
        raise errors.UserError(
            f"the calendar from {first} to {last} is empty: change dates.start or dates.end to days"
            " that the subscription covers"
        )
    reading = _Reading(client, dataset, first, last, days, now, cache, in_bulk)
    try:
        frames = reading.all()
    except NotInPlan as reason:
        if dataset in NEEDED:
            raise
        log.warning("%s; until then the data set has no rows", reason)
        frames = []
    entry = DATASETS[dataset]
    rows = schema.joined(dataset, frames).filter(pl.col(entry.day).is_between(first, last))
    rows = schema.distinct(dataset, rows).sort(entry.order)
    return SpanRows(rows, sorted(reading.times))


@dataclass
class _Reading:
    """One call of `read`."""

    client: Client
    dataset: str
    first: dt.date
    last: dt.date
    sessions: calendar.Days
    now: dt.datetime
    cache: Cache | None
    in_bulk: bool
    times: list[dt.datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.entry, self.moment = DATASETS[self.dataset], utc(self.now)
        self.today = self.now.astimezone(plans.JAPAN).date()
        if self.dataset == "calendar":  # known ahead: new every day
            start = np.datetime64(min(self.first, self.today))
            self.sessions = np.arange(start, np.datetime64(self.last) + 1)
        self.deliveries = Deliveries(self.entry, self.sessions)

    def all(self) -> list[pl.DataFrame]:
        """Give the answers that together hold the span."""
        if not plans.serves(self.client.plan, self.entry):
            raise NotInPlan(
                f"{self.entry.path} is not part of the plan {self.client.plan}: a higher plan "
                "serves it"
            )
        if self.entry.request == "range":
            return [self._range()]
        if self.entry.request == "now":
            return self._collected()
        return self._days()

    # ---- answers by day ----

    def _days(self) -> list[pl.DataFrame]:
        requested = self.deliveries.requested(self.first, self.last)
        days = list(self._due(requested))
        if self.in_bulk and self.entry.bulk and self.cache:
            bulk.fill(self.client, self.cache, self.dataset, days, self.now)
        missing = [day for day in days if not self._holds(day)]
        with ThreadPoolExecutor(self.client.workers) as pool:
            frames = jobs.progress(pool.map(self._ask, missing), self.dataset, len(missing))
            answers = dict(zip(missing, frames, strict=True))
        if uncovered := [day for day, rows in answers.items() if rows is None]:
            self._say_uncovered(
                f"{self.entry.path}: the subscription covers {self.client.memory.window}, which "
                f"leaves out {len(uncovered)} days from {uncovered[0]} to {uncovered[-1]}: change "
                "dates.start or dates.end",
                everything=len(uncovered) == len(requested),
            )
        every = (answers[d] if d in answers else self._load(self._stored(d)) for d in days)
        return [rows for rows in every if rows is not None]

    def _due(self, days: Iterable[dt.date]) -> Iterator[dt.date]:
        """Leave out days that are not delivered yet; an error if they should have been."""
        for day in days:
            moment = self.deliveries.moment(day)
            if moment <= self.moment or self.now == UNSETTLED:
                yield day
            elif not self.entry.delay:
                local = (moment + np.timedelta64(9, "h")).astype("datetime64[m]").item()
                raise errors.UserError(
                    f"{self.entry.path} of {day} is served from {local:%Y-%m-%d %H:%M} JST on: "
                    "run again then"
                )

    def _stored(self, name: object) -> Answer | None:
        return self.cache.answer(self.dataset, str(name)) if self.cache else None

    def _holds(self, day: dt.date, name: str = "") -> bool:
        """Whether the cache has the answer `name`, or of `day`, and the vendor still says so."""
        answer = self._stored(name or day)
        return bool(answer and not self.deliveries.is_stale(day, utc(answer.checked), self.moment))

    def _load(self, answer: Answer | None) -> pl.DataFrame | None:
        if answer is None:
            return None
        self.times.append(answer.fetched)
        return answer.read()

    def _ask(self, day: dt.date) -> pl.DataFrame | None:
        """Ask for one day; None if the plan does not cover it, and none is stored."""
        return self._complete(str(day), lambda: self._ask_day(day), [day])

    def _ask_day(self, day: dt.date) -> pl.DataFrame | None:
        if not self.client.memory.covers(day):
            return None
        try:
            return self._rows({self.entry.query: str(day)}, day, day)
        except OutsideWindow:
            return None

    def _rows(self, query: dict[str, str], first: dt.date, last: dt.date) -> pl.DataFrame:
        """Ask for the rows from `first` to `last`; others are refused, or dropped if expected."""
        rows = self.client.rows(self.dataset, query)
        inside = pl.col(self.entry.day).is_between(first, last)
        others = rows.filter(~inside)
        # Until a day's master is there, that of the next session stands for it.
        if len(others) and self.dataset != "master" and not self.entry.margin:
            raise errors.UserError(
                f"{self.entry.path} answered rows of {others[self.entry.day][0]} when asked for "
                f"{' to '.join(query.values())}: it has changed its parameters"
            )
        return rows if self.entry.margin else rows.filter(inside)

    # ---- complete answers are stored ----

    def _complete(
        self, name: str, ask: Callable[[], pl.DataFrame | None], days: Sequence[dt.date]
    ) -> pl.DataFrame | None:
        """Ask, and once more if a session lacks rows that it must have; store the answer.

        An answer that lacks rows replaces none with more.
        """
        rows = ask()
        if rows is not None and self._lacking(rows, days):
            rows = ask()
        if rows is None:
            return self._load(self._stored(name))
        if lacking := self._lacking(rows, days):
            self._say_lacking(lacking)
            stored = self._stored(name)
            if stored and stored.rows > len(rows):
                return self._load(stored)
            return self._keep(name, rows, UNCHECKED) if len(rows) else rows
        return self._keep(name, rows, self.now)

    def _lacking(self, rows: pl.DataFrame, days: Iterable[dt.date]) -> list[dt.date]:
        """List the sessions without rows that must have some; of a calendar, all of them or none.

        The last days of a calendar may not be decided yet.
        """
        if self.entry.empty or self.now == UNSETTLED:
            return []
        covered = [*filter(self.client.memory.covers, days)]
        if self.dataset == "calendar":
            return covered if rows.is_empty() else []
        there = {*rows[self.entry.day], *[HALTED] * self.entry.traded}
        return [day for day in covered if day not in there]

    def _say_lacking(self, days: Sequence[dt.date]) -> None:
        """Refuse to go on without the newest day; an older one may have none for good."""
        newest = self.deliveries.newest(self.moment)
        if self.entry.request != "now" and self.deliveries.moment(days[-1]) >= newest:
            raise errors.UserError(
                f"{self.entry.path} has no rows of {days[-1]} yet: the vendor is late, run again "
                "later"
            )
        log.warning(
            "%s has no rows of %s, asked for twice: they are asked for again whenever the span is",
            self.entry.path, ", ".join(map(str, days)),
        )  # fmt: skip

    def _keep(self, name: str, rows: pl.DataFrame, checked: dt.datetime) -> pl.DataFrame:
        rows = rows.sort(self.entry.order)
        if self.cache:
            answer = self.cache.put(self.dataset, name, rows, checked, self.now)
            self.times.append(answer.fetched)
        return rows

    def _say_uncovered(self, sentence: str, everything: bool) -> None:
        if self.dataset in NEEDED and everything:
            raise errors.UserError(sentence)
        log.warning("%s", sentence)

    # ---- answers to ranges ----

    def _range(self) -> pl.DataFrame:
        days: Iterable[dt.date] = self.deliveries.requested(self.first, self.last)
        if self.dataset != "calendar":
            days = self._due(days)
        days, name = list(days), f"{self.first}_{self.last}"
        if self._holds(self.last, name):
            rows = self._load(self._stored(name))
        else:
            rows = self._complete(name, self._ask_range, days)
        return schema.empty(self.dataset) if rows is None else rows

    def _ask_range(self) -> pl.DataFrame | None:
        """Ask for the span as far as the plan covers it; a refusal tells how far that is."""
        try:
            rows = self._ask_covered()
        except OutsideWindow:
            rows = self._ask_covered()
        window = self.client.memory.window
        if window and window.clamp(self.first, self.last) != (self.first, self.last):
            self._say_uncovered(
                f"{self.entry.path} was asked for {self.first} to {self.last} but the subscription "
                f"covers {window}: change dates.start or dates.end",
                everything=self.last < window.start,
            )
        return rows

    def _ask_covered(self) -> pl.DataFrame | None:
        margin, window = dt.timedelta(self.entry.margin), self.client.memory.window
        wide = self.first - margin, self.last + margin
        period = window.clamp(*wide) if window else wide
        if not period:
            return None
        rows = self._rows({"from": str(period[0]), "to": str(period[1])}, *period)
        return rows.filter(pl.col(self.entry.day).is_between(self.first, self.last))

    # ---- answers of today ----

    def _collected(self) -> list[pl.DataFrame]:
        """Give what was found day by day; of today it is asked for, since nothing else can be."""
        days = self.deliveries.requested(self.first, self.last)
        today = self.deliveries.requested(self.today, self.today)
        due = self.deliveries.moment(self.today) <= self.moment
        answers = {
            day: self._complete(str(day), self._ask_today, [day])
            for day in today
            if due and not self._holds(day)
        }
        self.times.clear()  # today may lie beyond the span
        if self.cache:
            stored = [self.cache.of_any_plan(self.dataset, str(day)) for day in days]
            answers = dict(zip(days, map(self._load, stored), strict=True))
        frames = (answers.get(day) for day in days)
        return [schema.recast(self.dataset, rows) for rows in frames if rows is not None]

    def _ask_today(self) -> pl.DataFrame | None:
        """Ask for today's state; None for announcers of today or before: the list is an old one."""
        rows = self.client.rows(self.dataset, {}).with_columns(ReadOn=pl.lit(self.today))
        if self.dataset != "earnings_calendar":
            return rows
        new = rows.filter((pl.col("Date") > pl.col("ReadOn")).fill_null(True))
        if len(rows) and new.is_empty():
            log.warning("%s still shows an old list: fetch again later", self.entry.path)
            return None
        return new
