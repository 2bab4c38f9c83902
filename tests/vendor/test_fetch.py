"""A span is read day by day: nothing is lost, doubled, forgotten or asked for twice."""

import contextlib
import datetime as dt
import logging
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import polars as pl
import pytest
from gogooku import files
from gogooku.errors import UserError
from gogooku.raw import plans, provenance, schema
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor import bulk, fetch, jquants
from gogooku.vendor.cache import Cache
from helpers.tiny_market import FIRST, KEY, LAST, SESSIONS, as_filed, tables
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from simulated_exchange.server.clock import JST
from simulated_exchange.server.exchange import Exchange
from simulated_exchange.server.faults import FAULTS

LIB = Path(__file__).parents[2] / "lib"
WEEKDAYS = [LAST + dt.timedelta(n) for n in range(1, 90)]
CALENDAR = SESSIONS + [day for day in WEEKDAYS if day.weekday() < 5]
"""Sessions of the tiny market, and those that the exchange takes for ones after it."""

TABLES = tables()


class Clock:
    """Stands still until told otherwise, or until somebody sleeps."""

    def __init__(self, text):
        self.now = dt.datetime.fromisoformat(text).replace(tzinfo=JST)

    def __call__(self):
        return self.now

    def time(self):
        return self.now.timestamp()

    def sleep(self, seconds):
        self.now += dt.timedelta(seconds=seconds)


class Desk:
    """An exchange, a client of it and a cache, all on one clock."""

    def __init__(self, folder, text, plan=None, asks_as="unset", **server):
        self.clock, self.folder = Clock(text), folder
        self.exchange = Exchange(
            server.pop("content", TABLES), key=KEY, now=self.clock, plan=plan, **server
        )
        self.asks_as = plan if asks_as == "unset" else asks_as

    def __enter__(self):
        self.exchange.__enter__()
        return self

    def __exit__(self, *error):
        self.exchange.__exit__(*error)

    def set(self, text):
        self.clock.now = Clock(text).now

    def read(self, dataset, first=FIRST, last=LAST, in_bulk=False, attempts=3, ledger=None):
        """Read a span as a new process would; `asked` holds what that asked for."""
        before = len(self.exchange.requests)
        with jquants.Client(
            self.exchange.url, KEY, None, 60, attempts, ledger=ledger, workers=1, clock=self.clock
        ) as client:
            client.plan = self.asks_as
            try:
                cache = Cache(self.folder, self.asks_as, self.exchange.url)
                return fetch.read(
                    client, dataset, first, last, CALENDAR,
                    now=self.clock.now, cache=cache, in_bulk=in_bulk,
                )  # fmt: skip
            finally:
                self.requests = [query for _, query in self.exchange.requests[before:]]

    def days_asked(self):
        return [query["date"] for query in self.requests]


def held(dataset, days=SESSIONS):
    entry = DATASETS[dataset]
    rows = TABLES[dataset].sort(entry.order)
    return rows.filter(pl.col(entry.day).is_in(days)) if entry.request == "session" else rows


SERVED = sorted(set(TABLES) - {"earnings_calendar"})


@pytest.mark.parametrize("dataset", SERVED)
def test_a_second_read_gives_the_same_and_asks_nothing(dataset, tmp_path):
    with Desk(tmp_path, "2024-10-12 12:00") as desk:
        first = desk.read(dataset)
        assert desk.requests
        again = desk.read(dataset)
    assert desk.requests == []
    assert_frame_equal(first.rows, held(dataset))
    assert_frame_equal(again.rows, first.rows)
    assert again.times == first.times


def test_two_persons_whom_the_vendor_does_not_name_are_two_rows(tmp_path):
    with Desk(tmp_path, "2024-12-02 12:00", faults=[None] * 4 + ["duplicate"], page_rows=2) as desk:
        rows = desk.read("short_sale").rows
    pair = rows.filter(pl.struct(DATASETS["short_sale"].key).is_duplicated())
    assert pair["SSName"].to_list() == ["個人", "個人"]
    assert pair["ShrtPosToSO"].is_sorted() and pair["ShrtPosToSO"].n_unique() == 2


def test_one_more_session_asks_for_that_day_and_the_days_open_to_correction(tmp_path):
    with Desk(tmp_path, "2024-10-07 17:00") as desk:
        desk.read("bars", last=SESSIONS[-2])
        assert desk.days_asked() == [str(day) for day in SESSIONS[:-1]]
        desk.set("2024-10-08 17:00")
        desk.read("bars")
    assert desk.days_asked() == [str(day) for day in SESSIONS[-6:]]


def test_a_settled_day_is_never_asked_for_again(tmp_path):
    with Desk(tmp_path, "2024-10-15 17:00") as desk:  # five sessions after the last day
        desk.read("bars")
        assert desk.requests
        desk.set("2024-12-02 08:00")
        desk.read("bars")
    assert desk.requests == []


def test_an_open_day_is_asked_for_once_after_each_delivery_until_it_is_settled(tmp_path):
    asked = []
    with Desk(tmp_path, "2024-10-08 17:00") as desk:
        for day in range(8, 25):
            for hour in ("08:00", "17:00", "23:00"):
                desk.set(f"2024-10-{day:02d} {hour}")
                if (day, hour) != (8, "08:00"):
                    desk.read("bars", first=LAST)
                    asked += [desk.clock.now.day] * len(desk.requests)
    assert asked == [8, 9, 10, 11, 14, 15]


def test_equal_rows_keep_the_time_at_which_they_first_came_and_changed_ones_do_not(
    tmp_path, caplog
):
    with Desk(tmp_path, "2024-10-08 17:00") as desk:
        first = desk.read("bars")
        desk.set("2024-10-09 17:00")
        assert desk.read("bars").times == first.times
        changed = TABLES["bars"].filter(Date=LAST, Code="130A0").with_columns(C=pl.lit(1.5))
        desk.exchange.correct("bars", changed)
        desk.set("2024-10-10 17:00")
        with caplog.at_level(logging.INFO):
            last = desk.read("bars")
    assert last.rows.filter(Date=LAST, Code="130A0")["C"].to_list() == [1.5]
    assert set(last.times) == {first.times[0], desk.clock.now}
    assert "1 rows of 2024-10-08 changed or new" in caplog.text


def test_another_plan_or_another_catalogue_finds_an_empty_cache(tmp_path, monkeypatch):
    with Desk(tmp_path, "2024-10-12 12:00") as desk:
        desk.read("topix")
        desk.asks_as = "premium"
        desk.read("topix")
        assert desk.requests
        monkeypatch.setattr(schema, "version", lambda dataset: "another")
        desk.read("topix")
        assert desk.requests


def test_another_server_finds_an_empty_cache_and_the_same_one_with_a_slash_does_not(tmp_path):
    with Desk(tmp_path, "2024-12-02 12:00") as one:
        one.read("topix")
    other_rows = TABLES | {"topix": TABLES["topix"].with_columns(C=pl.lit(1.0))}
    with Desk(tmp_path, "2024-12-02 12:00", content=other_rows) as other:
        assert set(other.read("topix").rows["C"]) == {1.0}
    places = [
        Cache(tmp_path, None, url).folder_of("topix") for url in ("http://a/v2", "http://a/v2/")
    ]
    assert places[0] == places[1]


def test_a_day_that_cannot_be_read_is_asked_for_again(tmp_path, caplog):
    with Desk(tmp_path, "2024-12-02 12:00") as desk:
        rows = desk.read("bars").rows
        broken = sorted(tmp_path.rglob("2024-10-0*.parquet"))
        broken[0].write_bytes(b"PAR1")
        assert_frame_equal(desk.read("bars").rows, rows)
    assert desk.days_asked() == [broken[0].stem]
    assert "cannot be read and is asked for again" in caplog.text


def test_a_read_that_fails_keeps_the_days_that_were_whole(tmp_path):
    fails = [None] * 4 + ["500"] * 3
    with Desk(tmp_path, "2024-12-02 12:00", faults=fails) as desk:
        with pytest.raises(UserError, match="run again later"):
            desk.read("bars")
        kept = {path.stem for path in tmp_path.rglob("*.parquet")}
        assert kept >= {str(day) for day in SESSIONS[:4]}
        assert_frame_equal(desk.read("bars").rows, held("bars"))
    assert desk.days_asked() == [str(day) for day in SESSIONS if str(day) not in kept]


def test_a_day_is_kept_only_with_its_last_page(tmp_path):
    fails = [None] * 4 + ["500"] * 3
    with Desk(tmp_path, "2024-12-02 12:00", faults=fails, page_rows=2) as desk:
        with pytest.raises(UserError, match="run again later"):
            desk.read("bars", last=SESSIONS[2])
        assert len(list(tmp_path.rglob("*.parquet"))) == 2
        assert_frame_equal(desk.read("bars").rows, held("bars"))


KILLED = """
    import datetime as dt, sys
    sys.path.insert(0, {lib!r})
    from pathlib import Path
    from gogooku.vendor import fetch, jquants
    from gogooku.vendor.cache import Cache
    days = [dt.date.fromisoformat(day) for day in {days!r}]
    with jquants.Client({url!r}, {key!r}, None, 60, 3, workers=3) as client:
        fetch.read(client, "bars", days[0], days[-1], days,
                   now=dt.datetime.fromisoformat({now!r}),
                   cache=Cache(Path({folder!r}), None, {url!r}))
"""


@pytest.mark.parametrize("after", [1, 3, 8, 14])
def test_a_killed_read_loses_nothing(tmp_path, after):
    def slowly(path, query):
        time.sleep(0.02)

    with Desk(tmp_path, "2024-12-02 12:00", faults=slowly, page_rows=2) as desk:
        days = [str(day) for day in SESSIONS]
        text = KILLED.format(
            lib=str(LIB), days=days, url=desk.exchange.url, key=KEY, folder=str(tmp_path),
            now=desk.clock.now.isoformat(),
        )  # fmt: skip
        worker = subprocess.Popen([sys.executable, "-c", textwrap.dedent(text)])
        while len(desk.exchange.requests) < after and worker.poll() is None:
            time.sleep(0.002)
        worker.kill()
        worker.wait()
        kept = {path.stem for path in tmp_path.rglob("[!.]*.parquet")}
        assert_frame_equal(desk.read("bars").rows, held("bars"))
    assert {query["date"] for query in desk.requests} == set(days) - kept


# ---- answers that are not there yet --------------------------------------------------------------


def test_a_day_before_its_delivery_is_not_asked_for_and_named(tmp_path):
    with Desk(tmp_path, "2024-10-08 16:29") as desk:
        with pytest.raises(
            UserError, match="daily of 2024-10-08 is served from 2024-10-08 16:30 JST on: run again"
        ):
            desk.read("bars")
        assert desk.requests == []
        desk.set("2024-10-09 00:10")
        with pytest.raises(UserError, match="of 2024-10-08 is served from 2024-10-09 00:30"):
            desk.read("summary")


@pytest.mark.parametrize("dataset, hour", [("topix", "16:30"), ("investor_types", "16:30")])
def test_a_range_that_ends_today_is_not_asked_for_before_its_delivery(dataset, hour, tmp_path):
    with Desk(tmp_path, "2024-10-08 12:00") as desk:
        with pytest.raises(UserError, match=f"of 2024-10-08 is served from 2024-10-08 {hour}"):
            desk.read(dataset)
        assert desk.requests == [] and list(tmp_path.rglob("*.parquet")) == []
        assert len(desk.read("calendar").rows) == len(held("calendar"))
        assert len(desk.read(dataset, last=SESSIONS[-2]).rows)
        desk.set(f"2024-10-08 {hour}")
        assert_frame_equal(desk.read(dataset).rows, held(dataset))


def test_a_range_that_lacks_its_newest_session_is_not_there_yet(tmp_path):
    lacking = TABLES | {"topix": TABLES["topix"].filter(pl.col("Date") != LAST)}
    with Desk(tmp_path, "2024-10-08 17:00", content=lacking) as desk:
        with pytest.raises(UserError, match="has no rows of 2024-10-08 yet: the vendor is late"):
            desk.read("topix")
        desk.exchange.correct("topix", TABLES["topix"].filter(pl.col("Date") == LAST))
        desk.set("2024-10-08 18:00")
        assert_frame_equal(desk.read("topix").rows, held("topix"))


def test_balances_that_nobody_can_know_yet_are_left_for_later(tmp_path):
    with Desk(tmp_path, "2024-10-04 12:00") as desk:
        found = desk.read("margin_interest", last=dt.date(2024, 10, 3))
        assert desk.days_asked() == ["2024-09-27"]
        assert found.rows["Date"].unique().to_list() == [dt.date(2024, 9, 27)]


def test_the_newest_day_without_rows_is_not_there_yet(tmp_path):
    with Desk(tmp_path, "2024-10-08 17:00", faults=["early"] * 2) as desk:
        with pytest.raises(UserError, match="has no rows of 2024-10-08 yet: the vendor is late"):
            desk.read("bars", first=LAST)
        assert list(tmp_path.rglob("*.parquet")) == []
        assert len(desk.read("bars", first=LAST).rows) == 3


def test_an_older_day_without_rows_is_asked_for_twice_named_and_never_kept(tmp_path, caplog):
    lacking = TABLES | {"bars": TABLES["bars"].filter(pl.col("Date") != SESSIONS[-2])}
    with Desk(tmp_path, "2024-10-08 17:00", content=lacking) as desk:
        assert len(desk.read("bars", first=SESSIONS[-2]).rows) == 3
        assert "has no rows of 2024-10-07, asked for twice" in caplog.text
        desk.read("bars", first=SESSIONS[-2])
        assert desk.days_asked() == ["2024-10-07"] * 2
        desk.set("2024-10-16 17:00")
        desk.read("bars", first=SESSIONS[-2])
        assert desk.days_asked() == ["2024-10-07"] * 2 + ["2024-10-08"]
        desk.set("2024-12-02 17:00")
        desk.exchange.correct("bars", TABLES["bars"].filter(pl.col("Date") == SESSIONS[-2]))
        assert_frame_equal(desk.read("bars").rows, held("bars"))


def test_a_range_that_stays_without_a_session_is_asked_for_again_and_gives_the_same_bytes(tmp_path):
    lacking = TABLES | {"topix": TABLES["topix"].filter(pl.col("Date") != SESSIONS[2])}
    with Desk(tmp_path / "days", "2024-12-02 12:00", content=lacking) as desk:
        for hour in range(12, 15):
            desk.set(f"2024-12-02 {hour}:00")
            got = desk.read("topix")
            assert len(desk.requests) == 2 and len(got.rows) == len(SESSIONS) - 1
            told = provenance.describe(got.rows, "topix", "jquants", "light", got.times)
            files.write_parquet(got.rows, tmp_path / f"{hour}.parquet", told)
        first, *others = [path.read_bytes() for path in sorted(tmp_path.glob("*.parquet"))]
        assert others == [first, first]
        assert got.times == [Clock("2024-12-02 12:00").now]
        desk.exchange.correct("topix", TABLES["topix"].filter(pl.col("Date") == SESSIONS[2]))
        got = desk.read("topix")
        assert_frame_equal(got.rows, held("topix"))
        assert got.times == [desk.clock.now]
        desk.read("topix")
    assert desk.requests == []


@pytest.mark.parametrize(
    "dataset, fault", [("bars", "early"), ("topix", "early"), ("topix", "preliminary")]
)
def test_sessions_that_the_vendor_lacks_for_once_stay_as_they_came(
    dataset, fault, tmp_path, caplog
):
    fates = []
    with Desk(tmp_path, "2024-10-08 17:00", faults=lambda *_: fates[0] if fates else None) as desk:
        first = desk.read(dataset)
        desk.set("2024-10-09 17:00")
        fates.append(fault)
        again = desk.read(dataset)
        assert "asked for twice" in caplog.text
        assert_frame_equal(again.rows, first.rows)
        assert again.times == first.times
        fates.clear()
        assert_frame_equal(desk.read(dataset).rows, first.rows)
        assert desk.requests
        desk.read(dataset)
    assert desk.requests == []


@pytest.mark.parametrize("dataset", ["bars", "master", "indices", "topix", "calendar"])
def test_one_empty_answer_for_settled_sessions_is_no_word_on_them(dataset, tmp_path):
    with Desk(tmp_path, "2024-12-02 12:00", faults=[None, None, "early"]) as desk:
        desk.read("topix", FIRST, SESSIONS[0])
        desk.read("topix", FIRST, SESSIONS[1])
        assert_frame_equal(desk.read(dataset).rows, held(dataset))


@pytest.mark.parametrize("dataset, asked", [("short_ratio", 1), ("breakdown", 1), ("bars", 2)])
def test_the_day_on_which_nothing_traded_has_no_trading_to_be_asked_for_again(
    dataset, asked, tmp_path
):
    day, cache = dt.date(2020, 10, 1), Cache(tmp_path, None, "")
    with Desk(tmp_path, "2024-12-02 12:00") as desk:
        with jquants.Client(desk.exchange.url, KEY, None, 60, 2) as client:
            fetch.read(client, dataset, day, day, [day, *SESSIONS], now=desk.clock.now, cache=cache)
        assert len(desk.exchange.requests) == asked
    assert bool(cache.answer(dataset, str(day))) == (asked == 1)


def test_files_that_lack_a_session_leave_it_to_the_api(tmp_path, caplog):
    october = dt.date(2024, 10, 1)
    lacking = TABLES | {"bars": TABLES["bars"].filter(pl.col("Date") != SESSIONS[-2])}
    with Desk(tmp_path, "2024-12-02 12:00", content=lacking) as desk:
        desk.read("bars", first=october, in_bulk=True)
        assert [q["date"] for q in desk.requests if "date" in q] == ["2024-10-07"] * 2
        desk.exchange.correct("bars", TABLES["bars"].filter(pl.col("Date") == SESSIONS[-2]))
        desk.set("2024-12-03 12:00")
        assert len(desk.read("bars", first=october, in_bulk=True).rows) == 15


@pytest.mark.parametrize("fault", ["210", "empty-body"])
@pytest.mark.parametrize("page", [0, 1])
def test_no_content_in_the_place_of_a_page_ends_no_day(fault, page, tmp_path):
    day = SESSIONS[2]
    with Desk(tmp_path, "2024-12-02 12:00", faults=[None] * page + [fault], page_rows=2) as desk:
        assert_frame_equal(desk.read("bars", day, day).rows, held("bars", [day]))


def test_a_data_set_that_may_be_empty_is_kept_without_rows(tmp_path):
    day = SESSIONS[0]
    with Desk(tmp_path, "2024-10-30 17:00") as desk:
        assert desk.read("earnings_date", day, day).rows.is_empty()
        desk.read("earnings_date", day, day)
    assert desk.requests == []


def test_the_list_of_another_session_is_no_answer(tmp_path):
    content = TABLES | {"master": TABLES["master"].filter(pl.col("Date") != SESSIONS[2])}
    with Desk(tmp_path, "2024-12-02 12:00", content=content) as desk:
        found = desk.read("master")
    assert found.rows["Date"].unique().sort().to_list() == [*SESSIONS[:2], *SESSIONS[3:]]


def test_what_only_today_tells_is_collected_day_by_day(tmp_path):
    with Desk(tmp_path, "2024-10-07 18:00") as desk:
        assert desk.read("earnings_calendar").rows.is_empty()
        assert desk.requests == []
        for text in ("2024-10-07 20:00", "2024-10-07 21:00", "2024-10-08 20:00"):
            desk.set(text)
            found = desk.read("earnings_calendar").rows
        desk.set("2024-10-15 12:00")
        found = desk.read("earnings_calendar").rows
    assert found["ReadOn"].to_list() == [SESSIONS[-2], SESSIONS[-1]]


def test_what_was_collected_outlives_a_change_of_plan_and_of_the_catalogue(tmp_path, monkeypatch):
    with Desk(tmp_path, "2024-10-07 20:00", plan="premium", asks_as="light") as desk:
        desk.read("earnings_calendar")
        desk.asks_as = "premium"
        monkeypatch.setattr(schema, "PARSER", schema.PARSER + 1)
        desk.set("2024-10-08 20:00")
        found = desk.read("earnings_calendar")
    assert found.rows["ReadOn"].to_list() == [SESSIONS[-2], SESSIONS[-1]]
    assert len(found.times) == 2


@pytest.mark.parametrize("old", SESSIONS[-3:-1])
def test_a_list_of_announcers_that_was_not_renewed_is_not_kept(old, tmp_path, caplog):
    today = SESSIONS[-2]
    new = TABLES["earnings_calendar"].filter(ReadOn=today)
    stale = new.with_columns(Date=pl.lit(old))
    content = TABLES | {"earnings_calendar": stale}
    with Desk(tmp_path, f"{today} 20:00", content=content) as desk:
        assert desk.read("earnings_calendar").rows.is_empty()
        assert "earnings-calendar still shows an old list: fetch again later" in caplog.text
        assert not list(tmp_path.rglob("*.parquet"))
        desk.exchange.correct("earnings_calendar", new)
        assert_frame_equal(desk.read("earnings_calendar").rows, new)
        desk.read("earnings_calendar")
    assert desk.requests == []


def test_what_is_collected_today_leaves_no_time_in_a_span_that_ended_before(tmp_path):
    with Desk(tmp_path, "2024-10-08 20:00") as desk:
        asking = desk.read("earnings_calendar", last=SESSIONS[-3])
        assert desk.requests
        kept = desk.read("earnings_calendar", last=SESSIONS[-3])
        assert desk.requests == []
        assert len(desk.read("earnings_calendar").times) == 1
    assert asking.rows.is_empty()
    assert asking.times == kept.times == []


# ---- plans and windows ---------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["investor_types", "summary", "topix"])
def test_a_data_set_that_the_plan_lacks_has_no_rows_and_is_said_once(dataset, tmp_path, caplog):
    only = {"bars": TABLES["bars"]}
    with Desk(tmp_path, "2024-12-02 12:00", content=only) as desk:
        found = desk.read(dataset).rows
    assert found.schema == pl.Schema(DATASETS[dataset].schema) and found.is_empty()
    (said,) = [record for record in caplog.records if record.name == fetch.__name__]
    assert said.levelname == "WARNING" and "not part of the subscription" in said.getMessage()


def test_a_named_plan_is_not_asked_for_what_it_lacks(tmp_path, caplog):
    with Desk(tmp_path, "2024-12-02 12:00", plan="light") as desk:
        assert desk.read("short_ratio").rows.is_empty()
    assert desk.requests == []
    assert "short-ratio is not part of the plan light" in caplog.text


@pytest.mark.parametrize("dataset", ["calendar", "master", "bars"])
def test_a_plan_must_have_the_data_sets_that_all_else_rests_on(dataset, tmp_path):
    only = {"topix": TABLES["topix"]}
    with Desk(tmp_path, "2024-12-02 12:00", content=only) as desk, pytest.raises(jquants.NotInPlan):
        desk.read(dataset)


WINDOW = (dt.date(2024, 9, 27), dt.date(2024, 10, 3))
INSIDE = [day for day in SESSIONS if WINDOW[0] <= day <= WINDOW[1]]


@pytest.mark.parametrize("dataset", ["bars", "topix", "short_ratio", "calendar"])
def test_days_outside_the_window_are_left_out_at_both_ends(dataset, tmp_path, caplog):
    with Desk(tmp_path, "2024-12-02 12:00", window=WINDOW) as desk:
        found = desk.read(dataset).rows
    days = found["Date"].unique().sort()
    assert (days.min(), days.max()) == (INSIDE[0], INSIDE[-1])
    assert "the subscription covers 2024-09-27 to 2024-10-03" in caplog.text


def test_the_window_is_told_once_a_day_and_then_kept_to(tmp_path):
    ledger = tmp_path / "ledger"
    with Desk(tmp_path / "days", "2024-12-02 12:00", window=WINDOW) as desk:
        desk.read("bars", ledger=ledger)
        assert desk.days_asked() == [str(day) for day in [SESSIONS[0], *INSIDE]]
        desk.read("topix", ledger=ledger)
        desk.read("short_ratio", ledger=ledger)
        outside = [day for day in desk.days_asked() if day not in map(str, INSIDE)]
        assert outside == []
        desk.set("2024-12-03 12:00")
        desk.read("indices", ledger=ledger)
        assert desk.days_asked()[0] == str(SESSIONS[0])


def test_days_kept_from_before_stay_when_the_window_has_moved_on(tmp_path):
    with Desk(tmp_path, "2024-12-02 12:00") as desk:
        rows = desk.read("bars").rows
        desk.exchange._window = WINDOW
        assert_frame_equal(desk.read("bars").rows, rows)
    assert desk.requests == []


@pytest.mark.parametrize("dataset", ["bars", "calendar"])
def test_dates_wholly_outside_the_window_are_an_error_in_one_sentence(dataset, tmp_path):
    window = (dt.date(2024, 11, 1), None)
    with (
        Desk(tmp_path, "2024-12-02 12:00", window=window) as desk,
        pytest.raises(UserError, match="covers 2024-11-01 to now.*: change dates.start"),
    ):
        desk.read(dataset)


def test_the_margin_of_a_range_yields_to_the_window_of_the_plan(tmp_path):
    window = (dt.date(2024, 9, 20), None)
    with Desk(tmp_path, "2024-12-02 12:00", window=window) as desk:
        assert len(desk.read("investor_types").rows) == 3
    assert desk.requests[-1]["from"] == "2024-09-20"


def test_prices_without_a_calendar_are_refused(tmp_path):
    with Desk(tmp_path, "2024-12-02 12:00") as desk, pytest.raises(UserError, match="is empty"):
        fetch.read(None, "bars", FIRST, LAST, [], now=desk.clock.now)


# ---- faults --------------------------------------------------------------------------------------

WITHHOLDS = {"early", "preliminary"}  # no client can tell
CHANGES = {"split", "repeat", "slow"}  # adjusted prices are not kept; refused; slow
PASSES = sorted(set(FAULTS) - WITHHOLDS - CHANGES - {"429-block"})


@settings(max_examples=20, deadline=None)
@example(["extra", "duplicate"], 1, "bars")
@example([None, "extra", "duplicate"], 1, "short_sale")
@given(
    st.lists(st.one_of(st.none(), st.sampled_from(PASSES)), max_size=25),
    st.integers(1, 4),
    st.sampled_from(["bars", "summary", "margin_alert", "dividend", "details", "short_sale"]),
)
def test_no_order_of_faults_loses_or_doubles_a_row(tmp_path_factory, faults, page_rows, dataset):
    with Desk(
        tmp_path_factory.mktemp("days"), "2024-12-02 12:00", faults=faults, page_rows=page_rows
    ) as desk:
        found = desk.read(dataset, attempts=30).rows
    assert_frame_equal(found.select(*DATASETS[dataset].schema), held(dataset))


def test_fields_that_are_new_stay_as_text_behind_the_known_ones(tmp_path):
    with Desk(tmp_path, "2024-12-02 12:00", faults=[None, "extra"]) as desk:
        found = desk.read("topix", FIRST, SESSIONS[0]).rows
        more = desk.read("short_ratio").rows
        again = desk.read("short_ratio").rows
    assert found.columns == list(DATASETS["topix"].schema)
    assert more.columns[-3:] == ["NewFld", "NewNum", "NewObj"]
    assert set(more.schema.values()) == {pl.Date(), pl.String(), pl.Float64()}
    assert more["NewNum"].drop_nulls().unique().to_list() == ["1.5"]
    assert_frame_equal(again, more)


# ---- files of whole months -----------------------------------------------------------------------

BULK = sorted(name for name in SERVED if DATASETS[name].bulk and DATASETS[name].request != "range")


@pytest.mark.parametrize("plan", ["standard", "premium"])
@pytest.mark.parametrize("dataset", BULK)
def test_files_and_answers_give_the_same_rows(dataset, plan, tmp_path):
    with Desk(tmp_path / "api", "2024-12-02 12:00", plan=plan) as desk:
        from_api = desk.read(dataset).rows
    with Desk(tmp_path / "files", "2024-12-02 12:00", plan=plan) as desk:
        from_files = desk.read(dataset, in_bulk=True).rows
    assert_frame_equal(as_filed(dataset, from_files), as_filed(dataset, from_api))


def test_files_come_first_and_the_api_gives_the_days_still_open(tmp_path):
    with Desk(tmp_path, "2024-10-08 17:00") as desk:
        rows = desk.read("bars", in_bulk=True).rows
    assert_frame_equal(rows, held("bars"))
    assert desk.exchange.downloads == [
        "equities/bars/daily/premium/historical/2024/equities_bars_daily_202409.csv.gz"
    ]
    # The file is of the second of October: five sessions after the 25th it was not written yet.
    assert [query.get("date") for query in desk.requests[2:]] == [str(day) for day in SESSIONS]


def test_a_plan_without_files_is_asked_day_by_day(tmp_path, caplog):
    with Desk(tmp_path, "2025-03-03 12:00", plan="free") as desk:
        for dataset in ("bars", "summary"):
            assert len(desk.read(dataset, in_bulk=True).rows) == len(held(dataset)) > 0
    assert "bars/daily: the plan has no files, days are asked for" in caplog.text


def test_months_that_a_refusal_tells_to_be_outside_are_asked_for_no_more(tmp_path, monkeypatch):
    files, asked = jquants.Client.files, []
    window = plans.Window(dt.date(2024, 10, 1), None)

    def refuse_once(client, dataset, first, last):
        asked.append(first)
        if len(asked) == 1:
            client.memory.keep(window=window)
            raise jquants.OutsideWindow("outside", window)
        return files(client, dataset, first, last)

    monkeypatch.setattr(jquants.Client, "files", refuse_once)
    with Desk(tmp_path, "2024-12-02 12:00") as desk:
        read = desk.read("bars", in_bulk=True).rows
        covered = held("bars").filter(pl.col("Date") >= window.start)
        assert_frame_equal(as_filed("bars", read), as_filed("bars", covered))
    assert asked == ["2024-09", "2024-10"]
    assert len(desk.exchange.downloads) == 1


def test_a_settled_month_costs_one_file(tmp_path):
    with Desk(tmp_path, "2024-12-02 12:00") as desk:
        desk.exchange.correct("bars", TABLES["bars"][:0])
        desk.read("bars", first=dt.date(2024, 10, 1), in_bulk=True)
    assert [sorted(query) for query in desk.requests] == [["endpoint", "from", "to"], ["key"]]


def test_a_file_is_not_read_twice_for_the_days_that_it_lacks(tmp_path):
    there = pl.col("Date").is_between(dt.date(2024, 10, 2), dt.date(2024, 10, 7))
    content = TABLES | {"bars": TABLES["bars"].filter(~there)}
    with Desk(tmp_path, "2024-12-02 12:00", content=content) as desk:
        for _ in range(2):
            desk.read("bars", first=dt.date(2024, 10, 1), in_bulk=True)
    assert len(desk.exchange.downloads) == 1


def test_rows_of_a_file_came_when_it_was_read_and_held_when_it_was_written(tmp_path):
    with Desk(tmp_path, "2024-12-02 12:00") as desk:
        found = desk.read("bars", first=dt.date(2024, 10, 1), in_bulk=True)
        kept = Cache(tmp_path, None, desk.exchange.url).answer("bars", str(LAST))
    assert set(found.times) == {desk.clock.now}
    assert kept.checked < desk.clock.now


def test_a_month_that_was_rewritten_is_read_again(tmp_path):
    october = dt.date(2024, 10, 1)
    with Desk(tmp_path, "2024-12-02 12:00") as desk:
        first = desk.read("bars", first=october, in_bulk=True)
        desk.read("bars", first=october, in_bulk=True)
        assert len(desk.requests) == 1  # the list
        desk.set("2024-12-03 12:00")
        changed = TABLES["bars"].filter(Date=LAST, Code="130A0").with_columns(C=pl.lit(1.5))
        desk.exchange.correct("bars", changed)
        desk.set("2024-12-04 12:00")
        again = desk.read("bars", first=october, in_bulk=True)
    assert len(desk.requests) == 2
    assert again.rows.filter(Date=LAST, Code="130A0")["C"].to_list() == [1.5]
    assert len(set(again.times) - set(first.times)) == 1


def test_a_file_that_comes_short_is_asked_for_again(tmp_path):
    def fate(path, query):
        if "X-Amz-Signature" in query and not waiting:
            waiting.append(path)
            return "truncate"

    waiting = []
    with Desk(tmp_path, "2024-12-02 12:00", faults=fate) as desk:
        rows = desk.read("bars", first=dt.date(2024, 10, 1), in_bulk=True).rows
    assert len(waiting) == 1 and len(rows) == 15


def test_the_key_is_not_sent_for_a_signed_file(tmp_path, monkeypatch):
    with Desk(tmp_path, "2024-12-02 12:00") as desk:  # the server refuses a key there
        assert len(desk.read("bars", first=dt.date(2024, 10, 1), in_bulk=True).rows) == 15


def test_few_missing_days_of_a_month_are_asked_for_one_by_one(tmp_path):
    few = SESSIONS[: bulk.FEWEST_DAYS - 1]
    with Desk(tmp_path, "2024-12-02 12:00") as desk:
        desk.read("bars", few[0], few[-1], in_bulk=True)
    assert desk.exchange.downloads == []


def test_no_thread_is_left_behind(tmp_path):
    before = set(threading.enumerate())
    with Desk(tmp_path, "2024-12-02 12:00") as desk, contextlib.suppress(UserError):
        desk.read("bars", in_bulk=True)
    assert set(threading.enumerate()) == before
