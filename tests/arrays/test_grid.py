import numpy as np
import polars as pl
import pytest
from gogooku.arrays.grid import Grid

DATES = np.array(["2024-01-04", "2024-01-05", "2024-01-09"], "datetime64[D]")
GRID = Grid(DATES, np.array(["13010", "99990"]))
DAYS = ["2024-01-09", "2024-01-04", "2024-01-05", "2024-01-08", None]
ROWS = pl.DataFrame(
    {
        "date": pl.Series(DAYS).str.to_date(),
        "code": ["13010", "99990", "77770", "13010", "13010"],
        "value": [1.5, 2.5, 3.5, 4.5, 5.5],
    }
)


def test_a_row_lies_where_its_date_and_code_meet_and_one_off_the_grid_nowhere():
    assert GRID.cells(ROWS).tolist() == [4, 1, -1, -1, -1]
    assert GRID.days(ROWS["date"]).tolist() == [2, 0, 1, -1, -1]
    assert GRID.slots(pl.Series(["99990", None, "1"])).tolist() == [1, -1, -1]


def test_a_date_before_or_after_the_grid_lies_nowhere():
    days = pl.Series(["2023-12-29", "2024-02-01"]).str.to_date()
    assert GRID.days(days).tolist() == [-1, -1]


def test_dense_holds_each_value_in_its_place():
    table = GRID.dense(GRID.cells(ROWS), ROWS["value"].to_numpy(), np.nan)
    np.testing.assert_array_equal(table, [[np.nan, 2.5], [np.nan, np.nan], [1.5, np.nan]])
    marks = GRID.dense(GRID.cells(ROWS), True, False)
    assert marks.dtype == bool and marks.sum() == 2


def test_tidy_gives_back_what_dense_laid_out():
    table = GRID.dense(GRID.cells(ROWS), ROWS["value"].to_numpy(), np.nan)
    columns = {"value": table, "year": np.array([1, 2, 3])}
    rows = GRID.tidy(np.isfinite(table), columns, np.float32)
    on = ROWS[:2].sort("date")
    assert rows.select("date", "code").equals(on.select("date", "code"))
    assert rows["value"].to_list() == [2.5, 1.5] and rows["year"].to_list() == [1, 3]
    assert rows.schema["value"] == pl.Float32


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_the_span_of_rows_is_sorted_whatever_their_order(order):
    rows = ROWS[:2][order]
    grid = Grid.of(rows["date"], rows["code"])
    assert grid.shape == (2, 2) and grid.codes.tolist() == ["13010", "99990"]
    np.testing.assert_array_equal(grid.dates, DATES[[0, 2]])
