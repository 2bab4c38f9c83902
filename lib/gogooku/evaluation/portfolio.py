"""What trading on the predictions would have earned, before and after its costs.

A book follows the predictions of one horizon (`evaluation.book`): each day 1/h of the capital of a
leg goes into a new sleeve. The book of day t is what stands after day t's entry; its return belongs
to the session that follows the entry.

- Returns are shares of the capital of one leg; both legs count as 1, however they were financed.
- Turnover is the value of all purchases and sales of a day over that capital: a full exchange of
  both legs is 4.
- From a book's first day to its last, a day on which it holds nothing counts, as 0. It ends when
  its last sleeve is sold, or open, on the last session that there is.
- Two costs stand beside each other: a flat one, and one by stock: half the spread, by the traded
  value of the stock; the square-root law of impact, volatility times the root of the order's share
  of a day's value (Tóth et al. 2011), at most at the whole day's value; and the fee for borrowing
  what is sold short. Net is after the dearer of the two.
- Taxes, and dividends of sessions between entry and exit, are not counted.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gogooku.arrays import agreement
from gogooku.arrays.agreement import Table
from gogooku.calendar import Entry
from gogooku.evaluation import inference, metrics
from gogooku.evaluation.book import positions
from gogooku.evaluation.inference import Series
from gogooku.evaluation.market import Market

CAPACITY_SHARE = 0.9
"""Share of all that a book trades which its capacity leaves within the participation."""


class Costs(NamedTuple):
    """What trading costs.

    cost           flat, of one side of a trade [bp of traded value]
    capital        of one leg [JPY]
    half_spread    from this traded value on [JPY a session], half the spread [bp]; ascending from 0
    impact         of an order as large as a day's value [daily volatilities]
    borrow         fee for what is sold short [% a year]
    participation  share of a stock's daily value that one order may take, for the capacity [%]
    """

    cost: float
    capital: float
    half_spread: list[tuple[float, float]]
    impact: float
    borrow: float
    participation: float


class Book(NamedTuple):
    """A book's days (T,), in shares of its capital; NaN before its first day and after its last.

    flat, detailed   what its trades cost by the flat rate, and by stock, borrowing among it
    capacity         capital [JPY] at which CAPACITY_SHARE of what it trades stays within the
                     participation
    """

    gross: Series
    turnover: Series
    flat: Series
    detailed: Series
    capacity: float

    @property
    def dearer(self) -> str:
        """Which cost is larger over all days."""
        return "flat" if np.nansum(self.flat) >= np.nansum(self.detailed) else "detailed"

    @property
    def net(self) -> Series:
        """Return after the dearer cost."""
        return self.gross - (self.flat if self.dearer == "flat" else self.detailed)


# ---- targets -------------------------------------------------------------------------------------


def long_short(prediction: Table, quantiles: int) -> Table:
    """Weights (T, N) that are long the top quantile and short the bottom one."""
    top, bottom = metrics.legs(prediction, quantiles)
    return top - bottom


def long_only(prediction: Table, quantiles: int) -> Table:
    """Weights (T, N) of the top quantile."""
    return metrics.legs(prediction, quantiles)[0]


def neutral(prediction: Table, sector: NDArray[np.integer], size: Table) -> Table:
    """Long and short weights (T, N) that add up to 0 in each sector, and to no size.

    sector   (T, N), −1 for none;  size (T, N), NaN for none: such stocks are left out

    What is left of the ranks of a day's predictions after the sector's mean and the slope on size
    within sectors (Frisch and Waugh 1933), scaled so that each leg adds up to 1.
    """
    prediction = np.where((sector >= 0) & np.isfinite(size), prediction, np.nan)
    rank = _within_sectors(agreement.rank(prediction), sector)
    size = _within_sectors(np.where(np.isfinite(prediction), size, np.nan), sector)
    slope = np.nansum(rank * size, axis=1) / np.maximum(np.nansum(size**2, axis=1), 1e-12)
    rest = np.nan_to_num(rank - slope[:, None] * size)
    gross = np.abs(rest).sum(axis=1, keepdims=True)
    return 2 * rest / np.where(gross > 1e-9, gross, np.inf)


def _within_sectors(values: Table, sector: NDArray[np.integer]) -> Table:
    """Take the mean of its day and sector from each value."""
    known = np.isfinite(values)
    day = np.nonzero(known)[0]
    names, group = np.unique(sector[known], return_inverse=True)
    cell = day * len(names) + group
    count = np.bincount(cell, minlength=1)
    mean = np.bincount(cell, values[known], minlength=1) / np.maximum(count, 1)
    centred = np.full(values.shape, np.nan)
    centred[known] = values[known] - mean[cell]
    return centred


# ---- books ---------------------------------------------------------------------------------------


def trade(
    target: Table, market: Market, horizon: int, costs: Costs, benchmark: Series | float = 0.0
) -> Book:
    """Give the book of sleeves of `target` (T, N), weights of each day.

    benchmark   return (T,) that a long position is measured against, from each row to the next
    """
    held, traded = positions(target, market, horizon)
    returns = market.returns
    known = agreement.count(returns) > 0
    active = np.flatnonzero(((held != 0) | (traded != 0)).any(axis=1) & known)
    inside = np.zeros(len(known), bool)
    if len(active):
        inside[active[0] : active[-1] + 1] = True
    held, traded = np.nan_to_num(held), np.nan_to_num(traded)
    earned = np.einsum("tn,tn->t", held, np.nan_to_num(returns))
    turnover, detailed, capacity = _costs(traded, market, costs)
    short = -np.minimum(held, 0).sum(axis=1)
    series = {
        "gross": earned - np.nan_to_num(benchmark) * held.sum(axis=1),
        "turnover": turnover,
        "flat": turnover * costs.cost * 1e-4,
        "detailed": detailed + short * costs.borrow / 100 / inference.SESSIONS,
    }
    days = {name: np.where(inside, values, np.nan) for name, values in series.items()}
    return Book(**days, capacity=capacity)


def _costs(traded: Table, market: Market, costs: Costs) -> tuple[Series, Series, float]:
    """Turnover and cost by stock of each row, (T,) each, and the capacity [JPY]."""
    order = np.nonzero(traded)
    size, value = np.abs(traded[order]), np.maximum(market.value[order], 1.0)
    floors, rates = np.array(costs.half_spread).T
    spread = rates[np.searchsorted(floors, value, side="right") - 1] * 1e-4
    usual = np.nanmedian(market.volatility) if np.isfinite(market.volatility).any() else 0.0
    volatility = np.nan_to_num(market.volatility[order], nan=usual)
    impact = costs.impact * volatility * np.sqrt(np.minimum(size * costs.capital / value, 1.0))
    turnover, detailed = np.zeros((2, len(traded)))
    np.add.at(turnover, order[0], size)
    np.add.at(detailed, order[0], size * (spread + impact))
    limit = costs.participation / 100 * value / size
    return turnover, detailed, _share_below(limit, size, 1 - CAPACITY_SHARE)


def _share_below(values: Series, weights: Series, share: float) -> float:
    """Give the value below which `share` of the weights lies; NaN without any."""
    if not len(values):
        return np.nan
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, share * total[-1])])


def mean_of_predicted(prediction: Table, market: Market) -> Series:
    """Mean return of the stocks that a day predicts, (T,); on days without any, of all stocks."""
    predicted = np.isfinite(prediction)
    predicted |= ~predicted.any(axis=1, keepdims=True)
    return agreement.mean(np.where(predicted, market.returns, np.nan))


# ---- statistics ----------------------------------------------------------------------------------


def statistics(book: Book, entry: Entry, confidence: float) -> dict[str, Any]:
    """Say what `book` earned: gross and net, a year being 245 sessions.

    `annual` is the arithmetic mean return of a year, `volatility` its standard deviation, `sharpe`
    an Estimate, `drawdown` the largest fall of reinvested wealth from a peak [share]; `turnover` is
    per session, `break_even` the cost at which nothing is left [bp per side]; `flat` and `detailed`
    are what the two costs take in a year, `dearer` names the one that net is after.
    """
    traded, days = np.nansum(book.turnover), np.isfinite(book.turnover).sum()
    return {
        "gross": _earned(book.gross, entry, confidence),
        "net": _earned(book.net, entry, confidence),
        "turnover": float(traded / days) if days else np.nan,
        "break_even": float(np.nansum(book.gross) / traded * 1e4) if traded else np.nan,
        "flat": _yearly(book.flat),
        "detailed": _yearly(book.detailed),
        "dearer": book.dearer,
        "capacity": book.capacity,
    }


def wealth(returns: Series) -> Series:
    """Reinvested wealth (T,) from 1 by daily `returns`; NaN days change nothing."""
    return np.cumprod(1 + np.nan_to_num(returns), dtype=np.float64)


def _yearly(days: Series) -> float:
    return float(np.nanmean(days) * inference.SESSIONS) if np.isfinite(days).any() else np.nan


def _earned(returns: Series, entry: Entry, confidence: float) -> dict[str, Any]:
    days = returns[np.isfinite(returns)]
    if len(days) < 2:
        return {"annual": np.nan, "volatility": np.nan, "sharpe": np.nan, "drawdown": np.nan}
    path = np.concatenate([[1.0], wealth(days)])
    return {
        "annual": float(days.mean() * inference.SESSIONS),
        "volatility": float(days.std(ddof=1) * np.sqrt(inference.SESSIONS)),
        "sharpe": inference.sharpe(days, 1, confidence),
        "drawdown": float(np.max(1 - path / np.maximum.accumulate(path))),
    }
