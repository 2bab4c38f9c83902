"""When a day is asked for, when again, and when never more."""

import datetime as dt

import numpy as np
import pytest
from gogooku.raw.catalogue import DAILY_MARGIN, DATASETS
from gogooku.vendor.schedule import Deliveries, open_until
from hypothesis import given
from hypothesis import strategies as st

SESSIONS = np.arange(np.datetime64("2026-08-03"), np.datetime64("2026-12-31"))
SESSIONS = SESSIONS[np.is_busday(SESSIONS)]
BY_DAY = sorted(name for name, entry in DATASETS.items() if entry.request in ("session", "week"))


def of(dataset, sessions=SESSIONS):
    return Deliveries(DATASETS[dataset], sessions)


def utc(text):
    """A moment in Japan."""
    return np.datetime64(text, "us") - np.timedelta64(9, "h")


@pytest.mark.parametrize(
    "dataset, day, moment",
    [
        ("bars", "2026-08-07", "2026-08-07T16:30"),
        ("summary", "2026-08-07", "2026-08-08T00:30"),
        ("options_225", "2026-08-07", "2026-08-08T03:00"),
        ("margin_interest", "2026-08-07", "2026-08-11T16:30"),  # Tuesday
        ("margin_interest", "2026-10-07", "2026-10-08T16:30"),  # daily era
    ],
)
def test_a_day_is_delivered_at_the_catalogue_s_time(dataset, day, moment):
    assert of(dataset).moment(dt.date.fromisoformat(day)) == utc(moment)


def test_balances_are_asked_for_by_week_and_from_the_reform_on_by_day():
    days = of("margin_interest").requested(dt.date(2026, 9, 1), dt.date(2026, 10, 2))
    weekly = [day for day in days if day < DAILY_MARGIN]
    assert weekly == [dt.date(2026, 9, day) for day in (4, 11, 18)]
    assert [day for day in days if day >= DAILY_MARGIN] == [
        dt.date(2026, 9, 25), *(dt.date(2026, 9, day) for day in (28, 29, 30)),
        dt.date(2026, 10, 1), dt.date(2026, 10, 2),
    ]  # fmt: skip


def test_a_week_that_goes_on_in_the_next_span_has_its_end_there():
    days = of("margin_interest")
    assert days.requested(dt.date(2026, 8, 1), dt.date(2026, 8, 12)) == [dt.date(2026, 8, 7)]
    assert days.requested(dt.date(2026, 8, 12), dt.date(2026, 8, 16)) == [dt.date(2026, 8, 14)]


def test_a_week_of_two_sessions_has_no_balances():
    closed = np.arange(np.datetime64("2026-08-12"), np.datetime64("2026-08-17"))
    sessions = np.setdiff1d(SESSIONS, closed)
    days = of("margin_interest", sessions).requested(dt.date(2026, 8, 3), dt.date(2026, 8, 23))
    assert days == [dt.date(2026, 8, 7), dt.date(2026, 8, 21)]


def test_no_day_before_the_history_begins_is_asked_for():
    sessions = np.array(["2015-03-31", "2015-04-01", "2015-04-02"], "datetime64[D]")
    days = of("breakdown", sessions).requested(dt.date(2015, 3, 1), dt.date(2015, 4, 30))
    assert days == [dt.date(2015, 4, 1), dt.date(2015, 4, 2)]


@given(st.sampled_from(BY_DAY), st.integers(0, 40), st.integers(0, 2000), st.integers(0, 2000))
def test_an_answer_holds_until_the_next_delivery_and_for_good_once_settled(
    dataset, session, checked, later
):
    deliveries, day = of(dataset), SESSIONS[session].item()
    start = deliveries.moment(day)
    checked = start + np.timedelta64(checked, "h")
    now = checked + np.timedelta64(later, "h")
    between = [
        moment
        for moment in deliveries._served(SESSIONS)
        if checked < moment <= min(now, deliveries.settled(day))
    ]
    assert deliveries.is_stale(day, checked, now) == bool(between)


def test_a_window_that_the_calendar_does_not_reach_stays_open():
    last = SESSIONS[-1].item()
    deliveries = of("bars")
    assert deliveries.settled(last) > deliveries.moment(last)
    assert not deliveries.is_stale(last, deliveries.moment(last), utc("2026-12-31T08:00"))


@given(st.sampled_from(BY_DAY), st.integers(0, 40))
def test_a_span_is_open_until_its_last_day_is_settled_and_changes_no_more_after(dataset, session):
    entry, last = DATASETS[dataset], SESSIONS[session].item()
    settled = (of(dataset).settled(last) + np.timedelta64(9, "h")).astype("datetime64[D]").item()
    end = open_until(entry, last, dt.date.max)
    assert settled <= end <= last + dt.timedelta(120)
    for n in range(150):
        today = last + dt.timedelta(n)
        assert open_until(entry, last, today) == min(today, end)
