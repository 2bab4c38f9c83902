import datetime as dt
import json

import numpy as np
import polars as pl
import pytest
from gogooku import run
from gogooku.dataset import Days, assemble
from gogooku.run import UserError

DATES = [dt.date(2024, 1, 4), dt.date(2024, 1, 5), dt.date(2024, 1, 9)]
CODES = ["13010", "130A0", "99990"]
SCALER = {"mkt": {"mean": 0.5, "sd": 2.0}}


def keys():
    return pl.DataFrame({"date": DATES}).join(pl.DataFrame({"code": CODES}), how="cross")


def panel():
    member = [True, True, False, True, True, True, False, False, False]
    return keys().with_columns(universe=pl.Series(member))


def family(name="f", kind="stock", values=(1, 2, 900, 4, 6, None, 7, 8, 9)):
    valid = f"is_{name}_valid"
    column = pl.Series(name, values, pl.Float32)
    frame = keys().with_columns(column, (column.is_not_null()).alias(valid))
    return frame, {name: kind, valid: "flag"}


def assembled(*families, min_stocks=1):
    return assemble(panel(), families, clip=0, method="zscore", min_stocks=min_stocks)


def test_only_members_have_rows_and_only_members_are_peers():
    frame, kinds = assembled(family())
    assert frame.select("date", "code").rows() == [
        (DATES[0], "13010"), (DATES[0], "130A0"),
        (DATES[1], "13010"), (DATES[1], "130A0"), (DATES[1], "99990"),
    ]  # fmt: skip
    assert frame["f"].to_list() == [-1, 1, -1, 1, None]
    assert frame["is_f_valid"].to_list() == [True, True, True, True, False]
    assert kinds == {"f": "stock", "is_f_valid": "flag"}


def test_market_columns_and_flags_stay_as_they_are():
    frame, _ = assembled(family("m", "market"), family("g", "flag"))
    assert frame["m"].to_list() == frame["g"].to_list() == [1, 2, 4, 6, None]


def test_rows_that_differ_from_the_panel_are_refused():
    frame, kinds = family()
    with pytest.raises(UserError, match="with f are not those of the panel"):
        assembled((frame[1:], kinds))


def test_a_column_made_twice_is_refused():
    with pytest.raises(UserError, match=r"\['f', 'is_f_valid'\]"):
        assembled(family(), family())


def test_a_day_with_too_few_members_is_refused_but_an_empty_universe_is_no_day():
    with pytest.raises(UserError, match="2024-01-04 has 2 stocks"):
        assembled(family(), min_stocks=3)


@pytest.fixture
def files(tmp_path):
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
        run.write_parquet(part, tmp_path / name, kinds)
    return [[str(tmp_path / "a"), str(tmp_path / "b")], [str(tmp_path / "labels")],
            [str(tmp_path / "graph")]]  # fmt: skip


def test_days_are_dense_scaled_and_zero_where_unknown(files):
    days = Days.read(*files, SCALER, neighbours=1)
    assert days.x.dtype == np.float32
    assert days.columns == ["f", "mkt", "is_f_valid"]
    assert days.codes.tolist() == CODES
    np.testing.assert_array_equal(days.dates, np.array(DATES, "datetime64[D]"))
    np.testing.assert_array_equal(days.universe, [[1, 1, 0], [0, 1, 0], [0, 1, 1]])
    np.testing.assert_array_equal(days.x[0], [[1, 1, 1], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(days.x[1, 1], [3, 2, 1])
    np.testing.assert_array_equal(days.x[2, 1:], [[4, 5, 1], [0, 5, 0]])


def test_labels_of_members_only(files):
    days = Days.read(*files, SCALER, neighbours=1)
    assert days.horizons == [1, 5]
    known = {tuple(i): float(days.labels[tuple(i)]) for i in np.argwhere(np.isfinite(days.labels))}
    assert known == pytest.approx({(0, 0, 0): 0.1, (0, 0, 1): 0.3, (1, 1, 0): 0.4})


def test_edges_between_members_only(files):
    days = Days.read(*files, SCALER, neighbours=1)
    assert days.neighbours.shape == days.weights.shape == (3, 3, 1)
    known = {tuple(i): days.neighbours[tuple(i)] for i in np.argwhere(days.neighbours >= 0)}
    assert known == {(0, 0, 0): 1, (2, 1, 0): 2}
    assert days.weights[2, 1, 0] == pytest.approx(-0.7)


def test_days_can_be_read_without_labels_graph_or_some_columns(files):
    days = Days.read(files[0], None, None, {}, columns=["is_f_valid", "f"])
    assert days.labels.shape == (3, 3, 0) and days.neighbours.shape == (3, 3, 0)
    np.testing.assert_array_equal(days.x[0, 0], [1, 1])


def test_what_is_missing_is_named(files):
    with pytest.raises(UserError, match=r"lacks \['nope'\]"):
        Days.read(files[0], None, None, SCALER, columns=["nope"])
    with pytest.raises(UserError, match="lacks the market column mkt"):
        Days.read(files[0], None, None, {})


def test_a_window_is_a_view_and_starts_with_zeros_before_the_first_session(files):
    days = Days.read(*files, SCALER, neighbours=1)
    assert np.shares_memory(days.window(2, 2), days.x)
    np.testing.assert_array_equal(days.window(2, 2), days.x[1:])
    early = days.window(0, 3)
    assert early.shape == days.x.shape and not early[:2].any()
    np.testing.assert_array_equal(early[2], days.x[0])


def test_within_holds_both_ends(files):
    days = Days.read(*files, SCALER, neighbours=1)
    assert days.within("2024-01-05", dt.date(2024, 1, 9)).tolist() == [1, 2]
    assert days.part({"first": "2024-01-01", "last": "2024-01-05"}).tolist() == [0, 1]


def test_predictions_come_out_as_the_rows_that_went_in(files):
    days = Days.read(*files, SCALER, neighbours=1)
    scores = np.arange(12).reshape(2, 3, 2)
    frame = days.tidy(np.array([0, 2]), scores, [1, 5])
    assert frame.columns == ["date", "code", "prediction_1d", "prediction_5d"]
    assert frame.rows() == [
        (DATES[0], "13010", 0, 1), (DATES[0], "130A0", 2, 3),
        (DATES[2], "130A0", 8, 9), (DATES[2], "99990", 10, 11),
    ]  # fmt: skip
