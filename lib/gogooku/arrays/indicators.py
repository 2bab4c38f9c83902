"""Technical indicators of prices and volumes, on (T, N) float64 with absent = NaN.

On series without gaps they equal TA-Lib's from the same first session. A session without a trade
is no observation: windows hold one value fewer, averages too, where the others grow older, and
whatever needs the session before is absent on the next one too. A quotient whose divisor is 0 is
absent.
"""

import numpy as np

from gogooku.arrays import time_series
from gogooku.arrays.jit import kernel
from gogooku.arrays.time_series import Array, delay, enough, excess, ratio
from gogooku.arrays.windows import Rolling, dense, path_zscore

SESSIONS_PER_YEAR = 245


def returns(close: np.ndarray, sessions: int) -> Array:
    """Return over `sessions`: C_t / C_t−h − 1."""
    return excess(close, delay(close, sessions))


def log_returns(close: np.ndarray, sessions: int) -> Array:
    """Give ln C_t − ln C_t−h."""
    return change(log(close), sessions)


def log(x: np.ndarray) -> Array:
    """Natural logarithm; NaN unless x > 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return time_series.without_infinity(np.log(x))


def annual(deviation: np.ndarray) -> Array:
    """Scale a deviation of daily values to a year of 245 sessions."""
    return deviation * np.sqrt(SESSIONS_PER_YEAR)


def _annual_root(square: np.ndarray) -> Array:
    """Scale a mean square likewise; 0 where rounding took a sum of nothing below 0."""
    return np.sqrt(SESSIONS_PER_YEAR * np.maximum(square, 0.0))


def volatility(steps: Rolling, window: int) -> Array:
    """Annualised sample deviation of daily log returns.

    steps   with the sample variances of `window`
    """
    return _annual_root(steps.variances[window])


def mean(x: np.ndarray, window: int, centred: bool = False) -> Array:
    """Simple moving average over windows that are two thirds full."""
    return Rolling(x, means=(window,), centred=centred).means[window]


def ema_gap(x: np.ndarray, fast: int, slow: int) -> Array:
    """Distance of the fast exponential average from the slow one, relative to the slow one."""
    return excess(time_series.ts_ema(x, fast), time_series.ts_ema(x, slow))


def change(x: np.ndarray, sessions: int = 1) -> Array:
    """Difference to the value `sessions` earlier."""
    return x - delay(x, sessions)


def _percent(part: np.ndarray, whole: np.ndarray) -> Array:
    return 100 * ratio(part, whole)


@kernel
def _steps(close):
    """Give by how much each close rose, and by how much it fell."""
    gain, loss = np.empty(close.shape), np.empty(close.shape)
    gain[:1] = loss[:1] = np.nan
    for t in range(1, close.shape[0]):
        for s in range(close.shape[1]):
            step = close[t, s] - close[t - 1, s]
            gain[t, s] = 0.0 if step < 0 else step
            loss[t, s] = 0.0 if step > 0 else -step
    return gain, loss


def rsi(close: np.ndarray, span: int) -> Array:
    """Relative strength index, 0 to 100. Source: Wilder (1978)."""
    up, down = (time_series.ts_wilder(moved, span) for moved in _steps(dense(close)))
    return _percent(up, up + down)


def macd(close: np.ndarray, fast: int, slow: int, signal: int) -> tuple[Array, Array]:
    """Difference of two exponential averages, both seeded at the slow one's start; its signal."""
    line = time_series.ts_ema(close, fast, skip=slow - fast) - time_series.ts_ema(close, slow)
    line = time_series.where_known(close, line)
    return line, time_series.ts_ema(line, signal)


def bollinger(closes: Rolling, window: int, width: float) -> tuple[Array, Array]:
    """Place within the bands (0 lower, 1 upper), and their width over the middle band.

    closes   with the means, population variances and z-scores of `window`
    """
    place = closes.zscores[window] / (2 * width) + 0.5
    reach = 2 * (width * np.sqrt(closes.variances[window]))
    return place, ratio(reach, closes.means[window])


def true_range(high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Array:
    """Range of the day and the close before it."""
    before = delay(close, 1)
    reach = np.maximum(high, before) - np.minimum(low, before)
    return time_series.where_known(high + low + before, reach)


def atr(high: np.ndarray, low: np.ndarray, close: np.ndarray, span: int) -> Array:
    """Average true range, in units of the prices. Source: Wilder (1978)."""
    return time_series.ts_wilder(true_range(high, low, close), span)


def directional(
    high: np.ndarray, low: np.ndarray, close: np.ndarray, span: int
) -> tuple[Array, Array, Array]:
    """Directional indicators and index: +DI, −DI, ADX, 0 to 100. Source: Wilder (1978)."""
    total, *moved = (
        time_series.ts_wilder(x, span, seed=span - 1)
        for x in _movements(dense(high), dense(low), true_range(high, low, close))
    )
    plus, minus = (_percent(x, total) for x in moved)
    apart = _percent(np.abs(plus - minus), plus + minus)
    index = time_series.where_known(high - low, apart)
    return plus, minus, time_series.ts_wilder(index, span)


@kernel
def _movements(high, low, reach):
    """Give the true range where highs and lows of two sessions are known, and moves beyond."""
    both, plus, minus = np.empty(reach.shape), np.empty(reach.shape), np.empty(reach.shape)
    both[:1] = plus[:1] = minus[:1] = np.nan
    for t in range(1, reach.shape[0]):
        for s in range(reach.shape[1]):
            up, down = high[t, s] - high[t - 1, s], low[t - 1, s] - low[t, s]
            known = up + down + reach[t, s]
            known = known - known == 0
            both[t, s] = reach[t, s] if known else np.nan
            plus[t, s] = (up if (up > down) & (up > 0) else 0.0) if known else np.nan
            minus[t, s] = (down if (down > up) & (down > 0) else 0.0) if known else np.nan
    return both, plus, minus


def place(x: np.ndarray, lowest: np.ndarray, highest: np.ndarray) -> Array:
    """Place of x in a range, 0 (lowest) to 1 (highest); NaN where the range is nothing."""
    return ratio(x - lowest, highest - lowest)


def _typical(high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Array:
    return (high + low + close) / 3


def cci(high: np.ndarray, low: np.ndarray, close: np.ndarray, window: int) -> Array:
    """Commodity channel index. Source: Lambert (1980)."""
    prices = Rolling(_typical(high, low, close), means=(window,))
    apart = prices.x - prices.means[window]
    return ratio(apart, 0.015 * prices.mean_deviation(window))


def mfi(
    high: np.ndarray, low: np.ndarray, close: np.ndarray, volume: np.ndarray, window: int
) -> Array:
    """Money flow index, 0 to 100; a typical price equal to the one before counts for neither side.

    Source: Quong and Soudack (1989).
    """
    up, down = (
        time_series.ts_sum(flow, window, enough(window))
        for flow in _flows(_typical(high, low, close), dense(volume))
    )
    return _percent(up, up + down)


@kernel
def _flows(price, volume):
    """Give the money of sessions whose price rose, and of those whose price fell."""
    up, down = np.empty(price.shape), np.empty(price.shape)
    up[:1] = down[:1] = np.nan
    for t in range(1, price.shape[0]):
        for s in range(price.shape[1]):
            step, flow = price[t, s] - price[t - 1, s], price[t, s] * volume[t, s]
            known = step - step == 0
            up[t, s] = flow * (1.0 if step > 0 else 0.0) if known else np.nan
            down[t, s] = flow * (1.0 if step < 0 else 0.0) if known else np.nan
    return up, down


def cmf(
    high: np.ndarray, low: np.ndarray, close: np.ndarray, volume: np.ndarray, window: int
) -> Array:
    """Chaikin money flow, −1 to 1; a session without a range carries its volume and no flow."""
    reach = high - low
    share = np.where(reach == 0, 0.0, ratio(2 * close - high - low, reach))
    flow = volume * share
    traded = time_series.where_known(flow, volume)
    return ratio(*(time_series.ts_sum(x, window, enough(window)) for x in (flow, traded)))


def obv_zscore(close: np.ndarray, volume: np.ndarray, window: int) -> Array:
    """On-balance volume as a z-score of its window. Source: Granville (1963)."""
    return path_zscore(np.sign(change(close)) * volume, window, enough(window))


class Logs:
    """What volatilities are made of the logarithms of a day's bars, (T, N) each.

    windows   lengths of the windows of volatilities from ranges
    """

    def __init__(
        self,
        first: np.ndarray,
        high: np.ndarray,
        low: np.ndarray,
        last: np.ndarray,
        windows: tuple[int, ...],
    ) -> None:
        self.reach, self.body = high - low, last - first
        self.nights = Rolling(first - delay(last, 1), variances=windows, centred=True)
        self.bodies = Rolling(self.body, variances=windows, centred=True)
        drift_free = (high - last) * (high - first) + (low - last) * (low - first)
        self.drift_free = Rolling(drift_free, means=windows, centred=True)


def parkinson(logs: Logs, window: int) -> Array:
    """Annualised volatility from daily ranges. Source: Parkinson (1980)."""
    return _annual_root(mean(logs.reach**2 / (4 * np.log(2)), window, centred=True))


def garman_klass(logs: Logs, window: int) -> Array:
    """Annualised volatility from ranges and bodies. Source: Garman and Klass (1980)."""
    reach, body = logs.reach, logs.body
    candle = reach * reach / 2 - (2 * np.log(2) - 1) * body * body
    return _annual_root(mean(candle, window, centred=True))


def rogers_satchell(logs: Logs, window: int) -> Array:
    """Annualised volatility that a drift does not bias. Source: Rogers and Satchell (1991)."""
    return _annual_root(logs.drift_free.means[window])


def yang_zhang(logs: Logs, window: int) -> Array:
    """Annualised volatility with overnight moves. Source: Yang and Zhang (2000)."""
    share = 0.34 / (1.34 + (window + 1) / (window - 1))
    night, body = logs.nights.variances[window], logs.bodies.variances[window]
    drift_free = logs.drift_free.means[window]
    return _annual_root(night + share * body + (1 - share) * drift_free)
