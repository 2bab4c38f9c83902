"""What a row may know.

Every raw row carries the moment at which it was public (`known_at`) and the one at which the
vendor's API delivered it (`served_at`). A day may use the rows whose moment is not later than the
day's moment of decision; a row known exactly then counts, as prices do that are known at the close
of their day. One table, config/availability.yaml, says how the moments follow from a row. Two
functions compare them with decisions: `on_the_day` for rows that belong to a session (bars, lists,
TOPIX), `as_of` for those that stand until newer ones come (filings, weekly flows).
"""

from collections.abc import Mapping, Sequence
from typing import Any

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


def stamp(
    rows: pl.DataFrame,
    rules: Mapping[str, Any],
    closes: Sequence[Any],
    sessions: calendar.Days = NO_SESSIONS,
) -> pl.DataFrame:
    """Add `known_at` and `served_at` [UTC, microseconds] to raw rows.

    rows       (N, ...) with the vendor's fields
    rules      the data set's rules for the clocks `published` and `served`
    closes     dated closing times of the exchange
    sessions   (T,) trading days, for rules that count them; some days beyond the last row

    Raises UserError if a rule names a column that the rows lack, or counts sessions past the last,
    or if the rows are a calendar with a half day whose close is not told.
    """
    if "HolDiv" in rows.columns:
        _require_half_days(rows, closes)
    published = _moments(rows, rules["published"], closes, sessions)
    served = _served(rows, rules["served"], published, closes, sessions)
    return rows.with_columns(
        pl.Series("known_at", published).cast(MOMENT), pl.Series("served_at", served).cast(MOMENT)
    )


def _require_half_days(rows: pl.DataFrame, closes: Sequence[Any]) -> None:
    """Refuse a calendar with a half day without a closing time: its close would be taken late."""
    told = {str(rule["day"]) for rule in closes if "day" in rule}
    half = rows.filter(pl.col("HolDiv") == HALF_DAY)["Date"].cast(pl.String)
    if strangers := sorted(set(half) - told):
        raise UserError(
            f"the calendar calls {strangers[0]} a half day, whose close is not known: add "
            f'{{day: {strangers[0]}, at: "HH:MM"}} to close in config/availability.yaml'
        )


def visible(rows: pl.DataFrame, clock: calendar.Clock) -> pl.DataFrame:
    """Keep one clock: its moment as `known_at`, the other dropped."""
    moment = pl.col(COLUMN[clock]).alias("known_at")
    return rows.with_columns(moment).drop("served_at")


def _moments(rows: pl.DataFrame, rule: Any, closes: Sequence[Any], sessions: calendar.Days) -> Any:
    """Moments by the first of the rules whose column has a value in the row."""
    if isinstance(rule, list):
        first, *others = rule
        gaps = _column(rows, first["column"]).is_null().to_numpy()
        moments = np.full(len(rows), np.datetime64("NaT", "us"))
        moments[~gaps] = _moments(rows.filter(~gaps), first, closes, sessions)
        if others:
            moments[gaps] = _moments(rows.filter(gaps), others, closes, sessions)
        return moments
    days = _column(rows, rule["column"]).to_numpy().astype("datetime64[D]")
    times = _times(rows, days, rule, closes)
    days = _of_later_week(days, rule.get("week_session", 0), sessions)
    days = days + np.timedelta64(rule.get("days", 0), "D")
    return calendar.to_utc(days, times + calendar.minutes(rule.get("after", "00:00:00")))


def _of_later_week(days: calendar.Days, place: int, sessions: calendar.Days) -> Any:
    """Give the session at `place` of the first later week with so many; the days for 0."""
    if not place:
        return days
    weeks, first, counts = np.unique(_week(sessions), return_index=True, return_counts=True)
    first, weeks = first[counts >= place], weeks[counts >= place]
    week = np.searchsorted(weeks, _week(days), side="right")
    if len(days) and week.max() >= len(weeks):
        raise UserError(
            f"the calendar ends before session {place} of the week after {days.max()}: fetch the "
            "next span's calendar too"
        )
    return sessions[first[week] + place - 1]


def _week(days: calendar.Days) -> Any:
    """Number weeks, which begin on Mondays."""
    return (days - np.datetime64("1970-01-05")) // np.timedelta64(7, "D")


def _times(
    rows: pl.DataFrame, days: np.ndarray, rule: Mapping[str, Any], closes: Sequence[Any]
) -> Any:
    at = rule["at"]
    if isinstance(at, str):
        return calendar.closing_times(days, closes) if at == "close" else calendar.minutes(at)
    return _stamped_times(_column(rows, at["column"]), days, calendar.minutes(rule["missing"]))


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
    rows: pl.DataFrame,
    rule: Any,
    published: np.ndarray,
    closes: Sequence[Any],
    sessions: calendar.Days,
) -> Any:
    if "batches" not in rule:
        return np.maximum(_moments(rows, rule, closes, sessions), published)
    days = _column(rows, rule["column"]).to_numpy().astype("datetime64[D]")
    batches = [calendar.to_utc(days, calendar.minutes(batch)) for batch in rule["batches"]]
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
    seen = rows.join(days, on="Date", maintain_order="left")
    seen = seen.filter(pl.col("known_at") <= pl.col("_moment"))
    newest = pl.col("known_at") == pl.col("known_at").max().over(key)
    return seen.filter(newest).drop("_moment")


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
