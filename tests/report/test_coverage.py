"""What a source lacks is said in sentences that name the data set, the days and the fields."""

import datetime as dt

import polars as pl
import pytest
from gogooku import files
from gogooku.raw import schema
from gogooku.raw.catalogue import DATASETS
from gogooku.report import coverage

START = dt.date(2024, 1, 1)
WEEKLY = [dt.date(2024, 1, 4) + dt.timedelta(7 * week) for week in range(25)]


@pytest.fixture
def raw(tmp_path):
    """Write raw files of one data set: its days and, by name, the fields that are filled."""

    def write(dataset, days, **filled):
        empty = schema.empty(dataset)
        frame = pl.DataFrame({DATASETS[dataset].day: days}).with_columns(
            **{name: pl.lit(value) for name, value in filled.items()}
        )
        rows = pl.concat([empty, frame], how="diagonal_relaxed") if days else empty
        path = tmp_path / dataset / "2024q1.parquet"
        files.write_parquet(rows, path)
        return str(path)

    return write


def test_a_data_set_without_rows_is_named(raw):
    (sentence,) = coverage.lacks([raw("topix", [])], START, dt.date(2024, 12, 31))
    assert sentence.startswith("topix: the source has no row")


def test_days_that_are_not_covered_are_named(raw):
    path = raw("topix", [dt.date(2024, 6, 3)], O=1.0, H=1.0, L=1.0, C=1.0)
    (sentence,) = coverage.lacks([path], START, dt.date(2024, 6, 30))
    assert "rows from 2024-06-03 to 2024-06-03 only" in sentence


def test_a_hole_between_days_is_named(raw):
    path = raw("topix", [dt.date(2024, 1, 4), dt.date(2024, 6, 3)], O=1.0, H=1.0, L=1.0, C=1.0)
    assert coverage.lacks([path], START, dt.date(2024, 6, 30)) == [
        "topix: no row between 2024-01-04 and 2024-06-03; null there"
    ]


def test_fields_that_are_never_filled_are_named(raw):
    path = raw("topix", WEEKLY, C=1.0)
    assert coverage.lacks([path], START, dt.date(2024, 6, 30)) == ["topix: O, H, L never filled"]


def test_a_whole_data_set_gives_no_sentence(raw):
    path = raw("topix", WEEKLY, O=1.0, H=1.0, L=1.0, C=1.0)
    assert coverage.lacks([path], START, dt.date(2024, 6, 30)) == []
