"""A row is known when the market could read it, and not before."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from gogooku import point_in_time
from gogooku.config import availability
from gogooku.errors import UserError
from hypothesis import given
from hypothesis import strategies as st

RULES = availability.read(Path(__file__).parents[1] / "config" / "availability.yaml")


def stamped(dataset, **columns):
    frame = point_in_time.stamp(pl.DataFrame(columns), RULES.datasets[dataset], RULES.close)
    jst = pl.col("known_at", "served_at").dt.convert_time_zone("Asia/Tokyo")
    return frame.select(jst.dt.strftime("%m-%d %H:%M:%S")).rows()


@pytest.mark.parametrize(
    "time, published, served",
    [
        ("11:30:00", "10-25 11:30:01", "10-25 18:00:00"),
        ("15:00:00", "10-25 15:00:01", "10-25 18:00:00"),
        ("18:30:00", "10-25 18:30:01", "10-26 00:30:00"),
        ("", "10-26 00:00:00", "10-26 00:30:00"),
        (None, "10-26 00:00:00", "10-26 00:30:00"),
        ("00:00:00", "10-26 00:00:00", "10-26 00:30:00"),
    ],
)
def test_a_filing_is_public_once_its_stamped_second_has_passed(time, published, served):
    days = [dt.date(2024, 10, 25)]
    assert stamped("summary", DiscDate=days, DiscTime=pl.Series([time], dtype=pl.String)) == [
        (published, served)
    ]


def test_a_dividend_stamped_at_midnight_is_not_known_before_its_day_is_over():
    times = pl.Series(["00:00", "12:30"])
    found = stamped("dividend", PubDate=[dt.date(2024, 10, 25)] * 2, PubTime=times)
    assert [published for published, _ in found] == ["10-26 00:00:59", "10-25 12:31:00"]


def test_prices_are_known_at_the_close_of_their_day():
    days = [dt.date(2024, 11, 1), dt.date(2024, 11, 5)]
    assert stamped("bars", Date=days) == [
        ("11-01 15:00:00", "11-01 16:30:00"),
        ("11-05 15:30:00", "11-05 16:30:00"),
    ]


def test_weekly_flows_are_known_when_published_not_when_the_week_ends():
    assert stamped(
        "investor_types", PubDate=[dt.date(2024, 5, 9)], EnDate=[dt.date(2024, 5, 2)]
    ) == [("05-09 16:30:00", "05-09 16:30:00")]


@pytest.mark.parametrize(
    "balance, known_on",
    [
        ("2024-12-20", "2024-12-24"),
        ("2024-12-27", "2025-01-07"),  # the week of 12-30 has one session
        ("2025-01-10", "2025-01-15"),  # 01-13 is a holiday
    ],
)
def test_weekly_margin_balances_are_known_on_the_second_session_of_a_later_week(balance, known_on):
    closed = ["2024-12-31", "2025-01-01", "2025-01-02", "2025-01-03", "2025-01-13"]
    days = np.arange("2024-12-16", "2025-02-01", dtype="datetime64[D]")
    sessions = days[np.is_busday(days, holidays=closed)]
    rows = pl.DataFrame({"Date": [dt.date.fromisoformat(balance)], "PubDate": [None]})
    rows = rows.cast({"PubDate": pl.Date})
    made = point_in_time.stamp(rows, RULES.datasets["margin_interest"], RULES.close, sessions)
    jst = made["known_at"].dt.convert_time_zone("Asia/Tokyo")
    assert jst.dt.strftime("%Y-%m-%d %H:%M").to_list() == [f"{known_on} 16:30"]


def test_a_rule_for_a_column_that_is_not_there_is_refused_by_name():
    with pytest.raises(UserError, match="'PubDate'"):
        stamped("investor_types", Date=[dt.date(2024, 5, 9)])


START = np.datetime64("2024-01-01", "us")
MINUTES = st.lists(st.integers(0, 50), max_size=20).map(sorted)


@given(known_at=MINUTES, asked=MINUTES)
def test_as_of_counts_the_rows_known_by_then(known_at, asked):
    known_at, asked = (START + np.array(when, "timedelta64[m]") for when in (known_at, asked))
    counts = point_in_time.as_of(known_at, asked)
    assert counts.tolist() == [sum(at <= moment for at in known_at) for moment in asked]


def on_the_day(*rows):
    """Values of the rows (day, hour known, value) that the decisions of two days at 6:00 keep."""
    columns = {"Date": pl.Date, "hour": pl.Int64, "value": pl.Int64}
    frame = pl.DataFrame([(dt.date(2024, 1, d), h, v) for d, h, v in rows], columns, orient="row")
    at = pl.col("Date").cast(point_in_time.MOMENT) + pl.duration(hours="hour")
    dates = np.array(["2024-01-04", "2024-01-05"], "datetime64[D]")
    moments = dates.astype("datetime64[us]") + np.timedelta64(6, "h")
    kept = point_in_time.on_the_day(frame.with_columns(known_at=at), ["Date"], dates, moments)
    assert kept.columns == [*columns, "known_at"]
    return kept["value"].to_list()


def test_a_row_counts_on_its_day_if_the_decision_of_that_day_could_see_it():
    assert on_the_day((5, 6, 1), (4, 7, 2), (9, 0, 3)) == [1]
    assert on_the_day((4, 30, 1)) == []


def test_the_newest_row_of_a_key_that_was_known_in_time_counts():
    assert on_the_day((4, 5, 1), (4, 6, 2), (4, 7, 3), (5, 1, 4)) == [2, 4]
    assert on_the_day((4, 5, 1), (4, 5, 2)) == [1, 2]


def test_equal_rows_count_once_and_rows_of_one_key_that_differ_are_refused():
    rows = pl.DataFrame({"Date": [3, 2, 2], "Code": ["B", "A", "A"], "C": [1.0, 2.0, 2.0]})
    assert point_in_time.distinct(rows, ["Date", "Code"], "bars").rows() == rows.rows()[:2]
    with pytest.raises(UserError, match="bars holds two different rows for Date 2, Code A"):
        point_in_time.distinct(rows.with_row_index(), ["Date", "Code"], "bars")
    told = point_in_time.distinct(rows.with_row_index(), ["Date", "Code"], "bars", rows.columns)
    assert told["index"].to_list() == [0, 1]


def test_the_served_clock_replaces_the_published_moment():
    frame = point_in_time.stamp(
        pl.DataFrame({"Date": [dt.date(2024, 11, 1)]}), RULES.datasets["bars"], RULES.close
    )
    assert (
        point_in_time.visible(frame, "served")["known_at"].to_list() == frame["served_at"].to_list()
    )
    assert (
        point_in_time.visible(frame, "published")["known_at"].to_list()
        == frame["known_at"].to_list()
    )


def test_prices_of_a_half_day_are_known_at_its_noon():
    assert stamped("bars", Date=[dt.date(2008, 12, 30)])[0][0] == "12-30 11:00:00"


def test_a_half_day_without_a_closing_time_is_refused():
    days = {"Date": [dt.date(2008, 12, 30), dt.date(2031, 1, 6)], "HolDiv": ["2", "2"]}
    with pytest.raises(UserError, match="2031-01-06 a half day.*add {day: 2031-01-06"):
        stamped("calendar", **days)
    assert stamped("calendar", Date=days["Date"], HolDiv=["2", "1"])


@pytest.mark.parametrize(
    "time",
    [
        "15:00",
        "15:00:00.000",
        "3:00:00 PM",
        "3:00 pm",
        "15時00分",
        "15時00分00秒",
        "1500",
        "150000",
    ],
)
def test_a_time_of_day_is_read_in_every_usual_form(time):
    found = stamped("summary", DiscDate=[dt.date(2021, 5, 12)], DiscTime=pl.Series([time]))
    assert [published for published, _ in found] == ["05-12 15:00:01"]


@pytest.mark.parametrize(
    "time", ["2500", "15", "15:60", "13:00 PM", "noon", "2021-05-12 15:00", "-1:00"]
)
def test_what_is_no_time_of_day_is_refused_with_its_column_and_value(time):
    day = dt.date(2021, 5, 12)
    with pytest.raises(UserError, match=f"2021-05-12 holds '{time}' in the column 'DiscTime'"):
        stamped("summary", DiscDate=[day], DiscTime=pl.Series([time]))


@given(st.text(max_size=12) | st.from_regex(r"\d{1,6}", fullmatch=True))
def test_no_time_of_day_makes_a_moment_far_from_its_day(time):
    day = dt.date(2021, 5, 12)
    rows = pl.DataFrame({"DiscDate": [day], "DiscTime": [time]})
    try:
        known = point_in_time.stamp(rows, RULES.datasets["summary"], RULES.close)["known_at"][0]
    except UserError:
        return
    start = dt.datetime(2021, 5, 11, 15, tzinfo=dt.UTC)  # midnight in Japan
    assert start < known <= start + dt.timedelta(days=1)
