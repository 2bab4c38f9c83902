"""Same-day normalisation: a value becomes its place among the stocks of its own day.

Nothing is fitted and nothing is kept: a day's values depend on that day's members alone.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from gogooku.ranks import mean_ranks

Method = Literal["zscore", "rank"]


def same_day(
    frame: pl.DataFrame,
    columns: Sequence[str],
    *,
    clip: float,
    method: Method,
) -> pl.DataFrame:
    """Normalise `columns` of each day across the rows of that day.

    frame    date, code, columns; the universe members, sorted by date
    clip     share winsorised at either end of each day's cross-section
    method   zscore: mean 0, sd 1 (ddof 0); rank: evenly spread on [-1, 1], ties share their mean

    Returns the frame with those columns replaced (Float32); null stays null, and a column that is
    the same for all members becomes 0.
    """
    starts = day_starts(frame["date"])
    if not columns:
        return frame
    values = frame.select(columns).cast(pl.Float64).to_numpy()
    made = np.empty((len(columns), len(frame)), np.float32)
    for first, last in zip(starts[:-1], starts[1:], strict=True):
        made[:, first:last] = cross_section(values[first:last].T, clip=clip, method=method)
    named = (pl.Series(name, row) for name, row in zip(columns, made, strict=True))
    return frame.with_columns(series.fill_nan(None) for series in named)


def cross_section(x: np.ndarray, *, clip: float, method: Method) -> np.ndarray:
    """Winsorise, then z-score or rank, each row of x (F, N) over its known values.

    Quantiles are interpolated linearly. Returns (F, N) float64; NaN stays NaN.
    """
    trimmed = _winsorise(np.ascontiguousarray(x, np.float64), clip)
    return _zscore(trimmed) if method == "zscore" else _spread(trimmed)


def day_starts(dates: pl.Series) -> np.ndarray:
    """Give the row at which each day starts, and the number of rows at the end, (D + 1,)."""
    if not dates.is_sorted():
        raise ValueError("rows must be sorted by date")
    return np.append(np.flatnonzero((dates != dates.shift(1)).fill_null(True)), len(dates))


def _winsorise(x: np.ndarray, clip: float) -> np.ndarray:
    known = np.isfinite(x).sum(axis=1, keepdims=True)
    ordered = np.sort(x, axis=1)
    low, high = (_quantile(ordered, known, share) for share in (clip, 1 - clip))
    return np.clip(x, low, high)


def _quantile(ordered: np.ndarray, known: np.ndarray, share: float) -> np.ndarray:
    """Quantile of each row's first `known` values, (F, 1); NaN where none is known."""
    place = share * np.maximum(known - 1, 0)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(known - 1, 0))
    left = np.take_along_axis(ordered, below, axis=1)
    right = np.take_along_axis(ordered, above, axis=1)
    return left + (right - left) * (place - below)


def _zscore(x: np.ndarray) -> np.ndarray:
    present = np.isfinite(x)
    known = np.maximum(present.sum(axis=1, keepdims=True), 1)
    centred = x - np.where(present, x, 0.0).sum(axis=1, keepdims=True) / known
    square = np.where(present, centred**2, 0.0).sum(axis=1, keepdims=True) / known
    # A constant column's mean can miss it by a rounding error, which must not become a score.
    alike = _alike(x)
    return np.where(alike & present, 0.0, centred / np.where(alike, 1.0, np.sqrt(square)))


def _spread(x: np.ndarray) -> np.ndarray:
    ranks, known = mean_ranks(x)
    return (2 * ranks - known - 1) / np.maximum(known - 1, 1)


def _alike(x: np.ndarray) -> np.ndarray:
    highest = np.fmax.reduce(x, axis=1, keepdims=True)
    return ~(highest > np.fmin.reduce(x, axis=1, keepdims=True))
