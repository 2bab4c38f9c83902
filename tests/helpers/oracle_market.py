"""The columns of market, relative and sector written anew: pandas, scipy and TA-Lib."""

import numpy as np
import pandas as pd
import talib
from scipy import stats

from helpers.oracle_technical import YEAR, over, returns, zscore


def market(high, low, close, stocks, universe):
    """Columns of the market: the index's bars (T,) without holes, closes and members (T, N)."""
    ema = {n: talib.EMA(close, n) for n in (5, 20, 60, 200)}
    daily = returns(close)
    spread = over(np.log(close / close.shift()), 20).std(ddof=1) * YEAR
    mean, deviation = over(close, 20).mean(), over(close, 20).std(ddof=0)
    width = 4 * deviation / mean
    fallen = close / over(close, 245).max() - 1
    usual = over(daily, 60).std(ddof=1).shift()
    gains = returns(stocks).where(universe)
    return {
        "mkt_ret_1d": daily,
        "mkt_ret_5d": returns(close, 5),
        "mkt_ret_10d": returns(close, 10),
        "mkt_ret_20d": returns(close, 20),
        "mkt_dev_5": close / ema[5] - 1,
        "mkt_dev_20": close / ema[20] - 1,
        "mkt_dev_60": close / ema[60] - 1,
        "mkt_dev_200": close / ema[200] - 1,
        "mkt_gap_5_20": (ema[5] - ema[20]) / ema[20],
        "mkt_ema20_slope_3": returns(ema[20], 3),
        "mkt_vol_20d": spread,
        "mkt_natr_14": talib.NATR(high, low, close, 14) / 100,
        "mkt_atr_ratio_5_20": talib.ATR(high, low, close, 5) / talib.ATR(high, low, close, 20),
        "mkt_bb_pct_b": (close - (mean - 2 * deviation)) / (4 * deviation),
        "mkt_bb_bw": width,
        "mkt_dd_from_peak": fallen,
        "mkt_big_move_flag": flag(daily.abs() >= 2 * usual, usual),
        "mkt_ret_1d_z": zscore(daily, 245),
        "mkt_vol_20d_z": zscore(spread, 245),
        "mkt_bb_bw_z": zscore(width, 245),
        "mkt_dd_from_peak_z": zscore(fallen, 245),
        "mkt_bull_200": flag(close > ema[200], ema[200]),
        "mkt_trend_up": flag(ema[5] > ema[20], ema[20]),
        "mkt_high_vol": flag(zscore(spread, 245) > 1, zscore(spread, 245)),
        "mkt_squeeze": flag(zscore(width, 245) < -1, zscore(width, 245)),
        "mkt_breadth_up": (gains > 0).sum(axis=1) / gains.notna().sum(axis=1),
        "mkt_dispersion": gains.std(axis=1, ddof=0),
    }


def flag(holds, known):
    return holds.astype(float).where(known.notna())


def fitted(y, x, window=60, least=40):
    """Slope and correlation of each window's pairs, by scipy."""
    pairs = np.array([x, y])
    made = np.full((2, len(y)), np.nan)
    for t in range(len(y)):
        seen = pairs[:, max(0, t + 1 - window) : t + 1]
        seen = seen[:, np.isfinite(seen).all(axis=0)]
        if seen.shape[1] >= least:
            found = stats.linregress(*seen)
            made[:, t] = found.slope, found.rvalue
    return [pd.Series(values, y.index) for values in made]


def relative(close, index):
    """Columns of one stock against the index; closes (T,), the index's without holes."""
    r1, r5, m1, m5 = returns(close), returns(close, 5), returns(index), returns(index, 5)
    beta, rho = fitted(r1, m1)
    alpha = r1 - beta.shift(1) * m1
    own, its = (talib.EMA(x, 5) - talib.EMA(x, 20) for x in (close, index))
    average = talib.EMA(index, 200)
    return {
        "beta_60d": beta,
        "beta_lagged_60d": fitted(r1, m1.shift())[0],
        "alpha_1d": alpha,
        "alpha_5d": r5 - beta.shift(5) * m5,
        "rel_strength_5d": r5 - m5,
        "trend_align_mkt": flag((own > 0) == (its > 0), own + its),
        "alpha_vs_regime": alpha * flag(index > average, average),
        "idio_vol_ratio": np.sqrt(1 - rho**2),
        "beta_stability_60d": 1 / (1 + over(beta, 60).std(ddof=1)),
    }


def sector(close, volume, sectors, universe):
    """Columns of all stocks among their sectors; frames (T, N), closes and volumes without holes.

    Every stock has a sector throughout.
    """
    moves = {h: returns(close, h) for h in (1, 5, 20)}
    medians = {h: among(move, sectors, universe, median_of_others) for h, move in moves.items()}
    others = medians[1]
    spread = over(others, 20).std(ddof=1) * YEAR
    beta = pd.DataFrame({s: fitted(moves[1][s], others[s])[0] for s in close})
    count = among(universe * 1.0, sectors, universe, lambda values, peers, own: peers.sum())
    ema = {n: close.apply(talib.EMA, args=(n,)) for n in (5, 20)}
    volatility = over(np.log(close / close.shift()), 20).std(ddof=1) * YEAR
    strength = close.apply(talib.RSI, args=(14,))
    scored = {
        "returns_1d_in_sec_z": moves[1],
        "returns_5d_in_sec_z": moves[5],
        "volume_ratio_20_in_sec_z": volume / over(volume, 20).mean(),
        "volatility_20d_in_sec_z": volatility,
        "rsi_14_in_sec_z": strength,
        "ma_gap_5_20_in_sec_z": (ema[5] - ema[20]) / ema[20],
    }
    return {
        "sec_ret_1d": others,
        "sec_ret_5d": medians[5],
        "sec_ret_20d": medians[20],
        "sec_mom_20": np.exp(over(np.log(1 + others), 20).sum()) - 1,
        "sec_gap_5_20": others.apply(gap_of_level),
        "sec_vol_20": spread,
        "sec_vol_20_z": zscore(spread, 245),
        "sec_member_cnt": count,
        "sec_small_flag": (count < 5).astype(float),
        "rel_to_sec_1d": moves[1] - others,
        "rel_to_sec_5d": moves[5] - medians[5],
        "rel_to_sec_20d": moves[20] - medians[20],
        "beta_to_sec_60": beta,
        "alpha_vs_sec_1d": moves[1] - beta.shift() * others,
        "ret_1d_rank_in_sec": among(moves[1], sectors, universe, rank),
        **{name: among(x, sectors, universe, score) for name, x in scored.items()},
    }


def gap_of_level(steps):
    """EMA_5 over EMA_20 of the level that a series of returns makes; both hold over its holes."""
    level = (1 + steps.dropna()).cumprod()
    if level.empty:
        return steps
    return (talib.EMA(level, 5) / talib.EMA(level, 20) - 1).reindex(steps.index).ffill()


def among(x, sectors, universe, of):
    """`of` each day's values, the place of the members of a stock's sector, and its own place."""
    made = np.full(x.shape, np.nan)
    values, sector, member = x.to_numpy(), sectors.to_numpy(), universe.to_numpy()
    for t, s in np.ndindex(*x.shape):
        peers = member[t] & (sector[t] == sector[t, s]) & np.isfinite(values[t])
        made[t, s] = of(values[t], peers, s)
    return pd.DataFrame(made, x.index, x.columns)


def median_of_others(values, peers, own):
    others = peers & (np.arange(len(peers)) != own)
    return np.median(values[others]) if others.any() else np.nan


def score(values, peers, own):
    known = values[peers]
    return (values[own] - known.mean()) / known.std() if len(known) >= 3 else np.nan


def rank(values, peers, own):
    """Share of peers with a lower value, ties half."""
    if peers.sum() < 3 or np.isnan(values[own]):
        return np.nan
    return ((values[peers] < values[own]) + (values[peers] == values[own]) / 2).sum() / peers.sum()
