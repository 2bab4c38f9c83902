"""Technical columns made by gogooku, TA-Lib, Polars and pandas-ta, in one run on one panel.

python benchmarks/indicators.py [stocks [sessions]]

Each way takes the dense panel (sessions × stocks, float64) and gives the same columns as float32:
four groups of the technical family, 62 columns; the fifth, returns and their moments, is left out.
Polars and pandas-ta keep their own long frames. The ways take turns, each in a process of its own:
CPU-seconds are the median turn's, in a turn the best of three rounds; ratios are taken within a
turn, and their median and the least are told. All keep freed memory for the next round. pandas-ta
sees a part of the stocks and is scaled. Memory is the growth of the process's peak during the first
round, the last turn's. Values are compared on the part; once more with TA-Lib on prices of whole
ticks, which tie, from the first session on which both know a value.
"""

import multiprocessing
import os
import resource
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", str(len(os.sched_getaffinity(0))))
sys.path.insert(0, str(Path(__file__).parents[1] / "lib"))

import numpy as np
import polars as pl
from gogooku import workarounds
from gogooku.arrays import time_series
from gogooku.features import technical
from tqdm import tqdm

FIELDS = technical.INPUTS
YEAR = np.sqrt(245)
WAYS = ("gogooku", "TA-Lib", "TA-Lib by stock", "Polars .over", "pandas-ta")
TURNS = 5
ROUNDS = 3
SETTLED = 500  # sessions after which averages have forgotten how the libraries start them
PART = 40  # of the stocks, for pandas-ta and for comparisons
TICK = 5  # JPY
NEAR = 1e-6  # of a column's deviation
GROUPS = [pair for pair in technical.GROUPS if pair[0] is not technical.MOVES]
NAMES = [column.name for columns, _ in GROUPS for column in columns]


def panel(stocks, sessions, tick=0):
    """Gap-free random bars, name → (sessions, stocks); prices in whole ticks if there is one."""
    rng = np.random.default_rng(0)
    shape = (sessions, stocks)
    close = 1000 * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=0))
    first = close * np.exp(rng.normal(0, 0.01, shape))
    high = np.maximum(first, close) * np.exp(rng.exponential(0.01, shape))
    low = np.minimum(first, close) * np.exp(-rng.exponential(0.01, shape))
    volume = rng.integers(1_000, 100_000, shape).astype(float)
    prices = [tick * np.round(x / tick) if tick else x for x in (first, high, low, close)]
    bars = (*prices, volume, volume * prices[-1])
    return dict(zip(FIELDS, bars, strict=True))


# ---- gogooku -------------------------------------------------------------------------------------


def gogooku(bars):
    return time_series.by_blocks(_groups, bars)


def _groups(block):
    whole = {f"whole_{name}": block[name] for name in technical.AVERAGED}
    shared = technical.Bars(block | whole)
    return (pair for _, group in GROUPS for pair in group(shared))


# ---- TA-Lib, a loop over stocks ------------------------------------------------------------------


def talib_panel(bars):
    sessions, stocks = bars["close"].shape
    out = {name: np.empty((sessions, stocks), np.float32) for name in NAMES}
    for s in range(stocks):
        for name, x in talib_stock(
            {f: np.ascontiguousarray(x[:, s]) for f, x in bars.items()}
        ).items():
            out[name][:, s] = x
    return out


def talib_by_stock(bars):
    """The same, from bars and to columns that lie stock by stock: TA-Lib's best case."""
    stocks, sessions = bars["close"].shape
    out = {name: np.empty((stocks, sessions), np.float32) for name in NAMES}
    for s in range(stocks):
        for name, x in talib_stock({field: x[s] for field, x in bars.items()}).items():
            out[name][s] = x
    return out


def talib_stock(bars):
    import talib as ta

    o, h, low, c, v, value = (bars[name] for name in FIELDS)
    before = np.empty_like(c)
    before[0], before[1:] = np.nan, c[:-1]
    ln = {name: np.log(bars[name]) for name in ("open", "high", "low", "close")}
    step, night, body = np.empty_like(c), np.empty_like(c), ln["close"] - ln["open"]
    step[0] = night[0] = np.nan
    step[1:], night[1:] = np.diff(ln["close"]), ln["open"][1:] - ln["close"][:-1]
    reach = ln["high"] - ln["low"]
    free = (ln["high"] - ln["close"]) * (ln["high"] - ln["open"])
    free += (ln["low"] - ln["close"]) * (ln["low"] - ln["open"])
    out = {f"volatility_{n}d": _sd(ta, step, n) * YEAR for n in technical.VOLATILITIES}
    for n in (20, 60):
        out[f"vol_of_vol_{n}"] = _sd(ta, out["volatility_20d"], n)
        share = 0.34 / (1.34 + (n + 1) / (n - 1))
        spread = _sd(ta, night, n) ** 2 + share * _sd(ta, body, n) ** 2
        out[f"yang_zhang_{n}"] = np.sqrt(spread + (1 - share) * ta.SMA(free, n)) * YEAR
    out["parkinson_20"] = np.sqrt(ta.SMA(reach**2, 20) / (4 * np.log(2))) * YEAR
    candle = reach**2 / 2 - (2 * np.log(2) - 1) * body**2
    out["garman_klass_20"] = np.sqrt(ta.SMA(candle, 20)) * YEAR
    out["rogers_satchell_20"] = np.sqrt(ta.SMA(free, 20)) * YEAR
    for n in technical.SMAS:
        out[f"price_to_sma_{n}"] = c / ta.SMA(c, n) - 1
    averages = {n: ta.EMA(c, n) for n in technical.EMAS}
    for n, average in averages.items():
        out[f"price_to_ema_{n}"] = c / average - 1
    for a, b in technical.GAPS:
        out[f"ma_gap_{a}_{b}"] = averages[a] / averages[b] - 1
    for n in technical.SLOPES:
        out[f"ema{n}_slope"] = ta.ROCP(averages[n], 1)
    for n in (60, 245):
        out[f"dist_to_high_{n}"], out[f"dist_to_low_{n}"] = (
            c / ta.MAX(h, n) - 1,
            c / ta.MIN(low, n) - 1,
        )
    out["high_low_ratio"] = h / low
    out["close_to_high"], out["close_to_low"] = (h - c) / (h - low), (c - low) / (h - low)
    out["rsi_2"], out["rsi_14"] = ta.RSI(c, 2), ta.RSI(c, 14)
    out["rsi_delta"] = ta.MOM(out["rsi_14"], 1)
    line, signal, histogram = ta.MACD(c)
    out["macd"], out["macd_signal"], out["macd_histogram"] = line / c, signal / c, histogram / c
    out["macd_hist_slope"] = ta.MOM(histogram, 1) / c
    upper, middle, lower = ta.BBANDS(c, 20, 2, 2)
    out["bb_pct_b"], out["bb_width"] = (c - lower) / (upper - lower), (upper - lower) / middle
    out["atr_14"] = _wilder(ta.TRANGE(h, low, c) / before, 14)
    out["natr_14"] = ta.NATR(h, low, c, 14) / 100
    out["adx_14"] = ta.ADX(h, low, c, 14)
    out["plus_di_14"], out["minus_di_14"] = ta.PLUS_DI(h, low, c, 14), ta.MINUS_DI(h, low, c, 14)
    out["stoch_k"], out["stoch_d"] = ta.STOCH(h, low, c, 14, 3, 0, 3, 0)
    out["williams_r_14"], out["cci_20"] = ta.WILLR(h, low, c, 14), ta.CCI(h, low, c, 20)
    means = {n: ta.SMA(v, n) for n in (5, 20, 60)}
    for n, mean in means.items():
        out[f"volume_ratio_{n}"] = v / mean
    out["volume_accel"] = means[5] / means[20] - 1
    out["mfi_14"] = ta.MFI(h, low, c, v, 14)
    path = ta.OBV(c, v)
    out["obv_z60"] = (path - ta.SMA(path, 60)) / ta.STDDEV(path, 60)
    flow = (2 * c - h - low) / (h - low) * v
    out["cmf_20"] = ta.SUM(flow, 20) / ta.SUM(v, 20)
    out["amihud_20"] = ta.SMA(np.abs(c / before - 1) / (value / 1e6), 20)
    out["dollar_volume_log"] = np.log(ta.SMA(value, 20))
    return out


def _sd(ta, x, n):
    return ta.STDDEV(x, n) * np.sqrt(n / (n - 1))


def _wilder(x, n):
    """Wilder's average, which TA-Lib has within other functions only: an EMA of 2 n − 1."""
    import talib

    return talib.EMA(x, 2 * n - 1)


# ---- Polars --------------------------------------------------------------------------------------


def long_frame(bars):
    sessions, stocks = bars["close"].shape
    keys = {"code": np.repeat(np.arange(stocks, dtype=np.int32), sessions)}
    return pl.DataFrame(keys | {name: x.T.ravel() for name, x in bars.items()})


def polars_over(frame):
    o, h, low, c, v, value = (pl.col(name) for name in FIELDS)
    ln = {name: pl.col(name).log() for name in ("open", "high", "low", "close")}
    step, body = ln["close"].diff(), ln["close"] - ln["open"]
    night, reach = ln["open"] - ln["close"].shift(), ln["high"] - ln["low"]
    free = (ln["high"] - ln["close"]) * (ln["high"] - ln["open"])
    free = free + (ln["low"] - ln["close"]) * (ln["low"] - ln["open"])
    out = {f"volatility_{n}d": step.rolling_std(n) * YEAR for n in technical.VOLATILITIES}
    for n in (20, 60):
        out[f"vol_of_vol_{n}"] = out["volatility_20d"].rolling_std(n)
        share = 0.34 / (1.34 + (n + 1) / (n - 1))
        spread = night.rolling_var(n) + share * body.rolling_var(n)
        out[f"yang_zhang_{n}"] = (spread + (1 - share) * free.rolling_mean(n)).sqrt() * YEAR
    out["parkinson_20"] = ((reach**2).rolling_mean(20) / (4 * np.log(2))).sqrt() * YEAR
    candle = reach**2 / 2 - (2 * np.log(2) - 1) * body**2
    out["garman_klass_20"] = candle.rolling_mean(20).sqrt() * YEAR
    out["rogers_satchell_20"] = free.rolling_mean(20).sqrt() * YEAR
    out |= {f"price_to_sma_{n}": c / c.rolling_mean(n) - 1 for n in technical.SMAS}
    averages = {n: _ewm(c, 2 / (n + 1), n) for n in technical.EMAS}
    out |= {f"price_to_ema_{n}": c / averages[n] - 1 for n in technical.EMAS}
    out |= {f"ma_gap_{a}_{b}": averages[a] / averages[b] - 1 for a, b in technical.GAPS}
    out |= {f"ema{n}_slope": averages[n] / averages[n].shift() - 1 for n in technical.SLOPES}
    for n in (60, 245):
        out[f"dist_to_high_{n}"] = c / h.rolling_max(n) - 1
        out[f"dist_to_low_{n}"] = c / low.rolling_min(n) - 1
    out |= {"high_low_ratio": h / low, "close_to_high": (h - c) / (h - low)}
    out["close_to_low"] = (c - low) / (h - low)
    move = c.diff()
    for n in (2, 14):
        gain, loss = (_ewm(x.clip(lower_bound=0), 1 / n, n) for x in (move, -move))
        out[f"rsi_{n}"] = 100 * gain / (gain + loss)
    out["rsi_delta"] = out["rsi_14"].diff()
    line = _ewm(c, 2 / 13, 12) - _ewm(c, 2 / 27, 26)
    signal = _ewm(line, 2 / 10, 9)
    out |= {"macd": line / c, "macd_signal": signal / c, "macd_histogram": (line - signal) / c}
    out["macd_hist_slope"] = (line - signal).diff() / c
    middle, sd = c.rolling_mean(20), c.rolling_std(20, ddof=0)
    out |= {"bb_pct_b": (c - middle + 2 * sd) / (4 * sd), "bb_width": 4 * sd / middle}
    before = c.shift()
    reach = pl.max_horizontal(h, before) - pl.min_horizontal(low, before)
    atr = _ewm(reach, 1 / 14, 14)
    out |= {"atr_14": _ewm(reach / before, 1 / 14, 14), "natr_14": atr / c}
    up, down = h.diff(), -low.diff()
    plus = 100 * _ewm(pl.when((up > down) & (up > 0)).then(up).otherwise(0), 1 / 14, 14) / atr
    minus = 100 * _ewm(pl.when((down > up) & (down > 0)).then(down).otherwise(0), 1 / 14, 14) / atr
    index = _ewm(100 * (plus - minus).abs() / (plus + minus), 1 / 14, 14)
    out |= {"adx_14": index, "plus_di_14": plus, "minus_di_14": minus}
    floor = low.rolling_min(14)
    place = 100 * (c - floor) / (h.rolling_max(14) - floor)
    out["stoch_k"] = place.rolling_mean(3)
    out |= {"stoch_d": out["stoch_k"].rolling_mean(3), "williams_r_14": place - 100}
    typical = (h + low + c) / 3
    apart = typical - typical.rolling_mean(20)
    out["cci_20"] = apart / (0.015 * apart.abs().rolling_mean(20))  # a cheaper stand-in
    means = {n: v.rolling_mean(n) for n in (5, 20, 60)}
    out |= {f"volume_ratio_{n}": v / mean for n, mean in means.items()}
    out["volume_accel"] = means[5] / means[20] - 1
    flow, turn = typical * v, typical.diff()
    rise = pl.when(turn > 0).then(flow).otherwise(0).rolling_sum(14)
    fall = pl.when(turn < 0).then(flow).otherwise(0).rolling_sum(14)
    out["mfi_14"] = 100 * rise / (rise + fall)
    path = (move.sign() * v).cum_sum()
    out["obv_z60"] = (path - path.rolling_mean(60)) / path.rolling_std(60, ddof=0)
    out["cmf_20"] = ((2 * c - h - low) / (h - low) * v).rolling_sum(20) / v.rolling_sum(20)
    out["amihud_20"] = ((c / before - 1).abs() / (value / 1e6)).rolling_mean(20)
    out["dollar_volume_log"] = value.rolling_mean(20).log()
    single = (x.cast(pl.Float32).over("code").alias(name) for name, x in out.items())
    return frame.lazy().select(single).collect()


def _ewm(x, weight, fewest):
    return x.ewm_mean(alpha=weight, adjust=False, min_samples=fewest)


# ---- pandas-ta -----------------------------------------------------------------------------------


def pandas_ta(frames):
    return [_pandas_stock(frame) for frame in frames]


def _pandas_stock(bars):
    import pandas as pd
    import pandas_ta_classic as ta

    o, h, low, c, v, value = (bars[name] for name in FIELDS)
    ln = {name: np.log(bars[name]) for name in ("open", "high", "low", "close")}
    step, body = ln["close"].diff(), ln["close"] - ln["open"]
    night, reach = ln["open"] - ln["close"].shift(), ln["high"] - ln["low"]
    free = (ln["high"] - ln["close"]) * (ln["high"] - ln["open"])
    free += (ln["low"] - ln["close"]) * (ln["low"] - ln["open"])
    plain, sample = {"talib": False}, {"talib": False, "ddof": 1}
    out = {f"volatility_{n}d": ta.stdev(step, n, **sample) * YEAR for n in technical.VOLATILITIES}
    for n in (20, 60):
        out[f"vol_of_vol_{n}"] = ta.stdev(out["volatility_20d"], n, **sample)
        share = 0.34 / (1.34 + (n + 1) / (n - 1))
        spread = ta.variance(night, n, **sample) + share * ta.variance(body, n, **sample)
        out[f"yang_zhang_{n}"] = np.sqrt(spread + (1 - share) * ta.sma(free, n, **plain)) * YEAR
    out["parkinson_20"] = np.sqrt(ta.sma(reach**2, 20, **plain) / (4 * np.log(2))) * YEAR
    candle = reach**2 / 2 - (2 * np.log(2) - 1) * body**2
    out["garman_klass_20"] = np.sqrt(ta.sma(candle, 20, **plain)) * YEAR
    out["rogers_satchell_20"] = np.sqrt(ta.sma(free, 20, **plain)) * YEAR
    for n in technical.SMAS:
        out[f"price_to_sma_{n}"] = c / ta.sma(c, n, **plain) - 1
    averages = {n: ta.ema(c, n, **plain) for n in technical.EMAS}
    for n, average in averages.items():
        out[f"price_to_ema_{n}"] = c / average - 1
    for a, b in technical.GAPS:
        out[f"ma_gap_{a}_{b}"] = averages[a] / averages[b] - 1
    for n in technical.SLOPES:
        out[f"ema{n}_slope"] = averages[n].pct_change()
    for n in (60, 245):
        out[f"dist_to_high_{n}"] = c / h.rolling(n).max() - 1
        out[f"dist_to_low_{n}"] = c / low.rolling(n).min() - 1
    out |= {"high_low_ratio": h / low, "close_to_high": (h - c) / (h - low)}
    out["close_to_low"] = (c - low) / (h - low)
    out |= {f"rsi_{n}": ta.rsi(c, n, **plain) for n in (2, 14)}
    out["rsi_delta"] = out["rsi_14"].diff()
    lines = ta.macd(c, **plain)
    for name, x in zip(("macd", "macd_histogram", "macd_signal"), lines.items(), strict=True):
        out[name] = x[1] / c
    out["macd_hist_slope"] = lines.iloc[:, 1].diff() / c
    bands = ta.bbands(c, 20, 2, **plain)
    out |= {"bb_pct_b": bands.iloc[:, 4], "bb_width": bands.iloc[:, 3] / 100}
    out["atr_14"] = ta.rma(ta.true_range(h, low, c, **plain) / c.shift(), 14)
    out["natr_14"] = ta.natr(h, low, c, 14, **plain) / 100
    directions = ta.adx(h, low, c, 14, **plain)
    out["adx_14"], out["plus_di_14"], out["minus_di_14"] = (
        directions[name] for name in ("ADX_14", "DMP_14", "DMN_14")
    )
    stochastic = ta.stoch(h, low, c, 14, 3, 3, **plain)
    out["stoch_k"], out["stoch_d"] = stochastic.iloc[:, 0], stochastic.iloc[:, 1]
    out |= {
        "williams_r_14": ta.willr(h, low, c, 14, **plain),
        "cci_20": ta.cci(h, low, c, 20, **plain),
    }
    means = {n: ta.sma(v, n, **plain) for n in (5, 20, 60)}
    out |= {f"volume_ratio_{n}": v / mean for n, mean in means.items()}
    out["volume_accel"] = means[5] / means[20] - 1
    out["mfi_14"] = ta.mfi(h, low, c, v, 14, **plain)
    path = ta.obv(c, v, **plain)
    apart = path - ta.sma(path, 60, **plain)
    out["obv_z60"] = apart / ta.stdev(path, 60, ddof=0, **plain)
    out["cmf_20"] = ta.cmf(h, low, c, v, length=20)
    out["amihud_20"] = ta.sma(c.pct_change().abs() / (value / 1e6), 20, **plain)
    out["dollar_volume_log"] = np.log(ta.sma(value, 20, **plain))
    return pd.DataFrame(out, dtype=np.float32)


# ---- the measurement -----------------------------------------------------------------------------


def measured(way, stocks, sessions):
    """Give CPU-seconds, peak growth [GB] and the columns of a part of the stocks of one way."""
    warnings.filterwarnings("ignore")
    make, part = {
        "gogooku": (gogooku, stocks),
        "TA-Lib": (talib_panel, stocks),
        "TA-Lib by stock": (talib_by_stock, stocks),
        "Polars .over": (polars_over, stocks),
        "pandas-ta": (pandas_ta, min(PART, stocks)),
    }[way]
    whole = panel(stocks, sessions)
    bars = {name: np.ascontiguousarray(x[:, :part]) for name, x in whole.items()}
    del whole
    if way == "TA-Lib by stock":
        bars = {name: np.ascontiguousarray(x.T) for name, x in bars.items()}
    if way == "Polars .over":
        bars = long_frame(bars)
    if way == "pandas-ta":
        import pandas as pd

        series = range(part)
        bars = [pd.DataFrame({name: x[:, s] for name, x in bars.items()}) for s in series]
    workarounds.keep_freed_memory()
    _warm(make, bars)
    before, best = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, np.inf
    made = None
    for turn in range(ROUNDS):
        del made  # its memory serves the next round: a virtual machine's first pages are dear
        start = time.process_time()
        made = make(bars)
        best = min(best, time.process_time() - start)
        if not turn:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return best * stocks / part, peak / 1e6, _part(way, made)


def _warm(make, bars):
    """Let imports and compiled kernels load before the clock runs."""
    if make is pandas_ta:
        make(bars[:1])
    elif make is polars_over:
        make(bars.head(2000))
    elif make is talib_by_stock:
        make({name: x[:1] for name, x in bars.items()})
    else:
        make({name: x[:, :1] for name, x in bars.items()})


def _part(way, made):
    if way == "pandas-ta":
        return {name: np.stack([x[name] for x in made], axis=1) for name in NAMES}
    if way in ("gogooku", "TA-Lib"):
        return {name: made[name][:, :PART].copy() for name in NAMES}
    return {}


def differences(ours, theirs, settled=SETTLED):
    """Give each column's differences over its own deviation, where both are known."""
    found = {}
    for name in NAMES:
        both = np.isfinite(ours[name]) & np.isfinite(theirs[name])
        both[:settled] = False
        apart = np.abs(ours[name][both].astype(float) - theirs[name][both])
        found[name] = apart / ours[name][both].std()
    return found


def told(apart, of):
    """Print how many columns are near and, of the others, how far and on how many rows they are."""
    far = {name: x for name, x in apart.items() if x.max() > NEAR}
    print(f"{len(apart) - len(far)} of {len(apart)} columns within {NEAR:g} sd of {of}; others:")
    for name, x in far.items():
        print(f"    {name}: {x.max():.1e} sd, {(x > NEAR).sum()} of {len(x)} rows")


def main(stocks=4000, sessions=1250):
    """Print CPU-seconds, ratios and memory of each way."""
    spawn = multiprocessing.get_context("spawn")
    print(f"{len(NAMES)} columns, {stocks} stocks, {sessions} sessions")
    seconds, peaks, columns = {way: [] for way in WAYS}, {}, {}
    for way in tqdm(WAYS * TURNS, unit="process", leave=False):
        with spawn.Pool(1) as pool:
            cpu, peaks[way], columns[way] = pool.apply(measured, (way, stocks, sessions))
        seconds[way].append(cpu)
    print(f"{'':<18}{'CPU s':>8}{'ratio':>8}{'least':>8}{'peak GB':>9}")
    for way, turns in seconds.items():
        ratios = np.divide(turns, seconds["gogooku"])
        cpu, ratio, least = np.median(turns), np.median(ratios), ratios.min()
        print(f"{way:<18}{cpu:>8.2f}{ratio:>8.1f}{least:>8.1f}{peaks[way]:>9.2f}")
    for way in ("TA-Lib", "pandas-ta"):
        told(differences(columns["gogooku"], columns[way]), way)
    ties = panel(PART, sessions, TICK)
    warnings.filterwarnings("ignore")  # of days without a range, in TA-Lib's part
    told(differences(gogooku(ties), talib_panel(ties), 0), "TA-Lib on whole ticks from the start")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
