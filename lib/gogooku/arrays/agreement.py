"""How well two tables agree day by day: the one RankIC, of early stopping and of the report.

Tables are (T, N), days by stocks, NaN where a stock has no value; a day gives one number, (T,). A
day with fewer than MIN_PAIRS stocks that have both values, or on which one of the two is the same
for all but for rounding, gives NaN: it says nothing.
"""

import numpy as np
from numpy.typing import NDArray

from gogooku.arrays import ordered
from gogooku.arrays.ordered import Ordered
from gogooku.arrays.ranks import mean_ranks

Table = NDArray[np.float64]
MIN_PAIRS = 20


def rank_ic(prediction: Table, label: Table) -> Table:
    """Spearman's rank correlation of each day, tied values sharing their mean rank.

    Sums of ranks are exact, so a day's bits depend neither on other days nor on the stocks' order.
    """
    return ordered.rank_ic(Ordered.of(prediction), Ordered.of(label), MIN_PAIRS)[:, 0]


def rank(values: Table) -> Table:
    """Rank each day from 1, tied values sharing their mean rank; what is not finite gets NaN."""
    ranks, _ = mean_ranks(values)
    return ranks


def mean(values: Table) -> Table:
    """Mean of each day's finite values; NaN for a day that has none."""
    total, number = np.nansum(values, axis=1), count(values)
    return np.divide(total, number, out=np.full(len(values), np.nan), where=number > 0)


def centred(values: Table) -> Table:
    """Take each day's mean from its values."""
    return values - mean(values)[:, None]


def count(values: Table) -> NDArray[np.int64]:
    """Count each day's finite values."""
    return np.isfinite(values).sum(axis=1)
