"""The rows of a panel file, made of raw bars and lists: one per session and listed common stock."""

import datetime as dt
import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gogooku import known, quality, universe

log = logging.getLogger(__name__)

Days = npt.NDArray[np.datetime64]

LOOK_BACK = universe.CLOSE_WINDOW
"""Sessions before the first row that `build` needs."""

RIGHTS_ISSUE = "3"
PRO_MARKET = "0105"


def build(
    bars: pl.DataFrame,
    master: pl.DataFrame,
    dates: Days,
    moments: Days,
    first: dt.date,
    *,
    limit_tolerance: float,
    limit_relief_days: int,
    min_price: float,
    min_value: float,
    min_sessions: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Build the panel rows from `first` on, and report the values that were rejected.

    bars      raw daily bars of the look-back and the span, with known_at
    master    raw lists of the same sessions, with known_at
    dates     (T,) sessions of the look-back and the span, in order
    moments   (T,) moment of decision of each [UTC, microseconds]
    limit_*   see quality.clean; min_* see universe.members

    A session uses the newest list and bar of its own date that were known at its moment; what
    became known later changes no row. Common stocks only: domestic, ordinary, not on the market
    for professionals.

    Returns two frames sorted by date and code: the panel (date, code, open, high, low, close
    [JPY, raw], volume [shares, raw], value [JPY], factor, volume_factor, limit_up, limit_down,
    s33, s17, market, scale, universe) and the findings of quality.clean. Prices that are absent
    or rejected are null; where the source has no traded value, close times volume stands in.
    """
    days = pl.DataFrame({"Date": dates, "moment": moments}).with_columns(
        pl.col("Date").cast(pl.Date), pl.col("moment").cast(pl.Datetime("us")).cast(known.MOMENT)
    )
    stocks = _common_stocks(_newest_known(master, days)).unique(
        ["Date", "Code"], keep="last", maintain_order=True
    )
    listed = _newest_known(bars, days).join(stocks, on=["Date", "Code"], how="semi")
    cleaned, findings = quality.clean(
        listed, dates, limit_tolerance=limit_tolerance, limit_relief_days=limit_relief_days
    )
    rows = _rows(stocks, cleaned).sort("date", "code")
    member = _membership(
        rows, dates, min_price=min_price, min_value=min_value, min_sessions=min_sessions
    )
    span = pl.col("date") >= first
    _say_empty_sessions(rows, dates[dates >= np.datetime64(first)])
    return rows.with_columns(universe=member).filter(span), findings.filter(span)


def _newest_known(rows: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Keep, of each key, the rows with the newest known_at that its day's decision could see."""
    seen = rows.join(days, on="Date").filter(pl.col("known_at") <= pl.col("moment"))
    newest = pl.col("known_at") == pl.col("known_at").max().over("Date", "Code")
    return seen.filter(newest).drop("moment")


def _common_stocks(master: pl.DataFrame) -> pl.DataFrame:
    ordinary = (pl.col("ProdCat") == "011") & (pl.col("Code").str.tail(1) == "0")
    return master.filter(ordinary & pl.col("Mkt").ne_missing(PRO_MARKET))


def _rows(stocks: pl.DataFrame, cleaned: pl.DataFrame) -> pl.DataFrame:
    joined = stocks.join(cleaned, on=["Date", "Code"], how="left")
    factor = pl.col("AdjFactor").fill_null(1.0)
    rights = pl.col("ExRT").eq_missing(RIGHTS_ISSUE)
    return joined.select(
        date="Date",
        code="Code",
        open="O",
        high="H",
        low="L",
        close="C",
        volume="Vo",
        value=pl.coalesce("Va", pl.col("C") * pl.col("Vo")),
        factor=factor,
        volume_factor=pl.when(rights).then(1.0).otherwise(factor),
        limit_up=pl.col("UL") == "1",
        limit_down=pl.col("LL") == "1",
        s33="S33",
        s17="S17",
        market="Mkt",
        scale="ScaleCat",
    )


def _membership(rows: pl.DataFrame, dates: Days, **knobs: Any) -> pl.Series:
    """Judge membership on the grid of sessions × stocks and bring it back to the rows."""
    codes = rows["code"].unique().sort()
    day = np.searchsorted(dates, rows["date"].to_numpy().astype("datetime64[D]"))
    cells = day, rows["code"].cast(pl.Enum(codes)).to_physical().to_numpy()
    shape = len(dates), len(codes)
    close, value = np.full(shape, np.nan), np.full(shape, np.nan)
    listed = np.zeros(shape, bool)
    close[cells], value[cells] = rows["close"].to_numpy(), rows["value"].to_numpy()
    listed[cells] = True
    return pl.Series(universe.members(close, value, listed, **knobs)[cells])


def _say_empty_sessions(rows: pl.DataFrame, dates: Days) -> None:
    empty = np.setdiff1d(dates, rows["date"].to_numpy().astype("datetime64[D]"))
    if len(empty):
        log.warning("no stock is listed on %d sessions, as %s", len(empty), empty[0])
