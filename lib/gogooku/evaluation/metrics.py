"""What a day's predictions were worth beside their RankIC (`arrays.agreement`).

Tables are (T, N), days by stocks, NaN where a stock has no value; a day that says nothing there
gives NaN here too.
"""

from collections.abc import Iterable

import numpy as np

from gogooku.arrays import ordered
from gogooku.arrays.agreement import MIN_PAIRS, Table
from gogooku.arrays.jit import kernel
from gogooku.arrays.ordered import Ordered
from gogooku.arrays.spread import varies


def daily(prediction: Ordered, label: Ordered, quantiles: int) -> dict[str, Table]:
    """Compare the predictions and labels of each day, on the stocks that have both: (T,) each.

    rank_ic    Spearman's correlation
    ic         Pearson's
    hit_rate   share of stocks on the same side of the day's median in both; those on either median
               are left out. A prediction that knows nothing hits half, however skewed the two are
    spread     mean label of the top 1/quantiles by prediction less that of the bottom ones; ties at
               a border share it (`ordered.legs`)
    """
    return ordered.compare(prediction, label, quantiles, MIN_PAIRS)


def mean_of_standardised(tables: Iterable[Table]) -> Table:
    """Mean (T, N) of tables of which each day is given mean 0 and standard deviation 1 before.

    A day without spread becomes 0; a stock has the mean of the tables that have it.
    """
    total: Table | None = None
    for table in tables:
        if total is None:
            total, count = np.zeros(table.shape), np.zeros(table.shape, np.int8)
        values = np.asarray(table, np.float64)
        _add_standardised(values, varies(values, axis=1), total, count)
    if total is None:
        raise ValueError("there is no table to average")
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


@kernel
def _add_standardised(values, varied, total, count):
    for t in range(len(values)):
        known = np.flatnonzero(np.isfinite(values[t]))
        if not len(known):
            continue
        own = values[t][known]
        apart = own - own.mean()
        scale = np.sqrt((apart * apart).mean()) if varied[t] else np.inf
        for i in range(len(known)):
            total[t, known[i]] += apart[i] / scale
            count[t, known[i]] += 1
