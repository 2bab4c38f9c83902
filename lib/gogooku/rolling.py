"""Sums, means, deviations and extremes of windows, each joined from two shorter windows.

A window of 20 rows is two of 10, one of 10 two of 5, so windows of one series share their parts and
cost a few additions a row however long they are. How a window is split depends on its length alone:
a row depends on no later row and on none before its window, bit for bit. Means and deviations are
taken about the newest observation of each part, so constants have exactly their mean and deviation
0, and an old huge value leaves no trace.

A window is the last `window` rows, the day itself among them; a result needs `min_obs`
observations in it. An infinite value counts as absent.
"""

from functools import cached_property

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]

# Division by zero gives inf or nan instead of an exception, which would forbid vector code.
kernel = njit(cache=True, nogil=True, error_model="numpy")


class Rolling:
    """The windows of one series x, (T, N) with absent = NaN; all results are (T, N) float64."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = np.ascontiguousarray(x, np.float64)
        self._newest, self._seen = _followed(self.x)
        nothing = np.zeros(self.x.shape)
        self._sums, self._squares = {1: nothing}, {1: nothing}
        self._totals: dict[int, Array] = {}
        self._highest: dict[int, Array] = {}
        self._lowest: dict[int, Array] = {}

    def count(self, window: int) -> Array:
        """Count the observations of each window."""
        return _counts(self._seen, window)

    def sum(self, window: int, min_obs: int) -> Array:
        """Sum the observations of each window."""
        return _enough(self._total(window), self._seen, window, min_obs)

    def mean(self, window: int, min_obs: int) -> Array:
        """Average the observations of each window; exact for constants."""
        return _mean(self._newest, self._seen, self._sum(window), window, min_obs)

    def std(self, window: int, min_obs: int, ddof: int) -> Array:
        """Give the standard deviation with divisor n − ddof; exactly 0 for constants."""
        fewest = max(min_obs, ddof + 1)
        return _std(self._seen, self._sum(window), self._square(window), window, fewest, ddof)

    def zscore(self, window: int, min_obs: int) -> Array:
        """Give the day's distance from the mean in population deviations; NaN if they are 0."""
        sums, squares = self._sum(window), self._square(window)
        return _zscore(self.x, self._seen, sums, squares, window, min_obs)

    def max(self, window: int, min_obs: int) -> Array:
        """Give the greatest observation of each window."""
        return _enough(self._high(window), self._seen, window, min_obs)

    def min(self, window: int, min_obs: int) -> Array:
        """Give the least observation of each window."""
        return _enough(self._low(window), self._seen, window, min_obs)

    def _sum(self, window: int) -> Array:
        """Give the sum of x less the newest observation."""
        if window not in self._sums:
            new, old = _parts(window)
            parts = self._sum(new), self._sum(old)
            self._sums[window] = _join_sums(self._newest, self._seen, *parts, new, old)
        return self._sums[window]

    def _square(self, window: int) -> Array:
        """Give the sum of squares of x less the newest observation."""
        if window not in self._squares:
            new, old = _parts(window)
            parts = self._square(new), self._square(old), self._sum(old)
            self._squares[window] = _join_squares(self._newest, self._seen, *parts, new, old)
        return self._squares[window]

    def _total(self, window: int) -> Array:
        """Give the sum of x itself."""
        if window == 1:
            return self._observed
        if window not in self._totals:
            new, old = _parts(window)
            self._totals[window] = _join_totals(self._total(new), self._total(old), new)
        return self._totals[window]

    def _high(self, window: int) -> Array:
        """Give the maximum, of two windows that may overlap."""
        if window == 1:
            return _filled(self.x, -np.inf)
        if window not in self._highest:
            size = 1 << (window - 1).bit_length() - 1
            self._highest[window] = _join_highest(self._high(size), window - size)
        return self._highest[window]

    def _low(self, window: int) -> Array:
        """Give the minimum likewise."""
        if window == 1:
            return _filled(self.x, np.inf)
        if window not in self._lowest:
            size = 1 << (window - 1).bit_length() - 1
            self._lowest[window] = _join_lowest(self._low(size), window - size)
        return self._lowest[window]

    @cached_property
    def _observed(self) -> Array:
        return _filled(self.x, 0.0)


def _parts(window: int) -> tuple[int, int]:
    """Split a window so that common lengths share most of their parts."""
    for divisor in (2, 3, 5):
        if window % divisor == 0:
            return window - window // divisor, window // divisor
    return window - 1, 1


@kernel
def _filled(x, absent):
    out = np.empty(x.shape)
    for t in range(x.shape[0]):
        for s in range(x.shape[1]):
            out[t, s] = x[t, s] if x[t, s] - x[t, s] == 0 else absent
    return out


@kernel
def _followed(x):
    """Give the newest observation up to each row, and how many there are before each row."""
    newest, seen = np.zeros(x.shape), np.zeros((x.shape[0] + 1, x.shape[1]))
    for t in range(x.shape[0]):
        before = max(t - 1, 0)
        for s in range(x.shape[1]):
            known = x[t, s] - x[t, s] == 0
            newest[t, s] = x[t, s] if known else newest[before, s]
            seen[t + 1, s] = seen[t, s] + (1.0 if known else 0.0)
    return newest, seen


@kernel
def _counts(seen, window):
    out = np.empty((seen.shape[0] - 1, seen.shape[1]))
    for t in range(out.shape[0]):
        start = max(t + 1 - window, 0)
        for s in range(out.shape[1]):
            out[t, s] = seen[t + 1, s] - seen[start, s]
    return out


@kernel
def _enough(values, seen, window, min_obs):
    out = np.empty(values.shape)
    for t in range(out.shape[0]):
        start = max(t + 1 - window, 0)
        for s in range(out.shape[1]):
            count = seen[t + 1, s] - seen[start, s]
            out[t, s] = values[t, s] if count >= min_obs else np.nan
    return out


@kernel
def _join_totals(new, old, size):
    """Add to each window of `size` rows the `old` one before it."""
    out = new.copy()
    for t in range(size, out.shape[0]):
        for s in range(out.shape[1]):
            out[t, s] = new[t, s] + old[t - size, s]
    return out


@kernel
def _join_highest(high, step):
    out = high.copy()
    for t in range(step, out.shape[0]):
        for s in range(out.shape[1]):
            a, b = high[t, s], high[t - step, s]
            out[t, s] = a if a > b else b
    return out


@kernel
def _join_lowest(low, step):
    out = low.copy()
    for t in range(step, out.shape[0]):
        for s in range(out.shape[1]):
            a, b = low[t, s], low[t - step, s]
            out[t, s] = a if a < b else b
    return out


@kernel
def _join_sums(newest, seen, new, old, size, old_size):
    """Join sums about each part's own newest observation to sums about that of the whole."""
    out = new.copy()
    for t in range(size, out.shape[0]):
        b = t - size
        start = max(b + 1 - old_size, 0)
        for s in range(out.shape[1]):
            count = seen[b + 1, s] - seen[start, s]
            step = newest[b, s] - newest[t, s]
            out[t, s] = new[t, s] + old[b, s] + count * step
    return out


@kernel
def _join_squares(newest, seen, new, old, old_sum, size, old_size):
    out = new.copy()
    for t in range(size, out.shape[0]):
        b = t - size
        start = max(b + 1 - old_size, 0)
        for s in range(out.shape[1]):
            count = seen[b + 1, s] - seen[start, s]
            step = newest[b, s] - newest[t, s]
            moved = step * (2 * old_sum[b, s] + count * step)
            out[t, s] = new[t, s] + old[b, s] + moved
    return out


@kernel
def _mean(newest, seen, sums, window, min_obs):
    out = np.empty(sums.shape)
    for t in range(out.shape[0]):
        start = max(t + 1 - window, 0)
        for s in range(out.shape[1]):
            count = seen[t + 1, s] - seen[start, s]
            mean = newest[t, s] + sums[t, s] / count
            out[t, s] = mean if count >= min_obs else np.nan
    return out


@kernel
def _std(seen, sums, squares, window, min_obs, ddof):
    out = np.empty(sums.shape)
    for t in range(out.shape[0]):
        start = max(t + 1 - window, 0)
        for s in range(out.shape[1]):
            count = seen[t + 1, s] - seen[start, s]
            spread = squares[t, s] - sums[t, s] * sums[t, s] / count
            spread = np.sqrt((0.0 if spread < 0 else spread) / (count - ddof))
            out[t, s] = spread if count >= min_obs else np.nan
    return out


@kernel
def _zscore(x, seen, sums, squares, window, min_obs):
    out = np.empty(x.shape)
    for t in range(out.shape[0]):
        start = max(t + 1 - window, 0)
        for s in range(out.shape[1]):
            count = seen[t + 1, s] - seen[start, s]
            mean = sums[t, s] / count
            score = -mean / np.sqrt(squares[t, s] / count - mean * mean)
            known = (x[t, s] - x[t, s] == 0) & (count >= min_obs) & (score - score == 0)
            out[t, s] = score if known else np.nan
    return out
