"""A stock with a single row, and an exchange with one: no family fails, says infinity, or minds."""

import datetime as dt
import functools
import runpy
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import yaml
from gogooku import calendar, files, jobs, point_in_time
from gogooku.families import BUILT, FAMILIES, module_of
from gogooku.graph import correlation
from gogooku.panel import rows as panel_rows
from gogooku.panel.panel import Panel
from gogooku.raw.catalogue import DATASETS
from helpers import leaks
from simulated_exchange.market import simulation

SCRIPTS = Path(__file__).parents[2] / "workflow_scripts"
START, END = dt.date(2020, 10, 1), dt.date(2021, 6, 30)
READ = {name for inputs in FAMILIES.values() for name in inputs} - {*BUILT}
READ |= {"bars", "calendar", "master"}
BEFORE = dt.date(1900, 1, 1)
EDGES = yaml.safe_load((SCRIPTS.parent / "config" / "default.yaml").read_text())["graph"]


class Inputs(dict):
    """Files by name, as a rule names them to its script."""

    __getattr__ = dict.__getitem__


@functools.cache
def whole():
    """Panel rows of half a year of 24 stocks, and the raw rows of all that families read."""
    tables = simulation.simulate(
        seed=3, start=START, end=END, stocks=24, parts={}, datasets=sorted(READ)
    ).tables
    tables = {name: tables[name] for name in READ}
    days = calendar.Sessions.of(tables["calendar"]["Date"], tables["calendar"]["HolDiv"]).days
    raw = {name: leaks.stamped(name, rows, days) for name, rows in tables.items()}
    dates = days[(days >= np.datetime64(START)) & (days <= np.datetime64(END))]
    moments = calendar.decision_moments(dates, "close", leaks.CLOSES)
    bars, master = (point_in_time.visible(raw[name], "published") for name in ("bars", "master"))
    rows, _ = panel_rows.build(
        bars, master, dates, moments, START,
        limit_tolerance=0.01, limit_relief_days=5, min_price=50, min_value=0, min_sessions=20,
    )  # fmt: skip
    return rows, raw


@functools.cache
def young():
    """The stock, of those listed throughout, of which most data sets tell."""
    rows, raw = whole()
    throughout = rows.filter(pl.len().over("code") == pl.col("date").n_unique())
    told = [set(table["Code"]) for name, table in raw.items() if "Code" in table.columns]
    return max(sorted(set(throughout["code"])), key=lambda code: sum(code in own for own in told))


def lay_down(folder, kept):
    """Write the panel rows for which `kept` holds, their graph, and the raw rows, as inputs.

    Of each data set that tells of stocks the young one has the newest row up to its own last day.
    """
    rows, raw = whole()
    rows = rows.with_columns(universe=pl.col("universe") & (pl.col("code") != young()))
    rows = rows.filter(kept)
    last = rows.filter(code=young())["date"].max() or BEFORE
    tables = {"panel": rows, "graphs": correlation.edges(Panel.of(rows), START, **EDGES)}
    for name, table in raw.items():
        tables[name] = table
        if "Code" in table.columns and name != "indices":
            told = table.filter(pl.col("Code") == young(), pl.col(DATASETS[name].day) <= last)
            tables[name] = pl.concat([table.filter(pl.col("Code") != young()), told.tail(1)])
    for name, table in tables.items():
        files.write_parquet(table, folder / f"{name}.parquet")
    return Inputs({name: folder / f"{name}.parquet" for name in tables})


def made(family, inputs, folder):
    """What the workflow's script of a family writes."""
    moment = {"clock": "published", "decision": "close", "closes": leaks.CLOSES}
    mine = {"pandas_ta": ["rsi", "vortex"], "module": None}
    reads = {name: asdict(read) for name, read in FAMILIES[family].items()}
    params = SimpleNamespace(
        moment=moment, first=str(START), user=mine, reads=reads, module=module_of(family)
    )
    place = folder / "made.parquet"
    rule = SimpleNamespace(
        input=inputs, params=params, output=[place], log=[folder / "log"],
        wildcards=SimpleNamespace(family=family),
    )  # fmt: skip
    runpy.run_path(str(SCRIPTS / "features.py"), {"snakemake": rule})
    return pl.read_parquet(place)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The columns of a family, by what is kept: the others, and the young stock's row of a day."""

    @functools.cache
    def inputs(others, number):
        kept = pl.lit(others) & (pl.col("code") != young())
        if number is not None:
            kept |= (pl.col("code") == young()) & (pl.col("date") == session(number))
        return lay_down(tmp_path_factory.mktemp("exchange"), kept)

    @functools.cache
    def columns(family, others, number):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(jobs, "start", lambda snakemake: None)
            return made(family, inputs(others, number), tmp_path_factory.mktemp(family))

    return columns


def session(number):
    return whole()[0]["date"].unique().sort()[number]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("number", [0, 100, -1], ids=["first day", "one day", "last day"])
def test_a_stock_with_one_row_is_no_error_and_changes_no_other_stock(built, family, number):
    with_it, without = built(family, True, number), built(family, True, None)
    own = pl.col("code") == young()
    assert with_it.filter(own)["date"].to_list() == [session(number)]
    assert with_it.filter(~own).equals(without, null_equal=True)
    assert without[f"is_{family}_valid"].any()
    assert_finite(with_it)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_exchange_of_one_row_is_no_error(built, family):
    alone = built(family, False, -1)
    assert alone["code"].to_list() == [young()]
    assert_finite(alone)


def assert_finite(frame):
    numbers = frame.select(pl.col(pl.Float32))
    assert numbers.width and numbers.select(pl.all().is_finite().all()).row(0) == (
        (True,) * numbers.width
    )
