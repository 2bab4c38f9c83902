"""Price and volume of the stock itself, and the exchange's calendar.

Prices and volumes are adjusted; C is the close, r1 = C_t / C_t−1 − 1, t−1 the session before.
Volatilities are annualised with 245 sessions. EMA_n weighs by 2/(n + 1), Wilder's average by 1/n;
both start as a simple mean of n observations. Unless said otherwise a window of n sessions needs
two thirds of n observations, and z-scores use the population deviation (ddof 0).
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from gogooku import indicators as ind
from gogooku import ops
from gogooku.calendar import Sessions
from gogooku.features.column import Column
from gogooku.ops import Array, delay, enough, ratio
from gogooku.panel import Panel

Bars = dict[str, np.ndarray]

INPUTS = ("open", "high", "low", "close", "volume", "value")
HORIZONS = (1, 2, 3, 5, 10, 20, 60, 120)
LONGEST_RUN = 60
LONGEST_LISTING = 800  # sessions; the loaded window surely holds as many
TA_LIB = "TA-Lib 0.6"
USUAL = "common usage"

_stock = partial(Column, kind="stock")
_flag = partial(Column, kind="flag")


def _window(name: str, unit: str, definition: str, window: int, source: str = USUAL) -> Column:
    return _stock(name, unit=unit, definition=definition, look_back=window,
                  min_obs=enough(window), source=source)  # fmt: skip
