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


def dense(x: npt.ArrayLike) -> Array:
    """Give x as float64 without gaps in memory, copied if need be, in a view that is read only.

    For arrays that are and that are not, numba compiles twice.
    """
    view = np.ascontiguousarray(x, np.float64).view()
    view.flags.writeable = False
    return view


class Rolling:
    """The windows of one series x, (T, N) with absent = NaN; all results are (T, N) float64.

    windows      lengths of which means or sums will be asked, all made in one sweep
    deviations   lengths of which deviations or z-scores will be asked, and means or sums too
    centred      whether x varies about 0, as returns do: its sums are then taken about 0, which is
                 twice as fast; constants other than 0 have a deviation of rounding errors
    """

    def __init__(
        self,
        x: np.ndarray,
        *windows: int,
        deviations: tuple[int, ...] = (),
        centred: bool = False,
    ) -> None:
        self.x = dense(x)
        swept = _swept(self.x, windows, deviations, centred)
        self._newest, self._seen, self._sums, self._squares = swept
        self._extremes: dict[tuple[int, int], Array] = {}

    def count(self, window: int) -> Array:
        """Count the observations of each window."""
        return _counts(self._seen, window)

    def sum(self, window: int, min_obs: int) -> Array:
        """Sum the observations of each window of a centred series."""
        return _enough(self._sums[window], self._seen, window, min_obs, 1)

    def mean(self, window: int, min_obs: int) -> Array:
        """Average the observations of each window; exact for constants."""
        return _mean(self._newest, self._seen, self._sums[window], window, min_obs)

    def variance(self, window: int, min_obs: int, ddof: int) -> Array:
        """Give the variance with divisor n − ddof; exactly 0 for constants."""
        return self._spread(window, min_obs, ddof, root=False)

    def std(self, window: int, min_obs: int, ddof: int) -> Array:
        """Give the standard deviation with divisor n − ddof; exactly 0 for constants."""
        return self._spread(window, min_obs, ddof, root=True)

    def _spread(self, window: int, min_obs: int, ddof: int, root: bool) -> Array:
        sums, squares, fewest = self._sums[window], self._squares[window], max(min_obs, ddof + 1)
        return _spread(self._seen, sums, squares, window, fewest, ddof, root)

    def mean_deviation(self, mean: Array, window: int) -> Array:
        """Give the mean absolute deviation from the windows' `mean`; NaN where that is."""
        return _mean_deviation(self.x, mean, self._seen, window)

    def zscore(self, window: int, min_obs: int) -> Array:
        """Give the day's distance from the mean in population deviations; NaN if they are 0."""
        sums, squares = self._sums[window], self._squares[window]
        return _zscore(self.x, self._newest, self._seen, sums, squares, window, min_obs)

    def max(self, window: int, min_obs: int) -> Array:
        """Give the greatest observation of each window."""
        return _enough(self._highest(window, 1), self._seen, window, min_obs, 1)

    def min(self, window: int, min_obs: int) -> Array:
        """Give the least observation of each window."""
        return _enough(self._highest(window, -1), self._seen, window, min_obs, -1)

    def _highest(self, window: int, sign: int) -> Array:
        """Give the maximum of sign × x, of four shorter windows that may overlap."""
        if (window, sign) not in self._extremes:
            size = 4 ** (((window - 1).bit_length() - 1) // 2)  # a quarter of it at least
            self._extremes[window, sign] = (
                _highest_of_four(self._highest(size, sign), size, window)
                if window > 1
                else _signed(self.x, sign)
            )
        return self._extremes[window, sign]


def path_zscore(steps: np.ndarray, window: int, min_obs: int) -> Array:
    """Give the z-score of a running total; see ops.ts_path_zscore."""
    swept = _swept(dense(steps), (), (window,), centred=False, path=True)
    nothing, seen, sums, squares = swept
    return _zscore(dense(nothing), nothing, seen, sums[window], squares[window], window, min_obs)


def _parts(window: int) -> tuple[int, int]:
    """Split a window so that common lengths, months of 20 sessions above all, share most parts."""
    unit = 20 if window > 20 and window % 20 == 0 else 1
    for divisor in (2, 3, 5):
        if window // unit % divisor == 0:
            return window - window // divisor, window // divisor
    return window - unit, unit


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
def _plan(
    windows: tuple[int, ...], deviations: tuple[int, ...], length: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """Say how a sweep down `length` rows makes each of `_order`'s windows, and what it keeps.

    Returns (K, 4): places and lengths of the newer and the older part; (K + 1,) where the kept
    rows of each begin: all of those that are asked for, of others those that windows still need;
    and how many have squares summed, which are the first.
    """
    order = _order((*deviations, *windows))
    plan = np.zeros((len(order), 4), np.int64)
    kept = np.array([length if window in (*deviations, *windows) else 1 for window in order])
    for k, window in enumerate(order[1:], start=1):
        new, old = _parts(window)
        plan[k] = order.index(new), order.index(old), new, old
        kept[plan[k, 1]] = max(kept[plan[k, 1]], new + 1)
    return plan, np.cumsum([1, *kept]), len(_order(deviations)) if deviations else 0


def _swept(
    x: Array,
    windows: tuple[int, ...],
    deviations: tuple[int, ...],
    centred: bool,
    path: bool = False,
) -> tuple[Array, Array, dict[int, Array], dict[int, Array]]:
    """Give `_sweep`'s arrays, sums and squares by window."""
    plan, rows, squared = _plan(windows, deviations, len(x))
    centred = centred or not (windows or deviations)
    newest, seen, sums, squares = _sweep(x, plan, rows, squared, centred, path)
    order = _order((*deviations, *windows))
    first = {window: rows[order.index(window)] for window in (*deviations, *windows)}
    return (
        newest,
        seen,
        {window: sums[start : start + len(x)] for window, start in first.items()},
        {window: squares[first[window] : first[window] + len(x)] for window in deviations},
    )


@kernel
def _sweep(x, plan, rows, squared, centred, path):
    """Go down the rows once and join all windows of each.

    Sums are taken about 0 if `centred`, else about the newest observation of the part or, for the
    running total of x, a `path`, about where the part's ends.

    Returns the newest observation up to each row, or zeros, if `centred` a single row of them; how
    many observations there are before each row; the kept rows of sums and of sums of squares, which
    begin after a row of zeros that stands for what came before the first.
    """
    length, width = x.shape
    newest = np.zeros((1 if centred else length, width))
    seen, totals = np.empty((length + 1, width)), np.empty((rows[-1] if path else 1, width))
    sums, squares = np.empty((rows[-1], width)), np.empty((rows[squared], width))
    seen[0], totals[0], sums[0], squares[0] = 0, 0, 0, 0
    for t in range(length):
        one = rows[0] + t % (rows[1] - rows[0])
        for s in range(width):
            known = x[t, s] - x[t, s] == 0
            seen[t + 1, s] = seen[t, s] + (1.0 if known else 0.0)
            sums[one, s] = x[t, s] if centred and known else 0.0
        if path:
            for s in range(width):
                totals[one, s] = x[t, s] if x[t, s] - x[t, s] == 0 else 0.0
        elif not centred:
            for s in range(width):
                newest[t, s] = x[t, s] if x[t, s] - x[t, s] == 0 else newest[max(t - 1, 0), s]
        if squared:
            for s in range(width):
                squares[one, s] = sums[one, s] * sums[one, s]
        for k in range(1, len(plan)):
            new, old, size, old_size = plan[k]
            upto = max(t + 1 - size, 0)
            start = max(upto - old_size, 0)
            own = rows[k] + t % (rows[k + 1] - rows[k])
            a = rows[new] + t % (rows[new + 1] - rows[new])
            c = rows[old] + (upto - 1) % (rows[old + 1] - rows[old]) if upto else 0
            if centred:
                for s in range(width):
                    sums[own, s] = sums[a, s] + sums[c, s]
                if k < squared:
                    for s in range(width):
                        squares[own, s] = squares[a, s] + squares[c, s]
                continue
            if path:
                for s in range(width):
                    totals[own, s] = totals[a, s] + totals[c, s]
            there = totals[0] if path else newest[max(upto - 1, 0)]
            here = totals[a] if path else newest[t]
            if k >= squared:
                for s in range(width):
                    moved = (seen[upto, s] - seen[start, s]) * (there[s] - here[s])
                    sums[own, s] = sums[a, s] + sums[c, s] + moved
                continue
            for s in range(width):
                step, older = there[s] - here[s], sums[c, s]
                moved = (seen[upto, s] - seen[start, s]) * step
                sums[own, s] = sums[a, s] + older + moved
                squares[own, s] = squares[a, s] + squares[c, s] + step * (2 * older + moved)
    return newest, seen, sums, squares


@kernel
def _signed(x, sign):
    out = np.empty(x.shape)
    for t in range(x.shape[0]):
        for s in range(x.shape[1]):
            out[t, s] = sign * x[t, s] if x[t, s] - x[t, s] == 0 else -np.inf
    return out


@kernel
def _highest_of_four(highest, size, window):
    """Join four windows of `size` rows, as far apart as makes one of `window`."""
    out = np.empty(highest.shape)
    for t in range(out.shape[0]):
        b = max(t - min(size, window - size), 0)
        c = max(t - min(2 * size, window - size), 0)
        d = max(t - (window - size), 0)
        for s in range(out.shape[1]):
            one = highest[t, s] if highest[t, s] > highest[b, s] else highest[b, s]
            other = highest[c, s] if highest[c, s] > highest[d, s] else highest[d, s]
            out[t, s] = one if one > other else other
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
def _enough(values, seen, window, min_obs, sign):
    out = np.empty(values.shape)
    for t in range(out.shape[0]):
        start = max(t + 1 - window, 0)
        for s in range(out.shape[1]):
            count = seen[t + 1, s] - seen[start, s]
            out[t, s] = sign * values[t, s] if count >= min_obs else np.nan
    return out


@kernel
def _mean(newest, seen, sums, window, min_obs):
    out = np.empty(sums.shape)
    for t in range(out.shape[0]):
        start, about = max(t + 1 - window, 0), newest[min(t, len(newest) - 1)]
        for s in range(out.shape[1]):
            count = seen[t + 1, s] - seen[start, s]
            mean = about[s] + sums[t, s] / count
            out[t, s] = mean if count >= min_obs else np.nan
    return out


@kernel
def _spread(seen, sums, squares, window, min_obs, ddof, root):
    out = np.empty(sums.shape)
    for t in range(out.shape[0]):
        start = max(t + 1 - window, 0)
        for s in range(out.shape[1]):
            count = seen[t + 1, s] - seen[start, s]
            spread = count * squares[t, s] - sums[t, s] * sums[t, s]
            spread = (0.0 if spread < 0 else spread) / (count * (count - ddof))
            spread = np.sqrt(spread) if root else spread
            out[t, s] = spread if count >= min_obs else np.nan
    return out


@kernel
def _mean_deviation(x, mean, seen, window):
    out = np.zeros(x.shape)
    for t in range(x.shape[0]):
        start = max(t + 1 - window, 0)
        for i in range(start, t + 1):
            for s in range(x.shape[1]):
                apart = abs(x[i, s] - mean[t, s])
                out[t, s] += apart if x[i, s] - x[i, s] == 0 else 0.0
        for s in range(x.shape[1]):
            out[t, s] /= seen[t + 1, s] - seen[start, s]
    return out


@kernel
def _zscore(x, newest, seen, sums, squares, window, min_obs):
    out = np.empty(x.shape)
    for t in range(out.shape[0]):
        start, about = max(t + 1 - window, 0), newest[min(t, len(newest) - 1)]
        for s in range(out.shape[1]):
            count = seen[t + 1, s] - seen[start, s]
            spread = np.sqrt(count * squares[t, s] - sums[t, s] * sums[t, s])
            score = (count * (x[t, s] - about[s]) - sums[t, s]) / spread
            known = (count >= min_obs) & (score - score == 0)
            out[t, s] = score if known else np.nan
    return out
