"""What a row may know.

Every raw row carries the moment at which it was public (`known_at`) and the one at which the
vendor's API delivered it (`served_at`). A day may use the rows whose moment is not later than the
day's moment of decision. One table, config/availability.yaml, says how the moments follow from a
row; one function, `as_of`, joins.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from gogooku import calendar
from gogooku.run import UserError

MOMENT = pl.Datetime("us", "UTC")
COLUMN = {"published": "known_at", "served": "served_at"}


def stamp(rows: pl.DataFrame, rules: Mapping[str, Any], closes: Sequence[Any]) -> pl.DataFrame:
    """Add `known_at` and `served_at` [UTC, microseconds] to raw rows.

    rows     (N, ...) with the vendor's fields
    rules    the data set's rules for the clocks `published` and `served`
    closes   dated closing times of the exchange

    Raises UserError if a rule names a column that the rows lack.
    """
    published = _moments(rows, rules["published"], closes)
    served = _served(rows, rules["served"], published, closes)
    return rows.with_columns(
        pl.Series("known_at", published).cast(MOMENT), pl.Series("served_at", served).cast(MOMENT)
    )


def visible(rows: pl.DataFrame, clock: calendar.Clock) -> pl.DataFrame:
    """Keep one clock: its moment as `known_at`, the other dropped."""
    moment = pl.col(COLUMN[clock]).alias("known_at")
    return rows.with_columns(moment).drop("served_at")


def _moments(rows: pl.DataFrame, rule: Mapping[str, Any], closes: Sequence[Any]) -> Any:
    days = _column(rows, rule["column"]).to_numpy().astype("datetime64[D]")
    times = _times(rows, days, rule, closes)
    days = days + np.timedelta64(rule.get("days", 0), "D")
    return calendar.to_utc(days, times + calendar.minutes(rule.get("after", "00:00:00")))


def _times(
    rows: pl.DataFrame, days: np.ndarray, rule: Mapping[str, Any], closes: Sequence[Any]
) -> Any:
    at = rule["at"]
    if isinstance(at, str):
        return calendar.closing_times(days, closes) if at == "close" else calendar.minutes(at)
    stamps = _column(rows, at["column"]).replace("", None).fill_null(rule["missing"])
    parts = stamps.str.splitn(":", 3).struct.unnest().cast(pl.Int64).fill_null(0)
    hours, minutes, seconds = (parts[name].to_numpy() for name in parts.columns)
    return (hours * 3600 + minutes * 60 + seconds).astype("timedelta64[s]")


def _served(
    rows: pl.DataFrame, rule: Mapping[str, Any], published: np.ndarray, closes: Sequence[Any]
) -> Any:
    if "batches" not in rule:
        return np.maximum(_moments(rows, rule, closes), published)
    days = _column(rows, rule["column"]).to_numpy().astype("datetime64[D]")
    batches = [calendar.to_utc(days, calendar.minutes(batch)) for batch in rule["batches"]]
    later = [np.where(batch >= published, batch, np.datetime64("NaT")) for batch in batches]
    return np.maximum(np.fmin.reduce(later), published)


def _column(rows: pl.DataFrame, name: str) -> pl.Series:
    if name not in rows.columns:
        raise UserError(f"config/availability.yaml names the column {name!r}, which the rows lack")
    return rows[name]


def as_of(left: pl.DataFrame, right: pl.DataFrame, *, by: str) -> pl.DataFrame:
    """Give every row the newest row of its key that was known at its moment of decision.

    left     (N, ...) with `by` and `moment` [UTC, microseconds]
    right    (M, ...) with `by` and `known_at`; of rows known at one moment the last one counts

    Returns (N, ...): left in its own order, then right's columns; null where nothing was known.
    A row known exactly at the moment counts: prices of a day are known at its close.
    """
    order = left.with_row_index("_row").sort("moment", maintain_order=True)
    newest = right.sort("known_at", maintain_order=True)
    joined = order.join_asof(
        newest,
        left_on="moment",
        right_on="known_at",
        by=by,
        strategy="backward",
        check_sortedness=False,
        coalesce=False,
    )
    return joined.sort("_row").drop("_row")
