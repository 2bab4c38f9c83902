"""A raw file says where its rows come from, and is read without what the vendor added."""

import datetime as dt
import json

import polars as pl
import pytest
from gogooku import errors, files, point_in_time
from gogooku.raw import provenance, schema, store
from gogooku.raw.catalogue import DATASETS
from helpers.tiny_market import SESSIONS, tables

ROWS = tables()["bars"]
TIMES = [dt.datetime(2024, 10, day, 8, tzinfo=dt.UTC) for day in (9, 10)]


def test_a_file_tells_source_plan_times_rows_schema_and_content(tmp_path):
    told = provenance.describe(ROWS, "bars", "jquants", "light", TIMES)
    files.write_parquet(ROWS, tmp_path / "bars.parquet", told)
    read = files.read_metadata(tmp_path / "bars.parquet")
    assert (read["source"], read["dataset"], read["plan"]) == ("jquants", "bars", "light")
    assert read["fetched_first"] == TIMES[0].isoformat()
    assert read["fetched_last"] == TIMES[1].isoformat()
    assert json.loads(read["rows"]) == {str(day): 3 for day in SESSIONS}
    assert read["schema"] == schema.version("bars") and len(read["content"]) == 64


def test_the_content_is_that_of_the_rows_alone():
    content = {
        provenance.describe(rows, "bars", source)["content"]
        for rows in (ROWS, pl.concat([ROWS[:5], ROWS[5:]]))
        for source in ("simulated", "archive")
    }
    changed = provenance.describe(ROWS.with_columns(C=pl.col("C") + 0.1), "bars", "archive")
    assert len(content) == 1 and changed["content"] not in content


def test_a_source_that_repeats_itself_tells_no_time():
    told = provenance.describe(ROWS, "bars", "simulated")
    assert not {"fetched_first", "fetched_last", "plan"} & told.keys()


def test_files_with_different_new_fields_are_read_together(tmp_path):
    paths = []
    for more in ({}, {"B": "x"}, {"A": "y", "B": "z"}):
        moment = pl.lit(dt.datetime(2024, 10, 9), point_in_time.MOMENT)
        columns = {name: pl.lit(value) for name, value in more.items()}
        rows = ROWS.with_columns(known_at=moment, served_at=moment, **columns)
        paths.append(tmp_path / f"{len(paths)}.parquet")
        files.write_parquet(rows, paths[-1])
    found = store.read("bars", paths, "published")
    assert found.columns == [*DATASETS["bars"].schema, "known_at"]
    assert len(found) == 3 * len(ROWS)


def test_only_the_fields_that_are_asked_for_are_read(tmp_path):
    moment = pl.lit(dt.datetime(2024, 10, 9), point_in_time.MOMENT)
    asked = ROWS.select("Code", "C").with_columns(known_at=moment, served_at=moment)
    files.write_parquet(asked, tmp_path / "some.parquet")
    found = store.read("bars", tmp_path / "some.parquet", "served", ["C"])
    assert found.columns == ["C", "known_at"]
    with pytest.raises(errors.UserError, match=r"some\.parquet cannot be read"):
        store.read("bars", tmp_path / "some.parquet", "served")
