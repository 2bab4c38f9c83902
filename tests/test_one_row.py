"""A stock with a single row, and an exchange with one: no family fails, says infinity, or minds."""

import datetime as dt
import functools
from dataclasses import dataclass

import leaks
import numpy as np
import polars as pl
import pytest
from gogooku import calendar, graphs, known, panel_rows, positions
from gogooku.features import (
    column,
    earnings,
    flow,
    graph,
    index,
    listed,
    margin,
    market,
    option,
    relative,
    sector,
    short,
    statement,
    technical,
    user,
)
from gogooku.features.catalogue import CATALOGUE
from gogooku.features.families import FAMILIES
from gogooku.panel import Panel
from gogooku.sources import simulated
from gogooku.sources.catalogue import DATASETS

START, END = dt.date(2020, 10, 1), dt.date(2021, 6, 30)
READ = {name for inputs in FAMILIES.values() for name in inputs} - {"panel", "graphs"}
READ |= {"bars", "calendar", "master"}
BEFORE = dt.date(1900, 1, 1)
EDGES = {"window": 60, "half_life": 30, "shrinkage": 0.1, "neighbours": 15,
         "min_correlation": 0.25, "min_observations": 40}  # fmt: skip


@dataclass(frozen=True)
class Exchange:
    """A panel, and the raw rows of the data sets, each with `known_at`."""

    panel: Panel
    raw: dict[str, pl.DataFrame]

    @property
    def moments(self):
        return calendar.decision_moments(self.panel.dates, "close", leaks.CLOSES)

    @property
    def sessions(self):
        days = self.raw["calendar"]
        return calendar.Sessions.of(days["Date"].to_numpy(), days["HolDiv"].to_list())

    @property
    def shares(self):
        return positions.shares(self.panel, self.raw["summary"], self.moments)[1]

    def of_the_day(self, name):
        return known.on_the_day(self.raw[name], DATASETS[name].key, self.panel.dates, self.moments)

    def rows(self, *names):
        return [self.raw[name] for name in names]


MAKERS = {
    "technical": lambda x: technical.compute(x.panel, x.sessions, x.shares),
    "market": lambda x: market.compute(x.panel, x.of_the_day("topix")),
    "relative": lambda x: relative.compute(x.panel, x.of_the_day("topix")),
    "sector": lambda x: sector.compute(x.panel),
    "flow": lambda x: flow.compute(x.panel, *x.rows("investor_types"), x.moments),
    "statement": lambda x: statement.compute(x.panel, *x.rows("summary"), x.moments),
    "earnings": lambda x: earnings.compute(
        x.panel, *x.rows("summary", "earnings_date", "earnings_calendar"), x.sessions, x.moments
    ),
    "option": lambda x: option.compute(x.panel, *x.rows("options_225"), x.moments),
    "index": lambda x: index.compute(x.panel, x.of_the_day("indices")),
    "short": lambda x: short.compute(x.panel, *x.rows("short_sale", "short_ratio"), x.moments),
    "listed": lambda x: listed.compute(
        x.panel, x.of_the_day("master"), *x.rows("summary"), x.moments
    ),
    "margin": lambda x: margin.compute(
        x.panel, *x.rows("margin_interest", "margin_alert", "summary"), x.moments
    ),
    "graph": lambda x: graph.compute(
        x.panel, graphs.edges(x.panel, x.panel.dates[0].item(), **EDGES)
    ),
    "user": lambda x: user.compute(x.panel, ["rsi", "vortex"], None)[1],
}
"""Family → its columns, as the workflow's script asks for them."""


@functools.cache
def whole():
    """Panel rows of half a year of 24 stocks, and the raw rows of all that families read."""
    tables = simulated.simulate(
        seed=3, start=START, end=END, stocks=24, parts={}, datasets=sorted(READ)
    ).tables
    tables = {name: tables[name] for name in READ}
    days = calendar.Sessions.of(tables["calendar"]["Date"], tables["calendar"]["HolDiv"]).days
    raw = {
        name: known.visible(leaks.stamped(name, rows, days), "published")
        for name, rows in tables.items()
    }
    dates = days[(days >= np.datetime64(START)) & (days <= np.datetime64(END))]
    moments = calendar.decision_moments(dates, "close", leaks.CLOSES)
    rows, _ = panel_rows.build(
        raw["bars"], raw["master"], dates, moments, START,
        limit_tolerance=0.01, limit_relief_days=5, min_price=50, min_value=0, min_sessions=20,
    )  # fmt: skip
    return rows, raw


def young():
    """A stock that is listed throughout and for which every data set of stocks has a row."""
    rows, _ = whole()
    return rows.filter(pl.len().over("code") == pl.col("date").n_unique())["code"].min()


def exchange(kept):
    """The exchange of the panel rows for which `kept` holds, the young stock with raw rows of it.

    Of each data set that tells of stocks it has the newest row up to its own day.
    """
    rows, raw = whole()
    rows = rows.with_columns(universe=pl.col("universe") & (pl.col("code") != young()))
    rows = rows.filter(kept)
    last = rows.filter(code=young())["date"].max() or BEFORE
    own = pl.col("Code") == young()
    told = {
        name: table if "Code" not in table.columns or name == "indices" else pl.concat(
            [table.filter(~own),
             table.filter(own & (pl.col(DATASETS[name].day) <= last)).tail(1)]
        )
        for name, table in raw.items()
    }  # fmt: skip
    return Exchange(Panel.of(rows), told)


def made(family, world):
    values = MAKERS[family](world)
    columns = CATALOGUE.get(family)
    columns = columns or user.compute(world.panel, ["rsi", "vortex"], None)[0]
    frame, _ = column.finish(world.panel, family, columns, values, world.panel.dates[0].item())
    return frame


@functools.cache
def without_it(family):
    return made(family, exchange(pl.col("code") != young()))


def session(number):
    return whole()[0]["date"].unique().sort()[number]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("number", [0, 100, -1], ids=["first day", "one day", "last day"])
def test_a_stock_with_one_row_is_no_error_and_changes_no_other_stock(family, number):
    others = pl.col("code") != young()
    with_it = made(family, exchange(others | (pl.col("date") == session(number))))
    assert with_it.filter(code=young())["date"].to_list() == [session(number)]
    assert with_it.filter(others).equals(without_it(family), null_equal=True)
    assert without_it(family)[f"is_{family}_valid"].any()


@pytest.mark.parametrize("family", FAMILIES)
def test_an_exchange_of_one_row_is_no_error(family):
    alone = (pl.col("code") == young()) & (pl.col("date") == session(-1))
    assert len(made(family, exchange(alone))) == 1
