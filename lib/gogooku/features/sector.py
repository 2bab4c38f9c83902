"""The stock among its sector: TSE's 33 sectors as listed on the day.

The peers of a stock are the universe members of the day in its sector. What the sector did is the
median of the *other* peers, so a stock is never measured against itself; where a series of past
sessions is used, each session counts with the sector and the members that it had.
"""

import numpy as np

from gogooku.arrays import cross_section, time_series
from gogooku.arrays import indicators as ind
from gogooku.arrays.time_series import delay, enough, enough_changes, ratio, settled
from gogooku.arrays.windows import Rolling
from gogooku.features.column import Column, Values
from gogooku.features.inputs import Inputs

LONGER = (5, 20)  # sessions
HORIZONS = (1, *LONGER)
WINDOW, FEWEST = 60, 40  # of the beta [sessions, pairs of returns]
SMALL = 5  # members
SCORED = 3  # members that a within-sector score needs
YEAR = 245  # sessions

MASTER = "J-Quants master S33"
PEERS = ("s33", "universe")


def _stock(
    name: str, unit: str, definition: str, look_back: int, min_obs: int, field: str = "close"
) -> Column:
    inputs = (field, *PEERS)
    return Column(name, "stock", unit, definition, look_back, min_obs, MASTER, inputs=inputs)


WITHIN = {
    "returns_1d": ("close", 1, 2),
    "returns_5d": ("close", 5, 6),
    "volume_ratio_20": ("volume", 20, 14),
    "volatility_20d": ("close", 20, enough_changes(20)),
    "rsi_14": ("close", settled(27) + 1, 15),
    "ma_gap_5_20": ("close", settled(20), 20),
}  # column → field, look-back, fewest observations

COLUMNS = [
    *(_stock(f"sec_ret_{h}d", "share", f"median returns_{h}d of the other peers", h, h + 1)
      for h in HORIZONS),
    _stock("sec_mom_20", "share", "sec_ret_1d compounded over 20 sessions", 20,
           enough_changes(20)),
    _stock("sec_gap_5_20", "share", "EMA_5 / EMA_20 − 1 of the level that sec_ret_1d makes",
           settled(20), 21),
    _stock("sec_vol_20", "per √year", "sd of 20 sec_ret_1d × √245", 20, enough_changes(20)),
    _stock("sec_vol_20_z", "sd", f"sec_vol_20 as a z-score of {YEAR} sessions", YEAR + 20,
           enough(20) + enough(YEAR)),
    Column("sec_member_cnt", "stock", "stocks",
           "universe members of the sector, the stock among them", 0, 1, MASTER, validates=False,
           inputs=PEERS),
    Column("sec_small_flag", "flag", "0 or 1", f"sec_member_cnt < {SMALL}", 0, 1, MASTER,
           inputs=PEERS),
    *(_stock(f"rel_to_sec_{h}d", "share", f"returns_{h}d − sec_ret_{h}d", h, h + 1)
      for h in HORIZONS),
    _stock("beta_to_sec_60", "1", "slope of returns_1d on sec_ret_1d", WINDOW, FEWEST + 1),
    _stock("alpha_vs_sec_1d", "share", "returns_1d − beta_to_sec_60 of t−1 × sec_ret_1d",
           WINDOW + 1, FEWEST + 2),
    *(_stock(f"{name}_in_sec_z", "sd", f"{name} as a z-score among the peers, itself one of them",
             back, fewest, field) for name, (field, back, fewest) in WITHIN.items()),
    _stock("ret_1d_rank_in_sec", "0–1", "share of peers with a lower returns_1d, ties half", 1, 2),
]  # fmt: skip


def compute(inputs: Inputs) -> Values:
    """Compute the family, name → (T − start, N) float32; NaN where unknown."""
    panel, start = inputs.panel, inputs.start
    last = len(panel.dates) - start
    bars = {name: panel[name] for name in ("close", "volume")}
    own = time_series.by_blocks(_own, bars, np.float64, last)
    # What the sectors did from one session to the next has series of its own: it goes farther back.
    daily = ind.returns(panel["close"], 1)
    medians = cross_section.group_median_of_others(daily, panel["s33"], panel["universe"])
    columns = time_series.by_blocks(_series, {"daily": daily, "sector": medians}, np.float64, last)
    peers = panel["s33"][start:], panel["universe"][start:]
    own["returns_1d"], columns["sec_ret_1d"] = daily[start:], medians[start:]
    for h in LONGER:
        moves = own[f"returns_{h}d"]
        columns[f"sec_ret_{h}d"] = cross_section.group_median_of_others(moves, *peers)
    for h in HORIZONS:
        columns[f"rel_to_sec_{h}d"] = own[f"returns_{h}d"] - columns[f"sec_ret_{h}d"]
    columns["sec_member_cnt"] = count = cross_section.group_count(*peers)
    columns["sec_small_flag"] = time_series.where_known(count, count < SMALL)
    for name in WITHIN:
        columns[f"{name}_in_sec_z"] = cross_section.group_zscore(own[name], *peers, SCORED)
    columns["ret_1d_rank_in_sec"] = cross_section.group_rank(own["returns_1d"], *peers, SCORED)
    return {name: time_series.known(values, np.float32) for name, values in columns.items()}


def _own(bars: Values) -> Values:
    close, volume = bars["close"], bars["volume"]
    steps = Rolling(ind.log_returns(close, 1), variances=(20,))
    return {f"returns_{h}d": ind.returns(close, h) for h in LONGER} | {
        "volume_ratio_20": ratio(volume, ind.mean(volume, 20)),
        "volatility_20d": ind.volatility(steps, 20),
        "rsi_14": ind.rsi(close, 14),
        "ma_gap_5_20": ind.ema_gap(close, 5, 20),
    }


def _series(returns: Values) -> Values:
    daily, sector = returns["daily"], returns["sector"]
    level = time_series.where_known(sector, np.cumprod(1 + np.nan_to_num(sector), axis=0))
    growth = time_series.ts_sum(np.log1p(sector), 20, enough(20))
    spread = ind.annual(time_series.ts_std(sector, 20, enough(20), ddof=1))
    beta = time_series.ts_beta(daily, sector, WINDOW, FEWEST)
    return {
        "sec_mom_20": np.expm1(growth),
        "sec_gap_5_20": ind.ema_gap(level, 5, 20),
        "sec_vol_20": spread,
        "sec_vol_20_z": time_series.ts_zscore(spread, YEAR, enough(YEAR)),
        "beta_to_sec_60": beta,
        "alpha_vs_sec_1d": daily - delay(beta, 1) * sector,
    }
