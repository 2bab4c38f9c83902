"""Compiled kernels down the dates of the dense panel; cross_section.py has those along the stocks.

All take and give (T, N) float64, dates outermost, absent = NaN; an infinite value counts as absent.
A window is the last `window` sessions, the day itself among them, and a result needs `min_obs`
observations in it. A row depends on no later row and on none before its window, bit for bit; an
old huge value leaves no trace; and the deviation of constants is exactly 0. Columns that share a
series share its windows: windows.Rolling.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from gogooku.arrays.jit import kernel
from gogooku.arrays.windows import Array, Rolling, dense, enough

Made = tuple[str, np.ndarray]

BLOCK = 128  # stocks


# ---- cells ---------------------------------------------------------------------------------------


def known(x: npt.ArrayLike, dtype: npt.DTypeLike = np.float64) -> np.ndarray:
    """Copy `x` as `dtype`, with NaN for what is infinite or leaves its range."""
    with np.errstate(over="ignore"):
        return without_infinity(np.array(x, dtype))


def without_infinity(x: np.ndarray) -> np.ndarray:
    """Set what is infinite in `x` to NaN, in place, and give it back."""
    x[~np.isfinite(x)] = np.nan
    return x


def ratio(over: np.ndarray, under: np.ndarray) -> Array:
    """Divide; NaN where the divisor is 0 or the result is not finite."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return without_infinity(np.divide(over, under, dtype=np.float64))


def excess(over: np.ndarray, under: np.ndarray) -> Array:
    """Divide and take 1 off; NaN where the divisor is 0 or the result is not finite."""
    quotient = ratio(over, under)
    quotient -= 1
    return quotient


def where_known(x: np.ndarray, value: np.ndarray) -> Array:
    """Give `value` where `x` is finite, else NaN."""
    return where(np.isfinite(x), value)


def where(condition: np.ndarray, value: np.ndarray) -> Array:
    """Give `value` where `condition` holds, else NaN."""
    return np.where(condition, value, np.nan)


def enough_changes(window: int) -> int:
    """Give the bars that hold as many changes from one to the next as `enough` asks for."""
    return enough(window) + 1


def settled(span: int) -> int:
    """Give the look-back [sessions] after which an EMA of `span` has forgotten how it started.

    The start, a mean of `span` sessions, weighs (1 − 2/(span + 1))^(4 span), under 0.04 %, and half
    as much again where a third of the sessions since hold no observation. Wilder's average of n is
    the EMA of 2 n − 1.
    """
    return 5 * span


def delay(x: np.ndarray, sessions: int) -> Array:
    """Give the value `sessions` rows earlier; NaN before the first. Takes (T, N) or (T,)."""
    out = np.empty(x.shape)
    out[:sessions] = np.nan
    out[sessions:] = x[: max(len(x) - sessions, 0)]
    return out


def by_blocks(
    compute: Callable[[dict[str, np.ndarray]], Mapping[str, np.ndarray] | Iterator[Made]],
    fields: Mapping[str, np.ndarray],
    dtype: npt.DTypeLike = np.float32,
    last: int | None = None,
) -> dict[str, np.ndarray]:
    """Run `compute` on some stocks at a time, so that its windows stay in the processor's cache.

    fields   name → (T, N); some may begin later than others
    last     rows of the results that stay, from the end; None: T

    Returns what `compute` makes of each block, name → (`last` or more, n), joined to (`last`, N) of
    `dtype`. One that yields pairs has each taken as it comes, and needs no room for all of them.
    """
    sessions, count = max(x.shape for x in fields.values())
    length = sessions if last is None else last
    joined: dict[str, np.ndarray] = {}
    for first in range(0, count, BLOCK):
        stocks = slice(first, first + BLOCK)
        results = compute({name: np.ascontiguousarray(x[:, stocks]) for name, x in fields.items()})
        for name, values in results.items() if isinstance(results, Mapping) else results:
            if name not in joined:
                joined[name] = np.empty((length, count), dtype)
            part = joined[name][:, stocks]
            with np.errstate(over="ignore"):
                part[:] = values[len(values) - length :]
            without_infinity(part)
    return joined


# ---- windows -------------------------------------------------------------------------------------


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


def ts_sum(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Sum the observations of each window."""
    return Rolling(x, sums=(window,), min_obs=min_obs, centred=True).sums[window]


def ts_mean(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Average the observations of each window; exact for constants."""
    return Rolling(x, means=(window,), min_obs=min_obs).means[window]


def ts_std(x: np.ndarray, window: int, min_obs: int, ddof: int) -> Array:
    """Give each window's standard deviation with divisor n − ddof; exactly 0 for constants."""
    return np.sqrt(Rolling(x, variances=(window,), min_obs=min_obs, ddof=ddof).variances[window])


def ts_zscore(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Give the day's distance from its window's mean in population deviations; NaN if 0."""
    return Rolling(x, zscores=(window,), min_obs=min_obs).zscores[window]


def ts_max(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Give each window's greatest observation."""
    return Rolling(x, maxima=(window,), min_obs=min_obs).maxima[window]


def ts_min(x: np.ndarray, window: int, min_obs: int) -> Array:
    """Give each window's least observation."""
    return Rolling(x, minima=(window,), min_obs=min_obs).minima[window]


def ts_skew_kurt(x: np.ndarray, window: int, min_obs: int) -> tuple[Array, Array]:
    """Give each window's population skewness m3 / m2^1.5 and excess kurtosis m4 / m2² − 3.

    NaN for constants.
    """
    windows = Rolling(x, means=(window,), min_obs=1)
    count = windows.count(window)
    sums = _shapes(windows.x, windows.means[window], window)
    second, third, fourth = (ratio(total, count) for total in sums)
    enough = count >= min_obs
    return where(enough, ratio(third, second**1.5)), where(enough, ratio(fourth, second**2) - 3)


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
    one, other = (Rolling(where(both, v), means=(window,), min_obs=1) for v in (x, y))
    sums = _pairs(one.x, other.x, one.means[window], other.means[window], window)
    return one.count(window), *sums


# ---- states --------------------------------------------------------------------------------------


FORGOTTEN = 4e-4  # weight of all observations under which an average starts anew


@kernel
def _smoothed(x, span, seed, weight, skip):
    out = np.empty(x.shape)
    nothing = np.full(x.shape[1], np.nan)
    states, fulls = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    ages, counts = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    first, fewest, flat = skip + span, -(-2 * span // 3), 1.0 / span
    for t in range(x.shape[0]):
        new, old = x[t], x[t - span] if t >= span else nothing
        for s in range(x.shape[1]):
            seen = new[s] - new[s] == 0
            lost = old[s] - old[s] == 0
            count = counts[s] + ((1.0 if seen else 0.0) - (1.0 if lost else 0.0))
            age = ages[s] + 1 if seen | (ages[s] > 0) else 0.0
            seeding = age <= skip + seed
            share = flat if seeding else weight
            taken = seen & (age > skip)
            full = fulls[s] * (1.0 if seeding else 1 - weight) + (share if taken else 0.0)
            moved = states[s] + share / full * (new[s] - states[s])
            state = moved if taken else states[s]
            out[t, s] = state if (age >= first) & (count >= fewest) else np.nan
            noted = seeding | (full >= FORGOTTEN)
            ages[s] = age if noted else 0.0
            fulls[s] = full if noted else 0.0
            states[s] = state if noted else 0.0
            counts[s] = count
    return out


def ts_ema(x: np.ndarray, span: int, skip: int = 0) -> Array:
    """Average with weights that fall by 1 − 2/(span + 1) a session, whether it has an observation.

    The average starts as the mean of the first `span` sessions from the first observation on (after
    `skip` others) and anew where nothing of note is left of it. It is known from the end of its
    start on wherever two thirds of the last `span` sessions hold an observation, and the same as
    the session before where the session has none.

    Source: TA-Lib's EMA, whose MACD lets the fast average skip to the start of the slow one.
    """
    return _smoothed(dense(x), span, span, 2 / (span + 1), skip)


def ts_wilder(x: np.ndarray, span: int, seed: int | None = None) -> Array:
    """Average with weights that fall by 1 − 1/span a session, started and known as `ts_ema` is.

    seed   sessions whose mean it starts as, `span` or, as in the sums of TA-Lib's directional
           movement, one fewer: they count as so many of `span`

    Source: Wilder (1978), New Concepts in Technical Trading Systems.
    """
    return _smoothed(dense(x), span, seed or span, 1 / span, 0)


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
