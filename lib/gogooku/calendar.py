"""Spans, sessions and the moment of decision.

A span is a calendar month (`2024m05`), quarter (`2024q2`) or year (`2024y`); one file of every
stage covers one span. A session is a day on which the Tokyo Stock Exchange trades stocks.
"""

import calendar as months
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from gogooku import files
from gogooku.errors import UserError

Granularity = Literal["month", "quarter", "year"]
Clock = Literal["published", "served"]
Entry = Literal["next_close", "next_open", "close"]
Days = npt.NDArray[np.datetime64]

MONTHS = {"month": 1, "quarter": 3, "year": 12}
MARKS = {"m": "month", "q": "quarter", "y": "year"}

# Sessions from the day whose features predict to the one at whose price a position is entered.
ENTRY_LAG: Mapping[Entry, int] = {"next_close": 1, "next_open": 1, "close": 0}
ENTRY_PRICE: Mapping[Entry, str] = {"next_close": "close", "next_open": "open", "close": "close"}

# Fewest sessions that any span of the length has held since 2008 (Golden Week, New Year).
FEWEST_SESSIONS = {"month": 17, "quarter": 56, "year": 240}


def span_of(day: dt.date, granularity: Granularity) -> str:
    """Name the span that holds `day`.

    >>> span_of(dt.date(2024, 5, 7), "quarter")
    '2024q2'
    """
    return _name(day.year * 12 + day.month - 1, granularity)


def _name(month: int, granularity: Granularity) -> str:
    year, within = divmod(month, 12)
    if granularity == "month":
        return f"{year}m{within + 1:02d}"
    return f"{year}q{within // 3 + 1}" if granularity == "quarter" else f"{year}y"


def _parse(span: str) -> tuple[int, Granularity]:
    match = re.fullmatch(r"(\d{4})([mqy])(\d{0,2})", span)
    if not match:
        raise ValueError(f"{span!r} is not a span such as 2024m05, 2024q2 or 2024y")
    granularity: Granularity = MARKS[match[2]]  # type: ignore[assignment]
    return int(match[1]) * 12 + (int(match[3] or 1) - 1) * MONTHS[granularity], granularity


def bounds(span: str) -> tuple[dt.date, dt.date]:
    """Give the first and the last calendar day of `span`."""
    month, granularity = _parse(span)
    last = month + MONTHS[granularity] - 1
    end = months.monthrange(last // 12, last % 12 + 1)[1]
    return dt.date(month // 12, month % 12 + 1, 1), dt.date(last // 12, last % 12 + 1, end)


def shift(span: str, steps: int) -> str:
    """Name the span `steps` after `span` (before, if negative)."""
    month, granularity = _parse(span)
    return _name(month + steps * MONTHS[granularity], granularity)


def spans(start: dt.date, end: dt.date, granularity: Granularity) -> list[str]:
    """List the spans from the one that holds `start` to the one that holds `end`."""
    names = [span_of(start, granularity)]
    while bounds(names[-1])[1] < end:
        names.append(shift(names[-1], 1))
    return names


def look_back(span: str, sessions: int, first: str) -> list[str]:
    """List the spans, `span` the last, that hold `sessions` sessions before it begins.

    No span before `first` exists. The list depends on the look-back alone, never on "all so far".
    """
    steps = -(-sessions // FEWEST_SESSIONS[_parse(span)[1]])
    names = [shift(span, -step) for step in range(steps, -1, -1)]
    return [name for name in names if bounds(name) >= bounds(first)]


@dataclass(frozen=True)
class Sessions:
    """The exchange's trading days in order, as `days` (D,) datetime64[D]."""

    days: Days

    @classmethod
    def of(cls, dates: npt.ArrayLike, kinds: Sequence[str]) -> "Sessions":
        """Keep the days on which stocks trade: vendor's HolDiv 1 (open) or 2 (half day)."""
        trading = np.isin(np.asarray(kinds), ["1", "2"])
        return cls(np.unique(np.asarray(dates, "datetime64[D]")[trading]))

    @classmethod
    def read(cls, paths: files.Paths) -> "Sessions":
        """Load the vendor's calendar files; no file, no session.

        Raises UserError if their days are not of the type Date.
        """
        if not paths:
            return cls(np.array([], "datetime64[D]"))
        rows = files.read_parquet(paths, ["Date", "HolDiv"])
        if rows.schema["Date"] != pl.Date:
            raise UserError(f"the calendar's Date is a {rows.schema['Date']}: write it as a Date")
        return cls.of(rows["Date"].to_numpy(), rows["HolDiv"].to_list())

    def position(self, days: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Count the sessions before each of `days`; raises ValueError for a day that is none."""
        wanted = np.asarray(days, "datetime64[D]")
        position = np.searchsorted(self.days, wanted)
        if wanted.size and not (
            position.max() < len(self.days) and np.array_equal(self.days[position], wanted)
        ):
            raise ValueError("a day is not a session of the exchange")
        return position

    def between(self, first: dt.date = dt.date.min, last: dt.date = dt.date.max) -> Days:
        """Give the sessions from `first` to `last`, both included."""
        low, high = np.datetime64(first, "D"), np.datetime64(last, "D")
        return self.days[(self.days >= low) & (self.days <= high)]

    def to_month_end(self, days: Days) -> npt.NDArray[np.intp]:
        """Count the sessions from each of `days` to the last session of its month."""
        month_end = (days.astype("datetime64[M]") + 1).astype("datetime64[D]")
        return np.searchsorted(self.days, month_end) - 1 - self.position(days)


@dataclass(frozen=True)
class Close:
    """The end of trading, `at` a time of day [HH:MM JST]: from a day on, or on one half day."""

    at: str
    since: dt.date | None = None
    day: dt.date | None = None

    def __post_init__(self) -> None:
        """Raise ValueError unless it says from when on, and a time."""
        minutes(self.at)
        if (self.since is None) == (self.day is None):
            raise ValueError("a close has either `since` or `day`")


def decision_moments(days: Days, decision: str, closes: Sequence[Close]) -> Days:
    """Give the moment [UTC, microseconds] at which each day's row is decided.

    decision   "close", or a fixed time of day [HH:MM JST]
    closes     of the exchange, those with `since` in ascending order
    """
    times = closing_times(days, closes) if decision == "close" else minutes(decision)
    return to_utc(days, times)


def closing_times(days: Days, closes: Sequence[Close]) -> npt.NDArray[np.timedelta64]:
    """Give the exchange's closing time of each day as time since midnight."""
    regular = [close for close in closes if close.since]
    starts = np.array([np.datetime64(close.since, "D") for close in regular])
    times = np.array([minutes(close.at) for close in regular])
    at = times[np.searchsorted(starts, days, side="right") - 1]
    for close in closes:
        if close.day:
            at[days == np.datetime64(close.day, "D")] = minutes(close.at)
    return at


def minutes(clock: str) -> np.timedelta64:
    """Read `HH:MM` or `HH:MM:SS` as time since midnight; hours may pass 24 (27:00 = 03:00).

    Raises ValueError if it is neither.
    """
    match = re.fullmatch(r"([0-3]\d):([0-5]\d)(?::([0-5]\d))?", clock)
    if not match:
        raise ValueError(f"{clock!r} is no time of day: write 16:30, or 24:30 for the next day's")
    hours, minute, second = (int(part or 0) for part in match.groups())
    return np.timedelta64(hours * 3600 + minute * 60 + second, "s")


TIME_OF_DAY = re.compile(
    r"(?P<hours>\d{1,2}):(?P<minutes>\d\d)(:(?P<seconds>\d\d)(\.\d+)?)?( ?(?P<half>[ap])m)?"
)
COMPACT_TIME = re.compile(r"^(\d{1,2})(\d\d)(\d\d)?$")


def times_of_day(texts: pl.Series) -> pl.Series:
    """Read times of day as whole seconds since midnight [s], Int64; null where a text tells none.

    >>> times_of_day(pl.Series(["15:00:00.000", "3:00:00 PM", "15時00分", "1500"])).to_list()
    [54000, 54000, 54000, 54000]
    """
    forms = texts.drop_nulls().unique()
    seconds = pl.Series([_seconds(form) for form in forms], dtype=pl.Int64)
    return texts.replace_strict(forms, seconds, default=None, return_dtype=pl.Int64)


def _seconds(text: str) -> int | None:
    plain = text.strip().lower().replace("時", ":").replace("分", ":").rstrip("秒").rstrip(":")
    match = TIME_OF_DAY.fullmatch(
        COMPACT_TIME.sub(_with_colons, plain) if plain.isdigit() else plain
    )
    if not match:
        return None
    hours, minute, second = (int(match[part] or 0) for part in ("hours", "minutes", "seconds"))
    if match["half"] and not 1 <= hours <= 12 or hours > 23 or minute > 59 or second > 59:
        return None
    hours = hours % 12 + 12 * (match["half"] == "p") if match["half"] else hours
    return hours * 3600 + minute * 60 + second


def _with_colons(digits: re.Match[str]) -> str:
    return ":".join(filter(None, digits.groups()))


def to_utc(days: Days, times: npt.NDArray[np.timedelta64] | np.timedelta64) -> Days:
    """Turn JST days and times since midnight into UTC microseconds."""
    moments: Days = days.astype("datetime64[us]")
    moments += times - np.timedelta64(9, "h")
    return moments
