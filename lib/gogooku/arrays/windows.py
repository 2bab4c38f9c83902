"""Sums, means, variances and extremes of windows, joined from shorter windows.

A window of 20 rows is two of 10, one of 10 two of 5, so windows of one series share their parts and
cost a few additions a row however long they are. How a window is split depends on its length alone:
a row depends on no later row and on none before its window, bit for bit. Means and variances are
taken about the newest observation of each part, so constants have exactly their mean and variance
0, and an old huge value leaves no trace.

A window is the last `window` rows, the day itself among them; a result needs `min_obs`
observations in it. An infinite value counts as absent.
"""

import functools

import numpy as np
import numpy.typing as npt

from gogooku.arrays.jit import kernel

Array = npt.NDArray[np.float64]
Table = npt.NDArray[np.int64]


def dense(x: npt.ArrayLike) -> Array:
    """Give x as float64 without gaps in memory, copied if need be, in a view that is read only.

    For arrays that are and that are not, numba compiles twice.
    """
    view = np.ascontiguousarray(x, np.float64).view()
    view.flags.writeable = False
    return view


def enough(window: int) -> int:
    """Give the usual least number of observations: two thirds of `window`, rounded up."""
    return -(-2 * window // 3)


MEAN, SUM, VARIANCE, _ = range(4)  # results in the order of requests; z-scores last


class Rolling:
    """Statistics of the windows of one series x, (T, N) with absent = NaN, by their lengths.

    means        averages; exact for constants
    sums         of a centred series
    variances    with divisor n − ddof; exactly 0 for constants
    zscores      distances of the day from the mean in population deviations; NaN if they are 0
    maxima       greatest observations
    minima       least observations
    min_obs      observations that a window needs; None: two thirds of its length
    centred      whether x varies about 0, as returns do: all is then taken about 0, which is twice
                 as fast; constants other than 0 have a variance of rounding errors

    Attributes of these names hold the results by the window's length, (T, N) float64 each.

    Raises ValueError if sums are requested of a series that is not centred.
    """

    def __init__(
        self,
        x: np.ndarray,
        *,
        means: tuple[int, ...] = (),
        sums: tuple[int, ...] = (),
        variances: tuple[int, ...] = (),
        zscores: tuple[int, ...] = (),
        maxima: tuple[int, ...] = (),
        minima: tuple[int, ...] = (),
        ddof: int = 1,
        min_obs: int | None = None,
        centred: bool = False,
    ) -> None:
        self.x = dense(x)
        requests = (means, sums, variances, zscores)
        if sums and not centred:
            raise ValueError("sums are taken about 0: give centred=True")
        about_0 = centred or not any(requests)
        self._seen, out = _sweep(self.x, *_plan(requests, min_obs), ddof, about_0, False)
        results = iter(out)
        self.means, self.sums, self.variances, self.zscores = (
            {window: next(results) for window in windows} for windows in requests
        )
        self.maxima = self._extremes(maxima, min_obs, 1) if maxima else {}
        self.minima = self._extremes(minima, min_obs, -1) if minima else {}

    def _extremes(
        self, windows: tuple[int, ...], min_obs: int | None, sign: int
    ) -> dict[int, Array]:
        values = np.where(np.isfinite(self.x), sign * self.x, -np.inf)
        fewest = {n: enough(n) if min_obs is None else min_obs for n in windows}
        return {
            n: np.where(self.count(n) >= fewest[n], sign * _highest(values, n), np.nan)
            for n in windows
        }

    def count(self, window: int) -> Array:
        """Count the observations of each window."""
        seen = self._seen
        return seen[1:] - seen[np.maximum(np.arange(1, len(seen)) - window, 0)]

    def mean_deviation(self, window: int) -> Array:
        """Give the mean absolute deviation from the windows' means; NaN where they are."""
        return _mean_deviation(self.x, self.means[window], self._seen, window)


def path_zscore(steps: np.ndarray, window: int, min_obs: int) -> Array:
    """Give the z-score of the running total of `steps` within each window; NaN if it stands still.

    The total is taken as 0 on the newest row, which shifts it and not its z-score.
    """
    _, out = _sweep(dense(steps), *_plan(((), (), (), (window,)), min_obs), 0, False, True)
    return out[0]


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
    requests: tuple[tuple[int, ...], ...], min_obs: int | None
) -> tuple[Table, Table, int, Table]:
    """Say how a sweep answers the `requests`, windows of each kind.

    Returns of K windows, each after its parts, (K, 4): numbers and lengths of the newer and the
    older part; (K + 1,): where the rows of each begin that longer windows look back to; how many
    have squares summed, which are the first; and (R, 4): kind, number, length and `min_obs` of each
    result.
    """
    means, sums, variances, zscores = requests
    deviations = (*variances, *zscores)
    order = _order((*deviations, *means, *sums))
    plan, lengths = np.zeros((len(order), 4), np.int64), np.ones(len(order), np.int64)
    for k, window in enumerate(order[1:], start=1):
        new, old = _parts(window)
        plan[k] = order.index(new), order.index(old), new, old
        lengths[plan[k, 1]] = max(lengths[plan[k, 1]], new + 1)
    results = [
        (kind, order.index(window), window, enough(window) if min_obs is None else min_obs)
        for kind, windows in enumerate(requests)
        for window in windows
    ]
    squared = len(_order(deviations)) if deviations else 0
    return plan, np.cumsum([1, *lengths]), squared, np.array(results, np.int64).reshape(-1, 4)


def _highest(values: Array, window: int) -> Array:
    """Give the greatest of each window, of two shorter ones that may overlap."""
    highest, size = values, 1
    while size < window:
        step = min(size, window - size)
        longer = highest.copy()
        np.maximum(highest[step:], highest[: max(len(highest) - step, 0)], out=longer[step:])
        highest, size = longer, size + step
    return highest


@kernel
def _sweep(x, plan, rows, squared, requests, ddof, centred, path):  # noqa: C901 one pass over the days
    """Go down the rows once, join all windows of each and answer the `requests`.

    requests   (R, 4): kind of a result, number of its window in the plan, length and `min_obs`

    Sums are taken about 0 if `centred`, else about the newest observation of the part or, for the
    running total of x, a `path`, about where the part's ends. The kept rows of sums and of sums of
    squares begin after a row of zeros that stands for what came before the first.

    Returns how many observations there are before each row, (T + 1, N), and the results, (R, T, N).
    """
    length, width = x.shape
    seen, out = np.empty((length + 1, width)), np.empty((len(requests), length, width))
    newest = np.zeros((1 if centred or path else length, width))
    totals = np.empty((rows[-1] if path else 1, width))
    sums, squares = np.empty((rows[-1], width)), np.empty((rows[squared], width))
    seen[0], totals[0], sums[0], squares[0] = 0, 0, 0, 0
    anchor, days = (totals, newest) if path else (newest, x)
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
            new, old, size, old_size = plan[k, 0], plan[k, 1], plan[k, 2], plan[k, 3]
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
            there, here = (0, a) if path else (max(upto - 1, 0), t)
            if k >= squared:
                for s in range(width):
                    moved = (seen[upto, s] - seen[start, s]) * (anchor[there, s] - anchor[here, s])
                    sums[own, s] = sums[a, s] + sums[c, s] + moved
                continue
            for s in range(width):
                step, older = anchor[there, s] - anchor[here, s], sums[c, s]
                moved = (seen[upto, s] - seen[start, s]) * step
                sums[own, s] = sums[a, s] + older + moved
                squares[own, s] = squares[a, s] + squares[c, s] + step * (2 * older + moved)
        about = min(t, len(newest) - 1)
        for i in range(len(requests)):
            _give(out, i, t, requests, rows, sums, squares, seen, newest, about, days, ddof)
    return seen, out


@kernel
def _give(out, i, t, requests, rows, sums, squares, seen, newest, about, days, ddof):
    """Fill row t of result i, of sums taken about the values of row `about`.

    Rows are named by numbers: views of them would cost more than their sums.
    """
    kind, k, size, fewest = requests[i, 0], requests[i, 1], requests[i, 2], requests[i, 3]
    own = rows[k] + t % (rows[k + 1] - rows[k])
    upto, start, day = t + 1, max(t + 1 - size, 0), min(t, len(days) - 1)
    if kind == SUM:
        for s in range(out.shape[2]):
            out[i, t, s] = sums[own, s] if seen[upto, s] - seen[start, s] >= fewest else np.nan
    elif kind == MEAN:
        for s in range(out.shape[2]):
            count = seen[upto, s] - seen[start, s]
            mean = newest[about, s] + sums[own, s] / count
            out[i, t, s] = mean if count >= fewest else np.nan
    elif kind == VARIANCE:
        for s in range(out.shape[2]):
            count, total = seen[upto, s] - seen[start, s], sums[own, s]
            spread = count * squares[own, s] - total * total
            spread = (0.0 if spread < 0 else spread) / (count * (count - ddof))
            out[i, t, s] = spread if count >= fewest else np.nan
    else:
        for s in range(out.shape[2]):
            count, total = seen[upto, s] - seen[start, s], sums[own, s]
            spread = np.sqrt(count * squares[own, s] - total * total)
            score = (count * (days[day, s] - newest[about, s]) - total) / spread
            known = (count >= fewest) & (score - score == 0)
            out[i, t, s] = score if known else np.nan


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
