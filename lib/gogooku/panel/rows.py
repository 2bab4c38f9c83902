"""The rows of a panel file, made of raw bars and lists: one per session and listed common stock."""

import datetime as dt
import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gogooku import point_in_time
from gogooku.arrays.grid import Grid
from gogooku.errors import UserError
from gogooku.panel import quality, universe

log = logging.getLogger(__name__)

Days = npt.NDArray[np.datetime64]

KEY = ["Date", "Code"]
BARS = [*KEY, *quality.FIELDS, "UL", "LL", "ExRT"]
LISTS = [*KEY, "S33", "S17", "Mkt", "ProdCat"]

RIGHTS_ISSUE = "3"
PRO_MARKET = "0105"

FEWEST_MISPLACED = 3
"""Factors beside a rejected price, and more than a third of all, that make their dates doubtful."""


def build(
    bars: pl.DataFrame, master: pl.DataFrame, dates: Days, moments: Days, first: dt.date, *,
    limit_tolerance: float, limit_relief_days: int,
    min_price: float, min_value: float, min_sessions: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """Build the panel rows from `first` on, and report what the check of prices found.

    bars      BARS of the span and universe.CLOSE_WINDOW sessions before it, with known_at
    master    LISTS of the same sessions, with known_at
    dates     (T,) sessions of the look-back and the span, in order
    moments   (T,) moment of decision of each [UTC, microseconds]
    limit_*   see quality.clean; min_* see universe.members

    A session uses the newest list and bar of its own date that were known at its moment; what
    became known later changes no row. Common stocks only: domestic, ordinary, not on the market
    for professionals.

    Returns two frames sorted by date and code: the panel (date, code, open, high, low, close
    [JPY, raw], volume [shares, raw], value [JPY], factor, volume_factor, new_level, limit_up,
    limit_down, s33, s17, market, universe) and the findings of quality.clean. Prices that are
    absent or rejected are null; where the source has no traded value, close times volume stands
    in. On a new level (quality.clean) the factor of prices leads over to it; volumes are left, for
    nothing says whether shares were split.

    Raises UserError if `master` holds rows of one date and code that differ, or no stock for any
    session of the span.
    """
    since = dates[dates >= np.datetime64(first)]
    lists = point_in_time.distinct(
        point_in_time.on_the_day(master, KEY, dates, moments), KEY, "master"
    )
    stocks = _common_stocks(lists)
    _require_stocks(stocks, since)
    _say_strays(bars, dates)
    listed = point_in_time.on_the_day(bars, KEY, dates, moments).join(stocks, on=KEY, how="semi")
    listed = listed.with_columns(_valued=pl.col("Va").is_not_null())
    cleaned, findings = quality.clean(
        listed, dates, limit_tolerance=limit_tolerance, limit_relief_days=limit_relief_days
    )
    rows = _rows(stocks, cleaned).sort("date", "code")
    member = _membership(
        rows, dates, min_price=min_price, min_value=min_value, min_sessions=min_sessions
    )
    span = pl.col("date") >= first
    _say_empty_sessions(rows, since)
    _say_misplaced_factors(cleaned, findings, dates, first)
    return rows.with_columns(universe=member).filter(span), findings.filter(span)


def _common_stocks(master: pl.DataFrame) -> pl.DataFrame:
    ordinary = (pl.col("ProdCat") == "011") & (pl.col("Code").str.tail(1) == "0")
    return master.filter(ordinary & pl.col("Mkt").ne_missing(PRO_MARKET))


def _require_stocks(stocks: pl.DataFrame, dates: Days) -> None:
    if len(dates) and not stocks["Date"].is_in(pl.Series(dates).implode()).any():
        raise UserError(
            f"no stock is listed from {dates[0]} to {dates[-1]}: move dates.start or dates.end to "
            "days that the source holds"
        )


def _rows(stocks: pl.DataFrame, cleaned: pl.DataFrame) -> pl.DataFrame:
    joined = stocks.join(cleaned, on=KEY, how="left")
    factor = pl.col("AdjFactor").fill_null(1.0)
    link = pl.col("link").fill_null(1.0)
    rights = pl.col("ExRT").eq_missing(RIGHTS_ISSUE)
    return joined.select(
        date="Date",
        code="Code",
        open="O",
        high="H",
        low="L",
        close="C",
        volume="Vo",
        value=pl.when("_valued").then("Va").otherwise(pl.col("C") * pl.col("Vo")),
        factor=factor * link,
        volume_factor=pl.when(rights).then(1.0).otherwise(factor),
        new_level=pl.col("link").is_not_null(),
        limit_up=pl.col("UL") == "1",
        limit_down=pl.col("LL") == "1",
        s33="S33",
        s17="S17",
        market="Mkt",
    )


def _membership(rows: pl.DataFrame, dates: Days, **limits: Any) -> pl.Series:
    """Judge membership on the grid of sessions × stocks and bring it back to the rows."""
    grid = Grid.of(dates, rows["code"])
    cells = grid.cells(rows)
    close, value = (grid.dense(cells, rows[name].to_numpy(), np.nan) for name in ("close", "value"))
    listed = grid.dense(cells, True, False)
    return pl.Series(universe.members(close, value, listed, **limits).ravel()[cells])


def _say_strays(bars: pl.DataFrame, dates: Days) -> None:
    """Warn of bars on days between the first and the last session on which none was held."""
    days = bars.filter(pl.col("Date").is_between(*dates[[0, -1]]))["Date"] if len(dates) else None
    if days is not None and len(stray := days.filter(~days.is_in(pl.Series(dates).implode()))):
        log.warning("%d bars lie on no session, as on %s: left out", len(stray), stray.min())


def _say_empty_sessions(rows: pl.DataFrame, dates: Days) -> None:
    empty = np.setdiff1d(dates, rows["date"].to_numpy().astype("datetime64[D]"))
    if len(empty):
        log.warning("no stock is listed on %d sessions, as %s", len(empty), empty[0])


def _say_misplaced_factors(
    cleaned: pl.DataFrame, findings: pl.DataFrame, dates: Days, first: dt.date
) -> None:
    """Warn if many factors stand a session beside the price that they explain."""
    days = pl.DataFrame({"date": dates}).cast(pl.Date).with_row_index("session")
    adjusted = cleaned.filter(pl.col("AdjFactor") != 1, pl.col("Date") >= first)
    factors = adjusted.select(date="Date", code="Code").join(days, on="date")
    jumps = findings.filter(rule="daily_limit").unique(["date", "code"]).join(days, on="date")
    gap = pl.col("session").cast(pl.Int64) - pl.col("session_right").cast(pl.Int64)
    beside = factors.join(jumps, on="code").filter(gap.abs() <= 1)
    beside = beside.select("date", "code").unique()
    if len(beside) >= FEWEST_MISPLACED and 3 * len(beside) > len(factors):
        log.warning(
            "%d of %d adjustment factors stand on or beside a day whose price breaks the daily "
            "limit: if the source is an archive, check archive_factor",
            len(beside),
            len(factors),
        )
