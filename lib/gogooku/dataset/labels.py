"""What is predicted: returns from a price that one can still trade at, over sessions to come.

A label belongs to the day whose features predict it and is filed under the day on which it becomes
known, its exit. So the label files of the spans up to a day hold what was known on that day.
"""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import polars as pl

from gogooku.arrays.grid import Grid
from gogooku.calendar import ENTRY_LAG, ENTRY_PRICE, Entry
from gogooku.panel.panel import Panel

SCHEMA = {
    "date": pl.Date,
    "code": pl.String,
    "horizon": pl.Int16,
    "exit": pl.Date,
    "label": pl.Float32,
}


def realised(
    panel: Panel,
    first: dt.date,
    last: dt.date,
    *,
    horizons: Sequence[int],
    entry: Entry,
) -> pl.DataFrame:
    """Give the labels whose exit lies between the days `first` and `last`, both included.

    panel      the days and at least max(horizons) + 1 sessions before them
    horizons   sessions of the exchange from entry to exit
    entry      next_close: close of t+1 to close of t+1+h; next_open: the same at the opens;
               close: close of t to close of t+h, at which nobody can trade on day t's features

    Returns one row a day, listed stock and horizon, sorted by them: date t, code, horizon, exit,
    label [return, prices adjusted for splits between entry and exit]. A label with a missing
    price, or across a new level of prices (`quality.clean`), has no row.
    """
    parts = [_of_horizon(panel, first, last, horizon, entry) for horizon in horizons]
    return pl.concat(parts).sort("date", "code", "horizon")


def _of_horizon(
    panel: Panel, first: dt.date, last: dt.date, horizon: int, entry: Entry
) -> pl.DataFrame:
    lag, days, price = ENTRY_LAG[entry], panel.dates, panel[ENTRY_PRICE[entry]]
    ends = np.arange(lag + horizon, len(days))
    in_span = (days[ends] >= np.datetime64(first)) & (days[ends] <= np.datetime64(last))
    exits = ends[in_span]
    starts = exits - horizon
    gains = (price[exits] / price[starts] - 1).astype(np.float32)
    level = np.cumsum(panel["new_level"], axis=0)
    real = np.isfinite(gains) & (level[exits] == level[starts])
    grid = Grid(days[starts - lag], panel.codes)
    rows = grid.tidy(real & panel["listed"][starts - lag], {"exit": days[exits], "label": gains})
    horizons = pl.lit(horizon, pl.Int16).alias("horizon")
    return rows.select("date", "code", horizons, "exit", "label")
