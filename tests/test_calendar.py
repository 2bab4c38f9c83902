"""Spans and sessions are counted as the exchange counts them."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from gogooku import calendar
from gogooku.config import availability
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]
DAYS = st.dates(dt.date(2008, 1, 1), dt.date(2030, 12, 31))
GRANULARITIES = st.sampled_from(["month", "quarter", "year"])
CLOSES = [
    calendar.Close("15:00", since=dt.date(1900, 1, 1)),
    calendar.Close("15:30", since=dt.date(2024, 11, 5)),
]


@given(day=DAYS, granularity=GRANULARITIES)
def test_a_day_lies_within_the_bounds_of_its_span(day, granularity):
    first, last = calendar.bounds(calendar.span_of(day, granularity))
    assert first <= day <= last


@given(day=DAYS, granularity=GRANULARITIES, steps=st.integers(-40, 40))
def test_shifting_a_span_there_and_back_changes_nothing(day, granularity, steps):
    span = calendar.span_of(day, granularity)
    assert calendar.shift(calendar.shift(span, steps), -steps) == span


@given(start=DAYS, length=st.integers(0, 2000), granularity=GRANULARITIES)
def test_spans_follow_each_other_without_a_gap(start, length, granularity):
    names = calendar.spans(start, start + dt.timedelta(length), granularity)
    edges = [calendar.bounds(name) for name in names]
    assert all(
        after[0] - before[1] == dt.timedelta(1)
        for before, after in zip(edges, edges[1:], strict=False)
    )


def test_the_look_back_holds_the_sessions_and_stops_at_the_first_span():
    assert calendar.look_back("2024q2", 60, "2010q1") == ["2023q4", "2024q1", "2024q2"]
    assert calendar.look_back("2024q2", 60, "2024q1") == ["2024q1", "2024q2"]
    assert calendar.look_back("2024y", 0, "2010y") == ["2024y"]


@pytest.mark.parametrize("granularity", ["month", "quarter", "year"])
def test_no_span_of_the_exchange_holds_fewer_sessions_than_assumed(granularity):
    exchange = pytest.importorskip("exchange_calendars").get_calendar("XTKS", start="2010-01-01")
    days = [day.date() for day in exchange.sessions if day.year < 2026]
    names, counts = np.unique(
        [calendar.span_of(day, granularity) for day in days], return_counts=True
    )
    assert counts.min() >= calendar.FEWEST_SESSIONS[granularity], names[counts.argmin()]


def test_only_open_and_half_days_are_sessions():
    days = np.arange("2024-01-01", "2024-01-06", dtype="datetime64[D]")
    sessions = calendar.Sessions.of(days, ["0", "1", "2", "3", "1"])
    assert sessions.days.astype(str).tolist() == ["2024-01-02", "2024-01-03", "2024-01-05"]
    assert sessions.position(["2024-01-05"]).tolist() == [2]
    with pytest.raises(ValueError, match="not a session"):
        sessions.position(["2024-01-04"])


def test_the_close_moves_to_half_past_three_in_november_2024():
    days = np.array(["2024-11-01", "2024-11-05"], "datetime64[D]")
    moments = calendar.decision_moments(days, "close", CLOSES)
    assert moments.astype(str).tolist() == [
        "2024-11-01T06:00:00.000000",
        "2024-11-05T06:30:00.000000",
    ]
    pinned = calendar.decision_moments(days, "19:00", CLOSES)
    assert pinned.astype(str).tolist()[0] == "2024-11-01T10:00:00.000000"


def test_sessions_to_the_month_end_reach_zero_on_its_last_session():
    days = np.array(["2024-01-29", "2024-01-31", "2024-02-01", "2024-02-29"], "datetime64[D]")
    assert calendar.Sessions(days).to_month_end(days).tolist() == [1, 0, 1, 0]


def test_the_last_half_days_closed_at_eleven():
    days = np.array(["2008-12-29", "2008-12-30", "2009-01-05", "2009-12-30"], "datetime64[D]")
    rules = availability.read(ROOT / "config" / "availability.yaml").close
    moments = calendar.decision_moments(days, "close", rules)
    assert [str(moment)[11:16] for moment in moments] == ["06:00", "02:00", "02:00", "06:00"]
