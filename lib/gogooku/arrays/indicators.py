"""Technical indicators of prices and volumes, on (T, N) float64 with absent = NaN.

On series without gaps they equal TA-Lib's from the same first session. A session without a trade
is no observation: windows hold one value fewer, averages too, where the others grow older, and
whatever needs the session before is absent on the next one too. A quotient whose divisor is 0 is
absent.
"""

import numpy as np

from gogooku.arrays import time_series
from gogooku.arrays.jit import kernel
from gogooku.arrays.time_series import Array, Cells, enough, excess, ratio
from gogooku.arrays.windows import Rolling, dense

SESSIONS_PER_YEAR = 245


def returns(close: np.ndarray, sessions: int) -> Array:
    """Return over `sessions`: C_t / C_t−h − 1."""
    return time_series.growth(close, sessions)


def log_returns(close: np.ndarray, sessions: int) -> Array:
    """Give ln C_t − ln C_t−h."""
    return change(log(close), sessions)


def log(x: np.ndarray) -> Array:
    """Natural logarithm; NaN unless x > 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return time_series.known(np.log(x))


def annual(deviation: np.ndarray) -> Array:
    """Scale a deviation of daily values to a year of 245 sessions."""
    return deviation * np.sqrt(SESSIONS_PER_YEAR)


@Cells
def _annual_root(square, out):
    """Scale a mean square likewise; 0 where rounding took a sum of nothing below 0."""
    for i in range(out.size):
        out[i] = np.sqrt(SESSIONS_PER_YEAR * (0.0 if square[i] < 0 else square[i]))


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
    return time_series.against_earlier(np.subtract, sessions, x, then=x)


@Cells
def _percent(part, rest, out):
    """Give the part's percentage of itself and the rest."""
    for i in range(out.size):
        made = 100 * (part[i] / (part[i] + rest[i]))
        out[i] = made if made - made == 0 else np.nan


@Cells
def _percent_of(part, whole, out):
    for i in range(out.size):
        made = 100 * (part[i] / whole[i])
        out[i] = made if made - made == 0 else np.nan


@Cells
def _apart(plus, minus, out):
    """Give the percentage of both by which they differ."""
    for i in range(out.size):
        made = 100 * (abs(plus[i] - minus[i]) / (plus[i] + minus[i]))
        out[i] = made if made - made == 0 else np.nan


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
    return _percent(*(time_series.ts_wilder(moved, span) for moved in _steps(dense(close))))


def macd(close: np.ndarray, fast: int, slow: int, signal: int) -> tuple[Array, Array]:
    """Difference of two exponential averages, both seeded at the slow one's start; its signal."""
    line = time_series.ts_ema(close, fast, skip=slow - fast) - time_series.ts_ema(close, slow)
    line = time_series.where_known(close, line)
    return line, time_series.ts_ema(line, signal)


def bollinger(closes: Rolling, window: int, width: float) -> tuple[Array, Array]:
    """Place within the bands (0 lower, 1 upper), and their width over the middle band.

    closes   with the means, population variances and z-scores of `window`
    """
    asked = closes.zscores[window], closes.variances[window], closes.means[window]
    return _bands(*asked, width)


@kernel
def _bands(score, variance, middle, width):
    place, reach = np.empty(score.shape), np.empty(score.shape)
    for t in range(score.shape[0]):
        for s in range(score.shape[1]):
            place[t, s] = score[t, s] / (2 * width) + 0.5
            made = 2 * (width * np.sqrt(variance[t, s])) / middle[t, s]
            reach[t, s] = made if made - made == 0 else np.nan
    return place, reach


@Cells
def _true_range(high, low, before, out):
    for i in range(out.size):
        reach = max(high[i], before[i]) - min(low[i], before[i])
        known = high[i] + low[i] + before[i]
        out[i] = reach if known - known == 0 else np.nan


def true_range(high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Array:
    """Range of the day and the close before it."""
    return time_series.against_earlier(_true_range, 1, high, low, then=close)


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
    plus, minus = (_percent_of(x, total) for x in moved)
    index = time_series.where_known(high - low, _apart(plus, minus))
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


@Cells
def place(x: Array, lowest: Array, highest: Array, out: Array) -> None:
    """Place of x in a range, 0 (lowest) to 1 (highest); NaN where the range is nothing."""
    for i in range(out.size):
        made = (x[i] - lowest[i]) / (highest[i] - lowest[i])
        out[i] = made if made - made == 0 else np.nan


def place_in_range(highs: Rolling, lows: Rolling, close: np.ndarray, window: int) -> Array:
    """Close within the trailing range, 0 (lowest low) to 1 (highest high).

    highs, lows   with the maxima and the minima of `window`
    """
    return place(close, lows.minima[window], highs.maxima[window])


@Cells
def _typical(high, low, close, out):
    for i in range(out.size):
        out[i] = (high[i] + low[i] + close[i]) / 3


@Cells
def _deviations(x, mean, deviation, out):
    for i in range(out.size):
        made = (x[i] - mean[i]) / (0.015 * deviation[i])
        out[i] = made if made - made == 0 else np.nan


def cci(high: np.ndarray, low: np.ndarray, close: np.ndarray, window: int) -> Array:
    """Commodity channel index. Source: Lambert (1980)."""
    prices = Rolling(_typical(high, low, close), means=(window,))
    return _deviations(prices.x, prices.means[window], prices.mean_deviation(window))


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
    return _percent(up, down)


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


@Cells
def _money_flow(high, low, close, volume, out):
    for i in range(out.size):
        reach = high[i] - low[i]
        share = 0.0 if reach == 0 else (2 * close[i] - high[i] - low[i]) / reach
        flow = volume[i] * share
        out[i] = flow if flow - flow == 0 else np.nan


def cmf(
    high: np.ndarray, low: np.ndarray, close: np.ndarray, volume: np.ndarray, window: int
) -> Array:
    """Chaikin money flow, −1 to 1; a session without a range carries its volume and no flow."""
    flow = _money_flow(high, low, close, volume)
    traded = time_series.where_known(flow, volume)
    return ratio(*(time_series.ts_sum(x, window, enough(window)) for x in (flow, traded)))


def obv_zscore(close: np.ndarray, volume: np.ndarray, window: int) -> Array:
    """On-balance volume as a z-score of its window. Source: Granville (1963)."""
    return time_series.ts_path_zscore(np.sign(change(close)) * volume, window, enough(window))


@Cells
def _drift_free(first, high, low, last, out):
    for i in range(out.size):
        above = (high[i] - last[i]) * (high[i] - first[i])
        out[i] = above + (low[i] - last[i]) * (low[i] - first[i])


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
        night = time_series.against_earlier(np.subtract, 1, first, then=last)
        self.nights = Rolling(night, variances=windows, centred=True)
        self.bodies = Rolling(self.body, variances=windows, centred=True)
        self.drift_free = Rolling(_drift_free(first, high, low, last), means=windows, centred=True)


@Cells
def _candle(reach, body, out):
    for i in range(out.size):
        out[i] = reach[i] * reach[i] / 2 - (2 * np.log(2) - 1) * body[i] * body[i]


def parkinson(logs: Logs, window: int) -> Array:
    """Annualised volatility from daily ranges. Source: Parkinson (1980)."""
    return _annual_root(mean(logs.reach**2 / (4 * np.log(2)), window, centred=True))


def garman_klass(logs: Logs, window: int) -> Array:
    """Annualised volatility from ranges and bodies. Source: Garman and Klass (1980)."""
    return _annual_root(mean(_candle(logs.reach, logs.body), window, centred=True))


def rogers_satchell(logs: Logs, window: int) -> Array:
    """Annualised volatility that a drift does not bias. Source: Rogers and Satchell (1991)."""
    return _annual_root(logs.drift_free.means[window])


def yang_zhang(logs: Logs, window: int) -> Array:
    """Annualised volatility with overnight moves. Source: Yang and Zhang (2000)."""
    share = 0.34 / (1.34 + (window + 1) / (window - 1))
    night, body = logs.nights.variances[window], logs.bodies.variances[window]
    return _annual_root(_mixed(night, body, logs.drift_free.means[window], share))


@kernel
def _mixed(night, body, drift_free, share):
    out = np.empty(night.shape)
    for t in range(out.shape[0]):
        for s in range(out.shape[1]):
            out[t, s] = night[t, s] + share * body[t, s] + (1 - share) * drift_free[t, s]
    return out
