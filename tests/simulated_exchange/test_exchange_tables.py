"""Tables from memory, from small files and from big ones give the same rows."""

import contextlib
import datetime as dt

import polars as pl
import pytest
from gogooku.errors import UserError
from gogooku.raw.catalogue import DATASETS
from helpers.asking import data
from helpers.tiny_market import CODES, DAYS, FIRST, KEY, LAST, SPLIT, tables
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from simulated_exchange.server import tables as exchange_tables
from simulated_exchange.server.exchange import Exchange
from simulated_exchange.server.tables import Shelf, order

TINY = tables()


@contextlib.contextmanager
def opened(folder):
    """The tiny market in memory, in files, and in files that are read by the month."""
    for name, table in TINY.items():
        table.sample(fraction=1, shuffle=True, seed=1).write_parquet(folder / f"{name}.parquet")
    whole, monthly = Shelf(folder), Shelf(folder)
    for name in TINY:
        whole.days(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange_tables, "SMALL", 0)
        patch.setattr(exchange_tables, "MONTHS", 1)
        for name in TINY:
            monthly.days(name)
        yield Shelf(TINY), whole, monthly


@pytest.fixture(scope="module")
def shelves(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("tables")) as found:
        yield found


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(TINY)),
    st.sampled_from(DAYS),
    st.sampled_from(DAYS),
    st.sampled_from([None, *CODES]),
)
def test_all_sources_give_the_same_rows_in_the_vendors_order(shelves, dataset, first, last, code):
    equals = {"Code": code} if code and "Code" in TINY[dataset].columns else {}
    found = [shelf.rows(dataset, first, last, equals) for shelf in shelves]
    day = DATASETS[dataset].day
    wanted = TINY[dataset].filter(pl.col(day).is_between(first, last))
    wanted = wanted.filter(Code=code) if equals else wanted
    for rows in found:
        assert_frame_equal(rows, wanted.sort(order(dataset)))


@pytest.mark.parametrize("dataset", sorted(TINY))
def test_all_sources_have_the_same_days(shelves, dataset):
    wanted = TINY[dataset][DATASETS[dataset].day].unique().sort().to_list()
    assert [shelf.days(dataset).to_list() for shelf in shelves] == [wanted] * 3


def test_all_sources_know_the_same_actions_and_corrections(tmp_path):
    bar = TINY["bars"].filter(Date=SPLIT, Code="130A0").with_columns(AdjFactor=pl.lit(0.25))
    with opened(tmp_path) as shelves:
        for shelf in shelves:
            assert shelf.actions()["price"].to_list() == [0.5, 0.8]
            assert shelf.actions()["volume"].to_list() == [0.5, 1.0]
            shelf.correct("bars", bar, dt.datetime.now(dt.UTC))
            assert shelf.actions()["price"].to_list() == [0.25, 0.8]
            day = shelf.rows("bars", SPLIT, SPLIT)
            assert day["AdjFactor"].to_list() == [0.25, 1.0, 1.0]
            other = shelf.rows("bars", SPLIT, SPLIT, {"Code": "86010"})
            assert other["AdjFactor"].to_list() == [1.0]


def test_the_order_is_the_day_then_the_code():
    assert order("short_sale")[:3] == ["DiscDate", "Code", "CalcDate"]
    assert order("summary") == ["DiscDate", "DiscNo"]
    assert order("bars_minute") == ["Date", "Code", "Time"]


def test_columns_that_a_table_lacks_are_null_and_others_are_left_out():
    bars = TINY["bars"].drop("MO", "ExRT").with_columns(known_at=pl.lit(1))
    found = Shelf({"bars": bars}).rows("bars", FIRST, LAST)
    assert found.columns == list(DATASETS["bars"].schema)
    assert found["MO"].null_count() == len(found)


def test_a_folder_serves_the_files_that_it_holds(tmp_path):
    TINY["topix"].write_parquet(tmp_path / "topix.parquet")
    with Exchange(tmp_path, key=KEY, today=LAST) as exchange:
        assert len(data(exchange, "topix")) == len(TINY["topix"])


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "topix.parquet").write_text("no table")
    with pytest.raises(UserError, match="topix.parquet cannot be read"):
        Shelf(tmp_path).rows("topix", FIRST, LAST)
