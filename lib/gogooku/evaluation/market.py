"""What a decision meets when it is carried out: the price, who trades, and what stocks are like.

Row t of every table is about the session at which the decision of day t is carried out (`entry` of
the labels); what describes a stock there (`value`, `volatility`) was known on day t itself.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gogooku.arrays.agreement import Table
from gogooku.calendar import ENTRY_LAG, ENTRY_PRICE, Entry
from gogooku.panel.panel import Panel
from gogooku.panel.price_limits import daily_limit

Flags = NDArray[np.bool_]

LOCKED = 0.99
"""Share of the daily limit that counts as the limit: the exchange rounds to ticks."""
VALUE_SESSIONS, RETURN_SESSIONS, FEWEST_RETURNS = 20, 60, 20


@dataclass(frozen=True)
class Market:
    """T decisions × N codes.

    price       last price of a trade at the entry's time of day, adjusted to one basis [JPY]; of a
                stock that is gone, that and the delisting return; NaN before a first price and
                after the panel's last session
    buyable     whether it traded there, and not at its upper daily limit
    sellable    whether it traded there, and not at its lower daily limit
    gone        whether it was delisted: its holders have been paid
    value       mean traded value of the 20 sessions up to the decision's day [JPY a session]
    volatility  sd of the returns of the 60 sessions up to it [share a session]; NaN under 20
    """

    price: Table
    buyable: Flags
    sellable: Flags
    gone: Flags
    value: Table
    volatility: Table

    @classmethod
    def of(
        cls, panel: Panel, days: np.ndarray, codes: np.ndarray, entry: Entry, delisting: float
    ) -> "Market":
        """Take the rows of some sessions, (T,), and codes, (N,), out of a panel that has them all.

        delisting   return from the last price of a stock that leaves the lists [share]

        The panel says who is at a limit by the table of the exchange and the last close before:
        nothing that is known later than the price of entry. Decisions that would be carried out
        after its last session meet nobody.
        """
        rows = np.searchsorted(panel.dates, days)
        slots = np.searchsorted(panel.codes, codes)
        at = rows + ENTRY_LAG[entry]
        inside, at = at < len(panel.dates), np.minimum(at, len(panel.dates) - 1)
        price = panel[ENTRY_PRICE[entry]][:, slots]
        traded = np.isfinite(price)[at] & inside[:, None]
        up, down = _at_limits(panel, price, at, slots)
        left = at[:, None] > _last_listed(panel["listed"][:, slots])
        last = _carried(price)[at]
        last = np.where(left, last * (1 + delisting), last)
        return cls(
            price=np.where(inside[:, None], last, np.nan),
            buyable=traded & ~up,
            sellable=traded & ~down,
            gone=left,
            value=_mean(panel["value"][:, slots], VALUE_SESSIONS)[rows],
            volatility=_deviation(panel.returns[:, slots], RETURN_SESSIONS)[rows],
        )

    @cached_property
    def returns(self) -> Table:
        """Return from each row to the next, (T, N); NaN in the last row, and before a price."""
        gains = np.full(self.price.shape, np.nan)
        gains[:-1] = self.price[1:] / self.price[:-1] - 1
        return gains

    @cached_property
    def usual_volatility(self) -> float:
        """Median of all volatilities, for a stock that has none."""
        known = self.volatility[np.isfinite(self.volatility)]
        return float(np.median(known)) if len(known) else 0.0


def _at_limits(
    panel: Panel, price: Table, at: np.ndarray, slots: np.ndarray
) -> tuple[Flags, Flags]:
    """Say which prices lie at their upper and at their lower daily limit, (T, N) each."""
    close, factor = _carried(panel["close"][:, slots]), panel["cumulated_factor"][:, slots][at]
    base = np.where((at > 0)[:, None], close[np.maximum(at - 1, 0)], np.nan) * factor
    move, limit = price[at] * factor - base, LOCKED * daily_limit(base)
    return move >= limit, move <= -limit


def _last_listed(listed: Flags) -> np.ndarray:
    """Give each stock's last row on the lists, (N,); the end for one that is still there."""
    rows = len(listed)
    last = rows - 1 - np.argmax(listed[::-1], axis=0)
    return np.where(last == rows - 1, rows, last)


def _carried(table: Table) -> Table:
    """Carry each stock's last finite value on."""
    row = np.where(np.isfinite(table), np.arange(len(table))[:, None], 0)
    return np.take_along_axis(table, np.maximum.accumulate(row, axis=0), axis=0)


def _mean(table: Table, window: int) -> Table:
    """Mean of each stock's last `window` rows; a row without a value counts as 0."""
    total = _summed(np.nan_to_num(table), window)
    return total / np.minimum(np.arange(1, len(table) + 1), window)[:, None]


def _deviation(table: Table, window: int) -> Table:
    known = np.isfinite(table)
    count, filled = _summed(known.astype(float), window), np.where(known, table, 0.0)
    mean = _summed(filled, window) / np.maximum(count, 1)
    variance = np.maximum(_summed(filled**2, window) / np.maximum(count, 1) - mean**2, 0)
    return np.where(count >= FEWEST_RETURNS, np.sqrt(variance), np.nan)


def _summed(table: Table, window: int) -> Table:
    total = np.cumsum(table, axis=0)
    total[window:] = total[window:] - total[:-window]
    return total
