"""What a day's predictions were worth beside their RankIC (`arrays.agreement`).

Tables are (T, N), days by stocks, NaN where a stock has no value; a day that says nothing there
gives NaN here too.
"""

import numpy as np
from numpy.typing import NDArray

from gogooku.arrays import agreement
from gogooku.arrays.agreement import Table
from gogooku.arrays.spread import varies


def hit_rate(prediction: Table, label: Table) -> Table:
    """Share of stocks on the same side of the day's mean in prediction and in label."""
    prediction, label = agreement.paired(prediction, label)
    forecast, outcome = agreement.centred(prediction), agreement.centred(label)
    hits = np.where(np.isfinite(forecast), np.sign(forecast) == np.sign(outcome), np.nan)
    return np.where(agreement.speaks(prediction, label), agreement.mean(hits), np.nan)


def spread(prediction: Table, label: Table, quantiles: int) -> Table:
    """Mean label of the top quantile by prediction less that of the bottom one [label's unit]."""
    prediction, label = agreement.paired(prediction, label)
    top, bottom = legs(prediction, quantiles)
    gap = agreement.mean(np.where(top, label, np.nan)) - agreement.mean(
        np.where(bottom, label, np.nan)
    )
    return np.where(agreement.speaks(prediction, label), gap, np.nan)


def legs(prediction: Table, quantiles: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Top and bottom 1/quantiles of each day by prediction, as two masks (T, N).

    Both hold count // quantiles stocks. Tied predictions across the border go in or stay out
    together, by their mean rank: the order of the columns never decides. A day whose predictions
    are all alike, but for rounding, has neither.
    """
    rank, count = agreement.rank(prediction), agreement.count(prediction)[:, None]
    size = np.where(varies(prediction, axis=1)[:, None], count // quantiles, 0)
    return rank > count - size, rank <= size


def standardise(values: Table) -> Table:
    """Give each day mean 0 and standard deviation 1; a day without spread becomes 0."""
    centred = agreement.centred(values)
    scale = np.where(varies(values, axis=1), np.sqrt(agreement.mean(centred**2)), np.inf)
    return centred / scale[:, None]
