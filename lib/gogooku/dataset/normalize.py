"""Same-day normalisation: a value becomes its standing among the stocks of its own day.

Nothing is fitted and nothing is kept: a day's values depend on that day's members alone. Sums are
taken in an order that the number of members alone sets, so a day has the same bits on any machine
and beside any other days.
"""

from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from gogooku.arrays import ranks

Method = Literal["zscore", "robust", "rank", "rank_normal"]
Scores = npt.NDArray[np.float32]
METHODS: dict[Method, int] = {
    "zscore": ranks.ZSCORE,
    "robust": ranks.ROBUST,
    "rank": ranks.RANK,
    "rank_normal": ranks.RANK_NORMAL,
}

FEWEST_PEERS = 10
"""Known values of a sector on a day below which its stocks are measured against all members, and
those of a column on a day that are always enough."""


def same_day(
    frame: pl.DataFrame,
    columns: Sequence[str],
    *,
    clip: float,
    method: Method,
    fewest: int = 1,
    sectors: pl.Series | None = None,
) -> pl.DataFrame:
    """Normalise `columns` of each day across the rows of that day.

    frame     date, code, columns; the universe members, sorted by date
    fewest    known values of a column on a day below which it is null there: two would be ±1
    sectors   (R,) each row's sector on its day, null for none: a stock is then measured against
              the members of its sector, and against all members where fewer than FEWEST_PEERS of
              them have a value; None: always against all members

    `clip` and `method` are those of `scores`. Returns the frame with those columns replaced
    (Float32); null stays null.

    Raises ValueError if the rows are not sorted by date.
    """
    days = day_starts(frame["date"])
    order, groups = _sectors_of(frame["date"], sectors)
    series = []
    for name in columns:
        x = frame[name].cast(pl.Float32).fill_null(np.nan).to_numpy()
        column = scores(x, days, clip=clip, method=method, fewest=fewest)
        peers = scores(x[order], groups, clip=clip, method=method, fewest=FEWEST_PEERS)
        finite = np.isfinite(peers)
        column[order[finite]] = peers[finite]
        series.append(pl.Series(name, column, nan_to_null=True))
    return frame.with_columns(series)


def scores(
    x: np.ndarray, starts: np.ndarray, *, clip: float, method: Method, fewest: int = 1
) -> Scores:
    """Winsorise the values of each group of rows, then give each its standing among them.

    x        (R,) float32; NaN where unknown
    starts   (G + 1,) row at which each group starts, and R
    clip     share winsorised at either end, at linearly interpolated quantiles
    method   zscore       (x − mean) / sd, divisor n
             robust       (x − median) / (1.4826 × median absolute deviation); where more than half
                          of the values are the same, 1.2533 × the mean absolute deviation instead
             rank         evenly spread on [−1, 1], ties share their mean
             rank_normal  normal quantile of rank / (n + 1), ties share their rank's mean
    fewest   known values below which a group gets none

    Returns (R,) float32; what is not finite stays NaN, and values that are all the same become 0.
    Source: Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers, for the robust score;
    van der Waerden (1952) for the normal one.
    """
    x = np.ascontiguousarray(x, np.float32)
    out = np.full(len(x), np.nan, np.float32)
    table, offsets = _normal_tables(x, starts) if method == "rank_normal" else _NO_TABLES
    ranks.score(x, starts, fewest, clip, METHODS[method], table, offsets, out)
    return out


def fewest_known(min_stocks: int) -> int:
    """Give the known values of a column on a day below which it is null there."""
    return min(min_stocks, FEWEST_PEERS)


def day_starts(dates: pl.Series) -> npt.NDArray[np.int64]:
    """Give the row at which each day starts, and the number of rows at the end, (D + 1,)."""
    if not dates.is_sorted():
        raise ValueError("rows must be sorted by date")
    return _starts(dates.rle_id())


def _starts(runs: pl.Series) -> npt.NDArray[np.int64]:
    changed = np.flatnonzero(np.diff(runs.to_numpy(), prepend=-1))
    return np.append(changed, len(runs)).astype(np.int64)


def _sectors_of(
    dates: pl.Series, sectors: pl.Series | None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Give the rows of known sector by day and sector, and where each such group starts."""
    if sectors is None:
        return np.array([], np.intp), np.array([0], np.int64)
    keys = pl.DataFrame({"date": dates, "sector": sectors}).with_row_index("row").drop_nulls()
    keys = keys.sort("date", "sector", maintain_order=True)
    runs = keys.select(pl.struct("date", "sector").rle_id()).to_series()
    return keys["row"].to_numpy().astype(np.intp), _starts(runs)


# ---- normal scores -------------------------------------------------------------------------------

_NO_TABLES = np.array([], np.float32), np.array([], np.int64)


def _normal_tables(x: Scores, starts: np.ndarray) -> tuple[Scores, npt.NDArray[np.int64]]:
    """Lay the normal scores of all group sizes end to end, and say where each size's begin."""
    sizes = np.unique(np.add.reduceat(np.append(np.isfinite(x), False), starts, dtype=np.int64))
    tables = [_normal_scores(int(size)) for size in sizes]
    offsets = np.zeros(sizes[-1] + 1, np.int64)
    offsets[sizes] = np.cumsum([0, *(len(table) for table in tables[:-1])])
    return np.concatenate(tables), offsets


@cache
def _normal_scores(size: int) -> Scores:
    """Give the scores of the ranks 1, 1½, 2, … `size`; half ranks are those of even ties."""
    from scipy.special import ndtri  # a tenth of a job's start, for one method alone

    return ndtri(np.arange(2, 2 * size + 1) / 2 / (size + 1)).astype(np.float32)
