"""A column moves with each of its inputs and with nothing else, by changing them one at a time."""

import functools
import importlib
import itertools
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from gogooku import calendar, point_in_time
from gogooku.families import BUILT, FAMILIES, module_of
from gogooku.features import index, technical
from gogooku.features.catalogue import CATALOGUE
from gogooku.features.inputs import Inputs
from gogooku.graph import correlation
from gogooku.panel import rows as panel_rows
from gogooku.panel.panel import Panel
from helpers.dense import CLOSES, RULES
from simulated_exchange.market import simulation

START, END = date(2021, 3, 1), date(2022, 10, 28)  # with the sections of before and after 2022-04
TOPIX_FROM = date(2022, 3, 1)  # before it the universe's mean return stands in
DATASETS = sorted(set().union(*FAMILIES.values()) - {*BUILT} | {"bars"})
EDGES = {"window": 20, "half_life": 10, "shrinkage": 0.1, "neighbours": 4,
         "min_correlation": 0.1, "min_observations": 12}  # fmt: skip
CALENDAR = {column.name for column in technical.CALENDAR}  # which the panel's first days have too
# Of a column's largest value: a split cancels in a ratio of two share counts, but for rounding.
ROUNDING = 1e-5


# ---- a market in which every column has values ---------------------------------------------------


@functools.cache
def raw():
    """Rows of each data set with the moment at which they were public."""
    tables = dict(
        simulation.simulate(
            seed=3, start=START, end=END, stocks=24, parts={}, datasets=DATASETS
        ).tables
    )
    tables["topix"] = tables["topix"].filter(pl.col("Date") >= TOPIX_FROM)
    # So sections differ in their newest week, and some announcers are on the daily list alone.
    tables["investor_types"] = thinned(tables["investor_types"], 0.1)
    tables["earnings_date"] = thinned(tables["earnings_date"], 0.5)
    days = sessions(tables).days
    tables["indices"] = indices(days)
    stamped = {
        name: point_in_time.stamp(rows, RULES.datasets[name], CLOSES, days)
        for name, rows in tables.items()
        if name != "calendar"
    }
    return {"calendar": tables["calendar"]} | {
        name: point_in_time.visible(rows, "published") for name, rows in stamped.items()
    }


def indices(days):
    """Bars of every index, each on a path of its own: the simulated market has a few of them."""
    steps = random().normal(0, 0.01, (len(days), len(index.CODES)))
    close = 1500 * np.exp(np.cumsum(steps, axis=0)).ravel()
    key = {"Date": np.repeat(days, len(index.CODES)), "Code": index.CODES * len(days)}
    return pl.DataFrame(key | {"H": close * 1.005, "L": close * 0.995, "C": close})


def sessions(tables):
    rows = tables["calendar"]
    return calendar.Sessions.of(rows["Date"].to_numpy(), rows["HolDiv"].to_list())


def moments_of(dates):
    return calendar.decision_moments(dates, "close", CLOSES)


@functools.cache
def rows():
    """Panel rows of the market."""
    tables = raw()
    dates = sessions(tables).between(START, END)
    made, _ = panel_rows.build(
        tables["bars"], tables["master"], dates, moments_of(dates), START, limit_tolerance=0.01,
        limit_relief_days=5, min_price=50, min_value=0, min_sessions=20,
    )  # fmt: skip
    return made


@functools.cache
def untouched():
    """The panel, in whose universe some are missing, and the tables, the graphs among them."""
    tables, panel = raw(), Panel.of(rows())
    fields = {name: panel[name] for name in panel.fields}
    fields["universe"] = fields["universe"] & (random().random(panel.shape) < 0.8)
    panel = replace(panel, fields=fields)
    return panel, tables | {"graphs": correlation.edges(panel, panel.dates[30].item(), **EDGES)}


# ---- each family from it, as its stage does ------------------------------------------------------


def computed(family, panel, tables, start=0):
    """The family's columns from the fields that its row in the table of families names."""
    moments = moments_of(panel.dates)

    def rows(name):
        read = FAMILIES[family][name]
        if not read.fields:
            return tables[name]
        table = tables[name].select(*read.fields, *(["known_at"] if name != "calendar" else []))
        if read.published:
            table = table.with_columns(published_at="known_at")
        of_the_day = point_in_time.on_the_day
        return of_the_day(table, read.key, panel.dates, moments) if read.key else table

    module = importlib.import_module(module_of(family))
    return module.compute(Inputs(panel, start, moments, moments, rows))


# ---- one input at a time changes -----------------------------------------------------------------


def random():
    return np.random.default_rng(7)


def changed(name, panel, tables):
    """The same market, but for one field of the panel or one data set."""
    if name not in panel.fields:
        return panel, tables | {name: other_rows(name, tables[name])}
    other = {name: other_field(name, panel)}
    if f"cumulated_{name}" in panel.fields:
        other[f"cumulated_{name}"] = np.cumprod(np.nan_to_num(other[name], nan=1.0), axis=0)
    return replace(panel, fields=dict(panel.fields) | other), tables


def other_field(name, panel):
    field, rng = panel[name], random()
    if name == "universe":  # members stay, or the graphs would link strangers
        return panel["listed"]
    if name == "listed":
        return field ^ (rng.random(field.shape) < 0.1)
    if name in ("limit_up", "limit_down"):
        return 1 - field
    if field.dtype == np.int32:  # sectors and sections: of the next stock
        return np.roll(field, 1, axis=1)
    absent = rng.random(field.shape) < 0.03
    if name not in ("factor", "volume_factor"):
        absent[::40] = True  # on these sessions no stock trades
    return np.where(absent, np.nan, field * rng.lognormal(0, 0.1, field.shape))


def other_rows(name, rows):
    """Every figure changed and some rows gone; of the calendar every day made a session."""
    if name == "calendar":
        return rows.with_columns(HolDiv=pl.lit("1"))
    rng = random()
    figures = rows.select(pl.col(pl.Float64, pl.Float32))
    noisy = [figure * rng.lognormal(0, 0.1, len(rows)) for figure in figures]
    return thinned(rows.with_columns(noisy), 0.2)


def thinned(rows, share):
    return rows.filter(pl.Series(random().random(len(rows)) >= share))


def moved(before, after):
    return {name for name in before if differs(before[name], after[name])}


def differs(x, y):
    if (np.isnan(x) != np.isnan(y)).any():
        return True
    return bool(np.nanmax(np.abs(x - y)) > ROUNDING * np.nanmax(np.abs(x)))


class Noted(dict):
    """Fields of a panel that notes which are read."""

    def __init__(self, fields):
        super().__init__(fields)
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name.removeprefix("cumulated_"))
        return super().__getitem__(name)


# ---- what is told holds --------------------------------------------------------------------------


@pytest.mark.parametrize("family", CATALOGUE)
def test_the_columns_of_a_family_name_what_it_reads(family):
    panel, tables = untouched()
    noted = Noted(panel.fields)
    computed(family, replace(panel, fields=noted), tables)
    named = set(itertools.chain(*(column.inputs for column in CATALOGUE[family])))
    # The sessions and codes of the panel are everyone's.
    assert named == noted.read | FAMILIES[family].keys() - {"panel"}
    assert "panel" in FAMILIES[family]


@pytest.mark.parametrize("family", CATALOGUE)
def test_inputs_come_in_one_order(family):
    order = [*untouched()[0].fields, *FAMILIES[family]]
    for column in CATALOGUE[family]:
        assert list(column.inputs) == sorted(set(column.inputs), key=order.index), column.name


@pytest.mark.parametrize("family", CATALOGUE)
def test_a_column_moves_with_its_inputs_and_with_nothing_else(family):
    panel, tables = untouched()
    before = computed(family, panel, tables)
    assert not {name for name, values in before.items() if np.isnan(values).all()}
    told, found = {}, {}
    for name in sorted(set(itertools.chain(*(c.inputs for c in CATALOGUE[family])))):
        told[name] = {c.name for c in CATALOGUE[family] if name in c.inputs}
        found[name] = moved(before, computed(family, *changed(name, panel, tables)))
    assert found == told


@pytest.mark.parametrize("family", sorted(CATALOGUE.keys() - {"flow", "option", "graph"}))
def test_the_days_that_are_wanted_have_the_bits_that_they_have_among_all(family):
    """Whatever a family lays out for some days alone reaches as far back as its windows do."""
    whole = computed(family, Panel.of(rows()), raw())
    sessions_held = rows()["date"].n_unique()
    for start in (1, 300, sessions_held):
        made = computed(family, Panel.of(rows()), raw(), start=start)
        assert made.keys() == whole.keys()
        for name, values in made.items():
            first = 0 if name in CALENDAR else start
            np.testing.assert_array_equal(values, whole[name][first:], err_msg=name)
