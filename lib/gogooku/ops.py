"""Compiled kernels down the dates of the dense panel; groups.py has those along the stocks.

All take and give (T, N) float64, dates outermost, absent = NaN; an infinite value counts as absent.
A window is the last `window` sessions, the day itself among them, and a result needs `min_obs`
observations in it. Each window is summed afresh in the same order, so a row depends on no later
row and on none before its window, bit for bit; an old huge value leaves no trace; and sums are
taken about an observation of the window, so the deviation of constants is exactly 0.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]

BLOCK = 256  # stocks: 60 rows of them in float64 are 120 kB

# Division by zero gives inf or nan instead of an exception, which would forbid vector code.
kernel = njit(cache=True, nogil=True, error_model="numpy")


def enough(window: int) -> int:
    """Give the usual least number of observations: two thirds of `window`, rounded up."""
    return -(-2 * window // 3)


def delay(x: np.ndarray, sessions: int) -> Array:
    """Give the value `sessions` rows earlier; NaN before the first. Takes (T, N) or (T,)."""
    out = np.full(x.shape, np.nan)
    if sessions < len(x):
        out[sessions:] = x[: len(x) - sessions]
    return out


def known(x: np.ndarray, dtype: npt.DTypeLike = np.float64) -> np.ndarray:
    """Copy `x` as `dtype`, with NaN for what is infinite or leaves its range."""
    with np.errstate(over="ignore"):
        copy = np.asarray(x).astype(dtype)
    copy[np.isinf(copy)] = np.nan
    return copy


def ratio(over: np.ndarray, under: np.ndarray) -> Array:
    """Divide; NaN where the divisor is 0 or the result is not finite."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return known(np.asarray(over) / under)


def by_blocks(
    compute: Callable[[dict[str, np.ndarray]], Mapping[str, np.ndarray]],
    fields: Mapping[str, np.ndarray],
    dtype: npt.DTypeLike = np.float32,
) -> dict[str, np.ndarray]:
    """Run `compute` on 256 stocks at a time, so that its windows stay in the processor's cache.

    fields   name → (T, N)

    Returns what `compute` makes of each block, name → (T, n), joined to (T, N) of `dtype`.
    """
    shape = next(iter(fields.values())).shape
    joined: dict[str, np.ndarray] = {}
    for first in range(0, shape[1], BLOCK):
        stocks = slice(first, first + BLOCK)
        made = compute({name: np.ascontiguousarray(x[:, stocks]) for name, x in fields.items()})
        for name, values in made.items():
            joined.setdefault(name, np.empty(shape, dtype))[:, stocks] = known(values, dtype)
    return joined


def where(condition: np.ndarray, value: np.ndarray) -> Array:
    """Give `value` where `condition` holds, else NaN."""
    return np.where(condition, value, np.nan)


def where_known(x: np.ndarray, value: np.ndarray) -> Array:
    """Give `value` where `x` is finite, else NaN."""
    return where(np.isfinite(x), value)


def _dense(x: np.ndarray) -> Array:
    return np.ascontiguousarray(x, np.float64)


# ---- windows -------------------------------------------------------------------------------------


@kernel
def _sums(x, window):
    total, count = np.zeros(x.shape), np.zeros(x.shape)
    for t in range(x.shape[0]):
        for i in range(max(0, t - window + 1), t + 1):
            for s in range(x.shape[1]):
                seen = x[i, s] - x[i, s] == 0
                total[t, s] += x[i, s] if seen else 0.0
                count[t, s] += 1.0 if seen else 0.0
    return total, count


@kernel
def _means(x, window):
    """Give the mean, taken about the newest observation, and the count of each window."""
    mean, count = np.zeros(x.shape), np.zeros(x.shape)
    newest = np.zeros(x.shape[1])
    for t in range(x.shape[0]):
        for s in range(x.shape[1]):
            newest[s] = x[t, s] if x[t, s] - x[t, s] == 0 else newest[s]
        for i in range(max(0, t - window + 1), t + 1):
            for s in range(x.shape[1]):
                seen = x[i, s] - x[i, s] == 0
                mean[t, s] += x[i, s] - newest[s] if seen else 0.0
                count[t, s] += 1.0 if seen else 0.0
        for s in range(x.shape[1]):
            mean[t, s] = newest[s] + mean[t, s] / count[t, s]
    return mean, count


@kernel
def _spreads(x, mean, window):
    """Give each window's sum of squares about its mean."""
    total = np.zeros(x.shape)
    for t in range(x.shape[0]):
        for i in range(max(0, t - window + 1), t + 1):
            for s in range(x.shape[1]):
                apart = x[i, s] - mean[t, s]
                total[t, s] += apart * apart if apart - apart == 0 else 0.0
    return total


@kernel
def _distances(x, mean, window):
    """Give each window's sum of absolute deviations from its mean."""
    total = np.zeros(x.shape)
    for t in range(x.shape[0]):
        for i in range(max(0, t - window + 1), t + 1):
            for s in range(x.shape[1]):
                apart = abs(x[i, s] - mean[t, s])
                total[t, s] += apart if apart - apart == 0 else 0.0
    return total


@kernel
def _shapes(x, mean, window):
    """Give each window's sums of second, third and fourth powers about its mean."""
    second, third, fourth = np.zeros(x.shape), np.zeros(x.shape), np.zeros(x.shape)
    for t in range(x.shape[0]):
        for i in range(max(0, t - window + 1), t + 1):
            for s in range(x.shape[1]):
                apart = x[i, s] - mean[t, s]
                apart = apart if apart - apart == 0 else 0.0
                second[t, s] += apart * apart
                third[t, s] += apart * apart * apart
                fourth[t, s] += apart * apart * apart * apart
    return second, third, fourth


@kernel
def _pairs(x, y, x_mean, y_mean, window):
    """Give each window's sums of squares and products of x and y about their means."""
    xx, yy, xy = np.zeros(x.shape), np.zeros(x.shape), np.zeros(x.shape)
    for t in range(x.shape[0]):
        for i in range(max(0, t - window + 1), t + 1):
            for s in range(x.shape[1]):
                dx, dy = x[i, s] - x_mean[t, s], y[i, s] - y_mean[t, s]
                dx = dx if dx - dx == 0 else 0.0
                dy = dy if dy - dy == 0 else 0.0
                xx[t, s] += dx * dx
                yy[t, s] += dy * dy
                xy[t, s] += dx * dy
    return xx, yy, xy


def ts_count(x: np.ndarray, window: int) -> Array:
    """Count the observations of each window."""
    seen = np.cumsum(np.isfinite(x), axis=0, dtype=np.int64)
    return (seen - np.nan_to_num(delay(seen, window))).astype(np.float64)


def ts_sum(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Sum the observations of each window."""
    total, count = _sums(_dense(x), window)
    return where(count >= min_obs, total)


def ts_mean(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Average the observations of each window; exact for constants."""
    mean, count = _means(_dense(x), window)
    return where(count >= min_obs, mean)


def ts_std(x: np.ndarray, window: int, min_obs: int, ddof: int) -> Array:
    """Give each window's standard deviation with divisor n − ddof; exactly 0 for constants."""
    x = _dense(x)
    mean, count = _means(x, window)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(_spreads(x, mean, window) / (count - ddof))
    return where(count >= max(min_obs, ddof + 1), spread)


def ts_zscore(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Give the day's distance from its window's mean in population deviations; NaN if 0."""
    apart = x - ts_mean(x, window, min_obs)
    return ratio(apart, ts_std(x, window, min_obs, ddof=0))


def ts_mean_deviation(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Give each window's mean absolute deviation from its mean."""
    x = _dense(x)
    mean, count = _means(x, window)
    return where(count >= min_obs, ratio(_distances(x, mean, window), count))


def ts_skew(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Give each window's population skewness m3 / m2^1.5; NaN for constants."""
    count, second, third, _ = _moments(x, window)
    return where(count >= min_obs, ratio(third, second**1.5))


def ts_kurt(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Give each window's population excess kurtosis m4 / m2² − 3; NaN for constants."""
    count, second, _, fourth = _moments(x, window)
    return where(count >= min_obs, ratio(fourth, second**2) - 3)


def _moments(x: np.ndarray, window: int) -> tuple[Array, Array, Array, Array]:
    x = _dense(x)
    mean, count = _means(x, window)
    second, third, fourth = _shapes(x, mean, window)
    return count, ratio(second, count), ratio(third, count), ratio(fourth, count)


def ts_min(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Give each window's least observation."""
    return where(ts_count(x, window) >= min_obs, _joined(known(x), window, np.fmin))


def ts_max(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Give each window's greatest observation."""
    return where(ts_count(x, window) >= min_obs, _joined(known(x), window, np.fmax))


def _joined(x: Array, window: int, join: Callable[[Array, Array], Array]) -> Array:
    """Join each window by doubling: one of 13 rows is 1 + 4 + 8 of them."""
    out, done, size = np.full(x.shape, np.nan), 0, 1
    while size <= window:
        if window & size:
            out = join(out, delay(x, done))
            done += size
        x = join(x, delay(x, size))
        size *= 2
    return out


def ts_beta(x: np.ndarray, y: np.ndarray, window: int, min_obs: int) -> Array:
    """Give the slope of x on y, (T, N) or (T,), in each window over the rows that hold both."""
    count, _, yy, xy = _co_moments(x, y, window)
    return where(count >= min_obs, ratio(xy, yy))


def ts_corr(x: np.ndarray, y: np.ndarray, window: int, min_obs: int) -> Array:
    """Give the correlation of x with y, (T, N) or (T,), over the rows that hold both."""
    count, xx, yy, xy = _co_moments(x, y, window)
    return where(count >= min_obs, ratio(ratio(xy, np.sqrt(xx)), np.sqrt(yy)))


def ts_autocorr(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Correlate neighbouring observations; both of a pair lie in the window."""
    return ts_corr(x, delay(x, 1), window - 1, min_obs)


def _co_moments(x: np.ndarray, y: np.ndarray, window: int) -> tuple[Array, Array, Array, Array]:
    y = y if y.ndim == x.ndim else y[:, None]
    both = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(both, x, np.nan), np.where(both, y, np.nan)
    x_mean, count = _means(x, window)
    y_mean, _ = _means(y, window)
    return count, *_pairs(x, y, x_mean, y_mean, window)


# ---- states --------------------------------------------------------------------------------------


@kernel
def _smoothed(x, span, weight, skip):
    out = np.full(x.shape, np.nan)
    state, count = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for t in range(x.shape[0]):
        for s in range(x.shape[1]):
            if x[t, s] - x[t, s] == 0:
                count[s] += 1
                if count[s] > skip + span:
                    state[s] += weight * (x[t, s] - state[s])
                elif count[s] > skip:
                    state[s] += (x[t, s] - state[s]) / (count[s] - skip)
            if count[s] >= skip + span:
                out[t, s] = state[s]
    return out


def ts_ema(x: np.ndarray, span: int, skip: int = 0) -> Array:
    """Average with weights that fall by 1 − 2/(span + 1) an observation.

    The state starts as the mean of the first `span` observations (after `skip` others) and holds
    where there is none.

    Source: TA-Lib's EMA, whose MACD lets the fast average skip to the start of the slow one.
    """
    return _smoothed(_dense(x), span, 2 / (span + 1), skip)


def ts_wilder(x: np.ndarray, span: int) -> Array:
    """Average with weights that fall by 1 − 1/span an observation, seeded as `ts_ema` is.

    Source: Wilder (1978), New Concepts in Technical Trading Systems.
    """
    return _smoothed(_dense(x), span, 1 / span, 0)


@kernel
def _wilder_sums(x, span):
    out = np.full(x.shape, np.nan)
    state, count = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for t in range(x.shape[0]):
        for s in range(x.shape[1]):
            if x[t, s] - x[t, s] == 0:
                count[s] += 1
                if count[s] >= span:
                    state[s] -= state[s] / span
                state[s] += x[t, s]
            if count[s] >= span:
                out[t, s] = state[s]
    return out


def ts_wilder_sum(x: np.ndarray, span: int) -> Array:
    """Sum `span − 1` observations, then let 1/span of the sum decay with each further one.

    Source: TA-Lib's directional movement, which seeds its sums one observation short.
    """
    return _wilder_sums(_dense(x), span)


@kernel
def _runs(holds, longest):
    out = np.zeros(holds.shape)
    for t in range(holds.shape[0]):
        for s in range(holds.shape[1]):
            before = out[t - 1, s] if t else 0.0
            out[t, s] = min(before + 1, longest) if holds[t, s] else 0.0
    return out


def ts_run(holds: np.ndarray, longest: int) -> Array:
    """Count the sessions in a row, up to `longest`, on which `holds` (T, N) bool was true."""
    return _runs(np.ascontiguousarray(holds, np.bool_), longest)


@kernel
def _path_moments(steps, window):
    """Give each window's count, and mean and sum of squares of its path back from the newest."""
    count, mean, spread = np.zeros(steps.shape), np.zeros(steps.shape), np.zeros(steps.shape)
    for t in range(steps.shape[0]):
        oldest = max(0, t - window + 1)
        path = np.zeros(steps.shape[1])
        for back in range(t - oldest + 1):
            for s in range(steps.shape[1]):
                step = steps[t - back, s]
                seen = step - step == 0
                mean[t, s] += path[s] if seen else 0.0
                count[t, s] += 1.0 if seen else 0.0
                path[s] -= step if seen else 0.0
        path[:] = 0
        for back in range(t - oldest + 1):
            for s in range(steps.shape[1]):
                step = steps[t - back, s]
                seen = step - step == 0
                apart = path[s] - mean[t, s] / count[t, s]
                spread[t, s] += apart * apart if seen else 0.0
                path[s] -= step if seen else 0.0
        for s in range(steps.shape[1]):
            mean[t, s] /= count[t, s]
    return count, mean, spread


def ts_path_zscore(steps: np.ndarray, window: int, min_obs: int) -> Array:
    """Give the z-score of the running total of `steps` within each window; NaN if it stands still.

    The total is taken as 0 on the newest observation, which shifts it and not its z-score.
    """
    count, mean, spread = _path_moments(_dense(steps), window)
    return where(count >= min_obs, ratio(-mean, np.sqrt(ratio(spread, count))))
