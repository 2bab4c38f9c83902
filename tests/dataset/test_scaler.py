import datetime as dt

import polars as pl
import pytest
from gogooku.dataset import scaler
from gogooku.errors import UserError


def test_the_scaler_gives_every_day_one_weight_and_sees_no_later_day():
    rows = pl.DataFrame(
        {
            "date": [dt.date(2024, 1, 4)] * 3 + [dt.date(2024, 1, 5)] + [dt.date(2024, 1, 9)],
            "a": pl.Series([1.0, 1.0, 1.0, 3.0, 99.0], dtype=pl.Float32),
            "b": pl.Series([None, None, None, None, 7.0], dtype=pl.Float32),
            "c": pl.Series([None, 2.0, None, None, 7.0], dtype=pl.Float32),
        }
    )
    fitted = scaler.fit(rows, ["a", "b", "c"], "2024-01-04", "2024-01-05")
    assert fitted["a"] == {"mean": 2.0, "sd": 1.0}
    assert fitted["b"] == {"mean": 0.0, "sd": 0.0}
    assert fitted["c"] == {"mean": 2.0, "sd": 0.0}
    with pytest.raises(UserError, match="widen splits.train"):
        scaler.fit(rows, ["a"], "2025-01-01", "2025-02-01")
