"""Technical indicators of prices and volumes, on (T, N) float64 with absent = NaN.

On series without gaps they equal TA-Lib's from the same first session. A session without a trade
is no observation: averages hold their state over it, windows hold one value fewer, and whatever
needs the session before is absent on the next one too. A quotient whose divisor is 0 is absent.
"""

import numpy as np

from gogooku import ops
from gogooku.ops import Array, delay, enough, ratio

SESSIONS_PER_YEAR = 245


def returns(close: np.ndarray, sessions: int) -> Array:
    """Return over `sessions`: C_t / C_t−h − 1."""
    return ratio(close, delay(close, sessions)) - 1


def log_returns(close: np.ndarray, sessions: int) -> Array:
    """Give ln(C_t / C_t−h)."""
    return log(ratio(close, delay(close, sessions)))


def log(x: np.ndarray) -> Array:
    """Natural logarithm; NaN unless x > 0."""
    return np.log(ops.where(x > 0, x))


def annual(deviation: np.ndarray) -> Array:
    """Scale a deviation of daily values to a year of 245 sessions."""
    return deviation * np.sqrt(SESSIONS_PER_YEAR)


def volatility(close: np.ndarray, window: int) -> Array:
    """Annualised sample deviation of daily log returns."""
    return annual(ops.ts_std(log_returns(close, 1), window, enough(window), ddof=1))


def mean(x: np.ndarray, window: int) -> Array:
    """Simple moving average over windows that are two thirds full."""
    return ops.ts_mean(x, window, enough(window))


def ema_gap(x: np.ndarray, fast: int, slow: int) -> Array:
    """Distance of the fast exponential average from the slow one, relative to the slow one."""
    return ratio(ops.ts_ema(x, fast), ops.ts_ema(x, slow)) - 1


def change(x: np.ndarray) -> Array:
    """Difference to the session before."""
    return x - delay(x, 1)


def rsi(close: np.ndarray, span: int) -> Array:
    """Relative strength index, 0 to 100. Source: Wilder (1978)."""
    step = change(close)
    gain = ops.ts_wilder(np.maximum(step, 0), span)
    loss = ops.ts_wilder(np.maximum(-step, 0), span)
    return 100 * ratio(gain, gain + loss)


def macd(close: np.ndarray, fast: int, slow: int, signal: int) -> tuple[Array, Array]:
    """Difference of two exponential averages, both seeded at the slow one's start; its signal."""
    line = ops.ts_ema(close, fast, skip=slow - fast) - ops.ts_ema(close, slow)
    return line, ops.ts_ema(line, signal)


def bollinger(close: np.ndarray, window: int, width: float) -> tuple[Array, Array]:
    """Place within the bands (0 lower, 1 upper), and their width over the middle band."""
    middle = mean(close, window)
    reach = width * ops.ts_std(close, window, enough(window), ddof=0)
    return ratio(close - middle + reach, 2 * reach), ratio(2 * reach, middle)


def true_range(high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Array:
    """Range of the day and the close before it."""
    before = delay(close, 1)
    return np.maximum(high, before) - np.minimum(low, before)


def atr(high: np.ndarray, low: np.ndarray, close: np.ndarray, span: int) -> Array:
    """Average true range, in units of the prices. Source: Wilder (1978)."""
    return ops.ts_wilder(true_range(high, low, close), span)


def directional(
    high: np.ndarray, low: np.ndarray, close: np.ndarray, span: int
) -> tuple[Array, Array, Array]:
    """Directional indicators and index: +DI, −DI, ADX, 0 to 100. Source: Wilder (1978)."""
    up, down = change(high), -change(low)
    reach = true_range(high, low, close)
    reach = ops.where_known(up + down, reach)
    total = ops.ts_wilder_sum(reach, span)
    plus, minus = (
        100 * ratio(ops.ts_wilder_sum(_move(one, other, reach), span), total)
        for one, other in ((up, down), (down, up))
    )
    return plus, minus, ops.ts_wilder(100 * ratio(np.abs(plus - minus), plus + minus), span)


def _move(one: np.ndarray, other: np.ndarray, reach: np.ndarray) -> Array:
    moved = np.where((one > other) & (one > 0), one, 0.0)
    return ops.where_known(reach, moved)


def place_in_range(high: np.ndarray, low: np.ndarray, close: np.ndarray, window: int) -> Array:
    """Close within the trailing range, 0 (lowest low) to 1 (highest high)."""
    floor = ops.ts_min(low, window, enough(window))
    return ratio(close - floor, ops.ts_max(high, window, enough(window)) - floor)


def cci(high: np.ndarray, low: np.ndarray, close: np.ndarray, window: int) -> Array:
    """Commodity channel index. Source: Lambert (1980)."""
    price = (high + low + close) / 3
    apart = price - mean(price, window)
    return ratio(apart, 0.015 * ops.ts_mean_deviation(price, window, enough(window)))


def mfi(
    high: np.ndarray, low: np.ndarray, close: np.ndarray, volume: np.ndarray, window: int
) -> Array:
    """Money flow index, 0 to 100; a typical price equal to the one before counts for neither side.

    Source: Quong and Soudack (1989).
    """
    price = (high + low + close) / 3
    step, flow = change(price), price * volume
    up, down = (
        ops.ts_sum(ops.where_known(step, flow * side), window, enough(window))
        for side in (step > 0, step < 0)
    )
    return 100 * ratio(up, up + down)


def cmf(
    high: np.ndarray, low: np.ndarray, close: np.ndarray, volume: np.ndarray, window: int
) -> Array:
    """Chaikin money flow, −1 to 1; a session without a range carries its volume and no flow."""
    place = np.where(high == low, 0.0, ratio(2 * close - high - low, high - low))
    flow = place * volume
    traded = ops.where_known(flow, volume)
    return ratio(
        ops.ts_sum(flow, window, enough(window)), ops.ts_sum(traded, window, enough(window))
    )


def obv_zscore(close: np.ndarray, volume: np.ndarray, window: int) -> Array:
    """On-balance volume as a z-score of its window. Source: Granville (1963)."""
    return ops.ts_path_zscore(np.sign(change(close)) * volume, window, enough(window))


def parkinson(high: np.ndarray, low: np.ndarray, window: int) -> Array:
    """Annualised volatility from daily ranges. Source: Parkinson (1980)."""
    squares = log(ratio(high, low)) ** 2 / (4 * np.log(2))
    return annual(np.sqrt(mean(squares, window)))


def garman_klass(bars: dict[str, np.ndarray], window: int) -> Array:
    """Annualised volatility from ranges and bodies. Source: Garman and Klass (1980)."""
    reach, body = log(ratio(bars["high"], bars["low"])), log(ratio(bars["close"], bars["open"]))
    squares = reach**2 / 2 - (2 * np.log(2) - 1) * body**2
    return annual(np.sqrt(mean(squares, window)))


def rogers_satchell(bars: dict[str, np.ndarray], window: int) -> Array:
    """Annualised volatility that a drift does not bias. Source: Rogers and Satchell (1991)."""
    return annual(np.sqrt(mean(_drift_free(bars), window)))


def _drift_free(bars: dict[str, np.ndarray]) -> Array:
    first, last = bars["open"], bars["close"]
    above = log(ratio(bars["high"], last)) * log(ratio(bars["high"], first))
    below = log(ratio(bars["low"], last)) * log(ratio(bars["low"], first))
    return above + below


def yang_zhang(bars: dict[str, np.ndarray], window: int) -> Array:
    """Annualised volatility with overnight moves. Source: Yang and Zhang (2000)."""
    share = 0.34 / (1.34 + (window + 1) / (window - 1))
    night = log(ratio(bars["open"], delay(bars["close"], 1)))
    body = log(ratio(bars["close"], bars["open"]))
    night, body = (ops.ts_std(x, window, enough(window), ddof=1) ** 2 for x in (night, body))
    return annual(np.sqrt(night + share * body + (1 - share) * mean(_drift_free(bars), window)))
