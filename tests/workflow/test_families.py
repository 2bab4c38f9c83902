"""A family is added by its module, its row and the configuration, and redoes nothing of others."""

import shutil

import polars as pl
import pytest
from helpers.checkout import Checkout

pytestmark = pytest.mark.xdist_group("checkout")

MODULE = '''"""The gain of a week."""

import numpy as np

from gogooku.features.column import Column, Values
from gogooku.features.inputs import Inputs

COLUMNS = [
    Column("weekly_gain", "stock", "share", "C / C of 5 before − 1", 5, 6, "-", inputs=("close",))
]


def compute(inputs: Inputs) -> Values:
    """Compute the family, (T, N)."""
    close = inputs.panel["close"]
    gain = np.full(close.shape, np.nan, np.float32)
    gain[5:] = close[5:] / close[:-5] - 1
    return {"weekly_gain": gain}
'''
ROW = ("lib/gogooku/families.py", '    "user":', '    "weekly": {"panel": Read(5)},\n    "user":')
CONFIG = ("config/smoke.yaml", "statement, graph]", "statement, graph, weekly]")


@pytest.fixture
def grown(checkout, tmp_path):
    """The finished smoke run in another folder, with one family more."""
    shutil.copytree(checkout.root, tmp_path / "clone", symlinks=True)
    clone = Checkout(tmp_path / "clone")
    (clone.root / "lib/gogooku/features/weekly.py").write_text(MODULE)
    with clone.edited(*ROW), clone.edited(*CONFIG):
        yield clone


def test_a_family_is_a_module_a_row_and_a_name_in_the_configuration(grown):
    planned = grown.would_run()
    assert {job for job in planned if job.startswith("features")} == {"features weekly"}
    assert planned["features weekly"] == planned["dataset"] == planned["profile"] == 3
    assert not planned.keys() & {"market", "fetch", "panel", "labels", "graph", "fold"}
    assert {"scaler", "evaluate", "report"} <= planned.keys()


@pytest.mark.slow
def test_a_new_family_reaches_the_report_and_leaves_the_others_files_alone(grown):
    features = grown.root / "builds/smoke/features"
    before = {path: path.stat().st_mtime_ns for path in features.rglob("*.parquet")}
    grown.snakemake("train_all")
    assert grown.would_run() == {}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    rows = pl.read_parquet(features / "weekly/2021y.parquet")
    assert rows.columns == ["date", "code", "weekly_gain", "is_weekly_valid"]
    dataset = grown.root / "builds/smoke/dataset/2021y.parquet"
    assert "weekly_gain" in pl.read_parquet_schema(dataset)
