"""docs/files.md says what every file between two stages holds, and the files hold that."""

import json
import re
from pathlib import Path

import file_schemas
import polars as pl
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "<raw>": "data/raw/*", "<truth>": "data/truth/*", "<build>": "builds/*", "<run>": "runs/smoke",
}  # fmt: skip

pytestmark = pytest.mark.xdist_group("checkout")


def test_the_page_is_what_the_schemas_say():
    assert (ROOT / "docs" / "files.md").read_text() == file_schemas.page()


def pattern(path):
    """Glob of all files that a path of the page stands for."""
    for name, folder in FOLDERS.items():
        path = path.replace(name, folder)
    return re.sub(r"\{\w+\}", "*", path)


def matches(named, name):
    return re.fullmatch(re.sub(r"\\\{\w+\\\}", ".+", re.escape(named)), name)


@pytest.mark.parametrize("table", file_schemas.TABLES, ids=lambda table: table.path)
def test_a_file_has_the_columns_types_metadata_and_keys_of_the_page(checkout, table):
    paths = sorted(checkout.root.glob(pattern(table.path)))
    paths = [path for path in paths if path.parent.name != "exchange"]
    assert paths
    for path in paths:
        schema = {name: plain(kind) for name, kind in pl.read_parquet_schema(path).items()}
        assert unexplained(schema, table.fields()) == [], path
        metadata = {key.decode() for key in pq.read_schema(path).metadata or {}}
        assert metadata <= {line.partition(":")[0] for line in table.metadata.splitlines()}
        if "data set" not in table.keys:
            keys = pl.read_parquet(path, columns=table.keys.split(", "))
            assert not keys.is_duplicated().any(), path


def plain(kind):
    return str(kind).replace("time_unit='us', time_zone='UTC'", "us, UTC")


def unexplained(schema, fields):
    """Columns that the page has not, or with another type, and lines of the page without one."""
    strange = [
        name
        for name, kind in schema.items()
        if not {kind, "Any"} & {known for named, known, _ in fields if matches(named, name)}
    ]
    return strange + [named for named, *_ in fields if not any(matches(named, x) for x in schema)]


def test_json_files_have_the_keys_of_the_page(checkout):
    for path, about in file_schemas.JSONS.items():
        for file in checkout.root.glob(pattern(path)):
            if file.is_file() and "scaler" not in file.name:
                named = set(re.findall(r"`(\w+)`", about))
                tops = {key.replace("_spans", "") for key in json.loads(file.read_text())}
                assert tops <= named, file
