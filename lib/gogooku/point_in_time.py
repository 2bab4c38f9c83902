"""What a row may know.

Every raw row carries the moment at which it was public (`known_at`) and the one at which the
vendor's API delivered it (`served_at`). A day may use the rows whose moment is not later than the
day's moment of decision; a row known exactly then counts, as prices do that are known at the close
of their day. One table, config/availability.yaml, says how the moments follow from a row. Two
functions compare them with decisions: `on_the_day` for rows that belong to a session (bars, lists,
TOPIX), `as_of` for those that stand until newer ones come (filings, weekly flows).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from gogooku import calendar
from gogooku.errors import UserError

MOMENT = pl.Datetime("us", "UTC")
COLUMN = {"published": "known_at", "served": "served_at"}
HALF_DAY = "2"
"""The vendor's HolDiv of a session that ends at noon."""

NO_SESSIONS = np.array([], "datetime64[D]")


@dataclass(frozen=True)
class TimeColumn:
    """The column that holds a row's time of day."""

    column: str


@dataclass(frozen=True)
class Rule:
    """When a row is known: the day in `column`, at a time [HH:MM JST; past 24:00 the next day].

    at             the time; `close` for that of the session; or the column that holds it
    missing        the time where that column holds none
    week_session   n moves the day to the n-th session of the first later week with so many
    days, after    are added to it [days, HH:MM:SS]
    batches        in place of `at` the vendor's deliveries: the first one at or after publication
    """

    column: str
    at: str | TimeColumn | None = None
    missing: str | None = None
    days: int = 0
    week_session: int = 0
    after: str = "00:00:00"
    batches: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError if fields contradict each other or a time is none."""
        if (self.at is None) == (not self.batches):
            raise ValueError("a rule has either `at` or `batches`")
        if isinstance(self.at, TimeColumn) != (self.missing is not None):
            raise ValueError("`missing` goes with `at: {column: …}`, and only with it")
        if self.week_session < 0:
            raise ValueError("`week_session` counts the sessions of a week: write 1 or more")
        fixed = [self.at] if isinstance(self.at, str) and self.at != "close" else []
        for time in [*fixed, *filter(None, [self.missing]), self.after, *self.batches]:
            calendar.minutes(time)


@dataclass(frozen=True)
class Rules:
    """When rows of a data set are known; of a clock's rules, the first whose column has a value."""

    published: list[Rule]
    served: list[Rule]

    def __post_init__(self) -> None:
        """Raise ValueError where `batches` mean nothing."""
        alone = self.served if len(self.served) > 1 else []
        if any(rule.batches for rule in [*self.published, *alone]):
            raise ValueError("`batches` are for `served`, which then has one rule")

    @property
    def columns(self) -> set[str]:
        """Names of all columns on which the moments rest."""
        every = [*self.published, *self.served]
        times = {rule.at.column for rule in every if isinstance(rule.at, TimeColumn)}
        return times | {rule.column for rule in every}


class _Trading(NamedTuple):
    """When the exchange closes, and on which days it trades."""

    closes: Sequence[calendar.Close]
    sessions: calendar.Days


def stamp(
    rows: pl.DataFrame,
    rules: Rules,
    closes: Sequence[calendar.Close],
    sessions: calendar.Days = NO_SESSIONS,
) -> pl.DataFrame:
    """Add `known_at` and `served_at` [UTC, microseconds] to raw rows.

    rows       (N, ...) with the vendor's fields
    rules      of the data set
    closes     of the exchange
    sessions   (T,) trading days, for rules that count them; some days beyond the last row

    Raises UserError if a rule names a column that the rows lack, or counts sessions past the last,
    or if the rows are a calendar with a half day whose close is not told.
    """
    if "HolDiv" in rows.columns:
        _require_half_days(rows, closes)
    trading = _Trading(closes, sessions)
    published = _moments(rows, rules.published, trading)
    served = _served(rows, rules.served, published, trading)
    return rows.with_columns(
        pl.Series("known_at", published).cast(MOMENT), pl.Series("served_at", served).cast(MOMENT)
    )


def _require_half_days(rows: pl.DataFrame, closes: Sequence[calendar.Close]) -> None:
    """Refuse a calendar with a half day without a closing time: its close would be taken late."""
    half = rows.filter(pl.col("HolDiv") == HALF_DAY)["Date"]
    if strangers := sorted(set(half) - {close.day for close in closes}):
        raise UserError(
            f"the calendar calls {strangers[0]} a half day, whose close is not known: add "
            f'{{day: {strangers[0]}, at: "HH:MM"}} to close in config/availability.yaml'
        )


def visible(rows: pl.DataFrame, clock: calendar.Clock) -> pl.DataFrame:
    """Keep one clock: its moment as `known_at`, the other dropped."""
    moment = pl.col(COLUMN[clock]).alias("known_at")
    return rows.with_columns(moment).drop("served_at")


def _moments(rows: pl.DataFrame, rules: Sequence[Rule], trading: _Trading) -> Any:
    """Moments by the first of the rules whose column has a value in the row; NaT where none has."""
    moments = np.full(len(rows), np.datetime64("NaT", "us"))
    waiting = np.ones(len(rows), bool)
    for rule in rules:
        gaps = _column(rows, rule.column).is_null().to_numpy()
        ours = waiting & ~gaps
        moments[ours] = _by_rule(rows if ours.all() else rows.filter(ours), rule, trading)
        waiting &= gaps
    return moments


def _by_rule(rows: pl.DataFrame, rule: Rule, trading: _Trading) -> calendar.Days:
    days = _column(rows, rule.column).to_numpy().astype("datetime64[D]")
    times = _times(rows, days, rule, trading.closes)
    days = _of_later_week(days, rule.week_session, trading.sessions) + np.timedelta64(
        rule.days, "D"
    )
    return calendar.to_utc(days, times + calendar.minutes(rule.after))


def _of_later_week(days: calendar.Days, number: int, sessions: calendar.Days) -> Any:
    """Give the session `number` of the first later week with so many; the days for 0."""
    if not number:
        return days
    weeks, first, counts = np.unique(_week(sessions), return_index=True, return_counts=True)
    first, weeks = first[counts >= number], weeks[counts >= number]
    week = np.searchsorted(weeks, _week(days), side="right")
    if len(days) and week.max() >= len(weeks):
        raise UserError(
            f"the calendar ends before session {number} of the week after {days.max()}: fetch the "
            "next span's calendar too"
        )
    return sessions[first[week] + number - 1]


def _week(days: calendar.Days) -> Any:
    """Number weeks, which begin on Mondays."""
    return (days - np.datetime64("1970-01-05")) // np.timedelta64(7, "D")


def _times(
    rows: pl.DataFrame, days: np.ndarray, rule: Rule, closes: Sequence[calendar.Close]
) -> Any:
    if isinstance(rule.at, TimeColumn):
        missing = calendar.minutes(str(rule.missing))
        return _stamped_times(_column(rows, rule.at.column), days, missing)
    if rule.at == "close":
        return calendar.closing_times(days, closes)
    return calendar.minutes(str(rule.at))


def _stamped_times(stamps: pl.Series, days: np.ndarray, missing: np.timedelta64) -> Any:
    """Read the times of day that rows hold; `missing` for none, as nobody publishes at midnight.

    What is no time of a day is refused: it would put the moment far from its day.
    """
    stamps = stamps.set(stamps == "", None)
    seconds = calendar.times_of_day(stamps)
    unread = (seconds.is_null() & stamps.is_not_null()).to_numpy()
    if unread.any():
        raise UserError(
            f"the row of {days[unread][0]} holds {stamps.filter(unread)[0]!r} in the column "
            f"{stamps.name!r}, which is no time of day: write 15:00:00"
        )
    times = seconds.set(seconds == 0, None).fill_null(-1).to_numpy().astype("timedelta64[s]")
    return np.where(times < np.timedelta64(0, "s"), missing, times)


def _served(
    rows: pl.DataFrame, rules: Sequence[Rule], published: np.ndarray, trading: _Trading
) -> Any:
    first = rules[0]
    if not first.batches:
        return np.maximum(_moments(rows, rules, trading), published)
    days = _column(rows, first.column).to_numpy().astype("datetime64[D]")
    batches = [calendar.to_utc(days, calendar.minutes(batch)) for batch in first.batches]
    later = [np.where(batch >= published, batch, np.datetime64("NaT")) for batch in batches]
    return np.maximum(np.fmin.reduce(later), published)


def _column(rows: pl.DataFrame, name: str) -> pl.Series:
    if name not in rows.columns:
        raise UserError(f"config/availability.yaml names the column {name!r}, which the rows lack")
    return rows[name]


def on_the_day(
    rows: pl.DataFrame, key: Sequence[str], dates: calendar.Days, moments: calendar.Days
) -> pl.DataFrame:
    """Keep the rows that their own session's decision could see; of each key, the newest.

    rows      (M, ...) with `Date` and `known_at`
    key       columns of one thing's rows, `Date` among them
    dates     (T,) sessions; rows of other days go
    moments   (T,) moment of decision of each [UTC, microseconds]

    Returns rows in their order. Rows of one key that became known together all stay.
    """
    days = pl.DataFrame({"Date": dates, "_moment": moments}).with_columns(
        pl.col("Date").cast(pl.Date), pl.col("_moment").cast(pl.Datetime("us")).cast(MOMENT)
    )
    visible_rows = rows.join(days, on="Date", maintain_order="left")
    visible_rows = visible_rows.filter(pl.col("known_at") <= pl.col("_moment"))
    newest = pl.col("known_at") == pl.col("known_at").max().over(key)
    return visible_rows.filter(newest).drop("_moment")


def as_of(known_at: calendar.Days, moments: calendar.Days) -> npt.NDArray[np.intp]:
    """Count the rows known at each moment of decision; the last of them is the newest.

    known_at   (M,) when each row was known, in order [UTC, microseconds]
    moments    (T,) moments of decision [UTC, microseconds]

    Returns (T,); 0 where nothing was known.
    """
    return np.searchsorted(known_at, moments, side="right")


def distinct(
    rows: pl.DataFrame, key: Sequence[str], source: str, fields: Sequence[str] | None = None
) -> pl.DataFrame:
    """Keep equal rows once, in order; UserError naming `source` and key if rows of one differ.

    fields   columns that make rows equal; None takes all
    """
    double = rows.filter(pl.struct(key).is_duplicated())
    if double.is_empty():
        return rows
    once = rows.unique(fields, keep="first", maintain_order=True)
    clash = once.filter(pl.struct(key).is_duplicated()).select(key)
    if len(clash):
        first = clash.sort(key).row(0, named=True)
        row = ", ".join(f"{name} {value}" for name, value in first.items())
        raise UserError(f"{source} holds two different rows for {row}: fetch it again")
    return once
