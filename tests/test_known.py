"""A row is known when the market could read it, and not before."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
import yaml
from gogooku import known
from gogooku.run import UserError
from hypothesis import given
from hypothesis import strategies as st

RULES = yaml.safe_load((Path(__file__).parents[1] / "config" / "availability.yaml").read_text())


def stamped(dataset, **columns):
    frame = known.stamp(pl.DataFrame(columns), RULES["datasets"][dataset], RULES["close"])
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
    ],
)
def test_a_filing_is_public_once_its_stamped_second_has_passed(time, published, served):
    days = [dt.date(2024, 10, 25)]
    assert stamped("summary", DiscDate=days, DiscTime=pl.Series([time], dtype=pl.String)) == [
        (published, served)
    ]


def test_prices_are_known_at_the_close_of_their_day():
    days = [dt.date(2024, 11, 1), dt.date(2024, 11, 5)]
    assert stamped("bars", Date=days) == [
        ("11-01 15:00:00", "11-01 16:30:00"),
        ("11-05 15:30:00", "11-05 16:30:00"),
    ]


def test_weekly_flows_are_known_when_published_not_when_the_week_ends():
    assert stamped(
        "investor_types", PubDate=[dt.date(2024, 5, 9)], EnDate=[dt.date(2024, 5, 2)]
    ) == [("05-09 16:30:00", "05-09 18:00:00")]


def test_a_rule_for_a_column_that_is_not_there_is_refused_by_name():
    with pytest.raises(UserError, match="'PubDate'"):
        stamped("investor_types", Date=[dt.date(2024, 5, 9)])


def moment(minute):
    return dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minute)


@given(
    rows=st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 50)), max_size=20),
    asked=st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 50)), min_size=1, max_size=20),
)
def test_as_of_finds_the_newest_row_known_by_then(rows, asked):
    schema = {"key": pl.String, "known_at": known.MOMENT, "value": pl.Int64}
    right = pl.DataFrame([(k, moment(m), i) for i, (k, m) in enumerate(rows)], schema, orient="row")
    left = pl.DataFrame(
        [(k, moment(m)) for k, m in asked], {"key": pl.String, "moment": known.MOMENT}, orient="row"
    )
    found = known.as_of(left, right, by="key")
    assert found["key"].to_list() == [key for key, _ in asked]
    for (key, minute), value in zip(asked, found["value"], strict=True):
        candidates = [(m, i) for i, (k, m) in enumerate(rows) if k == key and m <= minute]
        assert value == (max(candidates)[1] if candidates else None)


def test_the_served_clock_replaces_the_published_moment():
    frame = known.stamp(
        pl.DataFrame({"Date": [dt.date(2024, 11, 1)]}), RULES["datasets"]["bars"], RULES["close"]
    )
    assert known.visible(frame, "served")["known_at"].to_list() == frame["served_at"].to_list()
    assert known.visible(frame, "published")["known_at"].to_list() == frame["known_at"].to_list()
