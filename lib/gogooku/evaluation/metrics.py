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


def daily(prediction: Ordered, label: Ordered, quantiles: int) -> dict[str, Table]:
    """Compare the predictions and labels of each day, on the stocks that have both: (T,) each.

    rank_ic    Spearman's correlation
    ic         Pearson's
    hit_rate   share of stocks on the same side of the day's median in both; those on either median
               are left out. A prediction that knows nothing hits half, however skewed the two are
    spread     mean label of the top 1/quantiles by prediction less that of the bottom ones; ties at
               a border share it (`ordered.legs`)
    """
    rank_ic = np.full((len(label.values), 1), np.nan)
    ic, hits, spread = (np.full(len(label.values), np.nan) for _ in range(3))
    _compare(*prediction, *label, quantiles, MIN_PAIRS, rank_ic, ic, hits, spread)
    return {"rank_ic": rank_ic[:, 0], "ic": ic, "hit_rate": hits, "spread": spread}


@kernel
def _compare(left, left_order, right, right_order, quantiles, fewest, rank_ic, ic, hits, spread):
    spare, everyone = np.empty((2, left.shape[1])), np.zeros(left.shape[1], np.int8)
    for t in range(len(left)):
        x, y = left[t], right[t]
        by_x, by_y = ordered.having(left_order[t], y), ordered.having(right_order[t], x)
        if len(by_x) < fewest:
            continue
        if ordered.vary(x[by_x[0]], x[by_x[-1]]) and ordered.vary(y[by_y[0]], y[by_y[-1]]):
            ordered.correlate_ranks(x, y, by_x, by_y, everyone, 1, fewest, spare, rank_ic[t])
            ic[t] = _correlation(x[by_x], y[by_x])
            hits[t] = _hits(x[by_x] - _middle(x, by_x), y[by_x] - _middle(y, by_y))
            places = len(by_x) // quantiles
            if places:
                top = _mean_of_leg(x, by_x[::-1].copy(), places, y)
                spread[t] = top - _mean_of_leg(x, by_x, places, y)
            else:
                spread[t] = 0.0


@kernel
def _correlation(x, y):
    x, y = x - x.mean(), y - y.mean()
    return min(max((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()), -1.0), 1.0)


@kernel
def _middle(values, stocks):
    """Median of `values` of `stocks`, which are in their order."""
    half = len(stocks) // 2
    if len(stocks) % 2:
        return values[stocks[half]]
    return (values[stocks[half - 1]] + values[stocks[half]]) / 2


@kernel
def _hits(x, y):
    alike = counted = 0
    for i in range(len(x)):
        if x[i] != 0 and y[i] != 0:
            counted += 1
            alike += (x[i] > 0) == (y[i] > 0)
    return alike / counted if counted else np.nan


@kernel
def _mean_of_leg(values, stocks, places, label):
    inside, end, shared = ordered.leg(values, stocks, places)
    total = 0.0
    for i in range(end):
        total += label[stocks[i]] * (1 / places if i < inside else shared)
    return total


def mean_of_standardised(tables: Iterable[Table]) -> Table:
    """Mean (T, N) of tables of which each day is given mean 0 and standard deviation 1 before.

    A day without spread becomes 0; a stock has the mean of the tables that have it.
    """
    total: Table | None = None
    for table in tables:
        if total is None:
            total, count = np.zeros(table.shape), np.zeros(table.shape, np.int8)
        _add_standardised(np.asarray(table, np.float64), total, count)
    if total is None:
        raise ValueError("there is no table to average")
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


@kernel
def _add_standardised(values, total, count):
    for t in range(len(values)):
        known = np.flatnonzero(np.isfinite(values[t]))
        if not len(known):
            continue
        own = values[t][known]
        apart = own - own.mean()
        scale = np.sqrt((apart * apart).mean()) if ordered.vary(own.min(), own.max()) else np.inf
        for i in range(len(known)):
            total[t, known[i]] += apart[i] / scale
            count[t, known[i]] += 1
