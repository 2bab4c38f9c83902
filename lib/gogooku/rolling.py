"""Sums, means, deviations and extremes of windows, each joined from two shorter windows.

A window of 20 rows is two of 10, one of 10 two of 5, so windows of one series share their parts and
cost a few additions a row however long they are. How a window is split depends on its length alone:
a row depends on no later row and on none before its window, bit for bit. Means and deviations are
taken about the newest observation of each part, so constants have exactly their mean and deviation
0, and an old huge value leaves no trace.

A window is the last `window` rows, the day itself among them; a result needs `min_obs`
observations in it. An infinite value counts as absent.
"""

import functools

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]

# Division by zero gives inf or nan instead of an exception, which would forbid vector code.
kernel = njit(cache=True, nogil=True, error_model="numpy")


class Rolling:
    """The windows of one series x, (T, N) with absent = NaN; all results are (T, N) float64.

    windows   lengths of which means or deviations will be asked, all made in one sweep
    squares   whether deviations will be
    centred   whether x varies about 0, as returns do: its sums are then taken about 0, which is
              twice as fast; constants other than 0 have a deviation of rounding errors
    """

    def __init__(
        self, x: np.ndarray, *windows: int, squares: bool = False, centred: bool = False
    ) -> None:
        self.x = np.ascontiguousarray(x, np.float64)
        plan, rows = _plan(windows, len(self.x))
        self._start, self._seen, sums, spreads = _sweep(self.x, plan, rows, squares, centred)
        places = {window: rows[_order(windows).index(window)] for window in windows}
        ends = {window: start + len(self.x) for window, start in places.items()}
        self._sums = {window: sums[start : ends[window]] for window, start in places.items()}
        self._squares = {window: spreads[start : ends[window]] for window, start in places.items()}
        self._highest: dict[int, Array] = {}
        self._lowest: dict[int, Array] = {}

    def count(self, window: int) -> Array:
        """Count the observations of each window."""
        return _counts(self._seen, window)

    def sum(self, window: int, min_obs: int) -> Array:
        """Sum the observations of each window of a centred series."""
        return _enough(self._sums[window], self._seen, window, min_obs)

    def mean(self, window: int, min_obs: int) -> Array:
        """Average the observations of each window; exact for constants."""
        return _mean(self._start, self._seen, self._sums[window], window, min_obs)

    def std(self, window: int, min_obs: int, ddof: int) -> Array:
        """Give the standard deviation with divisor n − ddof; exactly 0 for constants."""
        fewest = max(min_obs, ddof + 1)
        return _std(self._seen, self._sums[window], self._squares[window], window, fewest, ddof)

    def zscore(self, window: int, min_obs: int) -> Array:
        """Give the day's distance from the mean in population deviations; NaN if they are 0."""
        sums, squares = self._sums[window], self._squares[window]
        return _zscore(self.x, self._start, self._seen, sums, squares, window, min_obs)

    def max(self, window: int, min_obs: int) -> Array:
        """Give the greatest observation of each window."""
        return _enough(self._high(window), self._seen, window, min_obs)

    def min(self, window: int, min_obs: int) -> Array:
        """Give the least observation of each window."""
        return _enough(self._low(window), self._seen, window, min_obs)

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


def path_zscore(steps: np.ndarray, window: int, min_obs: int) -> Array:
    """Give the z-score of a running total; see ops.ts_path_zscore."""
    series = Rolling(steps, 1, centred=True)
    nothing = np.zeros(series.x.shape)
    made = {1: (series._sums[1], nothing, nothing)}
    for whole in _order((window,))[1:]:
        new, old = _parts(whole)
        made[whole] = _join_paths(series._seen, *made[new], *made[old], new, old)
    _, sums, squares = made[window]
    return _zscore(nothing, nothing, series._seen, sums, squares, window, min_obs)


def _parts(window: int) -> tuple[int, int]:
    """Split a window so that common lengths share most of their parts."""
    for divisor in (2, 3, 5):
        if window % divisor == 0:
            return window - window // divisor, window // divisor
    return window - 1, 1


@functools.cache
def _order(windows: tuple[int, ...]) -> list[int]:
    """Give the windows and all their parts, each after its own; that of one row comes first."""
    order = [1]

    def add(window: int) -> None:
        if window not in order:
            for part in _parts(window):
                add(part)
            order.append(window)

    for window in windows:
        add(window)
    return order


@functools.cache
def _plan(windows: tuple[int, ...], length: int) -> tuple[npt.NDArray[np.int64], ...]:
    """Say how a sweep down `length` rows makes each of `_order`'s windows, and what it keeps.

    Returns (K, 4): places and lengths of the newer and the older part; (K + 1,) where the kept
    rows of each begin: all of those that are asked for, of others those that windows still need.
    """
    order = _order(windows)
    plan = np.zeros((len(order), 4), np.int64)
    kept = np.array([length if window in windows else 1 for window in order])
    for k, window in enumerate(order[1:], start=1):
        new, old = _parts(window)
        plan[k] = order.index(new), order.index(old), new, old
        kept[plan[k, 1]] = max(kept[plan[k, 1]], new + 1)
    return plan, np.concatenate([[0], np.cumsum(kept)])


@kernel
def _sweep(x, plan, rows, squares, centred):
    """Go down the rows once and join all windows of each.

    Returns about what sums are taken in each row, 0 or the newest observation up to it; how many
    observations there are before each row; the kept rows of sums and, if asked, of sums of squares.
    """
    newest, seen = np.zeros(x.shape), np.zeros((x.shape[0] + 1, x.shape[1]))
    sums = np.empty((rows[-1], x.shape[1]))
    spreads = np.empty((rows[-1] if squares else 0, x.shape[1]))
    for t in range(x.shape[0]):
        _count(x[t], seen[t], seen[t + 1])
        if not centred:
            _follow(x[t], newest[max(t - 1, 0)], newest[t])
        own = t % rows[1]
        _start(x[t], sums[own], centred)
        if squares:
            _multiply(sums[own], sums[own], spreads[own])
        for k in range(1, len(plan)):
            new, old, size, old_size = plan[k]
            own = rows[k] + t % (rows[k + 1] - rows[k])
            a = rows[new] + t % (rows[new + 1] - rows[new])
            b = t - size
            c = rows[old] + b % (rows[old + 1] - rows[old])
            if b < 0:
                sums[own, :] = sums[a]
                if squares:
                    spreads[own, :] = spreads[a]
            elif centred:
                _add(sums[a], sums[c], sums[own])
                if squares:
                    _add(spreads[a], spreads[c], spreads[own])
            else:
                here, there = newest[t], newest[b]
                upto, before = seen[b + 1], seen[max(b + 1 - old_size, 0)]
                if squares:
                    new_part, old_part, whole = spreads[a], spreads[c], spreads[own]
                    _join_squares(here, there, upto, before, new_part, old_part, sums[c], whole)
                _join(here, there, upto, before, sums[a], sums[c], sums[own])
    return newest, seen, sums, spreads


@kernel
def _count(x, before, out):
    for s in range(len(x)):
        out[s] = before[s] + (1.0 if x[s] - x[s] == 0 else 0.0)


@kernel
def _follow(x, before, out):
    for s in range(len(x)):
        out[s] = x[s] if x[s] - x[s] == 0 else before[s]


@kernel
def _start(x, out, centred):
    """Give the sum of one row."""
    for s in range(len(x)):
        out[s] = x[s] if centred and x[s] - x[s] == 0 else 0.0


@kernel
def _multiply(a, b, out):
    for s in range(len(out)):
        out[s] = a[s] * b[s]


@kernel
def _add(new, old, out):
    for s in range(len(out)):
        out[s] = new[s] + old[s]


@kernel
def _join(newest, first, upto, before, new, old, out):
    """Join sums about each part's own newest observation to sums about that of the whole."""
    for s in range(len(out)):
        out[s] = new[s] + old[s] + (upto[s] - before[s]) * (first[s] - newest[s])


@kernel
def _join_squares(newest, first, upto, before, new, old, old_sum, out):
    for s in range(len(out)):
        step = first[s] - newest[s]
        moved = step * (2 * old_sum[s] + (upto[s] - before[s]) * step)
        out[s] = new[s] + old[s] + moved


@kernel
def _join_paths(seen, total, new, new_square, old_total, old, old_square, size, old_size):
    """Join a window's total of steps, and the sums of its path about where it ends."""
    totals, sums, squares = total.copy(), new.copy(), new_square.copy()
    for t in range(size, total.shape[0]):
        b = t - size
        start = max(b + 1 - old_size, 0)
        for s in range(total.shape[1]):
            back = -total[t, s]
            moved = (seen[b + 1, s] - seen[start, s]) * back
            totals[t, s] = total[t, s] + old_total[b, s]
            sums[t, s] = new[t, s] + old[b, s] + moved
            squares[t, s] = new_square[t, s] + old_square[b, s] + back * (2 * old[b, s] + moved)
    return totals, sums, squares


@kernel
def _filled(x, absent):
    out = np.empty(x.shape)
    for t in range(x.shape[0]):
        for s in range(x.shape[1]):
            out[t, s] = x[t, s] if x[t, s] - x[t, s] == 0 else absent
    return out


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
def _zscore(x, start, seen, sums, squares, window, min_obs):
    out = np.empty(x.shape)
    for t in range(out.shape[0]):
        first = max(t + 1 - window, 0)
        for s in range(out.shape[1]):
            count = seen[t + 1, s] - seen[first, s]
            mean = sums[t, s] / count
            spread = np.sqrt(squares[t, s] / count - mean * mean)
            score = (x[t, s] - start[t, s] - mean) / spread
            known = (count >= min_obs) & (score - score == 0)
            out[t, s] = score if known else np.nan
    return out
