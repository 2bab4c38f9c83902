"""What has appeared at a moment there, and the days that a plan covers then."""

import datetime as dt

import pytest
from helpers.asking import PATHS, PLANS, data, get
from helpers.tiny_market import KEY, LAST, RIGHTS, SESSIONS, SPLIT, many_bars, tables
from simulated_exchange.server.clock import JST, fixed, scaled, window
from simulated_exchange.server.exchange import Exchange


class Hand:
    """A clock that is set by hand."""

    def __init__(self, moment):
        self.set(moment)

    def set(self, moment):
        self.moment = dt.datetime.fromisoformat(moment).replace(tzinfo=JST)

    def __call__(self):
        return self.moment


@pytest.fixture(scope="module")
def served():
    clock = Hand("2024-10-01T12:00")
    with Exchange(tables(), key=KEY, now=clock) as exchange:
        yield exchange, clock


def test_a_scaled_clock_runs_in_its_own_time():
    seconds = [100.0]
    start = dt.datetime(2024, 10, 1, 9, tzinfo=JST)
    now = scaled(start, 60, lambda: seconds[0])
    seconds[0] += 90
    assert now() == start + dt.timedelta(minutes=90)
    assert fixed(start)() == start


APPEARS = [
    ("bars", {"date": "2024-10-01"}, "2024-10-01T16:30"),
    ("bars_minute", {"date": "2024-10-01"}, "2024-10-01T16:30"),
    ("valuation", {"date": "2024-10-01"}, "2024-10-01T16:30"),
    ("topix", {"from_": "2024-10-01", "to": "2024-10-01"}, "2024-10-01T16:30"),
    ("indices", {"date": "2024-10-01"}, "2024-10-01T16:30"),
    ("short_ratio", {"date": "2024-10-01"}, "2024-10-01T16:30"),
    ("margin_alert", {"date": "2024-10-01"}, "2024-10-01T16:30"),
    ("short_sale", {"disc_date": "2024-10-01"}, "2024-10-01T17:30"),
    ("breakdown", {"date": "2024-10-01"}, "2024-10-01T18:00"),
    ("investor_types", {"from_": "2024-10-03"}, "2024-10-03T16:30"),
    ("earnings_date", {"date": "2024-10-01"}, "2024-10-01T10:05"),
    ("options_225", {"date": "2024-10-01"}, "2024-10-02T03:00"),
    ("futures", {"date": "2024-10-01"}, "2024-10-02T03:00"),
    ("options", {"date": "2024-10-01"}, "2024-10-02T03:00"),
    # its last session on Friday 27, published on the second session of the next week
    ("margin_interest", {"date": "2024-09-27"}, "2024-10-01T16:30"),
    # of Thursday 3, before a holiday
    ("margin_interest", {"date": "2024-10-03"}, "2024-10-08T16:30"),
    ("earnings_calendar", {}, "2024-10-07T19:00"),
    ("dividend", {"date": "2024-10-01"}, "2024-10-01T12:00"),
    ("dividend", {"date": "2024-10-03"}, "2024-10-04T09:00"),
]


@pytest.mark.parametrize("dataset, query, moment", APPEARS)
def test_rows_appear_at_their_time_and_not_a_minute_before(served, dataset, query, moment):
    exchange, clock = served
    clock.set(moment)
    assert data(exchange, dataset, **query)
    clock.moment -= dt.timedelta(minutes=1)
    assert data(exchange, dataset, **query) == []


def test_notices_of_dividends_come_at_full_hours(served):
    exchange, clock = served
    found = []
    for time in ("11:59", "12:00", "14:59", "15:00"):
        clock.set(f"2024-10-01T{time}")
        found.append(len(data(exchange, "dividend", date="2024-10-01")))
    assert found == [0, 1, 1, 2]


@pytest.mark.parametrize(
    "plan, seen",
    [
        ("standard", {"11:29": 0, "11:30": 0, "18:00": 2, "23:59": 2}),
        ("premium", {"11:29": 0, "11:30": 1, "15:00": 2, "18:00": 2}),
    ],
)
def test_filings_come_in_runs_and_on_premium_one_by_one(plan, seen):
    clock = Hand("2024-09-27T00:00")
    with Exchange(tables(), key=KEY, now=clock, plan=plan) as exchange:
        for time, rows in seen.items():
            clock.set(f"2024-09-27T{time}")
            body = get(exchange, PATHS["summary"], date="2024-09-27")[1]
            assert len(body["data"]) == rows, time


def test_a_filing_without_a_time_waits_for_the_final_run():
    clock = Hand("2024-09-29T00:29")
    with Exchange(tables(), key=KEY, now=clock, plan="light") as exchange:
        assert data(exchange, "summary", date="2024-09-28") == []
        clock.set("2024-09-29T00:30")
        assert len(data(exchange, "summary", date="2024-09-28")) == 1


@pytest.mark.parametrize(
    "moment, newest",
    [
        ("2024-10-02T17:29", "2024-10-02"),
        ("2024-10-02T17:30", "2024-10-03"),
        ("2024-10-03T17:29", "2024-10-03"),
        ("2024-10-03T17:30", "2024-10-07"),
        ("2024-10-05T12:00", "2024-10-07"),
        ("2024-10-07T17:30", "2024-10-08"),
    ],
)
def test_the_next_sessions_list_appears_the_evening_before(served, moment, newest):
    exchange, clock = served
    clock.set(moment)
    assert {row["Date"] for row in data(exchange, "master", date="2024-10-20")} == {newest}


def test_the_mornings_bars_can_be_read_from_noon_to_six(served):
    exchange, clock = served
    found = {}
    for moment in ("2024-10-01T11:59", "2024-10-01T12:00", "2024-10-02T05:59", "2024-10-02T06:00"):
        clock.set(moment)
        status, body = get(exchange, PATHS["bars_am"], code="130A")
        found[moment[8:]] = status, [row["Date"] for row in body["data"]]
    assert found == {
        "01T11:59": (210, []),
        "01T12:00": (200, ["2024-10-01"]),
        "02T05:59": (200, ["2024-10-01"]),
        "02T06:00": (210, []),
    }
    clock.set("2024-10-01T13:00")
    assert get(exchange, PATHS["bars_am"], code="99990")[0] == 210
    assert len(data(exchange, "bars_am")) == 3


def test_the_announcers_of_an_evening_stay_until_the_next_sessions_evening(served):
    exchange, clock = served
    clock.set("2024-10-08T18:59")
    assert data(exchange, "earnings_calendar")[0]["Date"] == "2024-10-08"
    clock.set("2024-10-08T19:00")
    rows = data(exchange, "earnings_calendar")
    assert rows[0]["Date"] == "2024-10-09" and "ReadOn" not in rows[0]


def test_a_split_between_two_calls_changes_the_whole_past(served):
    exchange, clock = served
    clock.set(f"{SPLIT}T16:29")
    before = data(exchange, "bars", code="130A0")[0]
    clock.set(f"{SPLIT}T16:30")
    after = data(exchange, "bars", code="130A0")[0]
    assert (before["AdjC"], after["AdjC"]) == (1225.0, 612.5)
    assert before["C"] == after["C"]


def test_the_clock_moves_while_the_pages_of_one_answer_stay_the_same():
    clock = Hand(f"{RIGHTS}T16:29")
    with Exchange(tables(), key=KEY, now=clock, page_rows=3) as exchange:
        first = get(exchange, PATHS["bars"], code="86010")[1]
        clock.set(f"{LAST}T20:00")
        rows = first["data"]
        while key := first.get("pagination_key"):
            first = get(exchange, PATHS["bars"], code="86010", pagination_key=key)[1]
            rows += first["data"]
    assert [row["Date"] for row in rows] == [str(day) for day in SESSIONS if day < RIGHTS]


def test_a_market_without_a_calendar_counts_weekdays():
    with Exchange(many_bars(2), key=KEY, today=LAST) as exchange:
        assert len(data(exchange, "bars", date="2024-10-01")) == 2


# ---- windows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plan, today, start, end",
    [
        ("free", "2026-09-13", "2024-06-21", "2026-06-21"),
        ("light", "2026-09-04", "2021-09-04", None),
        ("standard", "2026-09-21", "2016-09-21", None),
        ("premium", "2024-02-29", "2004-02-28", None),
    ],
)
def test_a_plans_window_slides_with_the_day(plan, today, start, end):
    found = window(plan, dt.date.fromisoformat(today))
    assert [day and str(day) for day in found] == [start, end]


def test_days_outside_the_window_are_refused_at_both_ends():
    clock = Hand("2024-12-24T20:00")  # the window ends on 2024-10-01
    with Exchange(tables(), key=KEY, now=clock, plan="free") as exchange:
        covered = f"2022-10-01 ~ 2024-10-01. {PLANS}"
        text = f"Your subscription covers the following dates: {covered}"
        for day in ("2024-10-02", "2022-09-30"):
            assert get(exchange, PATHS["bars"], date=day) == (400, {"message": text})
        ranged = {"from_": "2024-09-26", "to": "2024-10-02"}
        assert get(exchange, PATHS["calendar"], **ranged)[0] == 400
        assert data(exchange, "calendar")[-1]["Date"] == "2024-10-01"
        assert data(exchange, "bars", code="130A0")[-1]["Date"] == "2024-10-01"
        # what happens in the hidden weeks scales what can be seen
        assert data(exchange, "bars", code="86010", date="2024-10-01")[0]["AdjC"] == 960.8
        clock.set("2024-12-25T20:00")
        assert data(exchange, "bars", date="2024-10-02")


def test_the_window_is_about_the_main_day_of_a_data_set():
    window = (dt.date(2024, 10, 1), None)
    with Exchange(tables(), key=KEY, today=LAST, window=window) as exchange:
        assert get(exchange, PATHS["short_sale"], disc_date="2024-09-30")[0] == 400
        assert len(data(exchange, "short_sale", calc_date="2024-09-27")) == 3
        assert len(data(exchange, "earnings_date", scheduled_date="2024-10-09")) == 2
        assert data(exchange, "margin_interest", published_date="2024-09-30") == []


# ---- cursor --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["summary", "details"])
def test_a_cursor_gives_what_came_since(dataset):
    clock = Hand("2024-09-27T12:00")
    path = PATHS[dataset]
    with Exchange(tables(), key=KEY, now=clock, plan="premium") as exchange:
        first = get(exchange, path, date="2024-09-27")[1]
        clock.set("2024-09-27T14:59")
        none = get(exchange, path, date="20240927", cursor=first["cursor"])[1]
        clock.set("2024-09-27T15:00")
        later = get(exchange, path, date="20240927", cursor=none["cursor"])[1]
        both = get(exchange, path, date="2024-09-27", cursor="x", pagination_key="y")
        assert get(exchange, path, date="2024-09-27", cursor="x")[0] == 400
        assert "cursor" not in get(exchange, path, date="2024-09-27", code="130A0")[1]
        assert "cursor" not in get(exchange, path, date="2024-09-26")[1]
    assert [[row["DiscTime"] for row in body["data"]] for body in (first, none, later)] == [
        ["11:30:00"],
        [],
        ["15:00:00"],
    ]
    assert both[0] == 400


def test_only_the_last_page_has_a_cursor_and_other_plans_have_none():
    clock = Hand("2024-09-27T23:00")
    with Exchange(tables(), key=KEY, now=clock, page_rows=1) as exchange:
        first = get(exchange, PATHS["summary"], date="2024-09-27")[1]
        key = first["pagination_key"]
        last = get(exchange, PATHS["summary"], date="2024-09-27", pagination_key=key)[1]
    assert ("cursor" in first, "cursor" in last) == (False, True)
    with Exchange(tables(), key=KEY, now=clock, plan="light") as exchange:
        assert len(data(exchange, "summary", date="2024-09-27", cursor="x")) == 2
