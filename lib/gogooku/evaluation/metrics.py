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
    """Share of stocks on the same side of the day's median in prediction and in label.

    Stocks that lie on either median are left out. Medians halve a day, so that a prediction which
    knows nothing hits half of the stocks, however skewed predictions and labels are.
    """
    prediction, label = agreement.paired(prediction, label)
    forecast, outcome = _side(prediction), _side(label)
    hits = np.where(forecast * outcome == 0, np.nan, (forecast == outcome).astype(float))
    hits[~np.isfinite(prediction)] = np.nan
    return np.where(agreement.speaks(prediction, label), agreement.mean(hits), np.nan)


def spread(prediction: Table, label: Table, quantiles: int) -> Table:
    """Mean label of the top quantile by prediction less that of the bottom one [label's unit]."""
    prediction, label = agreement.paired(prediction, label)
    top, bottom = legs(prediction, quantiles)
    gap = np.nansum((top - bottom) * label, axis=1)
    return np.where(agreement.speaks(prediction, label), gap, np.nan)


def legs(prediction: Table, quantiles: int) -> tuple[Table, Table]:
    """Top and bottom 1/quantiles of each day by prediction, as two tables of weights (T, N).

    The weights of a leg of count // quantiles stocks add up to 1. Stocks that are tied across its
    border share what is left of it alike: neither the order of the columns nor a large tie decides.
    A day whose predictions are all alike, but for rounding, has neither leg: its weights are 0.
    """
    count = agreement.count(prediction) // quantiles
    size = np.where(varies(prediction, axis=1), count, 0)
    return _lowest(-prediction, size), _lowest(prediction, size)


def _lowest(values: Table, size: NDArray[np.int64]) -> Table:
    """Weights of the `size` (T,) lowest values of each day."""
    weights = np.zeros(values.shape)
    for day in np.flatnonzero(size):
        own, places = values[day], size[day]
        border = np.partition(own, places - 1)[places - 1]  # NaN sorts last
        inside, tied = own < border, own == border
        weights[day] = (inside + tied * (places - inside.sum()) / tied.sum()) / places
    return weights


def _side(values: Table) -> Table:
    """−1, 0 or 1: below, on or above the day's median; 0 where a stock has no value."""
    known = np.isfinite(values).any(axis=1)
    middle = np.zeros(len(values))
    middle[known] = np.nanmedian(values[known], axis=1)
    return np.sign(np.nan_to_num(values - middle[:, None]))


def standardise(values: Table) -> Table:
    """Give each day mean 0 and standard deviation 1; a day without spread becomes 0."""
    centred = agreement.centred(values)
    scale = np.where(varies(values, axis=1), np.sqrt(agreement.mean(centred**2)), np.inf)
    return centred / scale[:, None]
