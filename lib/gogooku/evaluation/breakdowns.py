"""Where a model's skill lies: by year, sector, size, liquidity and market, by decile and by age.

All of it is about the mean of a model's seeds at one horizon. A group of days or of stocks is drawn
by what was known on the day itself: what comes later moves nobody from one to another.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gogooku.arrays import cross_section, ordered
from gogooku.arrays.agreement import MIN_PAIRS, Table
from gogooku.arrays.grid import Grid
from gogooku.arrays.ordered import Ordered
from gogooku.evaluation import inference, metrics, portfolio
from gogooku.evaluation.book import positions
from gogooku.evaluation.inference import Estimate, Series
from gogooku.evaluation.portfolio import Book
from gogooku.evaluation.trading import Surroundings, Trading
from gogooku.panel.panel import Panel

Groups = NDArray[np.integer]

NO_SECTOR = 9999
"""What sources give a stock whose sector they do not know."""
VOLATILITY_SESSIONS, REGIME_SESSIONS = 20, 60
FEWEST_BEFORE = 60
"""Days with a volatility before one whose third is told."""
MOMENTUM_SESSIONS = 20, 245
"""Sessions back to the end and to the start of the 12–1 momentum."""
DECILES = 10
THIRDS = ["low", "middle", "high"]
AGES = (0, 1, 2, 5, 10, 20)
FEWEST_DAYS = 0.5
"""Share of the days on which a sector must have enough stocks to be shown."""
TILTS = 5
"""Sectors shown of those that the long–short book leans to or from."""


class Split(NamedTuple):
    """A way to part days, (T,), or a day's stocks, (T, N): the part of each, −1 for none."""

    names: list[str]
    part: Groups


@dataclass(frozen=True)
class Parts:
    """Into which parts RankIC is broken down, and what the long–short book is exposed to.

    days, stocks   ways to part them, by name
    traits         (T, N) of stocks, by name: mean 0 and standard deviation 1 among the day's
                   predicted ones, and 0 where one has none
    """

    days: Mapping[str, Split]
    stocks: Mapping[str, Split]
    traits: Mapping[str, Table]

    @classmethod
    def of(
        cls, grid: Grid, members: NDArray[np.bool_], trading: Trading, surroundings: Surroundings
    ) -> "Parts":
        """Part the days and codes of a grid; `members` (T, N) says who is predicted.

        Size is market value; without it there are neither its parts nor its exposure.
        """
        panel = surroundings.panel
        rows = np.searchsorted(panel.dates, grid.dates)
        years = grid.dates.astype("datetime64[Y]").astype(int) + 1970
        names, year = np.unique(years, return_inverse=True)
        volatility, regime = market_states(panel)
        traits = {"liquidity": np.log(np.maximum(trading.market.value, 1.0))}
        if surroundings.sizes is not None:
            traits["size"] = trading.size
        thirds = {name: Split(THIRDS, _thirds(trait, members)) for name, trait in traits.items()}
        traits["momentum"] = _momentum(panel, grid.codes, rows)
        return cls(
            days={
                "year": Split([str(name) for name in names], year),
                "volatility": Split(THIRDS, volatility[rows]),
                "regime": Split(["falling", "rising"], regime[rows]),
            },
            stocks={"sector": _sectors(trading.sector), **thirds},
            traits={name: _standardised(trait, members) for name, trait in traits.items()},
        )


def market_states(panel: Panel) -> tuple[Groups, Groups]:
    """Part each session, (T,), by the mean return of the universe up to it; −1 for unknown.

    Returns the third of its volatility over 20 sessions among those of all sessions before, and
    whether its mean over 60 sessions is above 0 (1) or not (0).
    """
    mean = cross_section.cs_mean(panel.returns, panel["universe"])
    trend = _trailing(mean, REGIME_SESSIONS).mean(axis=1)
    regime = np.where(np.isfinite(trend), trend > 0, -1).astype(np.int8)
    return _third_among_past(_trailing(mean, VOLATILITY_SESSIONS).std(axis=1)), regime


def breakdown(
    score: Ordered,
    label: Ordered,
    next_session: Ordered,
    rank_ic: Series,
    book: Book,
    parts: Parts,
    trading: Trading,
    horizon: int,
) -> dict[str, Any]:
    """Break the results of a horizon down: estimates by name, of days that have a number.

    score, label   and the labels of one session, (T, N)
    rank_ic        of each day, (T,);  book  the long–short one
    """
    rules = trading.rules

    def known(values: Series, sessions: int = horizon) -> dict[str, Any]:
        return _plain(inference.estimate(values, sessions, rules.entry, rules.confidence))

    by_stocks = {name: by_part(score, label, split) for name, split in parts.stocks.items()}
    groups = {name: of_days(rank_ic, split) for name, split in parts.days.items()} | by_stocks
    means, monotonicity = deciles(score, label)
    outcomes = {1: next_session, horizon: label}
    return {
        "groups": {
            name: {part: known(values) for part, values in series.items()}
            for name, series in groups.items()
        },
        "deciles": [known(column) for column in means.T],
        "monotonicity": known(monotonicity),
        "decay": {
            str(sessions): {
                str(age): known(values, sessions) for age, values in ages(score, outcome).items()
            }
            for sessions, outcome in outcomes.items()
        },
        "exposures": _exposures(score, book, parts, trading, horizon),
    }


# ---- parts ---------------------------------------------------------------------------------------


def of_days(rank_ic: Series, split: Split) -> dict[str, Series]:
    """RankIC (T,) of the days of each part; NaN on the others. Parts without a day are left out."""
    series = {
        name: np.where(split.part == number, rank_ic, np.nan)
        for number, name in enumerate(split.names)
    }
    return {name: values for name, values in series.items() if np.isfinite(values).any()}


def by_part(score: Ordered, label: Ordered, split: Split) -> dict[str, Series]:
    """RankIC (T,) among the stocks of each part.

    A part that has enough stocks on less than half of the days is left out.
    """
    daily = ordered.rank_ic(score, label, MIN_PAIRS, split.part, len(split.names))
    days = np.isfinite(daily).sum(axis=0)
    enough = days >= max(1, FEWEST_DAYS * _days_of(score))
    return {name: daily[:, n] for n, name in enumerate(split.names) if enough[n]}


def _days_of(score: Ordered) -> int:
    return int((score.order[:, 0] >= 0).sum())


def _sectors(sector: Groups) -> Split:
    """Part stocks by their S33 code; −1 for one that no source declares."""
    codes = np.unique(sector[(sector >= 0) & (sector != NO_SECTOR)])
    place = np.full(NO_SECTOR + 2, -1, np.int8)
    place[codes] = np.arange(len(codes))
    return Split([f"{code:04d}" for code in codes], place[sector])


def _thirds(trait: Table, members: NDArray[np.bool_]) -> NDArray[np.int8]:
    own = np.where(members, trait, np.nan)
    return ordered.parts(Ordered.of(own), own, 3)


def _third_among_past(values: Series) -> NDArray[np.int8]:
    """Third (0, 1, 2) of each value (T,) among those before it; −1 with too few of them."""
    before: list[float] = []
    thirds = np.full(len(values), -1, np.int8)
    for t, value in enumerate(values.tolist()):
        if np.isfinite(value):
            if len(before) >= FEWEST_BEFORE:
                thirds[t] = min(3 * bisect_left(before, value) // len(before), 2)
            insort(before, value)
    return thirds


def _trailing(values: Series, window: int) -> Table:
    """The last `window` values up to each, (T, window)."""
    padded = np.append(np.full(window - 1, np.nan), values)
    return np.lib.stride_tricks.sliding_window_view(padded, window)


# ---- deciles and age -----------------------------------------------------------------------------


def deciles(score: Ordered, label: Ordered) -> tuple[Table, Series]:
    """Mean label of each decile of predictions less the day's mean, (T, 10), lowest first.

    Beside it the Spearman correlation (T,) of a day's decile numbers and these means. Stocks
    without a label are left out before deciles are drawn; days with fewer than MIN_PAIRS give NaN.
    """
    part = ordered.parts(score, label.values, DECILES)
    sums, counts = cross_section.group_sums(label.values, part, DECILES)
    stocks = counts.sum(axis=1, keepdims=True)
    sums[stocks[:, 0] < MIN_PAIRS] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts - sums.sum(axis=1, keepdims=True) / stocks
    numbers = np.broadcast_to(np.arange(DECILES, dtype=float), means.shape)
    rising = ordered.rank_ic(Ordered.of(numbers), Ordered.of(means), fewest=3)[:, 0]
    return means, rising


def ages(score: Ordered, label: Ordered) -> dict[int, Series]:
    """RankIC (T,) of the predictions of day t − k with the labels of day t, by age k [sessions]."""
    return {k: ordered.rank_ic(score, label, MIN_PAIRS, age=k)[:, 0] for k in AGES}


# ---- exposures -----------------------------------------------------------------------------------


def _exposures(
    score: Ordered, book: Book, parts: Parts, trading: Trading, horizon: int
) -> dict[str, Any]:
    """Betas of the long–short book, its mean traits, and its largest net weights of sectors."""
    rules, market, sectors = trading.rules, trading.market, parts.stocks["sector"]
    top, bottom = ordered.legs(score, rules.quantiles)
    held = np.nan_to_num(positions(top - bottom, market, horizon).held)
    inside = np.isfinite(book.gross)

    def known(values: Series) -> dict[str, Any]:
        values = np.where(inside, values, np.nan)
        return _plain(inference.estimate(values, horizon, rules.entry, rules.confidence))

    indices = {"market": portfolio.mean_of_predicted(score.values, market), "topix": trading.topix}
    sums, _ = cross_section.group_sums(held, sectors.part, len(sectors.names))
    largest = np.argsort(-np.abs(sums[inside].sum(axis=0)), kind="stable")[:TILTS]
    return {
        "beta": {
            name: _plain(beta(book.gross, index, rules.confidence))
            for name, index in indices.items()
            if index is not None
        },
        "traits": {
            name: known(np.einsum("tn,tn->t", held, trait)) for name, trait in parts.traits.items()
        },
        "sectors": {sectors.names[n]: known(sums[:, n]) for n in largest if sums[inside, n].any()},
    }


def beta(returns: Series, index: Series, confidence: float) -> Estimate:
    """Slope of a book's daily returns (T,) on an index's, on the days that have both."""
    both = np.isfinite(returns) & np.isfinite(index)
    if not both.any():
        return Estimate(np.nan)
    own, other = returns[both] - returns[both].mean(), index[both] - index[both].mean()
    return inference.ratio(own * other, other**2, 1, confidence)


def _momentum(panel: Panel, codes: NDArray[np.str_], rows: NDArray[np.integer]) -> Table:
    """Return of the months before the last one, as of some rows of the panel; NaN without it."""
    close = panel["close"][:, np.searchsorted(panel.codes, codes)]
    end, start = (rows - back for back in MOMENTUM_SESSIONS)
    gains = close[np.maximum(end, 0)] / close[np.maximum(start, 0)] - 1
    return np.where((start >= 0)[:, None], gains, np.nan)


def _standardised(trait: Table, members: NDArray[np.bool_]) -> Table:
    return np.nan_to_num(metrics.mean_of_standardised([np.where(members, trait, np.nan)]))


def _plain(estimate: Estimate) -> dict[str, Any]:
    names = ("mean", "low", "high", "days")
    return {name: getattr(estimate, name) for name in names}
