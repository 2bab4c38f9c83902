"""How well a day's predictions ordered what then happened.

Everything here works on dense tables (T, N), days by stocks, NaN where a stock has no value, and
gives one number per day (T,). A day with fewer than MIN_PAIRS stocks that have both a prediction
and a label, or on which one of the two is the same for all, gives NaN: it says nothing.
"""

import numpy as np
from numpy.typing import NDArray

from gogooku.arrays.spread import varies

Table = NDArray[np.float64]
MIN_PAIRS = 20


def rank_ic(prediction: Table, label: Table) -> Table:
    """Spearman's rank correlation of each day, tied values sharing their mean rank."""
    prediction, label = _paired(prediction, label)
    ordered = _correlation(rank(prediction), rank(label))
    return np.where(_speaks(prediction, label), ordered, np.nan)


def ic(prediction: Table, label: Table) -> Table:
    """Pearson's correlation of each day."""
    return _correlation(*_paired(prediction, label))


def hit_rate(prediction: Table, label: Table) -> Table:
    """Share of stocks on the same side of the day's mean in prediction and in label."""
    prediction, label = _paired(prediction, label)
    said, came = _centred(prediction), _centred(label)
    hits = np.where(np.isfinite(said), np.sign(said) == np.sign(came), np.nan)
    return np.where(_speaks(prediction, label), mean(hits), np.nan)


def spread(prediction: Table, label: Table, quantiles: int) -> Table:
    """Mean label of the top quantile by prediction less that of the bottom one [label's unit]."""
    prediction, label = _paired(prediction, label)
    top, bottom = legs(prediction, quantiles)
    gap = mean(np.where(top, label, np.nan)) - mean(np.where(bottom, label, np.nan))
    return np.where(_speaks(prediction, label), gap, np.nan)


def legs(prediction: Table, quantiles: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Top and bottom 1/quantiles of each day by prediction, as two masks (T, N).

    Both hold count // quantiles stocks. Tied predictions across the border go in or stay out
    together, by their mean rank: the order of the columns never decides. A day whose predictions
    are all alike, but for rounding, has neither.
    """
    place, count = rank(prediction), _count(prediction)[:, None]
    size = np.where(varies(prediction, axis=1)[:, None], count // quantiles, 0)
    return place > count - size, place <= size


def rank(values: Table) -> Table:
    """Rank each row from 1, tied values sharing their mean rank; NaN stays NaN."""
    filled = np.where(np.isnan(values), np.inf, values)  # numpy's fast sort takes no NaN
    order = np.argsort(filled, axis=1)
    ascending = np.take_along_axis(filled, order, axis=1)
    changes = ascending[:, 1:] != ascending[:, :-1]
    here = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    edge = np.ones((len(values), 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, changes]), here, 0), axis=1)
    ends = np.where(np.hstack([changes, edge]), here, values.shape[1])
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=1)
    return np.where(np.isnan(values), np.nan, ranks)


def standardise(values: Table) -> Table:
    """Give each day mean 0 and standard deviation 1; a day without spread becomes 0."""
    centred = _centred(values)
    scale = np.where(varies(values, axis=1), np.sqrt(mean(centred**2)), np.inf)
    return centred / scale[:, None]


def mean(values: Table) -> Table:
    """Mean of each day's finite values; NaN for a day that has none."""
    total, count = np.nansum(values, axis=1), _count(values)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _paired(left: Table, right: Table) -> tuple[Table, Table]:
    both = np.isfinite(left) & np.isfinite(right)
    return np.where(both, left, np.nan), np.where(both, right, np.nan)


def _correlation(left: Table, right: Table) -> Table:
    x, y = _centred(left), _centred(right)
    speaks = _speaks(left, right)
    scale = np.sqrt(np.nansum(x * x, axis=1) * np.nansum(y * y, axis=1))
    return np.divide(np.nansum(x * y, axis=1), scale, out=np.full(len(x), np.nan), where=speaks)


def _speaks(left: Table, right: Table) -> NDArray[np.bool_]:
    return (_count(left) >= MIN_PAIRS) & varies(left, axis=1) & varies(right, axis=1)


def _count(values: Table) -> NDArray[np.int64]:
    return np.isfinite(values).sum(axis=1)


def _centred(values: Table) -> Table:
    return values - mean(values)[:, None]
