"""The stock against the market: betas, what the market does not explain, relative strength.

r1 is the stock's and m1 the index's return over one session, r5 and m5 over five (see market). A
beta that explains a return was known before the return began: it is the one of the session before.
"""

import numpy as np

from gogooku.arrays import indicators as ind
from gogooku.arrays import time_series
from gogooku.arrays.time_series import delay, enough, settled
from gogooku.features import market
from gogooku.features.column import Column, Values
from gogooku.features.inputs import Inputs

WINDOW, FEWEST = 60, 40  # of betas [sessions, pairs of returns]
REACH = 2 * WINDOW  # sessions that windows look back; averages look back farther


def _stock(
    name: str, unit: str, definition: str, look_back: int, min_obs: int = FEWEST + 1
) -> Column:
    source = "as defined here"
    return Column(name, "stock", unit, definition, look_back, min_obs, source, inputs=market.INPUTS)


COLUMNS = [
    _stock("beta_60d", "1", "slope of r1 on m1 of the same sessions", WINDOW),
    _stock("beta_lagged_60d", "1", "slope of r1 on m1 of the session before", WINDOW + 1,
           FEWEST + 2),
    _stock("alpha_1d", "share", "r1 − beta_60d of t−1 × m1", WINDOW + 1, FEWEST + 2),
    _stock("alpha_5d", "share", "r5 − beta_60d of t−5 × m5", WINDOW + 5, FEWEST + 6),
    _stock("rel_strength_5d", "share", "r5 − m5", 5, 6),
    Column("trend_align_mkt", "flag", "0 or 1",
           "EMA_5 stands on the same side of EMA_20 for stock and index", settled(20), 20,
           "as defined here", inputs=market.INPUTS),
    _stock("alpha_vs_regime", "share", "alpha_1d × mkt_bull_200", settled(200), 200),
    _stock("idio_vol_ratio", "share", "√(1 − ρ²), ρ the correlation of 60 r1 and m1", WINDOW),
    _stock("beta_stability_60d", "1", "1 / (1 + sd of 60 values of beta_60d)", 2 * WINDOW,
           FEWEST + enough(WINDOW)),
]  # fmt: skip


def compute(inputs: Inputs) -> Values:
    """Compute the family, name → (T − start, N) float32; NaN where unknown.

    topix   one row a Date: H, L, C [points], those known by then; may be empty
    """
    panel, start = inputs.panel, inputs.start
    indexed = market.indexed(panel, inputs.rows("topix"))
    first = max(start - REACH, 0)
    recent = {name: values[first:, None] for name, values in indexed.items()}
    bars = {"history": panel["close"], "close": panel["close"][first:]}
    last = len(panel.dates) - start
    return time_series.by_blocks(lambda block: _against(block, recent), bars, last=last)


def _against(block: Values, indexed: Values) -> Values:
    one, five, trend, bull = (
        indexed[f"mkt_{name}"] for name in ("ret_1d", "ret_5d", "gap_5_20", "bull_200")
    )
    close, gap = block["close"], ind.ema_gap(block["history"], 5, 20)[-len(trend) :]
    daily, weekly = ind.returns(close, 1), ind.returns(close, 5)
    beta = time_series.ts_beta(daily, one, WINDOW, FEWEST)
    alpha = daily - delay(beta, 1) * one
    correlation = time_series.ts_corr(daily, one, WINDOW, FEWEST)
    wandering = time_series.ts_std(beta, WINDOW, enough(WINDOW), ddof=1)
    aligned = np.sign(gap) - np.sign(trend)
    return {
        "beta_60d": beta,
        "beta_lagged_60d": time_series.ts_beta(daily, delay(one, 1), WINDOW, FEWEST),
        "alpha_1d": alpha,
        "alpha_5d": weekly - delay(beta, 5) * five,
        "rel_strength_5d": weekly - five,
        "trend_align_mkt": time_series.where_known(aligned, aligned == 0),
        "alpha_vs_regime": alpha * bull,
        "idio_vol_ratio": np.sqrt(1 - np.minimum(correlation**2, 1)),
        "beta_stability_60d": 1 / (1 + wandering),
    }
