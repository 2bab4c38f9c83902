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

from gogooku.arrays import agreement, ordered
from gogooku.arrays.agreement import Table
from gogooku.arrays.jit import kernel
from gogooku.arrays.ordered import Ordered
from gogooku.calendar import Entry
from gogooku.evaluation import inference
from gogooku.evaluation.book import positions
from gogooku.evaluation.inference import Series
from gogooku.evaluation.market import Market

CAPACITY_SHARE = 0.9
"""Share of all that a book trades which its capacity leaves within the participation."""
BINS = 4096


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
    invested         value of what is held, long less short
    capacity         capital [JPY] at which CAPACITY_SHARE of what it trades stays within the
                     participation
    """

    gross: Series
    turnover: Series
    flat: Series
    detailed: Series
    invested: Series
    capacity: float

    @property
    def dearer(self) -> str:
        """Which cost is larger over all days."""
        return "flat" if np.nansum(self.flat) >= np.nansum(self.detailed) else "detailed"

    @property
    def net(self) -> Series:
        """Return after the dearer cost."""
        return self.gross - (self.flat if self.dearer == "flat" else self.detailed)

    def against(self, benchmark: Series) -> "Book":
        """Measure the book against a return (T,), from each row to the next, of what it holds."""
        return self._replace(gross=self.gross - np.nan_to_num(benchmark) * self.invested)


# ---- targets -------------------------------------------------------------------------------------


def neutral(prediction: Ordered, sector: NDArray[np.integer], size: Table) -> Table:
    """Long and short weights (T, N) that add up to 0 in each sector, and to no size.

    sector   (T, N), −1 for none;  size (T, N), NaN for none: such stocks are left out

    What is left of the ranks of a day's predictions after the sector's mean and the slope on size
    within sectors (Frisch and Waugh 1933), scaled so that each leg adds up to 1.
    """
    weights = np.zeros(size.shape)
    size = np.where(sector >= 0, size, np.nan)
    ranks = ordered.ranks(prediction, size)
    _neutral(ranks, sector, size, int(sector.max(initial=0)) + 1, weights)
    return weights


@kernel
def _neutral(ranks, sector, size, sectors, weights):
    for t in range(len(ranks)):
        own = np.flatnonzero(np.isfinite(ranks[t]))
        rank = _less_sector(ranks[t][own], sector[t][own], sectors)
        large = _less_sector(size[t][own], sector[t][own], sectors)
        rest = rank - (rank * large).sum() / max((large * large).sum(), 1e-12) * large
        gross = np.abs(rest).sum()
        if gross > 1e-9:
            weights[t][own] = 2 * rest / gross


@kernel
def _less_sector(values, sector, sectors):
    """Take the mean of its sector from each value (n,)."""
    total, count = np.zeros(sectors), np.zeros(sectors)
    for i in range(len(values)):
        total[sector[i]] += values[i]
        count[sector[i]] += 1
    return values - (total / count)[sector]


# ---- books ---------------------------------------------------------------------------------------


def trade(target: Table, market: Market, horizon: int, costs: Costs) -> Book:
    """Give the book of sleeves of `target` (T, N), weights of each day."""
    held, traded = positions(target, market, horizon)
    floors, rates = np.array(costs.half_spread, float).T
    scale = costs.impact, costs.capital, costs.participation / 100
    days, bins = np.zeros((6, len(target))), np.zeros(BINS)
    usual = market.usual_volatility
    _account(
        held, traded, market.returns, market.value, market.volatility, usual, floors, rates * 1e-4,
        *scale, days, bins,
    )  # fmt: skip
    earned, invested, short, turnover, detailed, active = days
    lives = np.flatnonzero((active > 0) & (agreement.count(market.returns) > 0))
    inside = np.zeros(len(target), bool)
    if len(lives):
        inside[lives[0] : lives[-1] + 1] = True
    series = {
        "gross": earned,
        "turnover": turnover,
        "flat": turnover * costs.cost * 1e-4,
        "detailed": detailed + short * costs.borrow / 100 / inference.SESSIONS,
        "invested": invested,
    }
    known = {name: np.where(inside, values, np.nan) for name, values in series.items()}
    return Book(**known, capacity=_capacity(traded, market.value, scale[-1], bins))


@kernel
def _account(
    held, traded, returns, value, volatility, usual, floors, rates,
    impact, capital, participation, days, bins,
):  # fmt: skip
    """Add up what each row holds, earns and pays, and by the size of its limit what is traded."""
    for t in range(len(held)):
        for j in range(held.shape[1]):
            own, order = held[t, j], abs(traded[t, j])
            if own == 0 and order == 0:
                continue
            days[5, t] = 1
            if np.isfinite(own):
                days[0, t] += own * returns[t, j] if np.isfinite(returns[t, j]) else 0.0
                days[1, t] += own
                days[2, t] -= min(own, 0.0)
            if not order > 0:
                continue
            usually = max(value[t, j], 1.0)
            spread = rates[np.searchsorted(floors, usually, side="right") - 1]
            moves = volatility[t, j] if np.isfinite(volatility[t, j]) else usual
            share = min(order * capital / usually, 1.0)
            days[3, t] += order
            days[4, t] += order * (spread + impact * moves * np.sqrt(share))
            bins[_bin(participation * usually / order)] += order


@kernel
def _bin(limit):
    return min(int(64 * max(np.log2(limit), 0.0)), BINS - 1)


def _capacity(traded: Table, value: Table, participation: float, bins: Table) -> float:
    """Give the limit below which the share of what is traded lies that may exceed it; NaN if none.

    bins   what is traded by the size of its limit, which leaves few orders to sort
    """
    total = np.cumsum(bins)
    if not total[-1]:
        return np.nan
    goal = (1 - CAPACITY_SHARE) * total[-1]
    place = int(np.searchsorted(total, goal))
    sizes, limits = _orders_in(traded, value, participation, place)
    order = np.argsort(limits)
    passed = total[place] - bins[place] + np.cumsum(sizes[order])
    return float(limits[order][min(np.searchsorted(passed, goal), len(order) - 1)])


@kernel
def _orders_in(traded, value, participation, place):
    """Give size and limit of the orders in one bin."""
    sizes, limits = [0.0 for _ in range(0)], [0.0 for _ in range(0)]
    for t in range(len(traded)):
        for j in range(traded.shape[1]):
            order = abs(traded[t, j])
            if order > 0:
                limit = participation * max(value[t, j], 1.0) / order
                if _bin(limit) == place:
                    sizes.append(order)
                    limits.append(limit)
    return np.array(sizes), np.array(limits)


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
