"""The technical columns of one stock written anew, by pandas, scipy and TA-Lib; no code of ours."""

import numpy as np
import pandas as pd
import talib
from scipy import stats

YEAR = np.sqrt(245)


def fewest(window):
    """Two thirds of a window, rounded up."""
    return -(-2 * window // 3)


def over(x, window, least=None):
    """A rolling window that needs two thirds of its observations."""
    return x.rolling(window, min_periods=least or fewest(window))


def zscore(x, window):
    return (x - over(x, window).mean()) / over(x, window).std(ddof=0)


def returns(x, sessions=1):
    return x / x.shift(sessions) - 1


def moment(x, window, of):
    """`of` the known values of each window, where there are enough."""
    return over(x, window).apply(lambda values: of(values[np.isfinite(values)]), raw=True)


def run_of(moved, known):
    """Length of the run of true values that ends on each day, at most 60."""
    length, made = 0, []
    for up, there in zip(moved, known, strict=True):
        length = length + 1 if up else 0
        made.append(min(length, 60) if there else np.nan)
    return pd.Series(made, moved.index, dtype=float)


def windows(x):
    """Columns of windows, from open, high, low, close, volume, value; all may have holes."""
    first, high, low, close = x["open"], x["high"], x["low"], x["close"]
    volume, value = x["volume"], x["value"]
    daily, before = returns(close), close.shift()
    turnover = {n: over(volume, n).mean() for n in (5, 20, 60)}
    balance = (np.sign(close.diff()) * volume).cumsum()
    place = ((close - low) - (high - close)) / (high - low)
    place = place.where(high != low, 0.0 * close)
    flow = place * volume
    return {
        "returns_1d": returns(close, 1),
        "returns_2d": returns(close, 2),
        "returns_3d": returns(close, 3),
        "returns_5d": returns(close, 5),
        "returns_10d": returns(close, 10),
        "returns_20d": returns(close, 20),
        "returns_60d": returns(close, 60),
        "returns_120d": returns(close, 120),
        "momentum_12_1": close.shift(20) / close.shift(245) - 1,
        "log_returns_1d": np.log(close / close.shift(1)),
        "log_returns_5d": np.log(close / close.shift(5)),
        "log_returns_10d": np.log(close / close.shift(10)),
        "log_returns_20d": np.log(close / close.shift(20)),
        "overnight_return": first / before - 1,
        "intraday_return": close / first - 1,
        "mom_persist_5d": over((daily > 0).where(daily.notna()).astype(float), 5).mean(),
        "up_streak": run_of(daily > 0, daily.notna()),
        "down_streak": run_of(daily < 0, daily.notna()),
        "zscore_20": zscore(close, 20),
        "zscore_60": zscore(close, 60),
        "skew_60": moment(daily, 60, stats.skew),
        "kurt_60": moment(daily, 60, stats.kurtosis),
        "autocorr_20": over(daily, 19).corr(daily.shift()),
        "price_to_sma_5": close / over(close, 5).mean() - 1,
        "price_to_sma_20": close / over(close, 20).mean() - 1,
        "price_to_sma_60": close / over(close, 60).mean() - 1,
        "price_to_sma_120": close / over(close, 120).mean() - 1,
        "price_to_sma_200": close / over(close, 200).mean() - 1,
        "high_low_ratio": high / low,
        "close_to_high": (high - close) / (high - low),
        "close_to_low": (close - low) / (high - low),
        "dist_to_high_60": close / over(high, 60).max() - 1,
        "dist_to_high_245": close / over(high, 245).max() - 1,
        "dist_to_low_60": close / over(low, 60).min() - 1,
        "dist_to_low_245": close / over(low, 245).min() - 1,
        "volume_ratio_5": volume / turnover[5],
        "volume_ratio_20": volume / turnover[20],
        "volume_ratio_60": volume / turnover[60],
        "volume_accel": turnover[5] / turnover[20] - 1,
        "obv_z60": (balance.ffill() - over(balance, 60).mean()) / over(balance, 60).std(ddof=0),
        "cmf_20": over(flow, 20).sum() / over(volume.where(flow.notna()), 20).sum(),
        "amihud_20": over(daily.abs() / (value / 1e6), 20).mean(),
        "dollar_volume_log": np.log(over(value, 20).mean()),
        "vol_confirmed_mom": returns(close, 5) * volume / turnover[20],
        **volatilities(first, high, low, close),
        **oscillators(high, low, close, volume),
    }


def oscillators(high, low, close, volume):
    """Oscillators of windows, which TA-Lib makes of full ones alone."""
    mean, deviation = over(close, 20).mean(), over(close, 20).std(ddof=0)
    bottom, top = over(low, 14).min(), over(high, 14).max()
    slow = over(100 * (close - bottom) / (top - bottom), 3).mean()
    typical = (high + low + close) / 3
    apart = moment(typical, 20, lambda values: np.abs(values - values.mean()).mean())
    flow, step = typical * volume, typical.diff()
    gained, lost = (
        over(flow.where(side, 0.0).where(step.notna()), 14).sum() for side in (step > 0, step < 0)
    )
    return {
        "bb_pct_b": (close - (mean - 2 * deviation)) / (4 * deviation),
        "bb_width": 4 * deviation / mean,
        "stoch_k": slow,
        "stoch_d": over(slow, 3).mean(),
        "williams_r_14": -100 * (top - close) / (top - bottom),
        "cci_20": (typical - over(typical, 20).mean()) / (0.015 * apart),
        "mfi_14": 100 - 100 / (1 + gained / lost),
    }


def volatilities(first, high, low, close):
    """Volatilities of closes and of ranges, each by the formula of its paper."""
    step = np.log(close / close.shift())
    of_month = over(step, 20).std(ddof=1) * YEAR
    night, body = np.log(first / close.shift()), np.log(close / first)
    up, down = np.log(high / first), np.log(low / first)
    satchell = up * (up - body) + down * (down - body)
    klass = 0.5 * (up - down) ** 2 - (2 * np.log(2) - 1) * body**2

    def yang_zhang(n):
        k = 0.34 / (1.34 + (n + 1) / (n - 1))
        parts = over(night, n).var(ddof=1), over(body, n).var(ddof=1), over(satchell, n).mean()
        return np.sqrt(parts[0] + k * parts[1] + (1 - k) * parts[2]) * YEAR

    return {
        "volatility_5d": over(step, 5).std(ddof=1) * YEAR,
        "volatility_10d": over(step, 10).std(ddof=1) * YEAR,
        "volatility_20d": of_month,
        "volatility_60d": over(step, 60).std(ddof=1) * YEAR,
        "volatility_120d": over(step, 120).std(ddof=1) * YEAR,
        "parkinson_20": np.sqrt(over((up - down) ** 2, 20).mean() / (4 * np.log(2))) * YEAR,
        "garman_klass_20": np.sqrt(over(klass, 20).mean()) * YEAR,
        "rogers_satchell_20": np.sqrt(over(satchell, 20).mean()) * YEAR,
        "yang_zhang_20": yang_zhang(20),
        "yang_zhang_60": yang_zhang(60),
        "vol_of_vol_20": over(of_month, 20).std(ddof=1),
        "vol_of_vol_60": over(of_month, 60).std(ddof=1),
    }


def smoothed(x):
    """Columns that TA-Lib makes, from the same bars without holes."""
    high, low, close, volume = x["high"], x["low"], x["close"], x["volume"]
    ema = {n: talib.EMA(close, n) for n in (5, 10, 20, 60, 200)}
    _, signal, histogram = talib.MACD(close, 12, 26, 9)
    line = talib.EMA(close[14:], 12).reindex(close.index) - talib.EMA(close, 26)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    slow_k, slow_d = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    strength = talib.RSI(close, 14)
    spread = over(np.log(close / close.shift()), 20).std(ddof=1) * YEAR
    return {
        "price_to_ema_5": close / ema[5] - 1,
        "price_to_ema_10": close / ema[10] - 1,
        "price_to_ema_20": close / ema[20] - 1,
        "price_to_ema_60": close / ema[60] - 1,
        "price_to_ema_200": close / ema[200] - 1,
        "ma_gap_5_20": (ema[5] - ema[20]) / ema[20],
        "ma_gap_20_60": (ema[20] - ema[60]) / ema[60],
        "ma_gap_60_200": (ema[60] - ema[200]) / ema[200],
        "ema5_slope": returns(ema[5]),
        "ema20_slope": returns(ema[20]),
        "ema60_slope": returns(ema[60]),
        "rsi_2": talib.RSI(close, 2),
        "rsi_14": strength,
        "rsi_delta": strength.diff(),
        "macd": line / close,
        "macd_signal": signal / close,
        "macd_histogram": histogram / close,
        "macd_hist_slope": histogram.diff() / close,
        "bb_pct_b": (close - lower) / (upper - lower),
        "bb_width": (upper - lower) / middle,
        "atr_14": wilder(talib.TRANGE(high, low, close) / close.shift(), 14),
        "natr_14": talib.NATR(high, low, close, 14) / 100,
        "adx_14": talib.ADX(high, low, close, 14),
        "plus_di_14": talib.PLUS_DI(high, low, close, 14),
        "minus_di_14": talib.MINUS_DI(high, low, close, 14),
        "stoch_k": slow_k,
        "stoch_d": slow_d,
        "williams_r_14": talib.WILLR(high, low, close, 14),
        "cci_20": talib.CCI(high, low, close, 20),
        "mfi_14": talib.MFI(high, low, close, volume, 14),
        "rsi_vol_interact": strength * spread,
    }


def wilder(values, span):
    """Wilder's average, seeded with the mean of the first `span` values."""
    known = values.dropna()
    seeded = pd.concat([pd.Series([known[:span].mean()]), known[span:]])
    smooth = seeded.ewm(alpha=1 / span, adjust=False).mean()
    return pd.Series(smooth.to_numpy(), known.index[span - 1 :]).reindex(values.index)


def listing(volume, shares, limits, listed):
    """Columns of the listing, frames (T, N): raw volume, shares outstanding, limits, listed or not.

    A stock listed on the first session is taken for 800 sessions old.
    """
    age = listed.cummax().cumsum() - 1
    age.loc[:, listed.iloc[0]] = 800
    up, down = (side.astype(float).where(listed) for side in limits)
    return {
        "turnover_rate": volume / shares,
        "limit_up": up,
        "limit_down": down,
        "days_since_listing_log": np.log1p(age.where(listed)),
    }


def of_the_calendar(days, sessions):
    """Columns of the calendar on `days`, from all sessions of whole months."""
    sessions = pd.Series(pd.DatetimeIndex(sessions))
    month = sessions.groupby(sessions.dt.to_period("M"))
    left = month.cumcount(ascending=False)
    made = {
        "weekday_0": sessions.dt.day_name() == "Monday",
        "weekday_1": sessions.dt.day_name() == "Tuesday",
        "weekday_2": sessions.dt.day_name() == "Wednesday",
        "weekday_3": sessions.dt.day_name() == "Thursday",
        "weekday_4": sessions.dt.day_name() == "Friday",
        "month_start": month.cumcount() == 0,
        "month_end": left == 0,
        "sessions_to_month_end": left,
    }
    index = pd.DatetimeIndex(days)
    return {name: x.astype(float).set_axis(sessions).reindex(index) for name, x in made.items()}
