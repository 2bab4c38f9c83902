"""The scale of market columns: fitted on a fold's training part, used on all its parts."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from gogooku.arrays.spread import varies
from gogooku.errors import UserError


def fit(
    rows: pl.DataFrame, columns: Sequence[str], first: str, last: str
) -> dict[str, dict[str, float]]:
    """Give mean and population sd of market columns over the days from `first` to `last`.

    rows   date and `columns`, sorted by date; a day weighs the same however many stocks it has,
           and counts with the mean of its stocks where they differ

    A column that is never known gets mean 0 and sd 0, one that is always the same sd 0.

    Raises UserError if no row lies between the days.
    """
    days = (pl.lit(first).str.to_date(), pl.lit(last).str.to_date())
    part = rows.filter(pl.col("date").is_between(*days))
    if part.is_empty():
        raise UserError(f"the data set has no row from {first} to {last}: widen splits.train")
    starts = np.flatnonzero((part["date"] != part["date"].shift(1)).fill_null(True).to_numpy())
    return {name: _moments(part[name].cast(pl.Float64).to_numpy(), starts) for name in columns}


def _moments(values: np.ndarray, starts: np.ndarray) -> dict[str, float]:
    known = np.isfinite(values)
    number = np.add.reduceat(known, starts, dtype=np.int64)
    total = np.add.reduceat(np.where(known, values, 0.0), starts)
    daily = total[number > 0] / number[number > 0]
    if not len(daily):
        return {"mean": 0.0, "sd": 0.0}
    return {"mean": float(daily.mean()), "sd": float(daily.std()) if varies(daily) else 0.0}
