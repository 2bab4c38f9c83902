import datetime as dt
import json

import numpy as np
import polars as pl
import pytest
from gogooku import files
from gogooku.dataset.inputs import ModelInputs
from gogooku.errors import UserError

DATES = [dt.date(2024, 1, 4), dt.date(2024, 1, 5), dt.date(2024, 1, 9)]
CODES = ["13010", "130A0", "99990"]
SCALER = {"mkt": {"mean": 0.5, "sd": 2.0}}


@pytest.fixture
def paths(tmp_path):
    """Two spans of a data set, their labels and graph."""
    nan = float("nan")
    rows = pl.DataFrame(
        {
            "date": [DATES[0], DATES[0], DATES[1], DATES[2], DATES[2]],
            "code": ["13010", "130A0", "130A0", "130A0", "99990"],
            "f": pl.Series([1.0, None, 3.0, 4.0, nan], dtype=pl.Float32),
            "mkt": pl.Series([2.5, 2.5, 4.5, 500, 500], dtype=pl.Float32),
            "is_f_valid": [True, False, True, True, False],
        }
    )
    kinds = {"kinds": json.dumps({"f": "stock", "mkt": "market", "is_f_valid": "flag"})}
    labels = pl.DataFrame(
        {
            "date": [DATES[0], DATES[0], DATES[0], DATES[1]],
            "code": ["13010", "99990", "13010", "130A0"],
            "horizon": pl.Series([1, 1, 5, 1], dtype=pl.Int16),
            "exit": DATES[:1] * 4,
            "label": pl.Series([0.1, 0.2, 0.3, 0.4], dtype=pl.Float32),
        }
    )
    graph = pl.DataFrame(
        {
            "date": [DATES[0], DATES[0], DATES[2], DATES[2]],
            "source": ["130A0", "99990", "99990", "77770"],
            "target": ["13010", "13010", "130A0", "130A0"],
            "weight": pl.Series([0.5, 0.6, -0.7, 0.8], dtype=pl.Float32),
        }
    )
    parts = {"a": rows[:2], "b": rows[2:], "labels": labels, "graph": graph}
    for name, part in parts.items():
        files.write_parquet(part, tmp_path / name, kinds)
    return [[str(tmp_path / "a"), str(tmp_path / "b")], [str(tmp_path / "labels")],
            [str(tmp_path / "graph")]]  # fmt: skip


def test_days_are_dense_scaled_and_zero_where_unknown(paths):
    inputs = ModelInputs.read(*paths, SCALER, [1, 5], neighbours=1)
    assert inputs.x.dtype == np.float32
    assert inputs.columns == ["f", "mkt", "is_f_valid"]
    assert inputs.codes.tolist() == CODES
    np.testing.assert_array_equal(inputs.dates, np.array(DATES, "datetime64[D]"))
    np.testing.assert_array_equal(inputs.universe, [[1, 1, 0], [0, 1, 0], [0, 1, 1]])
    np.testing.assert_array_equal(inputs.x[0], [[1, 1, 1], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(inputs.x[1, 1], [3, 2, 1])
    np.testing.assert_array_equal(inputs.x[2, 1:], [[4, 5, 1], [0, 5, 0]])


def test_labels_of_members_only(paths):
    inputs = ModelInputs.read(*paths, SCALER, [1, 5], neighbours=1)
    assert inputs.horizons == [1, 5]
    known = {
        tuple(i): float(inputs.labels[tuple(i)]) for i in np.argwhere(np.isfinite(inputs.labels))
    }
    assert known == pytest.approx({(0, 0, 0): 0.1, (0, 0, 1): 0.3, (1, 1, 0): 0.4})


def test_horizons_are_the_ones_asked_for_and_one_without_labels_is_refused(paths):
    inputs = ModelInputs.read(paths[0], paths[1], None, SCALER, [5])
    assert inputs.horizons == [5] and inputs.labels.shape == (3, 3, 1)
    assert inputs.labels[0, 0, 0] == pytest.approx(0.3)
    with pytest.raises(UserError, match="hold none of horizon 10"):
        ModelInputs.read(paths[0], paths[1], None, SCALER, [1, 5, 10])


def test_edges_between_members_only(paths):
    inputs = ModelInputs.read(*paths, SCALER, [1, 5], neighbours=1)
    assert inputs.neighbours.shape == inputs.weights.shape == (3, 3, 1)
    known = {tuple(i): inputs.neighbours[tuple(i)] for i in np.argwhere(inputs.neighbours >= 0)}
    assert known == {(0, 0, 0): 1, (2, 1, 0): 2}
    assert inputs.weights[2, 1, 0] == pytest.approx(-0.7)


def test_days_can_be_read_without_labels_graph_or_some_columns(paths):
    inputs = ModelInputs.read(paths[0], None, None, {}, columns=["is_f_valid", "f"])
    assert inputs.labels.shape == (3, 3, 0) and inputs.neighbours.shape == (3, 3, 0)
    np.testing.assert_array_equal(inputs.x[0, 0], [1, 1])


def test_what_is_missing_is_named(paths):
    with pytest.raises(UserError, match=r"lacks \['nope'\]"):
        ModelInputs.read(paths[0], None, None, SCALER, columns=["nope"])
    with pytest.raises(UserError, match="lacks the market column mkt"):
        ModelInputs.read(paths[0], None, None, {})


def test_a_window_is_a_view_and_starts_with_zeros_before_the_first_session(paths):
    inputs = ModelInputs.read(*paths, SCALER, [1, 5], neighbours=1)
    assert np.shares_memory(inputs.window(2, 2), inputs.x)
    np.testing.assert_array_equal(inputs.window(2, 2), inputs.x[1:])
    early = inputs.window(0, 3)
    assert early.shape == inputs.x.shape and not early[:2].any()
    np.testing.assert_array_equal(early[2], inputs.x[0])


def test_within_holds_both_ends(paths):
    inputs = ModelInputs.read(*paths, SCALER, [1, 5], neighbours=1)
    assert inputs.part({"first": "2024-01-05", "last": "2024-01-09"}).tolist() == [1, 2]
    assert inputs.part({"first": "2024-01-01", "last": "2024-01-05"}).tolist() == [0, 1]


def test_predictions_come_out_as_the_rows_that_went_in(paths):
    inputs = ModelInputs.read(*paths, SCALER, [1, 5], neighbours=1)
    scores = np.arange(12).reshape(2, 3, 2)
    frame = inputs.tidy(np.array([0, 2]), scores)
    assert frame.columns == ["date", "code", "prediction_1d", "prediction_5d"]
    assert frame.rows() == [
        (DATES[0], "13010", 0, 1), (DATES[0], "130A0", 2, 3),
        (DATES[2], "130A0", 8, 9), (DATES[2], "99990", 10, 11),
    ]  # fmt: skip
