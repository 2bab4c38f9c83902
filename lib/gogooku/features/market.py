"""The market as a whole, from TOPIX: the same value for every stock of a day.

Until TOPIX is first known, the equal-weighted mean return of the day's universe, cumulated, stands
in for its close, high and low, here and in `relative`. C is the index's close, r1 its one-session
return; averages, windows and deviations are those of the technical family. A session on which no
stock traded (the outage of 2020-10-01, when the vendor repeats the index of the day before) has no
index.
"""

import logging

import numpy as np
import polars as pl

from gogooku import point_in_time
from gogooku.arrays import cross_section, time_series
from gogooku.arrays import indicators as ind
from gogooku.arrays.time_series import Array, delay, enough, enough_changes, ratio, settled
from gogooku.arrays.windows import Rolling
from gogooku.features.column import Column, Kind, Values
from gogooku.features.inputs import Inputs
from gogooku.panel.panel import Panel

log = logging.getLogger(__name__)

RETURNS = (1, 5, 10, 20)
EMAS = (5, 20, 60, 200)
SCORED = ("ret_1d", "vol_20d", "bb_bw", "dd_from_peak")
YEAR = 245  # sessions
BAND_YEAR = enough(20) + enough(YEAR) - 1  # bars until a z-score of bands
VOL_YEAR = BAND_YEAR + 1
FLAG = "0/1"  # the unit of flags
INPUTS = ("close", "universe", "topix")  # by `index`, whose stand-in takes the first two


def _market(name: str, unit: str, definition: str, look_back: int, min_obs: int = 0) -> Column:
    kind: Kind = "flag" if unit == FLAG else "market"
    fewest = min_obs or enough(look_back)
    return Column(f"mkt_{name}", kind, unit, definition, look_back, fewest, "TOPIX", inputs=INPUTS)


COLUMNS = [
    *(_market(f"ret_{h}d", "share", f"C_t / C_t−{h} − 1", h, h + 1) for h in RETURNS),
    *(_market(f"dev_{n}", "share", f"C / EMA_{n} − 1", settled(n), n) for n in EMAS),
    _market("gap_5_20", "share", "EMA_5 / EMA_20 − 1", settled(20), 20),
    _market("ema20_slope_3", "share", "EMA_20 / EMA_20 of t−3 − 1", settled(20) + 3, 23),
    _market("vol_20d", "per √year", "sd of 20 daily log returns × √245", 20, enough_changes(20)),
    _market("natr_14", "share", "ATR of 14 / C", settled(27) + 1, 15),
    _market("atr_ratio_5_20", "ratio", "ATR of 5 / ATR of 20", settled(39) + 1, 21),
    _market("bb_pct_b", "share", "place between mean ∓ 2 sd of 20 closes", 20),
    _market("bb_bw", "share", "4 sd / mean of 20 closes", 20),
    _market("dd_from_peak", "share", f"C / highest C of {YEAR} sessions − 1", YEAR),
    _market("big_move_flag", FLAG, "abs(r1) ≥ 2 sd of the 60 r1 before the day", 61,
            enough_changes(60) + 1),
    _market("ret_1d_z", "sd", f"mkt_ret_1d as a z-score of {YEAR} sessions", YEAR + 1,
            enough_changes(YEAR)),
    _market("vol_20d_z", "sd", f"mkt_vol_20d likewise, {YEAR}", YEAR + 20, VOL_YEAR),
    _market("bb_bw_z", "sd", f"mkt_bb_bw likewise, {YEAR}", YEAR + 20, BAND_YEAR),
    _market("dd_from_peak_z", "sd", f"mkt_dd_from_peak likewise, {YEAR}", 2 * YEAR,
            2 * enough(YEAR) - 1),
    _market("bull_200", FLAG, "C > EMA_200", settled(200), 200),
    _market("trend_up", FLAG, "EMA_5 > EMA_20", settled(20), 20),
    _market("high_vol", FLAG, "mkt_vol_20d_z > 1", YEAR + 20, VOL_YEAR),
    _market("squeeze", FLAG, "mkt_bb_bw_z < −1", YEAR + 20, BAND_YEAR),
    Column("mkt_breadth_up", "market", "share", "stocks with r1 > 0 over those with r1, universe",
           1, 2, "bars", inputs=("close", "universe")),
    Column("mkt_dispersion", "market", "share", "sd of r1 across the universe, divisor n", 1, 2,
           "bars", inputs=("close", "universe")),
]  # fmt: skip


def compute(inputs: Inputs) -> Values:
    """Compute the family, name → (T − start,) float32; NaN where unknown.

    topix   one row a Date: H, L, C [points], those known by then; may be empty
    """
    panel, start, topix = inputs.panel, inputs.start, inputs.rows("topix")
    columns = {name: values[start:] for name, values in indexed(panel, topix).items()}
    first = max(start - 1, 0)
    recent = panel.since(first)
    gains, universe = recent.returns[start - first :], recent["universe"][start - first :]
    rises = time_series.where_known(gains, gains > 0)
    columns["mkt_breadth_up"] = cross_section.cs_mean(rises, universe)
    columns["mkt_dispersion"] = cross_section.cs_std(gains, universe)
    return {name: time_series.known(values, np.float32) for name, values in columns.items()}


def indexed(panel: Panel, topix: pl.DataFrame) -> Values:
    """Give the columns that need the index alone, name → (T,) float64."""
    high, low, close = (bar[:, None] for bar in index(panel, topix))
    columns = {f"ret_{h}d": ind.returns(close, h) for h in RETURNS}
    columns |= {f"dev_{n}": ratio(close, time_series.ts_ema(close, n)) - 1 for n in EMAS}
    columns |= _state(high, low, close)
    columns |= {
        f"{name}_z": time_series.ts_zscore(columns[name], YEAR, enough(YEAR)) for name in SCORED
    }
    columns |= _regimes(columns)
    return {f"mkt_{name}": values[:, 0] for name, values in columns.items()}


def _state(high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Values:
    within, width = ind.bollinger(
        Rolling(close, means=(20,), variances=(20,), zscores=(20,), ddof=0), 20, 2
    )
    steps = Rolling(ind.log_returns(close, 1), variances=(20,))
    slow_range = ind.atr(high, low, close, 20)
    return {
        "gap_5_20": ind.ema_gap(close, 5, 20),
        "ema20_slope_3": ind.returns(time_series.ts_ema(close, 20), 3),
        "vol_20d": ind.volatility(steps, 20),
        "natr_14": ratio(ind.atr(high, low, close, 14), close),
        "atr_ratio_5_20": ratio(ind.atr(high, low, close, 5), slow_range),
        "bb_pct_b": within,
        "bb_bw": width,
        "dd_from_peak": ratio(close, time_series.ts_max(close, YEAR, enough(YEAR))) - 1,
    }


def _regimes(columns: Values) -> Values:
    usual = delay(time_series.ts_std(columns["ret_1d"], 60, enough(60), ddof=1), 1)
    beyond = np.abs(columns["ret_1d"]) - 2 * usual
    above = {
        "bull_200": columns["dev_200"],
        "trend_up": columns["gap_5_20"],
        "high_vol": columns["vol_20d_z"] - 1,
        "squeeze": -1 - columns["bb_bw_z"],
    }
    flags = {name: time_series.where_known(x, x > 0) for name, x in above.items()}
    return flags | {"big_move_flag": time_series.where_known(beyond, beyond >= 0)}


def index(panel: Panel, topix: pl.DataFrame) -> tuple[Array, Array, Array]:
    """Give the index's high, low and close on the panel's dates, (T,); NaN on a day without it.

    Before the first day with TOPIX the universe's mean return stands in, and TOPIX goes on at its
    level: no later row of TOPIX changes an earlier day.

    Raises UserError if `topix` holds rows of one date that differ.
    """
    bars = _topix(panel, topix)
    has_index = np.isfinite(bars[-1])
    first = int(np.argmax(has_index)) if has_index.any() else len(has_index)
    if first == 0:
        return bars
    level = _equal_weighted(panel)
    stands_in = np.flatnonzero(np.isfinite(level[:first]))
    if has_index.any() and not len(stands_in):
        return bars
    log.warning("no TOPIX is known: the universe's mean return stands in for the market")
    if not has_index.any():
        return level, level, level
    joined = np.where(np.isfinite(level[first]), level[first], level[stands_in[-1]])
    early = np.arange(len(level)) < first
    high, low, close = (np.where(early, level, bar * (joined / bars[-1][first])) for bar in bars)
    return high, low, close


def _topix(panel: Panel, topix: pl.DataFrame) -> tuple[Array, Array, Array]:
    traded = np.isfinite(panel["close"]).any(axis=1)
    days = pl.DataFrame({"Date": panel.dates})
    bars = point_in_time.distinct(topix.select("Date", *"HLC"), ["Date"], "topix")
    rows = days.join(bars, on="Date", how="left", maintain_order="left", validate="1:1")
    high, low, close = (time_series.where(traded, rows[bar].to_numpy()) for bar in "HLC")
    return high, low, close


def _equal_weighted(panel: Panel) -> Array:
    """Cumulate the mean return of each day's universe; NaN on a day on which none of it traded."""
    universe = panel["universe"]
    level = np.cumprod(1 + np.nan_to_num(cross_section.cs_mean(panel.returns, universe)))
    return time_series.where((universe & np.isfinite(panel["close"])).any(axis=1), level)
