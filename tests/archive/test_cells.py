"""Foreign tables tell days and times in many forms: each is read rightly, or refused."""

import datetime as dt

import polars as pl
import pytest
from gogooku.archive import cells, reader
from gogooku.errors import UserError
from hypothesis import given
from hypothesis import strategies as st

DAY = dt.date(2021, 1, 4)
MIDNIGHT = dt.datetime(2021, 1, 4)
TEXTS = [
    "2021-01-04", "2021/1/4", "2021/01/04", "2021.1.4", "20210104", "20210104.0", "2021年1月4日",
    "2021-01-04 00:00:00", "2021-01-04T00:00:00.000000000", "2021-01-04 00:00:00+09:00",
    "2021-01-03T15:00:00Z", "2021-01-03T10:00:00-05:00",
]  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        *(pl.Series([text]) for text in TEXTS),
        pl.Series(["2021/1/4"], dtype=pl.Categorical),
        pl.Series([20210104]),
        pl.Series([20210104.0]),
        pl.Series([DAY]),
        *(pl.Series([MIDNIGHT], dtype=pl.Datetime(unit)) for unit in ("ms", "us", "ns")),
        *(
            pl.Series([MIDNIGHT]).dt.replace_time_zone("Asia/Tokyo").dt.convert_time_zone(zone)
            for zone in ("Asia/Tokyo", "UTC", "America/New_York")
        ),
    ],
)
def test_a_day_is_the_local_date_in_japan(values):
    assert cells.days(values).to_list() == [DAY]


@pytest.mark.parametrize(
    "values",
    [
        pl.Series(["04/01/2021", "2021-13-01", "2021-01-03 15:00:00", "44200", "0021-01-04", "x"]),
        pl.Series([dt.datetime(2021, 1, 3, 15)]),
        pl.Series([18631, 1609718400, 2021]),
        pl.Series([True]),
    ],
)
def test_what_leaves_a_doubt_is_no_day(values):
    assert cells.days(values).is_null().all()


@given(st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)), st.integers(0, 86399))
def test_every_moment_counts_by_its_date_in_japan(day, second):
    tokyo = dt.datetime.combine(day, dt.time(), cells.JAPAN) + dt.timedelta(seconds=second)
    texts = pl.Series([tokyo.isoformat(), tokyo.astimezone(dt.UTC).isoformat()])
    assert cells.days(texts).to_list() == [day, day]
    assert cells.days(pl.Series([tokyo])).to_list() == [day]


def bars(folder, date, kind="parquet"):
    """Write prices of one stock on two days; `date` gives the column of days its form."""
    folder.mkdir()
    rows = pl.DataFrame({
        "Date": [DAY, DAY + dt.timedelta(1)], "SecuritiesCode": 1301, "Open": 1.0, "High": 9.0,
        "Low": 1.0, "Close": [2.0, 3.0], "Volume": 100, "AdjustmentFactor": 1.0,
    }).with_columns(Date=date)  # fmt: skip
    path = folder / f"stock_prices.{kind}"
    rows.write_parquet(path) if kind == "parquet" else rows.write_csv(path)
    return folder


@pytest.mark.parametrize(
    "date",
    [
        pl.col("Date").cast(pl.Datetime("ns", "Asia/Tokyo")) - pl.duration(hours=9),
        pl.col("Date").cast(pl.Datetime("ns", "UTC")) - pl.duration(hours=9),
        pl.col("Date").dt.to_string("%Y%m%d").cast(pl.Int64),
        pl.col("Date").dt.to_string("%Y/%m/%d"),
    ],
)
def test_bars_are_of_their_own_day_in_whatever_form_it_is_written(tmp_path, date):
    folder = bars(tmp_path / "a", date)
    read = reader.read(folder, "bars", DAY, DAY, factor_convention="ex_date")
    assert read.select("Date", "C").rows() == [(DAY, 2.0)]


def test_a_moment_without_a_zone_is_refused_as_a_day(tmp_path):
    folder = bars(tmp_path / "a", pl.col("Date").cast(pl.Datetime("ns")) - pl.duration(hours=9))
    with pytest.raises(
        UserError, match=r"parquet holds '2021-01-03 15:00:00' in the column 'Date'"
    ):
        reader.read(folder, "bars", DAY, DAY, factor_convention="ex_date")


@pytest.mark.parametrize("name", ["jpx [2022] data", "a*b?", "{2022} ü 日本", "with space"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_folder_s_name_is_taken_literally(tmp_path, name, kind):
    folder = bars(tmp_path / name, pl.col("Date"), kind)
    assert len(reader.read(folder, "bars", DAY, DAY, factor_convention="ex_date")) == 1


@pytest.mark.parametrize(
    "time, written",
    [("15:00:00", "15:00:00"), ("15:00", "15:00"), ("3:00:00 PM", "15:00:00"), ("1500", "15:00:00"),
     (90000, "09:00:00"), (dt.time(15), "15:00:00"), ("-", None), (None, None)],
)  # fmt: skip
def test_times_of_day_are_written_as_the_vendor_writes_them(tmp_path, time, written):
    column = pl.Series("DisclosedTime", [time])
    assert cells.typed(column, tmp_path).to_list() == [written]


@pytest.mark.parametrize("time", ["2500", "17 o'clock", "15:75"])
def test_what_is_no_time_of_day_is_named_with_its_file_and_column(tmp_path, time):
    column = pl.Series("DisclosedTime", [time])
    with pytest.raises(UserError) as refusal:
        cells.typed(column, tmp_path / "financials.csv")
    assert "financials.csv holds " in str(refusal.value) and time in str(refusal.value)
