"""How well two tables agree day by day: the one RankIC, of early stopping and of the report.

Tables are (T, N), days by stocks, NaN where a stock has no value; a day gives one number, (T,). A
day with fewer than MIN_PAIRS stocks that have both values, or on which one of the two is the same
for all but for rounding, gives NaN: it says nothing.
"""

import numpy as np
from numpy.typing import NDArray

from gogooku.arrays.ranks import mean_ranks
from gogooku.arrays.spread import varies

Table = NDArray[np.float64]
MIN_PAIRS = 20


def rank_ic(prediction: Table, label: Table) -> Table:
    """Spearman's rank correlation of each day, tied values sharing their mean rank.

    Sums of ranks are exact, so a day's bits depend neither on other days nor on the stocks' order.
    """
    prediction, label = paired(prediction, label)
    ordered = _correlation(rank(prediction), rank(label))
    return np.where(speaks(prediction, label), ordered, np.nan)


def ic(prediction: Table, label: Table) -> Table:
    """Pearson's correlation of each day."""
    prediction, label = paired(prediction, label)
    return np.where(speaks(prediction, label), _correlation(prediction, label), np.nan)


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


def paired(left: Table, right: Table) -> tuple[Table, Table]:
    """Keep the values of stocks that have both."""
    both = np.isfinite(left) & np.isfinite(right)
    return np.where(both, left, np.nan), np.where(both, right, np.nan)


def speaks(left: Table, right: Table) -> NDArray[np.bool_]:
    """Say of each day of paired tables whether it has enough stocks, and differences of both."""
    return (count(left) >= MIN_PAIRS) & varies(left, axis=1) & varies(right, axis=1)


def _correlation(left: Table, right: Table) -> Table:
    """Covariance over both standard deviations; NaN without any."""
    x, y = centred(left), centred(right)
    share = 1 / np.maximum(count(left) - 1, 1)
    covariance, *variances = (np.nansum(part, axis=1) * share for part in (x * y, x * x, y * y))
    sd, other_sd = (np.sqrt(np.where(each > 0, each, np.nan)) for each in variances)
    return np.clip(covariance / sd / other_sd, -1, 1)
