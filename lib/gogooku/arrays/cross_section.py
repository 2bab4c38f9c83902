"""Kernels along the stocks of the dense panel: each day on its own, alone or by group.

All take (T, N) with absent = NaN. `mask` (T, N) bool says who is a peer on the day, `group` (T, N)
int to which group a stock belongs, -1 for none.
"""

import numpy as np

from gogooku.arrays.jit import kernel
from gogooku.arrays.time_series import Array, dense, known, ratio, where


def cs_mean(x: np.ndarray, mask: np.ndarray) -> Array:
    """Average each day's observations within `mask`, summed by code; gives (T,)."""
    inside = mask & np.isfinite(x)
    # One after the other: further stocks without an observation change no bit.
    total = np.cumsum(np.where(inside, x, 0.0), axis=1)[:, -1]
    return ratio(total, inside.sum(axis=1))


def cs_std(x: np.ndarray, mask: np.ndarray) -> Array:
    """Give the population standard deviation of each day's observations within `mask`; (T,)."""
    apart = x - cs_mean(x, mask)[:, None]
    return np.sqrt(cs_mean(apart**2, mask))


def group_count(group: np.ndarray, mask: np.ndarray) -> Array:
    """Count the stocks within `mask` in each stock's group of the day; NaN without a group."""
    cell = np.arange(len(group))[:, None] * (int(group.max(initial=0)) + 1) + group
    counts = np.bincount(cell[mask & (group >= 0)], minlength=int(cell.max(initial=0)) + 1)
    return where(group >= 0, counts[np.maximum(cell, 0)])


def group_sums(x: np.ndarray, group: np.ndarray, groups: int) -> tuple[Array, Array]:
    """Sum each day's observations by group, and count them: (T, groups) each."""
    sums, counts = np.zeros((2, len(x), groups))
    _add_by_group(dense(x), group, sums, counts)
    return sums, counts


@kernel
def _add_by_group(x, group, sums, counts):
    for t in range(len(x)):
        for j in range(x.shape[1]):
            if group[t, j] >= 0 and np.isfinite(x[t, j]):
                sums[t, group[t, j]] += x[t, j]
                counts[t, group[t, j]] += 1


def by_group(series: np.ndarray, names: np.ndarray, group: np.ndarray) -> Array:
    """Give each stock the series (T, G) of its group of the day, (T, N); NaN where it has none.

    names   (G,) int, the groups' numbers, each once and none negative
    """
    column = np.full(int(max(names.max(initial=0), group.max(initial=0))) + 2, len(names))
    column[names] = np.arange(len(names))
    padded = np.append(series, np.full((len(series), 1), np.nan), axis=1)
    return np.take_along_axis(padded, column[group], axis=1)


def group_median_of_others(x: np.ndarray, group: np.ndarray, mask: np.ndarray) -> Array:
    """Give the median of the day's values within `mask` in the stock's group, itself left out.

    A stock outside `mask` gets the median of its group too; NaN where there is no other.
    """
    return _medians(*_ordered(*_grouped(x, group, mask)))


def group_rank(x: np.ndarray, group: np.ndarray, mask: np.ndarray, min_members: int) -> Array:
    """Rank values among those within `mask` in their group: (below + ½ equal)/n, ½ if all equal.

    NaN where the group has fewer than `min_members` values.
    """
    return _ranks(*_ordered(*_grouped(x, group, mask)), min_members)


def group_zscore(x: np.ndarray, group: np.ndarray, mask: np.ndarray, min_members: int) -> Array:
    """Standardise values by mean and population deviation of those within `mask` in their group.

    NaN where the group has fewer than `min_members` values or they are all equal.
    """
    return known(_group_scores(*_grouped(x, group, mask), min_members))


def _grouped(x, group, mask):
    group = np.ascontiguousarray(group, np.int64)
    member = np.ascontiguousarray(mask & np.isfinite(x) & (group >= 0))
    return dense(x), group, member, int(group.max(initial=0)) + 1


def _ordered(x, group, member, groups):
    return x, group, member, np.argsort(where(member, x), axis=1), groups


@kernel
def _sorted_by_group(x, group, member, order, groups):
    """Sort one day's members by group, then value: where groups start, values, own positions."""
    start = np.zeros(groups + 1, np.int64)
    for s in range(len(x)):
        if member[s]:
            start[group[s] + 1] += 1
    start = np.cumsum(start)
    fill, values = start.copy(), np.empty(len(x))
    position = np.empty(len(x), np.int64)
    for s in order:
        if member[s]:
            position[s] = fill[group[s]]
            values[position[s]] = x[s]
            fill[group[s]] += 1
    return start, values, position


@kernel
def _median_without(values, left_out):
    """Give the median of sorted values; `left_out` is a position, or len(values) for none."""
    others = len(values) - (left_out < len(values))
    if others == 0:
        return np.nan
    low, high = (others - 1) // 2, others // 2
    low, high = low + (low >= left_out), high + (high >= left_out)
    return values[low] if low == high else (values[low] + values[high]) / 2


@kernel
def _medians(x, group, member, order, groups):
    out = np.full(x.shape, np.nan)
    for t in range(x.shape[0]):
        start, values, position = _sorted_by_group(x[t], group[t], member[t], order[t], groups)
        for s in range(x.shape[1]):
            g = group[t, s]
            if g >= 0:
                own = position[s] - start[g] if member[t, s] else start[g + 1] - start[g]
                out[t, s] = _median_without(values[start[g] : start[g + 1]], own)
    return out


@kernel
def _ranks(x, group, member, order, groups, min_members):
    out = np.full(x.shape, np.nan)
    for t in range(x.shape[0]):
        start, values, _ = _sorted_by_group(x[t], group[t], member[t], order[t], groups)
        for s in range(x.shape[1]):
            g = group[t, s]
            if g >= 0 and x[t, s] - x[t, s] == 0 and start[g + 1] - start[g] >= min_members:
                peers = values[start[g] : start[g + 1]]
                below = np.searchsorted(peers, x[t, s], "left")
                upto = np.searchsorted(peers, x[t, s], "right")
                out[t, s] = (below + upto) / 2 / len(peers)
    return out


@kernel
def _group_scores(x, group, member, groups, min_members):
    out = np.full(x.shape, np.nan)
    for t in range(x.shape[0]):
        count, first = np.zeros(groups), np.zeros(groups)
        mean, spread = np.zeros(groups), np.zeros(groups)
        for s in range(x.shape[1]):
            if member[t, s]:
                g = group[t, s]
                first[g] = x[t, s] if count[g] == 0 else first[g]
                mean[g] += x[t, s] - first[g]
                count[g] += 1
        mean = first + mean / count
        for s in range(x.shape[1]):
            if member[t, s]:
                spread[group[t, s]] += (x[t, s] - mean[group[t, s]]) ** 2
        for s in range(x.shape[1]):
            g = group[t, s]
            if g >= 0 and count[g] >= min_members:
                out[t, s] = (x[t, s] - mean[g]) / np.sqrt(spread[g] / count[g])
    return out
