"""Announcements count as scheduled ahead and as published behind, each by what was known."""

import bisect
import datetime as dt
import logging
from collections import defaultdict

import numpy as np
import polars as pl
import pytest
from gogooku import calendar
from gogooku.calendar import Sessions
from gogooku.families import FAMILIES
from gogooku.features import earnings
from gogooku.raw.catalogue import DATASETS
from helpers.company_filings import filing, quarters, revision, stamped
from helpers.family_inputs import inputs_of
from helpers.panels import make, walk, weekdays
from simulated_exchange.market import calendar as market_calendar
from simulated_exchange.market import filings as market_filings
from simulated_exchange.market import listings as market_listings
from simulated_exchange.market import summary as market_summary

CLOSES = [
    calendar.Close("15:00", since=dt.date(1900, 1, 1)),
    calendar.Close("15:30", since=dt.date(2024, 11, 5)),
]
CODE = "13010"
NAMES = {column.name for column in earnings.COLUMNS}
MOMENT = pl.Datetime("us", "UTC")


def at_clock(column, offset):
    """The moment `offset` after midnight in Tokyo of the day in `column`, in UTC."""
    shifted = pl.col(column).cast(pl.Datetime("us")).dt.offset_by(offset).dt.offset_by("-9h")
    return shifted.dt.replace_time_zone("UTC")


def scheduled(*rows):
    """Rows of fins/earnings-date: (published, scheduled or None, quarter[, code, year end])."""
    full = [(row + (CODE, "0331"))[:5] if len(row) == 3 else row for row in rows]
    names = ["PubDate", "SchDate", "FQName", "Code", "FYE"]
    kinds = {name: DATASETS["earnings_date"].schema[name] for name in names}
    frame = pl.DataFrame(full, schema=kinds, orient="row")
    return frame.with_columns(known_at=at_clock("PubDate", "10h5m"))


def read_list(*rows):
    """Rows of the archived list of the next session: (read on, day[, quarter, year end])."""
    full = [(row + ("第１四半期", "3月31日"))[:4] for row in rows]
    frame = pl.DataFrame(
        full, schema={"ReadOn": pl.Date, "Date": pl.Date, "FQ": pl.String, "FY": pl.String},
        orient="row",
    )  # fmt: skip
    return frame.with_columns(Code=pl.lit(CODE), known_at=at_clock("ReadOn", "19h"))


NO_LIST = read_list()


def panel_of(sessions=600, **options):
    return make(np.full((sessions, 2), 1000.0), **options)


def sessions_of(panel, ahead=184):
    return Sessions(np.concatenate([panel.dates, weekdays(ahead, panel.dates[-1].item())[1:]]))


def compute(panel, schedule=None, filed=(), lists=NO_LIST, sessions=None, decision="close"):
    filed = filed if isinstance(filed, pl.DataFrame) else stamped(filed)
    if "published_at" not in filed.columns:
        filed = filed.with_columns(published_at="known_at")
    schedule = scheduled() if schedule is None else schedule
    sessions = sessions_of(panel) if sessions is None else sessions
    return earnings.compute(
        inputs_of(
            panel, moments=calendar.decision_moments(panel.dates, decision, CLOSES),
            sessions=sessions, summary=filed, earnings_date=schedule, earnings_calendar=lists,
        )
    )  # fmt: skip


def at(columns, panel, day, name, slot=0):
    return columns[name][np.searchsorted(panel.dates, np.datetime64(day)), slot]


def ahead(columns, panel, *days):
    return [at(columns, panel, day, "days_to_earnings") for day in days]


# ---- ahead


def test_a_schedule_is_counted_down_in_sessions_from_its_publication_to_its_day():
    panel = panel_of()
    columns = compute(panel, scheduled((dt.date(2021, 7, 1), dt.date(2021, 7, 30), "1Q")))
    days = ["2021-06-30", "2021-07-01", "2021-07-23", "2021-07-29", "2021-07-30", "2021-08-02"]
    np.testing.assert_array_equal(ahead(columns, panel, *days), [np.nan, 21, 5, 1, 0, np.nan])
    week = [at(columns, panel, day, "is_earnings_week") for day in days]
    np.testing.assert_array_equal(week, [np.nan, 0, 1, 1, 1, np.nan])
    assert np.isnan(columns["days_to_earnings"][:, 1]).all()


def test_holidays_are_no_sessions_and_a_schedule_on_one_stands_for_the_next_session():
    days = weekdays(60)
    days = days[days != np.datetime64("2021-02-11")]
    panel = make(np.full((len(days), 2), 100.0), days=days)
    rows = scheduled((dt.date(2021, 2, 1), dt.date(2021, 2, 11), "3Q"))
    columns = compute(panel, rows)
    assert ahead(columns, panel, "2021-02-08", "2021-02-10", "2021-02-12") == [3, 1, 0]
    rows = scheduled((dt.date(2021, 2, 1), dt.date(2021, 2, 15), "3Q"))
    assert ahead(compute(panel, rows), panel, "2021-02-10") == [2]


def test_far_schedules_count_as_ninety_even_beyond_the_calendar():
    panel = panel_of(60)
    far = dt.date(2021, 12, 20)
    columns = compute(
        panel, scheduled((panel.dates[5].item(), far, "3Q")), sessions=sessions_of(panel, 70)
    )
    np.testing.assert_array_equal(columns["days_to_earnings"][5:39, 0], 90)
    # seventy sessions after the last the calendar ends: whether fewer than ninety is unknown
    assert np.isnan(columns["days_to_earnings"][40:, 0]).all()
    near = compute(
        panel, scheduled((panel.dates[5].item(), far, "3Q")), sessions=sessions_of(panel, 400)
    )
    np.testing.assert_array_equal(near["days_to_earnings"][5:, 0], 90)


def test_a_changed_schedule_counts_from_its_own_publication():
    panel = panel_of()
    first = (dt.date(2021, 7, 1), dt.date(2021, 7, 30), "1Q")
    moved = (dt.date(2021, 7, 12), dt.date(2021, 8, 6), "1Q")
    columns = compute(panel, scheduled(first, moved))
    assert ahead(columns, panel, "2021-07-09", "2021-07-12", "2021-07-30") == [15, 19, 5]
    early = (dt.date(2021, 7, 12), dt.date(2021, 7, 20), "1Q")
    columns = compute(panel, scheduled(first, early))
    days = ahead(columns, panel, "2021-07-09", "2021-07-12", "2021-07-20", "2021-07-21")
    np.testing.assert_array_equal(days, [15, 6, 0, np.nan])


def test_an_undecided_date_withdraws_the_schedule_until_there_is_a_new_one():
    panel = panel_of()
    rows = scheduled(
        (dt.date(2021, 7, 1), dt.date(2021, 7, 30), "1Q"),
        (dt.date(2021, 7, 10), None, "1Q"),
        (dt.date(2021, 7, 20), dt.date(2021, 8, 12), "1Q"),
        (dt.date(2021, 7, 1), None, "2Q"),
    )
    days = ahead(compute(panel, rows), panel, "2021-07-09", "2021-07-12", "2021-07-20")
    np.testing.assert_array_equal(days, [15, np.nan, 17])


def test_another_quarter_or_another_year_replaces_nothing():
    panel = panel_of(900)
    late = [
        (dt.date(2021, 7, 1), dt.date(2021, 8, 6), "1Q"),
        (dt.date(2021, 8, 5), dt.date(2022, 5, 20), "1Q"),  # last year's, put off for long
        (dt.date(2022, 5, 10), dt.date(2022, 8, 5), "1Q"),
        (dt.date(2022, 5, 10), dt.date(2022, 5, 13), "FY"),
        (dt.date(2022, 5, 16), dt.date(2022, 8, 15), "1Q"),  # this year's, moved
    ]
    columns = compute(panel, scheduled(*late))
    days = ["2022-05-09", "2022-05-10", "2022-05-16", "2022-05-20", "2022-05-23"]
    assert ahead(columns, panel, *days) == [9, 3, 4, 0, 60]


@pytest.mark.parametrize(
    "year_end, quarter, day, period",
    [
        ("0331", "1Q", (2021, 7, 30), (2021, 6)),
        ("0331", "3Q", (2022, 2, 14), (2021, 12)),
        ("0331", "FY", (2022, 5, 12), (2022, 3)),
        ("1231", "FY", (2022, 2, 14), (2021, 12)),
        ("1231", "1Q", (2022, 5, 13), (2022, 3)),
        ("0120", "3Q", (2021, 12, 3), (2021, 10)),
        ("0220", "FY", (2022, 2, 28), (2022, 2)),
        ("0220", "FY", (2022, 2, 18), (2021, 2)),
        ("0531", "2Q", (2022, 1, 11), (2021, 11)),
    ],
)
def test_the_year_is_inferred_from_the_scheduled_day(year_end, quarter, day, period):
    frame = scheduled((dt.date(2021, 1, 4), dt.date(*day), quarter, CODE, year_end))
    (month,) = frame.select(earnings._period().alias("period"))["period"]
    assert divmod(month - 1, 12) == (period[0], period[1] - 1)


def test_a_schedule_expires():
    panel = panel_of(700)
    columns = compute(panel, scheduled((panel.dates[10].item(), panel.dates[500].item(), "1Q")))
    known = np.flatnonzero(np.isfinite(columns["days_to_earnings"][:, 0]))
    assert (known[0], known[-1], len(known)) == (10, 10 + 244, 245)


def test_the_archived_list_names_the_next_session_where_nothing_else_is_known():
    panel = panel_of(60)
    lists = read_list(
        (dt.date(2021, 2, 8), dt.date(2021, 2, 9)),  # read after the close, known the day after
        (dt.date(2021, 2, 9), dt.date(2021, 2, 9)),  # stale
    )
    columns = compute(panel, lists=lists)
    days = ahead(columns, panel, "2021-02-08", "2021-02-09", "2021-02-10")
    np.testing.assert_array_equal(days, [np.nan, 0, np.nan])


def test_the_newer_of_both_sources_counts():
    panel = panel_of()
    rows = [(dt.date(2021, 7, 1), dt.date(2021, 7, 30), "1Q")]
    lists = read_list((dt.date(2021, 7, 26), dt.date(2021, 7, 27)))
    columns = compute(panel, scheduled(*rows), lists=lists)
    days = ahead(columns, panel, "2021-07-26", "2021-07-27", "2021-07-28")
    np.testing.assert_array_equal(days, [4, 0, np.nan])
    put_off = (dt.date(2021, 7, 27), dt.date(2021, 8, 3), "1Q")
    columns = compute(panel, scheduled(*rows, put_off), lists=lists)
    assert ahead(columns, panel, "2021-07-26", "2021-07-27", "2021-07-28") == [4, 5, 4]
    stale = read_list((dt.date(2021, 7, 27), dt.date(2021, 7, 27)))
    columns = compute(panel, scheduled(*rows, put_off), lists=pl.concat([lists, stale]))
    assert ahead(columns, panel, "2021-07-26", "2021-07-27", "2021-07-28") == [4, 5, 4]


@pytest.mark.parametrize(
    "name, quarter",
    [("第１四半期", "1Q"), ("第２四半期", "2Q"), ("第3四半期", "3Q"), ("本決算", "FY")],
)
def test_the_list_speaks_of_the_same_quarters_and_year_ends(name, quarter):
    rows = earnings.schedules(
        scheduled(), read_list((dt.date(2021, 2, 8), dt.date(2021, 2, 9), name, "9月30日"))
    )
    assert rows.select("FQName", "FYE").row(0) == (quarter, "0930")


def random_schedules(rng, panel, number=500):
    """Schedules of few companies and periods, so that they are moved and withdrawn often."""
    rows = []
    for code in [*panel.codes, "99990"]:
        for year_end in rng.choice(["0331", "1231", "0220"], 1):
            for _ in range(number // 3):
                published = panel.dates[rng.integers(len(panel.dates))].item()
                lead = int(rng.integers(0, 120))
                day = None if rng.random() < 0.15 else published + dt.timedelta(lead)
                rows.append((published, day, str(rng.choice(["1Q", "2Q", "3Q", "FY"])), code,
                             year_end))  # fmt: skip
    rows = {(row[0], row[2], row[3]): row for row in rows}
    return list(rows.values())


def last_end(day, quarter, year_end):
    """The newest end of such a period that is not after `day`."""
    month, last = int(year_end[:2]), int(year_end[2:])
    month -= {"1Q": 9, "2Q": 6, "3Q": 3, "FY": 0}[quarter]
    month += 12 * (month < 1)
    return max(year for year in (day.year - 1, day.year) if (year, month, last)
               <= (day.year, day.month, day.day))  # fmt: skip


def days_by_hand(rows, code, day, sessions):
    """What was scheduled at the close of `day`, told row by row."""
    schedule, newest_year = {}, {}
    for published, planned, quarter, whose, year_end in sorted(rows, key=lambda row: row[0]):
        if whose != code or published > day:
            continue
        name = (quarter, year_end)
        if planned is not None:
            newest_year[name] = last_end(planned, quarter, year_end)
        if name in newest_year:
            schedule[name, newest_year[name]] = (published, planned)
    here = sessions.index(day)
    open_places = [
        bisect.bisect_left(sessions, planned)
        for published, planned in schedule.values()
        if planned is not None and here + 1 - bisect.bisect_left(sessions, published) <= 245
    ]
    return min([place - here for place in open_places if place >= here], default=np.nan)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_random_schedules_agree_with_a_telling_row_by_row(seed):
    rng = np.random.default_rng(seed)
    panel = panel_of(400)
    rows = random_schedules(rng, panel)
    known = sessions_of(panel, 300)
    columns = compute(panel, scheduled(*rows), sessions=known)["days_to_earnings"]
    sessions = known.days.tolist()
    assert np.isfinite(columns).mean() > 0.4
    for session in rng.choice(len(panel.dates), 60, replace=False):
        for slot, code in enumerate(panel.codes):
            day = panel.dates[session].item()
            expected = days_by_hand(rows, code, day, sessions)
            np.testing.assert_equal(float(columns[session, slot]), np.minimum(expected, 90.0))


# ---- behind


@pytest.mark.parametrize("time, first", [("14:59:59", 0), ("15:00:00", 1), (None, 1)])
def test_the_day_of_an_announcement_is_the_first_session_that_could_know_it(time, first):
    close = np.full((300, 1), 1000.0)
    close[20:], close[21:] = 1050.0, 1029.0
    panel = make(close)
    columns = compute(panel, filed=[filing(panel.dates[20].item(), time=time, Sales=1.0, OP=1.0)])
    start = 20 + first
    since = columns["days_since_earnings"][:, 0]
    assert np.isnan(since[:start]).all()
    np.testing.assert_array_equal(since[start : start + 92], [*range(91), 90])
    assert np.isfinite(since).sum() == 245
    returned = [0.05, -0.02][first]
    np.testing.assert_allclose(columns["earnings_day_return"][start : start + 245, 0], returned,
                               rtol=1e-6)  # fmt: skip
    assert np.isnan(columns["earnings_day_return"][start + 245 :]).all()
    faded = columns["pead_strength"][start + 20, 0]
    assert faded == pytest.approx(returned / 2)
    assert columns["pead_strength"][start + 60, 0] == pytest.approx(returned / 8)
    week = columns["is_earnings_week"][start : start + 8, 0]
    assert week.tolist() == [1, 1, 1, 1, 1, 1, 0, 0]


def served(rows, batch="18h"):
    """The rows as the vendor's API gives them: all of a day at `batch`."""
    published = stamped(rows)
    return published.with_columns(published_at="known_at", known_at=at_clock("DiscDate", batch))


@pytest.mark.parametrize(
    "time, batch, decision, counted, reacted",
    [
        ("15:30:00", "18h", "19:00", 20, 21),  # known that evening, when the market had closed
        ("13:00:00", "18h", "19:00", 20, 20),
        ("16:00:00", "24h30m", "19:00", 21, 21),
        ("13:00:00", "18h", "close", 21, 20),  # known a day after the market's reaction
    ],
)
def test_the_market_reacts_in_the_session_that_closes_after_the_publication_on_any_clock(
    time, batch, decision, counted, reacted
):
    close = np.full((60, 1), 1000.0)
    close[20:], close[21:] = 1050.0, 1029.0
    panel = make(close)
    rows = served([filing(panel.dates[20].item(), time=time, Sales=1.0)], batch)
    columns = compute(panel, filed=rows, decision=decision)
    since, actual, faded = (
        columns[name][:, 0]
        for name in ("days_since_earnings", "earnings_day_return", "pead_strength")
    )
    assert np.flatnonzero(since == 0).tolist() == [counted]
    first = max(counted, reacted)
    assert np.isnan(actual[:first]).all() and np.isnan(faded[:first]).all()
    returned = {20: 0.05, 21: -0.02}[reacted]
    np.testing.assert_allclose(actual[first:], returned, rtol=1e-6)
    assert faded[reacted + 20] == pytest.approx(returned / 2)


def test_a_session_without_a_trade_leaves_the_announcement_without_a_return():
    close = np.full((60, 1), 1000.0)
    close[20] = np.nan
    panel = make(close)
    columns = compute(panel, filed=[filing(panel.dates[20].item(), Sales=1.0)])
    assert np.isnan(columns["earnings_day_return"]).all()
    assert np.isfinite(columns["days_since_earnings"][20:]).all()


def guided_year(**fields):
    """Guidance of 100 for the year to March 2022, given in May 2021, and its four statements."""
    forecast = filing(dt.date(2021, 5, 14), "FY", 2020, NxFOP=100.0, NxFNp=50.0,
                      NxtFYEn=dt.date(2022, 3, 31))  # fmt: skip
    return [forecast, *quarters(**fields)]


def test_a_figure_is_measured_against_its_share_of_the_guidance_known_before():
    panel = panel_of()
    columns = compute(panel, filed=guided_year())
    # operating profit 20, 44, 72, 104 against a quarter, a half, three quarters and all of 100
    days = ["2021-05-20", "2021-08-10", "2021-11-09", "2022-02-08", "2022-05-10"]
    actual = [at(columns, panel, day, "earnings_surprise") for day in days]
    np.testing.assert_allclose(actual[1:], [-0.2, -0.12, -0.04, 0.04], rtol=1e-5)
    assert np.isnan(actual[0])
    momentum = [at(columns, panel, day, "earnings_momentum") for day in days]
    np.testing.assert_array_equal(momentum, [np.nan, np.nan, np.nan, -1, -0.5])


def test_guidance_of_the_same_day_was_not_known_before():
    panel = panel_of()
    rows = guided_year()
    lifted = revision(dt.date(2021, 8, 10), FOP=80.0, time="09:00:00")
    before = revision(dt.date(2021, 8, 9), FOP=80.0, time="16:00:00")
    own = [{**rows[1], "FOP": 80.0} if i == 1 else row for i, row in enumerate(rows)]
    for filed, expected in (
        ([*rows, lifted], 20 / 25 - 1),
        (own, 20 / 25 - 1),
        ([*rows, before], 20 / 20 - 1),
    ):
        columns = compute(panel, filed=filed)
        assert at(columns, panel, "2021-08-10", "earnings_surprise") == pytest.approx(expected)
        assert at(columns, panel, "2021-11-09", "earnings_surprise") == pytest.approx(
            44 / 50 - 1 if filed == rows else 44 / 40 - 1
        )


def test_profit_stands_in_where_there_is_no_operating_profit_to_compare():
    panel = panel_of()
    bank = [{**row, "OP": None} for row in guided_year()]
    columns = compute(panel, filed=bank)
    assert at(columns, panel, "2021-08-10", "earnings_surprise") == pytest.approx(10 / 12.5 - 1)
    unguided = [{**guided_year()[0], "NxFOP": None}, *guided_year()[1:]]
    columns = compute(panel, filed=unguided)
    assert at(columns, panel, "2021-08-10", "earnings_surprise") == pytest.approx(10 / 12.5 - 1)


def test_a_smaller_loss_than_guided_is_a_good_surprise():
    panel = panel_of()
    rows = [{**guided_year()[0], "NxFOP": -100.0},
            filing(dt.date(2021, 8, 10), OP=-20.0, Sales=1.0)]  # fmt: skip
    columns = compute(panel, filed=rows)
    assert at(columns, panel, "2021-08-10", "earnings_surprise") == pytest.approx(0.2)


def test_without_guidance_or_against_none_there_is_no_surprise():
    panel = panel_of()
    for rows in (quarters(), [{**guided_year()[0], "NxFOP": 0.0, "NxFNp": None}, *quarters()]):
        columns = compute(panel, filed=rows)
        assert np.isnan(columns["earnings_surprise"]).all()
        assert np.isnan(columns["earnings_momentum"]).all()
        assert np.isfinite(columns["days_since_earnings"]).any()


def test_a_revision_between_announcements_leaves_the_surprise_of_the_last():
    panel = panel_of()
    rows = [*guided_year(), revision(dt.date(2021, 9, 1), FOP=300.0)]
    before, after = compute(panel, filed=guided_year()), compute(panel, filed=rows)
    stop = np.searchsorted(panel.dates, np.datetime64("2021-11-09"))
    for name in NAMES:
        np.testing.assert_array_equal(after[name][:stop], before[name][:stop], err_msg=name)
    assert at(after, panel, "2021-11-09", "earnings_surprise") == pytest.approx(44 / 150 - 1)


def test_a_correction_of_the_newest_period_counts_against_the_old_guidance_and_is_no_news():
    panel = panel_of()
    rows = [*guided_year()[:2], revision(dt.date(2021, 9, 1), FOP=300.0),
            filing(dt.date(2021, 9, 10), Sales=100.0, OP=30.0, NP=10.0)]  # fmt: skip
    columns = compute(panel, filed=rows)
    assert at(columns, panel, "2021-09-09", "earnings_surprise") == pytest.approx(-0.2)
    assert at(columns, panel, "2021-09-10", "earnings_surprise") == pytest.approx(0.2)
    assert at(columns, panel, "2021-09-10", "days_since_earnings") == 23


def test_the_share_of_an_odd_fiscal_year_goes_by_its_own_months():
    panel = panel_of()
    odd = {"CurFYSt": dt.date(2021, 4, 1), "CurFYEn": dt.date(2021, 12, 31)}
    rows = [
        filing(dt.date(2021, 5, 14), "FY", 2020, NxFOP=90.0, NxtFYEn=dt.date(2021, 12, 31)),
        filing(dt.date(2021, 8, 10), "1Q", 2021, OP=33.0, **odd),
        filing(dt.date(2022, 2, 10), "FY", 2021, OP=81.0, CurPerEn=dt.date(2021, 12, 31), **odd),
    ]
    columns = compute(panel, filed=rows)
    assert at(columns, panel, "2021-08-10", "earnings_surprise") == pytest.approx(33 / 30 - 1)
    assert at(columns, panel, "2022-02-10", "earnings_surprise") == pytest.approx(81 / 90 - 1)


def test_half_a_year_is_measured_against_the_guidance_for_the_first_half():
    panel = panel_of()
    rows = guided_year()
    halves = [{**rows[0], "NxFOP2Q": 40.0, "NxFNp2Q": 11.0}, *rows[1:]]
    columns = compute(panel, filed=halves)
    days = ["2021-08-10", "2021-11-09", "2022-02-08"]
    actual = [at(columns, panel, day, "earnings_surprise") for day in days]
    np.testing.assert_allclose(actual, [-0.2, 44 / 40 - 1, -0.04], rtol=1e-5)
    bank = [{**row, "OP": None} for row in halves]
    columns = compute(panel, filed=bank)
    assert at(columns, panel, "2021-11-09", "earnings_surprise") == pytest.approx(22 / 11 - 1)
    lowered = [*rows, revision(dt.date(2021, 9, 1), FOP2Q=55.0)]
    columns = compute(panel, filed=lowered)
    assert at(columns, panel, "2021-11-09", "earnings_surprise") == pytest.approx(44 / 55 - 1)
    # it says nothing of the year
    assert at(columns, panel, "2022-02-08", "earnings_surprise") == pytest.approx(-0.04)


def test_momentum_holds_the_quarters_of_one_year():
    panel = panel_of(900)
    second = quarters(2022, dt.date(2022, 8, 9))
    guidance = {"NxFOP": 104.0, "NxtFYEn": dt.date(2023, 3, 31)}
    rows = guided_year()
    rows = [*rows[:-1], {**rows[-1], **guidance}, *second]
    columns = compute(panel, filed=rows)
    # −, −, −, + and then 20 to 26, 44 to 52, 72 to 78, 104 to 104
    days = ["2022-05-10", "2022-08-09", "2022-11-08", "2023-02-07", "2023-05-09"]
    actual = [at(columns, panel, day, "earnings_momentum") for day in days]
    assert actual == [-0.5, -0.5, -0.5, -0.5, -0.75]


# ---- simulated filings


@pytest.fixture(scope="module")
def exchange():
    """Filings of a simulated exchange, what was news in each, and a panel of its sessions."""
    days = market_calendar.sessions(dt.date(2015, 6, 1), dt.date(2021, 12, 30))
    listings, filings, words = np.random.default_rng(4).spawn(3)
    listed = market_listings.draw(listings, days, 290, 40)
    events = market_filings.draw(filings, listed)
    summary = market_summary.table(words, events, listed)
    codes = summary["Code"].unique().sort().to_list()[:12]
    summary = stamped(summary.filter(pl.col("Code").is_in(codes)).drop("DiscNo").to_dicts())
    sessions = listed.days[listed.first :]
    close = walk(len(sessions), len(codes), seed=6, holes=0.01)
    z = events.filter(kind="statement").select(
        Code=pl.Series(listed.codes).gather(pl.Series(events.filter(kind="statement")["issue"])),
        DiscDate="day", CurPerEn="month_end", z="z", due=pl.col("before") * pl.col("quarter") / 4,
    )  # fmt: skip
    return make(close, days=sessions, codes=codes), summary, z


def without_corrections(summary):
    statement = pl.col("DocType").str.contains("Statements")
    first = pl.struct("Code", "CurPerEn").is_first_distinct()
    return summary.sort("known_at", "DiscNo").filter(
        ~statement | (statement & first.over(statement))
    )


def test_surprise_and_momentum_are_those_of_the_simulated_exchange(exchange):
    panel, summary, z = exchange
    clean = without_corrections(summary)
    columns = compute(panel, filed=clean)
    moments = calendar.decision_moments(panel.dates, "close", CLOSES)
    news = clean.filter(pl.col("DocType").str.contains("Statements")).join(
        z.cast({"DiscDate": pl.Date, "CurPerEn": pl.Date}), on=["Code", "DiscDate", "CurPerEn"]
    )
    past, result, expected, rounding = defaultdict(list), [], [], []
    for row in news.sort("known_at").iter_rows(named=True):
        slot = panel.codes.tolist().index(row["Code"])
        day = np.searchsorted(moments, np.datetime64(row["known_at"].replace(tzinfo=None)))
        if day == len(moments):
            continue
        actual = columns["earnings_surprise"][day, slot]
        if np.isfinite(actual):
            result.append(actual)
            expected.append(market_filings.SURPRISE * row["z"])
            rounding.append(1.5e6 / abs(row["due"]))  # amounts are written to the million
            past[slot].append(np.sign(row["z"]))
        if len(past[slot]) >= 4:
            momentum = columns["earnings_momentum"][day, slot]
            assert momentum == pytest.approx(np.mean(past[slot][-4:]))
    assert len(result) > 150
    assert np.median(rounding) < 0.002
    assert (np.abs(np.subtract(result, expected)) < np.array(rounding) + 1e-6).all()


# ---- laws


def everything(panel, rng):
    rows = random_schedules(rng, panel, 700)
    lists = [(day.item(), day.item() + dt.timedelta(1)) for day in rng.choice(panel.dates, 40)]
    return scheduled(*rows), read_list(*lists)


@pytest.mark.parametrize("cut", [400, 777, 1100])
def test_nothing_known_later_moves_an_earlier_day(exchange, cut):
    panel, summary, _ = exchange
    schedule, lists = everything(panel, np.random.default_rng(cut))
    moment = calendar.decision_moments(panel.dates, "close", CLOSES)[cut]
    early = [rows.filter(pl.col("known_at").dt.replace_time_zone(None) <= moment)
            for rows in (schedule, summary, lists)]  # fmt: skip
    assert all(0 < len(a) < len(b) for a, b in zip(early, (schedule, summary, lists), strict=True))
    full, partial = compute(panel, schedule, summary, lists), compute(panel, *early)
    for name in NAMES:
        np.testing.assert_array_equal(full[name][: cut + 1], partial[name][: cut + 1], err_msg=name)


def test_a_span_with_its_look_back_equals_the_whole(exchange):
    panel, summary, _ = exchange
    schedule, lists = everything(panel, np.random.default_rng(9))
    known = sessions_of(panel)
    full = compute(panel, schedule, summary, lists, known)
    needs = FAMILIES["earnings"]
    stop, length = len(panel.dates), 40
    for last in (stop, stop - 130, stop - 260):
        first = last - length - needs["panel"].look_back
        window = slice(first, last)
        part = make(panel["close"][window], days=panel.dates[window], codes=panel.codes.tolist())
        since = {name: panel.dates[last - length - needs[name].look_back].item()
                 for name in ("summary", "earnings_date", "earnings_calendar")}  # fmt: skip
        columns = compute(
            part,
            schedule.filter(pl.col("PubDate") >= since["earnings_date"]),
            summary.filter(pl.col("DiscDate") >= since["summary"]),
            lists.filter(pl.col("ReadOn") >= since["earnings_calendar"]),
            known,
        )
        for name in NAMES:
            np.testing.assert_array_equal(
                columns[name][-length:], full[name][last - length : last], err_msg=name
            )


def test_missing_data_give_null_columns_and_a_warning(caplog):
    panel = panel_of(60)
    with caplog.at_level(logging.WARNING):
        columns = compute(panel)
    assert "days_to_earnings is null" in caplog.text and "no statement" in caplog.text
    assert set(columns) == NAMES
    assert all(np.isnan(values).all() for values in columns.values())
    assert all(values.shape == panel.shape for values in columns.values())
