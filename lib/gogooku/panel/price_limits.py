"""The exchange's price rules: how far a price may move in one session, and by which step."""

from typing import Literal

import numpy as np
import numpy.typing as npt

Prices = npt.NDArray[np.float64]

_LIMITS = np.array([
    (100, 30), (200, 50), (500, 80), (700, 100), (1e3, 150), (1.5e3, 300), (2e3, 400),
    (3e3, 500), (5e3, 700), (7e3, 1e3), (1e4, 1.5e3), (1.5e4, 3e3), (2e4, 4e3), (3e4, 5e3),
    (5e4, 7e3), (7e4, 1e4), (1e5, 1.5e4), (1.5e5, 3e4), (2e5, 4e4), (3e5, 5e4), (5e5, 7e4),
    (7e5, 1e5), (1e6, 1.5e5), (1.5e6, 3e5), (2e6, 4e5), (3e6, 5e5), (5e6, 7e5), (7e6, 1e6),
    (1e7, 1.5e6), (1.5e7, 3e6), (2e7, 4e6), (3e7, 5e6), (5e7, 7e6), (np.inf, 1e7),
])  # fmt: skip
_TICKS = np.array([
    (1e3, 0.1), (3e3, 0.5), (1e4, 1), (3e4, 5), (1e5, 10), (3e5, 50), (1e6, 100), (3e6, 500),
    (1e7, 1e3), (3e7, 5e3), (np.inf, 1e4),
])  # fmt: skip


def daily_limit(base_price: npt.ArrayLike) -> Prices:
    """How far a price may move from `base_price` in one session, up or down [JPY].

    base_price  previous close, or the last quote, on the day's own share basis [JPY]; NaN gives NaN

    Source: Tokyo Stock Exchange, "Daily Price Limits" (domestic stocks), the table in force since
    2010-01-04. A base below the bound of a row takes its limit; the exchange widens a limit after
    days without a trade, which is not part of the table.
    """
    return _look_up(_LIMITS, base_price, side="right")


def tick_size(price: npt.ArrayLike) -> Prices:
    """Step between two neighbouring prices of a large stock at `price` [JPY].

    Source: Tokyo Stock Exchange, "Tick Size", the column of the TOPIX 100 constituents.
    """
    return _look_up(_TICKS, price, side="left")


def _look_up(table: Prices, price: npt.ArrayLike, side: Literal["left", "right"]) -> Prices:
    price = np.asarray(price, np.float64)
    row = np.searchsorted(table[:-1, 0], price, side=side)
    return np.where(np.isnan(price), np.nan, table[row, 1])
