"""The kinds of books that a model's scores are traded in, and by which rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from gogooku.arrays import ordered
from gogooku.arrays.agreement import Table
from gogooku.arrays.grid import Grid
from gogooku.arrays.ordered import Ordered
from gogooku.calendar import ENTRY_LAG, Entry
from gogooku.evaluation import portfolio
from gogooku.evaluation.inference import Series
from gogooku.evaluation.market import Market
from gogooku.evaluation.portfolio import Book, Costs
from gogooku.panel.panel import Panel


class Rules(NamedTuple):
    """By which rules predictions are judged.

    entry        of labels and books;  quantiles  of the stocks by prediction
    confidence   of intervals
    delisting    return from the last price of a stock that leaves the lists [share]
    costs        of trading
    """

    entry: Entry
    quantiles: int
    confidence: float
    delisting: float
    costs: Costs

    @classmethod
    def of(cls, entry: Entry, evaluation: Mapping[str, Any]) -> "Rules":
        """Take the rules from the settings' section."""
        costs = Costs(**{name: evaluation[name] for name in Costs._fields})
        own = {name: evaluation[name] for name in ("quantiles", "confidence", "delisting")}
        return cls(entry=entry, costs=costs, **own)


class Surroundings(NamedTuple):
    """What a market was like, beside the predictions.

    panel   of all sessions from before the first predicted day to the end
    topix   Date, O, C of the index; None without it
    sizes   date, code, market_cap_log [ln JPY]; None: traded value stands in
    """

    panel: Panel
    topix: pl.DataFrame | None = None
    sizes: pl.DataFrame | None = None


@dataclass(frozen=True)
class Trading:
    """What the books of a model are made with: tables (T, N) of its days and codes.

    topix   return of the index from each row to the next, (T,); None without it
    """

    market: Market
    sector: np.ndarray
    size: Table
    topix: Series | None
    rules: Rules

    @classmethod
    def of(cls, grid: Grid, surroundings: Surroundings, rules: Rules) -> "Trading":
        """Lay out what surrounds predictions of the grid's days and codes."""
        panel = surroundings.panel
        market = Market.of(panel, grid.dates, grid.codes, rules.entry, rules.delisting)
        rows = np.searchsorted(panel.dates, grid.dates)
        sector = panel["s33"][rows][:, np.searchsorted(panel.codes, grid.codes)]
        size = np.log(np.maximum(market.value, 1.0))
        if surroundings.sizes is not None:
            size = _table(grid, surroundings.sizes, "market_cap_log")
        topix = surroundings.topix
        index = None if topix is None else index_returns(topix, panel.dates, rows, rules.entry)
        return cls(market, sector, size, index, rules)

    def books(self, score: Ordered, horizon: int, all_kinds: bool) -> dict[str, Book]:
        """Give the long–short book, or all kinds of books, of the scores (T, N)."""
        top, bottom = ordered.legs(score, self.rules.quantiles)
        books = {"long_short": self._traded(top - bottom, horizon)}
        if all_kinds:
            held = self._traded(top, horizon)
            mean = portfolio.mean_of_predicted(score.values, self.market)
            books["long_only"] = held.against(mean)
            if self.topix is not None:
                books["against_topix"] = held.against(self.topix)
            weights = portfolio.neutral(score, self.sector, self.size)
            books["neutral"] = self._traded(weights, horizon)
        return books

    def _traded(self, target: Table, horizon: int) -> Book:
        return portfolio.trade(target, self.market, horizon, self.rules.costs)


def index_returns(
    index: pl.DataFrame, sessions: np.ndarray, rows: np.ndarray, entry: Entry
) -> Series:
    """Return of an index between the entries of neighbouring decisions, (T,); NaN where unknown.

    index      Date, O, C;  sessions  of the panel;  rows  (T,) of the decisions in it
    """
    price = {"next_close": "C", "next_open": "O", "close": "C"}[entry]
    values = dict(zip(index["Date"].to_list(), index[price].to_list(), strict=True))
    level = np.array([values.get(day) for day in sessions.tolist()], float)
    at = np.append(rows, rows[-1] + 1) + ENTRY_LAG[entry]
    level = np.append(level, np.nan)[np.minimum(at, len(level))]
    return level[1:] / level[:-1] - 1


def _table(grid: Grid, rows: pl.DataFrame, column: str) -> Table:
    values = rows[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return grid.dense(grid.cells(rows), values, np.nan)
