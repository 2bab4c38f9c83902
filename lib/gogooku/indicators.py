"""Technical indicators of prices and volumes, on (T, N) float64 with absent = NaN.

On series without gaps they equal TA-Lib's from the same first session. A session without a trade
is no observation: windows hold one value fewer, averages too, where the others grow older, and
whatever needs the session before is absent on the next one too. A quotient whose divisor is 0 is
absent.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from gogooku import ops
from gogooku.ops import Array, delay, enough, excess, ratio
from gogooku.rolling import Rolling

SESSIONS_PER_YEAR = 245


def returns(close: np.ndarray, sessions: int) -> Array:
    """Return over `sessions`: C_t / C_t−h − 1."""
    return ops.growth(close, sessions)


def log_returns(close: np.ndarray, sessions: int) -> Array:
    """Give ln C_t − ln C_t−h."""
    return change(log(close), sessions)


def log(x: np.ndarray) -> Array:
    """Natural logarithm; NaN unless x > 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return ops.known(np.log(x))


def annual(deviation: np.ndarray) -> Array:
    """Scale a deviation of daily values to a year of 245 sessions."""
    return deviation * np.sqrt(SESSIONS_PER_YEAR)


def volatility(steps: Rolling, window: int) -> Array:
    """Annualised sample deviation of daily log returns."""
    return annual(steps.std(window, enough(window), ddof=1))


def mean(x: Rolling, window: int) -> Array:
    """Simple moving average over windows that are two thirds full."""
    return x.mean(window, enough(window))


def ema_gap(x: np.ndarray, fast: int, slow: int) -> Array:
    """Distance of the fast exponential average from the slow one, relative to the slow one."""
    return excess(ops.ts_ema(x, fast), ops.ts_ema(x, slow))


def change(x: np.ndarray, sessions: int = 1) -> Array:
    """Difference to the value `sessions` earlier."""
    return x - delay(x, sessions)


def rsi(close: np.ndarray, span: int) -> Array:
    """Relative strength index, 0 to 100. Source: Wilder (1978)."""
    step = change(close)
    gain = ops.ts_wilder(np.maximum(step, 0), span)
    loss = ops.ts_wilder(np.maximum(-step, 0), span)
    return 100 * ratio(gain, gain + loss)


def macd(close: np.ndarray, fast: int, slow: int, signal: int) -> tuple[Array, Array]:
    """Difference of two exponential averages, both seeded at the slow one's start; its signal."""
    line = ops.ts_ema(close, fast, skip=slow - fast) - ops.ts_ema(close, slow)
    line = ops.where_known(close, line)
    return line, ops.ts_ema(line, signal)


def bollinger(closes: Rolling, window: int, width: float) -> tuple[Array, Array]:
    """Place within the bands (0 lower, 1 upper), and their width over the middle band."""
    score = closes.zscore(window, enough(window))
    reach = width * closes.std(window, enough(window), ddof=0)
    return score / (2 * width) + 0.5, ratio(2 * reach, mean(closes, window))


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
    total = ops.ts_wilder(reach, span, seed=span - 1)
    plus, minus = (
        100 * ratio(ops.ts_wilder(_move(one, other, reach), span, seed=span - 1), total)
        for one, other in ((up, down), (down, up))
    )
    index = ops.where_known(reach, 100 * ratio(np.abs(plus - minus), plus + minus))
    return plus, minus, ops.ts_wilder(index, span)


def _move(one: np.ndarray, other: np.ndarray, reach: np.ndarray) -> Array:
    moved = np.where((one > other) & (one > 0), one, 0.0)
    return ops.where_known(reach, moved)


def place_in_range(highs: Rolling, lows: Rolling, close: np.ndarray, window: int) -> Array:
    """Close within the trailing range, 0 (lowest low) to 1 (highest high)."""
    floor = lows.min(window, enough(window))
    return ratio(close - floor, highs.max(window, enough(window)) - floor)


def cci(high: np.ndarray, low: np.ndarray, close: np.ndarray, window: int) -> Array:
    """Commodity channel index. Source: Lambert (1980)."""
    price = (high + low + close) / 3
    apart = price - mean(Rolling(price, window), window)
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


class Logs:
    """Logarithms of a day's bars, of which volatilities are made; (T, N) each.

    steps, ranges   windows of the volatilities from closes, and from ranges
    """

    def __init__(
        self, bars: Mapping[str, np.ndarray], steps: Sequence[int], ranges: Sequence[int]
    ) -> None:
        first, high, low, last = (log(bars[name]) for name in ("open", "high", "low", "close"))
        reach, body = high - low, last - first
        self.close = last
        self.steps = Rolling(change(last), deviations=tuple(steps), centred=True)
        self.night = Rolling(first - delay(last, 1), deviations=tuple(ranges), centred=True)
        self.body = Rolling(body, deviations=tuple(ranges), centred=True)
        self.range = Rolling(reach**2, *ranges, centred=True)
        candle = reach**2 / 2 - (2 * np.log(2) - 1) * body**2
        self.candle = Rolling(candle, *ranges, centred=True)
        free = (high - last) * (high - first) + (low - last) * (low - first)
        self.drift_free = Rolling(free, *ranges, centred=True)


def parkinson(logs: Logs, window: int) -> Array:
    """Annualised volatility from daily ranges. Source: Parkinson (1980)."""
    return annual(np.sqrt(mean(logs.range, window) / (4 * np.log(2))))


def garman_klass(logs: Logs, window: int) -> Array:
    """Annualised volatility from ranges and bodies. Source: Garman and Klass (1980)."""
    return annual(_root(mean(logs.candle, window)))


def rogers_satchell(logs: Logs, window: int) -> Array:
    """Annualised volatility that a drift does not bias. Source: Rogers and Satchell (1991)."""
    return annual(_root(mean(logs.drift_free, window)))


def yang_zhang(logs: Logs, window: int) -> Array:
    """Annualised volatility with overnight moves. Source: Yang and Zhang (2000)."""
    share = 0.34 / (1.34 + (window + 1) / (window - 1))
    night, body = (x.std(window, enough(window), ddof=1) ** 2 for x in (logs.night, logs.body))
    return annual(_root(night + share * body + (1 - share) * mean(logs.drift_free, window)))


def _root(square: Array) -> Array:
    """Square root, 0 where rounding took a sum of nothing below 0."""
    return np.sqrt(np.maximum(square, 0.0))
