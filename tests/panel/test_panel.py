"""The panel adjusts forward, says what is absent, and lays out what it holds."""

import dataclasses
import datetime as dt
import itertools

import numpy as np
import polars as pl
import pytest
from gogooku import errors, files
from gogooku.features.column import Column, finish
from gogooku.panel.panel import Panel
from helpers.panels import make

DAYS = [dt.date(2024, 1, day) for day in (4, 5, 9)]


def rows(**changes):
    """Two stocks on three days; 130A0 splits 1:2 on the last, 13010 is listed from the second."""
    keys = [(DAYS[0], "130A0"), (DAYS[1], "13010"), (DAYS[1], "130A0"), (DAYS[2], "13010"),
            (DAYS[2], "130A0")]  # fmt: skip
    close = [100.0, 50.0, 110.0, None, 60.0]
    frame = pl.DataFrame(keys, {"date": pl.Date, "code": pl.String}, orient="row")
    frame = frame.with_columns(
        *(pl.Series(name, close, pl.Float64) for name in ("open", "high", "low", "close")),
        pl.Series("volume", [10.0, 5.0, 10.0, None, 30.0]),
        pl.lit(1e6).alias("value"),
        pl.Series("factor", [1.0, 1.0, 1.0, 1.0, 0.5]),
        pl.Series("volume_factor", [1.0, 1.0, 1.0, 1.0, 0.5]),
        *(pl.lit(False).alias(name) for name in ("limit_up", "limit_down", "new_level")),
        pl.Series("s33", ["0050", "3050", "0050", "3050", "0050"]),
        pl.lit("1").alias("s17"),
        pl.lit("0111").alias("market"),
        pl.lit(True).alias("universe"),
    )
    return frame.with_columns(**changes)


def test_a_split_moves_no_adjusted_price_and_no_earlier_day():
    panel = Panel.of(rows())
    assert panel.codes.tolist() == ["13010", "130A0"]
    np.testing.assert_allclose(panel["close"][:, 1], [100, 110, 120])
    np.testing.assert_allclose(panel["volume"][:, 1], [10, 10, 15])
    np.testing.assert_allclose(panel["raw_close"][:, 1], [100, 110, 60])
    before = Panel.of(rows().filter(pl.col("date") < DAYS[2]))
    np.testing.assert_array_equal(before["close"], panel["close"][:2])


def test_a_rights_issue_adjusts_prices_and_not_volume():
    panel = Panel.of(rows(volume_factor=pl.lit(1.0)))
    np.testing.assert_allclose(panel["close"][2, 1], 120)
    np.testing.assert_allclose(panel["volume"][2, 1], 30)


def test_what_is_absent_is_nan_and_unlisted_is_not_listed():
    panel = Panel.of(rows())
    assert np.isnan(panel["close"][0, 0]) and np.isnan(panel["close"][2, 0])
    assert panel["listed"].tolist() == [[False, True], [True, True], [True, True]]
    assert panel["s33"].tolist()[0] == [-1, 50]


@pytest.mark.parametrize("laid_out_before", [False, True])
@pytest.mark.parametrize("row", [-1, 0, 1, 2, 3])
def test_the_panel_since_a_row_is_the_end_of_the_whole(row, laid_out_before):
    """A day of shuffled rows, with splits on the first two; of a late panel's late panel too."""
    split = pl.Series([2.0, 1.0, 0.5, 0.25, 1.0])
    shuffled = rows(factor=split, volume_factor=split)[[3, 0, 4, 2, 1]]
    whole, other = Panel.of(shuffled), Panel.of(shuffled)
    fields = {name: whole[name] for name in whole.fields}
    late = (whole if laid_out_before else other).since(row)
    later, first = late.since(1), max(row, 0)
    for name, values in fields.items():
        np.testing.assert_array_equal(late[name], values[first:], err_msg=name)
        np.testing.assert_array_equal(later[name], values[first:][1:], err_msg=name)
    assert late.dates.tolist() == whole.dates[first:].tolist()
    assert late.fields.keys() == whole.fields.keys()


def test_files_are_read_field_by_field_and_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_parquet(rows().filter(pl.col("date") < DAYS[2]), "one.parquet")
    files.write_parquet(rows().filter(pl.col("date") == DAYS[2]), "two.parquet")
    panel = Panel.read(["one.parquet", "two.parquet"])
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(panel["close"], Panel.of(rows())["close"])
    (tmp_path / "two.parquet").unlink()
    with pytest.raises(errors.UserError, match=r"two\.parquet cannot be read"):
        panel["value"]


def test_a_late_panel_reads_no_earlier_file(tmp_path):
    for day in DAYS:
        files.write_parquet(rows().filter(pl.col("date") == day), tmp_path / f"{day}.parquet")
    panel = Panel.read([tmp_path / f"{day}.parquet" for day in DAYS])
    (tmp_path / f"{DAYS[0]}.parquet").unlink()
    np.testing.assert_array_equal(panel.since(1)["value"], Panel.of(rows())["value"][1:])
    assert panel.since(3)["value"].shape == (0, 2)
    with pytest.raises(errors.UserError, match=f"{DAYS[0]}"):
        panel["value"]


@pytest.mark.parametrize("untyped_first", [False, True])
def test_a_field_has_its_type_whatever_a_file_without_values_says(tmp_path, untyped_first):
    names = ["universe", "new_level", "s33", "market", "limit_up", "value"]
    early, late = pl.col("date") < DAYS[2], pl.col("date") == DAYS[2]
    untyped = {name: pl.lit(None) for name in names}
    parts = [rows().filter(early), rows().filter(late)]
    plain = [rows(**{n: pl.when(late == untyped_first).then(n) for n in names})]
    place = 0 if untyped_first else 1
    parts[place] = parts[place].with_columns(**untyped)
    for number, part in enumerate(parts):
        files.write_parquet(part, tmp_path / f"{number}.parquet")
    paths = [tmp_path / f"{number}.parquet" for number in (0, 1)]
    for row in (0, 1, 2):
        got, due = Panel.read(paths).since(row), Panel.of(plain[0]).since(row)
        for name in names:
            assert got[name].dtype == due[name].dtype, name
            np.testing.assert_array_equal(got[name], due[name], name)


def test_raw_and_adjusted_prices_do_not_share_memory():
    for first, second in (("raw_close", "close"), ("close", "raw_close")):
        panel = Panel.of(rows())
        one, other = panel[first].copy(), panel[second].copy()
        np.testing.assert_array_equal(panel[first], one)
        np.testing.assert_array_equal(panel[second], other)
        assert panel["raw_close"][2, 1] == 60 and panel["close"][2, 1] == 120
        assert panel["raw_volume"][2, 1] == 30 and panel["volume"][2, 1] == 15


def test_returns_over_a_gap_are_absent():
    panel = Panel.of(rows())
    np.testing.assert_allclose(panel.returns[:, 1], [np.nan, 0.1, 120 / 110 - 1])
    assert np.isnan(panel.returns[:, 0]).all()


def test_tidy_gives_the_listed_rows_of_the_span_in_order():
    panel = Panel.of(rows())
    frame = panel.tidy({"a": panel["close"], "m": np.array([1.0, 2.0, np.nan])}, DAYS[1])
    assert frame.rows() == [
        (DAYS[1], "13010", 50.0, 2.0),
        (DAYS[1], "130A0", 110.0, 2.0),
        (DAYS[2], "13010", None, None),
        (DAYS[2], "130A0", 120.0, None),
    ]


def test_a_row_that_comes_twice_is_refused():
    twice = pl.concat([rows(), rows().tail(1)])
    with pytest.raises(errors.UserError, match="date and code twice"):
        Panel.of(twice)


def column(name, kind="stock"):
    return Column(name, kind, "1", "a test", 0, 1, "none")


def test_a_column_named_and_not_made_or_made_and_not_named_is_an_error():
    panel = Panel.of(rows())
    made = {"a": panel["close"]}
    for named in ([column("a"), column("b")], [column("b")]):
        with pytest.raises(ValueError, match="'b'"):
            finish(panel, "test", named, made, DAYS[0])


def test_a_flag_of_the_day_is_every_stock_s():
    panel, flag = Panel.of(rows()), np.array([0.0, 1.0, np.nan], np.float32)
    frame, metadata = finish(panel, "test", [column("a", "flag")], {"a": flag}, DAYS[0])
    assert frame["a"].to_list() == [0, 1, 1, None, None]
    assert '"a": "flag"' in metadata["kinds"]


def test_what_is_known_without_the_familys_data_makes_no_row_valid():
    panel, flag = Panel.of(rows()), np.ones(3, np.float32)
    listed = dataclasses.replace(column("b"), validates=False)
    made = {"a": panel["close"], "b": panel["factor"], "c": flag}
    frame, _ = finish(panel, "test", [column("a"), listed, column("c", "flag")], made, DAYS[0])
    assert frame["b"].null_count() == frame["c"].null_count() == 0
    assert frame["is_test_valid"].to_list() == [True, True, True, False, True]


def test_infinite_values_are_an_error_and_validity_is_any_known_column():
    panel = Panel.of(rows())
    with pytest.raises(ValueError, match="infinite"):
        finish(panel, "test", [column("a")], {"a": panel["close"] / 0}, DAYS[0])
    frame, metadata = finish(panel, "test", [column("a")], {"a": panel["close"]}, DAYS[0])
    assert frame["is_test_valid"].to_list() == [True, True, True, False, True]
    assert '"a": "stock"' in metadata["kinds"]


def test_a_run_that_starts_on_no_session_is_told_so():
    with pytest.raises(errors.UserError, match=r"move dates\.start"):
        Panel.of(rows().clear())


def test_a_limit_flag_that_the_source_does_not_give_is_absent():
    panel = Panel.of(rows(limit_up=pl.lit(None, pl.Boolean)))
    listed = panel["listed"]
    assert np.isnan(panel["limit_up"]).all()
    assert (panel["limit_down"][listed] == 0).all() and np.isnan(panel["limit_down"][~listed]).all()


# ---- what is shared cannot be changed ------------------------------------------------------------


@pytest.mark.parametrize("cut", [None, 2], ids=["whole", "late"])
def test_no_array_of_a_panel_can_be_written_into(cut):
    panel = make([[100.0, 50.0]] * 4)
    panel = panel if cut is None else panel.since(cut)
    arrays = {name: panel[name] for name in panel.fields}
    arrays |= {"dates": panel.dates, "codes": panel.codes, "returns": panel.returns}
    for name, values in arrays.items():
        with pytest.raises(ValueError, match="read-only"):
            values[:] = values[::-1].copy()
        assert not values[1:].flags.writeable, name


def test_fields_of_a_panel_share_no_memory_but_those_of_its_later_sessions():
    panel = make([[100.0, 50.0]] * 4)
    fields = {name: panel[name] for name in panel.fields}
    for one, other in itertools.combinations(fields, 2):
        assert not np.shares_memory(fields[one], fields[other]), (one, other)
    assert np.shares_memory(panel["close"], panel.since(2)["close"])
