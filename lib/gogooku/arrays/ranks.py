"""Kernels that give a value its place among others: ranks that ties share, quantiles, scores.

The bits of floating-point numbers, their signs turned round, are whole numbers in the same order;
sorting these digit by digit needs no comparison. Source: Knuth, The Art of Computer Programming 3,
5.2.5; Herf (2001), "Radix Tricks".
"""

import numpy as np

from gogooku.arrays.jit import kernel

DIGIT = 11  # bits that are counted at once: 2,048 counts stay in the processor's nearest cache
COUNTS = 1 << DIGIT

ZSCORE, ROBUST, RANK, RANK_NORMAL = range(4)
# What turns a median and a mean of absolute deviations into the sd of a normal distribution.
PER_MEDIAN, PER_MEAN = 1.4826022185056018, 1.2533141373155001


# ---- order ---------------------------------------------------------------------------------------


def mean_ranks(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank each row of x (F, N) from 1, ties sharing their mean; what is not finite gets NaN.

    Returns the ranks (F, N) float64 and the number of known values (F, 1).
    """
    rows = np.ascontiguousarray(x)
    ranks = np.full(rows.shape, np.nan)
    if rows.size:
        _rank_rows(rows, rows.view(f"u{rows.itemsize}"), ranks)
    return ranks, np.isfinite(rows).sum(axis=1, keepdims=True)


@kernel
def _rank_rows(rows, bits, ranks):
    for f in range(len(rows)):
        known = np.flatnonzero(np.isfinite(rows[f]))
        ranks[f][known] = ranks_of(bits[f][known])


def order(x: np.ndarray) -> np.ndarray:
    """Sort each row of x (F, N): positions of its finite values, ascending, then −1; (F, N) int32.

    Alike values keep the order of the columns.
    """
    rows = np.ascontiguousarray(x)
    positions = np.full(rows.shape, -1, np.int32)
    if rows.size:
        _sort_rows(rows, rows.view(f"u{rows.itemsize}"), positions)
    return positions


@kernel
def _sort_rows(rows, bits, positions):
    for f in range(len(rows)):
        known = np.flatnonzero(np.isfinite(rows[f]))
        _, position = sorted_keys(keys_of(bits[f][known]))
        for i in range(len(known)):
            positions[f, i] = known[position[i]]


@kernel
def ranks_of(bits: np.ndarray) -> np.ndarray:
    """Rank finite numbers, given as their bits (n,), from 1, ties sharing their mean; (n,)."""
    ordered, position = sorted_keys(keys_of(bits))
    ranks = np.empty(len(bits))
    first = 0
    while first < len(bits):
        end = first + 1
        while end < len(bits) and ordered[end] == ordered[first]:
            end += 1
        for i in range(first, end):
            ranks[position[i]] = (first + end + 1) / 2
        first = end
    return ranks


@kernel
def keys_of(bits: np.ndarray) -> np.ndarray:
    """Give unsigned whole numbers (n,) in the order of the numbers with these bits; −0 is 0."""
    sign = np.uint64(1) << np.uint64(8 * bits.itemsize - 1)
    keys = np.empty_like(bits)
    for i in range(len(bits)):
        own = np.uint64(bits[i])
        own = np.uint64(0) if own == sign else own
        keys[i] = ~own if own & sign else own | sign
    return keys


@kernel
def sorted_keys(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort keys (n,) and give where each of them stood; alike ones keep their order."""
    position = np.arange(len(keys))
    other, other_position = np.empty_like(keys), np.empty_like(position)
    for low in range(0, 8 * keys.itemsize, DIGIT):
        shift = np.uint64(low)
        count = np.zeros(COUNTS, np.int64)
        for key in keys:
            count[_digit(key, shift)] += 1
        if count.max() == len(keys):
            continue
        total = 0
        for digit in range(COUNTS):
            total, count[digit] = total + count[digit], total
        for i in range(len(keys)):
            digit = _digit(keys[i], shift)
            other[count[digit]] = keys[i]
            other_position[count[digit]] = position[i]
            count[digit] += 1
        keys, other = other, keys
        position, other_position = other_position, position
    return keys, position


@kernel
def _digit(key, shift):
    return np.int64((np.uint64(key) >> shift) & np.uint64(COUNTS - 1))


@kernel
def quantile(ordered: np.ndarray, share: float) -> float:
    """Give a quantile of ascending values (n,), n ≥ 1, interpolated between its neighbours.

    share   of the values that lie below it [0–1]
    """
    position = share * (len(ordered) - 1)
    below = int(position)
    left, right = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    return left + (right - left) * (position - below)


# ---- scores --------------------------------------------------------------------------------------


@kernel
def score(
    x: np.ndarray,
    starts: np.ndarray,
    fewest: int,
    clip: float,
    method: int,
    table: np.ndarray,
    position: np.ndarray,
    out: np.ndarray,
) -> None:
    """Fill `out` (R,) float32 as normalize.scores says.

    table, position   of RANK_NORMAL: the scores of ranks by the number of values, laid end to end,
                      and where those of each number begin
    """
    for group in range(len(starts) - 1):
        mine = x[starts[group] : starts[group + 1]]
        part = out[starts[group] : starts[group + 1]]
        rows = np.flatnonzero(np.isfinite(mine))
        known = mine[rows]
        if len(known) < max(fewest, 1):
            continue
        low, high = _winsorise(known, clip) if clip > 0 else (-np.inf, np.inf)
        if method in (ZSCORE, ROBUST):
            centre, spread = _moments(known) if method == ZSCORE else _medians(known)
            _standardise(mine, low, high, centre, spread if spread > 0 else np.inf, part)
        else:
            ranks = ranks_of(known.view(np.uint32))
            if method == RANK:
                part[rows] = (2 * ranks - len(ranks) - 1) / max(len(ranks) - 1, 1)
            else:
                part[rows] = table[position[len(known)] :][(2 * ranks).astype(np.int64) - 2]


@kernel
def _winsorise(x, clip):
    """Draw x in to its quantiles, which are given."""
    ordered = np.sort(x)
    low, high = np.float32(quantile(ordered, clip)), np.float32(quantile(ordered, 1 - clip))
    for i in range(len(x)):
        x[i] = min(max(x[i], low), high)
    return np.float64(low), np.float64(high)


@kernel
def _moments(x):
    # Taken about one of the values, the mean of constants is exact and their deviation 0.
    first = np.float64(x[0])
    mean = first + _total(x - first) / len(x)
    return mean, np.sqrt(_total((x - mean) * (x - mean)) / len(x))


@kernel
def _medians(x):
    middle = quantile(np.sort(x), 0.5)
    apart = np.abs(x - middle)
    usual = quantile(np.sort(apart.astype(np.float32)), 0.5)
    return middle, usual * PER_MEDIAN if usual > 0 else _total(apart) / len(x) * PER_MEAN


@kernel
def _total(x):
    """Sum x (n,) by adding its halves until one number is left: exact, quick, in a fixed order.

    Overwrites x.
    """
    left = len(x)
    while left > 1:
        half = (left + 1) // 2
        near, far = x[: left - half], x[half:left]
        for i in range(len(near)):
            near[i] += far[i]
        left = half
    return x[0]


@kernel
def _standardise(x, low, high, centre, spread, part):
    for i in range(len(x)):
        score = (min(max(x[i], low), high) - centre) / spread
        part[i] = score if x[i] - x[i] == 0 else np.nan
