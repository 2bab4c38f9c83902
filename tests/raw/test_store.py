"""Raw files are read with the catalogue's types, or refused."""

import datetime as dt
import re

import polars as pl
import pytest
from gogooku import point_in_time
from gogooku.errors import UserError
from gogooku.raw import store
from gogooku.raw.catalogue import DATASETS

NOON = dt.datetime(2024, 10, 1, 12, tzinfo=dt.UTC)


def topix(day=dt.date(2024, 10, 1)):
    row = {"Date": day, "O": 1.0, "H": 1.0, "L": 1.0, "C": 1.0}
    moments = dict.fromkeys(point_in_time.COLUMN.values(), NOON)
    types = DATASETS["topix"].schema | dict.fromkeys(moments, point_in_time.MOMENT)
    return pl.DataFrame([row | moments], schema=types)


def test_several_files_are_read_one_below_the_other(tmp_path):
    paths = [tmp_path / "2024q3 [a].parquet", tmp_path / "2024q4.parquet"]
    for path in paths:
        topix().write_parquet(path)
    assert store.read("topix", paths, "served").columns == ["Date", "O", "H", "L", "C", "known_at"]
    assert len(store.read("topix", paths, "served", ["C"])) == 2


@pytest.mark.parametrize("column, kind", [("Date", pl.Datetime("ms", "UTC")), ("C", pl.Int64())])
def test_a_column_of_another_type_is_named_with_its_file(tmp_path, column, kind):
    path = tmp_path / "2024q4.parquet"
    topix().with_columns(pl.col(column).cast(kind)).write_parquet(path)
    fault = f"2024q4.parquet holds {kind} in the column {column!r}"
    with pytest.raises(UserError, match=re.escape(fault)):
        store.read("topix", path, "published")
