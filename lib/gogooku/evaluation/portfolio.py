"""What trading on the predictions would have earned, before and after its costs.

Each day the top quantile is bought and the bottom one sold short in equal weights, with 1/h of the
capital, and left alone for h sessions (the overlapping sleeves of Jegadeesh and Titman 1993). The
book of day t is what stands after day t's entry; its return is the one-day label of day t, so it
belongs to the session that follows the entry. Only predictions and one-day labels are used:

- Returns are shares of the capital of one leg; both legs count as 1, however they were financed.
- Turnover is the value of all purchases and sales of a day over that capital: a full exchange of
  both legs is 4. A stock that leaves one sleeve and enters the next is traded net.
- A held stock without a one-day label (halted, delisted) counts as unchanged: what its holder lost
  between two prices is not seen.
- Borrowing fees, taxes, market impact and the closing of the last book are not counted.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gogooku.arrays import agreement
from gogooku.arrays.agreement import Table
from gogooku.calendar import Entry
from gogooku.evaluation import inference, metrics
from gogooku.evaluation.inference import Series


class Book(NamedTuple):
    """A book's days (T,): return before costs and turnover, both of its capital; NaN if unheld."""

    gross: Series
    turnover: Series

    def net(self, cost: float) -> Series:
        """Return after `cost` per side [bp of traded value]."""
        return self.gross - self.turnover * cost * 1e-4


def long_short(prediction: Table, returns: Table, horizon: int, quantiles: int) -> Book:
    """Book that is long the top quantile and short the bottom one.

    prediction, returns (T, N): days by stocks, NaN where absent; `returns` are the one-day labels.
    A day whose legs are empty, for want of stocks or of differences between them, opens no sleeve.
    """
    top, bottom = (_equal(leg) for leg in metrics.legs(prediction, quantiles))
    return _trade(np.where(_some(top) & _some(bottom), top - bottom, 0.0), returns, horizon)


def long_only(prediction: Table, returns: Table, horizon: int, quantiles: int) -> Book:
    """Book of the top quantile alone, less the mean return of all predicted stocks of the day.

    On a day without predictions, in a hole between folds, the mean is that of all stocks.
    """
    top, _ = metrics.legs(prediction, quantiles)
    predicted = np.isfinite(prediction)
    predicted |= ~predicted.any(axis=1, keepdims=True)
    market = agreement.mean(np.where(predicted, returns, np.nan))[:, None]
    return _trade(_equal(top), returns, horizon, less=market)


def statistics(book: Book, cost: float, entry: Entry, confidence: float) -> dict[str, Any]:
    """Say what `book` earned: gross and net of `cost` [bp per side], a year being 245 sessions.

    `annual` is the arithmetic mean return of a year, `volatility` its standard deviation, `sharpe`
    an Estimate, `drawdown` the largest fall of reinvested wealth from a peak [share]; `turnover` is
    per session, `break_even` the cost at which nothing is left [bp per side].
    """
    traded, days = np.nansum(book.turnover), np.isfinite(book.turnover).sum()
    return {
        "gross": _earned(book.gross, entry, confidence),
        "net": _earned(book.net(cost), entry, confidence),
        "turnover": float(traded / days) if days else np.nan,
        "break_even": float(np.nansum(book.gross) / traded * 1e4) if traded else np.nan,
    }


def wealth(returns: Series) -> Series:
    """Reinvested wealth (T,) from 1 by daily `returns`; NaN days change nothing."""
    return np.cumprod(1 + np.nan_to_num(returns), dtype=np.float64)


def _trade(target: Table, returns: Table, horizon: int, less: Table | float = 0.0) -> Book:
    growth = _growth(returns)
    bought = target / growth / horizon
    held = sum((_later(bought, age) for age in range(horizon)), np.zeros_like(bought)) * growth
    traded = np.abs(bought - _later(bought, horizon)) * growth
    lives = _some(held)[:, 0] & np.isfinite(returns).any(axis=1)
    gross = np.sum(held * (np.nan_to_num(returns) - less), axis=1)
    return Book(np.where(lives, gross, np.nan), np.where(lives, traded.sum(axis=1), np.nan))


def _growth(returns: Table) -> Table:
    """Value before each day's return of what was 1 before the first (T, N)."""
    after = np.cumprod(1 + np.nan_to_num(returns), axis=0)
    return np.vstack([np.ones_like(after[:1]), after[:-1]])


def _later(table: Table, days: int) -> Table:
    return np.vstack([np.zeros_like(table[:days]), table[: max(len(table) - days, 0)]])


def _equal(leg: NDArray[np.bool_]) -> Table:
    return leg / np.maximum(leg.sum(axis=1, keepdims=True), 1)


def _some(weights: Table) -> NDArray[np.bool_]:
    return (weights != 0).any(axis=1, keepdims=True)


def _earned(returns: Series, entry: Entry, confidence: float) -> dict[str, Any]:
    days = returns[np.isfinite(returns)]
    if len(days) < 2:
        return {"annual": np.nan, "volatility": np.nan, "sharpe": np.nan, "drawdown": np.nan}
    path = np.concatenate([[1.0], wealth(days)])
    return {
        "annual": float(days.mean() * inference.SESSIONS),
        "volatility": float(days.std(ddof=1) * np.sqrt(inference.SESSIONS)),
        "sharpe": inference.sharpe(days, inference.lag_for(1, entry, len(days)), confidence),
        "drawdown": float(np.max(1 - path / np.maximum.accumulate(path))),
    }
