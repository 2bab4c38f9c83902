"""A folder of the vendor's bulk files is read like the API."""

import datetime as dt
import gzip
import os
import shutil
from pathlib import Path

import polars as pl
import pytest
from gogooku.archive import bulk_files, reader
from gogooku.errors import UserError
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor import fetch, jquants
from helpers.tiny_market import FIRST, KEY, LAST, SESSIONS, as_filed, tables
from polars.testing import assert_frame_equal
from simulated_exchange.server.clock import JST
from simulated_exchange.server.exchange import Exchange

TABLES = tables()
NOW = dt.datetime(2024, 11, 5, 12, 0, tzinfo=JST)  # October's files of days still lie there
NAMES = sorted(name for name in TABLES if DATASETS[name].bulk)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All files that the exchange offers, where the vendor's own client would put them."""
    root = tmp_path_factory.mktemp("bulk")
    with (
        Exchange(TABLES, key=KEY, now=lambda: NOW, plan="premium") as exchange,
        jquants.Client(exchange.url, KEY, None, 60, 2) as client,
    ):
        for dataset in NAMES:
            for file in client.files(dataset, "2024-09", "2024-10"):
                path = root / file.key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(gzip.compress(client.download(file), mtime=0))
    return root


def read(folder, dataset, first=FIRST, last=LAST):
    return reader.read(folder, dataset, first, last, factor_convention="ex_date")


@pytest.mark.parametrize("dataset", NAMES)
def test_a_folder_gives_what_the_api_gives(dataset, folder):
    with (
        Exchange(TABLES, key=KEY, now=lambda: NOW, plan="premium") as exchange,
        jquants.Client(exchange.url, KEY, None, 60, 2) as client,
    ):
        api = fetch.read(client, dataset, FIRST, LAST, SESSIONS).rows
    found = read(folder, dataset)
    if DATASETS[dataset].request == "session":
        found = found.filter(pl.col(DATASETS[dataset].day).is_in(SESSIONS))
    assert_frame_equal(found, as_filed(dataset, api))


def test_only_files_of_the_days_wanted_are_opened(folder):
    names = [path.name for path in reader.files(folder, "bars", SESSIONS[-2], LAST)]
    assert names == ["equities_bars_daily_202410.csv.gz"]


def test_files_of_days_count_in_a_month_that_has_no_file(folder, tmp_path):
    for path in folder.rglob("equities_bars_daily_202410??.csv.gz"):
        shutil.copy(path, tmp_path)
    names = [path.name for path in reader.files(tmp_path, "bars", SESSIONS[-2], LAST)]
    assert names == [f"equities_bars_daily_{day:%Y%m%d}.csv.gz" for day in SESSIONS[-2:]]
    assert_frame_equal(
        read(tmp_path, "bars", SESSIONS[-2], LAST), read(folder, "bars", SESSIONS[-2], LAST)
    )


def test_a_row_that_a_month_s_file_no_longer_has_is_gone(tmp_path):
    rows = {
        "20240104": "2024-01-04,1.5,2,1,1.5\n",
        "20240105": "2024-01-05,1.5,2,1,1.5\n",
        "202401": "2024-01-04,1.75,2,1,1.75\n",
    }
    for name, text in rows.items():
        path = tmp_path / "any" / "depth" / f"indices_bars_daily_topix_{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Date,O,H,L,C\n" + text)
    found = read(tmp_path, "topix", dt.date(2024, 1, 1), dt.date(2024, 1, 31))
    assert found.select("Date", "C").rows() == [(dt.date(2024, 1, 4), 1.75)]


def test_a_name_may_have_hyphens_or_underscores_and_a_strange_one_is_said(tmp_path, caplog):
    for name in ("markets_margin_alert_202401", "markets_margin-alert_202402", "markets_gossip"):
        (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress(b""))
    year = dt.date(2024, 1, 1), dt.date(2024, 12, 31)
    assert len(bulk_files.files(tmp_path, "margin_alert", *year)) == 2
    assert read(tmp_path, "margin_alert", *year).is_empty()
    assert "1 files belong to no data set and are left out: markets_gossip.csv.gz" in caplog.text


def test_a_folder_without_a_calendar_takes_the_exchange_s(tmp_path):
    (tmp_path / "indices_bars_daily_topix_202401.csv").write_text("Date,O,H,L,C\n")
    found = read(tmp_path, "calendar", dt.date(2024, 1, 1), dt.date(2024, 1, 8))
    assert found.filter(HolDiv="1")["Date"].to_list() == [dt.date(2024, 1, 4), dt.date(2024, 1, 5)]


def test_a_data_set_without_files_has_no_rows(tmp_path):
    (tmp_path / "indices_bars_daily_topix_202401.csv").write_text("Date,O,H,L,C\n")
    assert read(tmp_path, "short_ratio").is_empty()


def test_names_of_data_sets_that_begin_alike_are_told_apart(tmp_path):
    for name in ("options_202401", "options_225_202401", "options_225_20240205"):
        (tmp_path / f"derivatives_bars_daily_{name}.csv.gz").write_bytes(gzip.compress(b""))
    winter = dt.date(2024, 1, 1), dt.date(2024, 2, 29)
    assert len(bulk_files.files(tmp_path, "options", *winter)) == 1
    assert len(bulk_files.files(tmp_path, "options_225", *winter)) == 2


def test_bars_are_read_from_the_eleven_columns_that_real_files_have(tmp_path):
    text = """Date,Code,O,H,L,C,UL,LL,Vo,Va,AdjFactor
2023-03-24,86970,2047.0,2069.0,2035.0,2045.0,0,0,2202500.0,4507051850.0,1.0
2023-03-24,99990,,,,,0,0,,,0.5
"""
    (tmp_path / "equities_bars_daily_202303.csv").write_text(text)
    found = read(tmp_path, "bars", dt.date(2023, 3, 1), dt.date(2023, 3, 31))
    assert found.columns == list(DATASETS["bars"].schema)
    assert found.select("C", "Vo", "AdjFactor", "ExRT").rows() == [
        (2045.0, 2202500.0, 1.0, None), (None, None, 0.5, None),
    ]  # fmt: skip


def test_a_value_that_does_not_fit_is_named_with_its_file(tmp_path):
    text = "Date,O,H,L,C\n20230324,1,1,1,1\n2023/03/27,1,1,1,1\n"
    (tmp_path / "indices_bars_daily_topix_202303.csv").write_text(text)
    with pytest.raises(UserError, match=r"topix_202303.csv: .*'20230324' in the field Date"):
        read(tmp_path, "topix", dt.date(2023, 3, 1), dt.date(2023, 3, 31))


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "indices_bars_daily_topix_202401.csv.gz").write_bytes(b"\x1f\x8b half")
    with pytest.raises(UserError, match=r"topix_202401.csv.gz cannot be read .*download it again"):
        read(tmp_path, "topix", dt.date(2024, 1, 1), dt.date(2024, 1, 31))


def test_a_folder_that_vanishes_while_it_is_searched_is_left_out(folder, monkeypatch):
    gone = folder / "gone"
    gone.mkdir()
    scan = os.scandir

    def scandir(path):
        if Path(path) == gone:
            gone.rmdir()
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert bulk_files.is_one(folder) and not gone.exists()


def test_another_folder_is_none(tmp_path):
    (tmp_path / "stock_prices.csv").write_text("Date\n")
    assert not bulk_files.is_one(Path(tmp_path))
