"""Days in the order of their values: sorted once, and what follows without sorting again.

The ranks of any part of a day's stocks, as of those that have a label or of one sector, come from
going down the day's order and counting the stocks of that part. So RankICs of many groups, and of
one day's predictions with another day's labels, cost little more than one.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gogooku.arrays.jit import kernel
from gogooku.arrays.ranks import order
from gogooku.arrays.spread import RESOLUTION

NOBODY = -1


class Ordered(NamedTuple):
    """Values (T, N), and by day the positions of the finite ones, ascending: (T, N), −1 after."""

    values: NDArray[np.float64]
    order: NDArray[np.int32]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> "Ordered":
        """Sort each day of a table (T, N); alike values keep the order of the columns."""
        dense = np.ascontiguousarray(values, np.float64)
        return cls(dense, order(dense))


def rank_ic(
    prediction: Ordered,
    label: Ordered,
    fewest: int,
    group: NDArray[np.integer] | None = None,
    groups: int = 1,
    age: int = 0,
) -> NDArray[np.float64]:
    """Spearman's correlation of each day and group, (T, groups), tied values sharing their rank.

    group   (T, N), −1 for none: the stocks that are ranked among each other; None: all of a day
    age     of the predictions [days]: those of day t − age meet the labels of day t

    NaN where a group has fewer than `fewest` stocks with both values, or one of the two is alike
    for all but for rounding. Sums of ranks are exact, so a number's bits depend neither on other
    days nor on the stocks' order.
    """
    if group is None:
        group = np.zeros(label.values.shape, np.int8)
    result = np.full((len(label.values), groups), np.nan)
    _rank_ic(*prediction, *label, group, groups, age, fewest, RESOLUTION, result)
    return result


def compare(
    prediction: Ordered, label: Ordered, quantiles: int, fewest: int
) -> dict[str, NDArray[np.float64]]:
    """Compare each day's values on the stocks that have both; see `metrics.daily`, (T,) each."""
    days = len(label.values)
    rank_ic, (ic, hits, spread) = np.full((days, 1), np.nan), np.full((3, days), np.nan)
    results = rank_ic, ic, hits, spread
    _compare(*prediction, *label, quantiles, fewest, RESOLUTION, *results)
    return {"rank_ic": rank_ic[:, 0], "ic": ic, "hit_rate": hits, "spread": spread}


def legs(prediction: Ordered, quantiles: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Top and bottom 1/quantiles of each day by prediction, as two tables of weights (T, N).

    The weights of a leg of count // quantiles stocks add up to 1. Stocks that are tied across its
    border share what is left of it alike: neither the order of the columns nor a large tie decides.
    A day whose predictions are all alike, but for rounding, has neither leg: its weights are 0.
    """
    top, bottom = np.zeros((2, *prediction.values.shape))
    _legs(*prediction, quantiles, RESOLUTION, top, bottom)
    return top, bottom


def parts(values: Ordered, other: NDArray[np.float64], number: int) -> NDArray[np.int8]:
    """Cut each day's values into `number` parts of alike size, from 0 for the lowest: (T, N) int8.

    Only stocks that have a value in `other` (T, N) too are counted; the rest get −1. Tied values
    are in one part, that of their mean rank.
    """
    place = ranks(values, other)
    known = np.isfinite(place)
    share = (place - 0.5) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.where(known, share * number, NOBODY).astype(np.int8)


def ranks(values: Ordered, other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank each day's stocks that have a value in `other` (T, N) too, from 1; NaN for the rest."""
    result = np.full(values.values.shape, np.nan)
    _ranks(*values, other, result)
    return result


@kernel
def vary(low: float, high: float, rounding: float) -> bool:
    """Whether the lowest and the highest of some values differ by more than rounding."""
    return high - low > rounding * max(abs(low), abs(high))


@kernel
def having(order: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Give the stocks of a day's `order` (N,) that have a finite value in `other` (N,)."""
    both, count = np.empty_like(order), 0
    for j in order:
        if j < 0:
            break
        if np.isfinite(other[j]):
            both[count] = j
            count += 1
    return both[:count]


@kernel
def leg(values: np.ndarray, stocks: np.ndarray, places: int) -> tuple[int, int, float]:
    """Fill `places` with the first of `stocks` (n,), which lie in the order of `values` (N,).

    Returns how many stand before the border, how many before or on it, and the weight of each of
    those on it; that of the ones before it is 1 / places.
    """
    border, inside = values[stocks[places - 1]], 0
    while values[stocks[inside]] != border:
        inside += 1
    end = places
    while end < len(stocks) and values[stocks[end]] == border:
        end += 1
    return inside, end, (places - inside) / (end - inside) / places


@kernel
def _legs(values, order, quantiles, rounding, top, bottom):
    for t in range(len(values)):
        own = having(order[t], values[t])
        places = len(own) // quantiles
        if places and vary(values[t, own[0]], values[t, own[-1]], rounding):
            _weigh(values[t], own, places, bottom[t])
            _weigh(values[t], own[::-1].copy(), places, top[t])


@kernel
def _weigh(values, stocks, places, weights):
    inside, end, shared = leg(values, stocks, places)
    for i in range(end):
        weights[stocks[i]] = 1 / places if i < inside else shared


@kernel
def _ranks(values, order, other, ranks):
    everyone = np.zeros(values.shape[1], np.int8)
    for t in range(len(values)):
        rank_within(values[t], having(order[t], other[t]), everyone, 1, 0.0, ranks[t])


@kernel
def _rank_ic(left, left_order, right, right_order, group, groups, age, fewest, rounding, result):
    spare = np.empty((2, left.shape[1]))
    for t in range(age, len(right)):
        x, y = left[t - age], right[t]
        by_x, by_y = having(left_order[t - age], y), having(right_order[t], x)
        correlate_ranks(x, y, by_x, by_y, group[t], groups, fewest, rounding, spare, result[t])


@kernel
def correlate_ranks(
    x: np.ndarray, y: np.ndarray, by_x: np.ndarray, by_y: np.ndarray,
    group: np.ndarray, groups: int, fewest: int, rounding: float,
    spare: np.ndarray, result: np.ndarray,
) -> None:  # fmt: skip
    """Fill a day's `result` (groups,) as `rank_ic` says.

    by_x, by_y   stocks that have both x and y (N,), in the order of each;  spare (2, N)
    """
    differ = rank_within(x, by_x, group, groups, rounding, spare[0])
    differ &= rank_within(y, by_y, group, groups, rounding, spare[1])
    _correlate(spare[0], spare[1], by_x, group, fewest, differ, result)


@kernel
def rank_within(
    values: np.ndarray, stocks: np.ndarray, group: np.ndarray, groups: int, rounding: float,
    ranks: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Rank `stocks`, which lie in the order of their values, within their groups.

    Fills `ranks` (N,) from 1, ties sharing their mean rank; returns which groups vary, (groups,).
    """
    counted, tied = np.zeros(groups), np.zeros(groups)
    low, high = np.zeros(groups), np.zeros(groups)
    first = 0
    while first < len(stocks):
        value, end = values[stocks[first]], first + 1
        while end < len(stocks) and values[stocks[end]] == value:
            end += 1
        if end == first + 1:  # the usual case, in one step
            g = group[stocks[first]]
            if g >= 0:
                low[g] = value if counted[g] == 0 else low[g]
                high[g] = value
                counted[g] += 1
                ranks[stocks[first]] = counted[g]
            first = end
            continue
        for i in range(first, end):
            g = group[stocks[i]]
            if g >= 0:
                low[g] = value if counted[g] + tied[g] == 0 else low[g]
                high[g] = value
                tied[g] += 1
        for i in range(first, end):
            g = group[stocks[i]]
            if g >= 0:
                ranks[stocks[i]] = counted[g] + (tied[g] + 1) / 2
        for i in range(first, end):
            g = group[stocks[i]]
            if g >= 0:
                counted[g] += tied[g]
                tied[g] = 0.0
        first = end
    differ = np.empty(groups, np.bool_)
    for g in range(groups):
        differ[g] = vary(low[g], high[g], rounding)
    return differ


@kernel
def _correlate(ranks, others, stocks, group, fewest, differ, result):
    groups = len(result)
    count, xx, yy, xy = np.zeros(groups), np.zeros(groups), np.zeros(groups), np.zeros(groups)
    for j in stocks:
        g = group[j]
        if g >= 0:
            count[g] += 1
            xx[g] += ranks[j] * ranks[j]
            yy[g] += others[j] * others[j]
            xy[g] += ranks[j] * others[j]
    for g in range(groups):
        if count[g] >= fewest and differ[g]:
            square = count[g] * ((count[g] + 1) / 2) ** 2
            share = 1 / max(count[g] - 1, 1)
            sd, other_sd = np.sqrt((xx[g] - square) * share), np.sqrt((yy[g] - square) * share)
            result[g] = min(max((xy[g] - square) * share / sd / other_sd, -1.0), 1.0)


@kernel
def _compare(
    left, left_order, right, right_order, quantiles, fewest, rounding, rank_ic, ic, hits, spread
):  # fmt: skip
    spare, everyone = np.empty((2, left.shape[1])), np.zeros(left.shape[1], np.int8)
    for t in range(len(left)):
        x, y = left[t], right[t]
        by_x, by_y = having(left_order[t], y), having(right_order[t], x)
        if len(by_x) < fewest:
            continue
        differ = vary(x[by_x[0]], x[by_x[-1]], rounding)
        if differ and vary(y[by_y[0]], y[by_y[-1]], rounding):
            correlate_ranks(x, y, by_x, by_y, everyone, 1, fewest, rounding, spare, rank_ic[t])
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
    inside, end, shared = leg(values, stocks, places)
    total = 0.0
    for i in range(end):
        total += label[stocks[i]] * (1 / places if i < inside else shared)
    return total
