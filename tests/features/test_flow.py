"""Investor flows are taken per weekly print, as known on the day, and follow a stock's section."""

import datetime as dt
import logging

import numpy as np
import polars as pl
import pytest
from gogooku import calendar
from gogooku.families import FAMILIES
from gogooku.features import flow
from gogooku.raw.catalogue import DATASETS, GROUPS
from helpers.family_inputs import inputs_of
from helpers.panels import make, weekdays

CLOSES = [calendar.Close("15:00", since=dt.date(1900, 1, 1))]
FRIDAY = dt.date(2020, 1, 10)
# The vendor's names: proprietary, individuals, foreigners, securities companies, business and other
# corporations; then institutions: trusts, insurers, city and regional banks, trust banks, others.
INSTITUTIONS = ["InvTr", "InsCo", "Bank", "TrstBnk", "OthFin"]
INVESTORS = ["Prop", "Ind", "Frgn", "SecCo", "BusCo", "OthCo", *INSTITUTIONS]
OLD, NEW = ("TSE1st", "TSE2nd", "TSEMothers"), ("TSEPrime", "TSEStandard", "TSEGrowth")
REFORM = dt.date(2022, 4, 4)


def print_of(week, section="TSEPrime", *, seed=0, published=None, **fields):
    """The print of one week (0, 1, …), published on Thursday of the week after."""
    end = FRIDAY + dt.timedelta(days=7 * week)
    rng = np.random.default_rng([seed, week, list(flow.SECTIONS).index(section)])
    row = {"PubDate": published or end + dt.timedelta(days=6), "Section": section,
           "StDate": end - dt.timedelta(days=4), "EnDate": end}  # fmt: skip
    for group in GROUPS:
        row[f"{group}Bal"], row[f"{group}Tot"] = rng.normal(0, 100), rng.uniform(1000, 2000)
    row["BrkTot"], row["TotTot"] = 40_000.0, rng.uniform(40_000, 60_000)
    return row | fields


def stamped(rows):
    fields = {name: DATASETS["investor_types"].schema[name] for name in print_of(0)}
    frame = pl.DataFrame(rows, schema=fields)
    moment = pl.col("PubDate").cast(pl.Datetime("us")).dt.offset_by("7h30m")  # 16:30 in Tokyo
    return frame.with_columns(known_at=moment.dt.replace_time_zone("UTC"))


def history(weeks=130, sections=NEW):
    return [print_of(week, section) for week in range(weeks) for section in sections]


def panel_of(first=dt.date(2022, 5, 2), sessions=40, stocks=2, market="0111"):
    return make(np.full((sessions, stocks), 100.0), days=weekdays(sessions, first), market=market)


def compute(rows, panel):
    return flow.compute(inputs_of(panel, investor_types=stamped(rows)))


def at(columns, panel, day, name):
    return columns[name][np.searchsorted(panel.dates, np.datetime64(day)), 0]


def test_a_print_counts_from_the_session_after_its_publication_to_the_next():
    panel = panel_of()
    rows = history()
    columns = compute(rows, panel)
    week = next(row for row in rows if row["PubDate"] == dt.date(2022, 5, 12))
    ratio = week["FrgnBal"] / week["FrgnTot"]
    own = columns["flow_foreign_net_ratio"][:, 0]
    days = panel.dates[np.isclose(own, ratio, rtol=1e-6)].astype(str).tolist()
    assert days == ["2022-05-13", "2022-05-16", "2022-05-17", "2022-05-18", "2022-05-19"]
    assert at(columns, panel, "2022-05-13", "flow_impulse") == 1
    since = [at(columns, panel, day, "flow_days_since") for day in days]
    assert since == [0, 1, 2, 3, 4]
    impulses = panel.dates[1:][columns["flow_impulse"][1:, 0] == 1]
    assert [day.item().weekday() for day in impulses] == [4] * 8


def test_a_correction_counts_from_its_own_publication():
    panel = panel_of()
    rows = history()
    week = next(i for i, row in enumerate(rows) if row["PubDate"] == dt.date(2022, 5, 12))
    fixed = {**rows[week], "PubDate": dt.date(2022, 5, 17), "FrgnBal": 9999.0, "FrgnTot": 10000.0}
    before, after = compute(rows, panel), compute([*rows, fixed], panel)
    day = np.searchsorted(panel.dates, np.datetime64("2022-05-18"))
    for name, values in after.items():
        np.testing.assert_array_equal(values[:day], before[name][:day], err_msg=name)
    assert at(after, panel, "2022-05-18", "flow_foreign_net_ratio") == pytest.approx(0.9999)
    # it is no news of a newer week, and later windows hold it
    assert at(after, panel, "2022-05-18", "flow_impulse") == 0
    assert at(after, panel, "2022-05-18", "flow_days_since") == 3
    late = ("2022-06-24", "flow_foreign_net_z")
    assert at(after, panel, *late) != at(before, panel, *late)


def series(rows, section, until):
    """The section's prints published before `until`, as arrays."""
    prints = [row for row in rows if row["Section"] == section and row["PubDate"] < until]
    return {name: np.array([row[name] for row in prints]) for name in prints[0] if name[-3:] in
            ("Bal", "Tot")}  # fmt: skip


def by_hand(x, session):
    """Every column from a section's prints, `session` sessions after the newest one counted."""
    foreign, individual = x["FrgnBal"] / x["FrgnTot"], x["IndBal"] / x["IndTot"]
    inst = {side: sum(x[group + side] for group in INSTITUTIONS) for side in ("Bal", "Tot")}

    def z(values, back=0):
        window = values[len(values) - 52 - back : len(values) - back]
        return (window[-1] - window.mean()) / window.std()

    institutional = inst["Bal"] / inst["Tot"]
    last = {group: x[f"{group}Bal"][-1] for group in INVESTORS}
    weights = np.abs(list(last.values())) / np.abs(list(last.values())).sum()
    smart, indicator = (
        z(foreign) - z(individual),
        (z(foreign) + z(institutional)) / 2 - z(individual),
    )
    domestic = (x["BrkBal"] - x["FrgnBal"])[-1] / (x["BrkTot"] - x["FrgnTot"])[-1]
    return {
        "flow_foreign_net_ratio": foreign[-1],
        "flow_individual_net_ratio": individual[-1],
        "flow_activity_ratio": x["TotTot"][-1] / x["TotTot"][-52:].mean(),
        "flow_foreign_share": x["FrgnTot"][-1] / x["TotTot"][-1],
        "flow_breadth_pos": sum(value > 0 for value in last.values()) / 11,
        "flow_foreign_net_z": z(foreign),
        "flow_individual_net_z": z(individual),
        "flow_activity_z": z(x["TotTot"]),
        "flow_smart_idx": smart,
        "flow_smart_mom4": smart - z(foreign, 4) + z(individual, 4),
        "flow_shock_flag": abs(smart) >= 2,
        "flow_foreign_net_pos": foreign[-1] > 0,
        "flow_smart_pos": smart > 0,
        "flow_activity_high": z(x["TotTot"]) >= 1,
        "flow_activity_low": z(x["TotTot"]) <= -1,
        "flow_impulse": session == 0,
        "flow_days_since": session,
        "institutional_accumulation": inst["Bal"][-4:].sum() / inst["Tot"][-4:].sum(),
        "foreign_sentiment": x["FrgnBal"][-4:].sum() / x["TotTot"][-4:].sum(),
        "retail_institutional_divergence": individual[-1] - institutional[-1],
        "foreign_domestic_divergence": foreign[-1] - domestic,
        "institutional_persistence": abs(np.sign(inst["Bal"][-10:]).mean()),
        "foreign_persistence": abs(np.sign(foreign[-10:]).mean()),
        "smart_flow_indicator": indicator,
        "flow_concentration": (weights**2).sum(),
        "concentrated_flow_signal": indicator * (weights**2).sum(),
    }


def test_every_column_agrees_with_its_definition_by_hand():
    panel, rows = panel_of(dt.date(2021, 11, 1), 160), history()
    columns = compute(rows, panel)
    expectations = []
    for day in panel.dates[20::4].tolist():
        expected = by_hand(series(rows, "TSEPrime", day), (day.weekday() - 4) % 5)
        assert set(expected) == set(columns) == {column.name for column in flow.COLUMNS}
        for name, value in expected.items():
            assert at(columns, panel, day, name) == pytest.approx(float(value), rel=1e-5), name
        expectations.append(expected)
    assert all(len({float(each[name]) for each in expectations}) > 1 for name in columns)


@pytest.mark.parametrize(
    "market, section",
    [("0111", "TSEPrime"), ("0112", "TSEStandard"), ("0113", "TSEGrowth"), ("0109", "TokyoNagoya")],
)
def test_a_stock_takes_its_section(market, section):
    rows = history(sections=(*NEW, "TokyoNagoya"))
    panel = panel_of(market=market)
    x = series(rows, section, dt.date(2022, 6, 1))
    share = at(compute(rows, panel), panel, "2022-06-01", "flow_foreign_share")
    assert share == pytest.approx(x["FrgnTot"][-1] / x["TotTot"][-1], rel=1e-6)


def test_without_a_series_of_all_markets_the_sections_are_added_up():
    rows = history()
    panel = panel_of(market="0109")
    parts = [series(rows, section, dt.date(2022, 6, 1)) for section in NEW]
    foreign, total = (sum(x[field][-1] for x in parts) for field in ("FrgnTot", "TotTot"))
    share = at(compute(rows, panel), panel, "2022-06-01", "flow_foreign_share")
    assert share == pytest.approx(foreign / total, rel=1e-6)


def test_jasdaq_without_prints_takes_all_markets():
    rows, panel = history(sections=OLD), panel_of(dt.date(2022, 2, 1), market="0106")
    other = panel_of(dt.date(2022, 2, 1), market="0109")
    np.testing.assert_array_equal(
        compute(rows, panel)["flow_foreign_share"], compute(rows, other)["flow_foreign_share"]
    )
    rows += history(sections=("TSEJASDAQ",))
    own = series(rows, "TSEJASDAQ", dt.date(2022, 3, 1))
    share = at(compute(rows, panel), panel, "2022-03-01", "flow_foreign_share")
    assert share == pytest.approx(own["FrgnTot"][-1] / own["TotTot"][-1], rel=1e-6)


def over_the_reform(before=(*OLD, "TSEJASDAQ")):
    """Prints of the old sections for the weeks before the reform, of the new ones since."""
    old = [row for row in history(sections=before) if row["EnDate"] < REFORM]
    return old + [row for row in history() if row["EnDate"] > REFORM]


@pytest.mark.parametrize(
    "market, names",
    [("0111", ("TSE1st", "TSEPrime")), ("0113", ("TSEMothers", "TSEGrowth"))],
)
def test_a_series_goes_on_under_its_new_name(market, names):
    rows, panel, day = over_the_reform(), panel_of(market=market), dt.date(2022, 6, 1)
    total = np.concatenate([series(rows, name, day)["TotTot"] for name in names])
    assert at(compute(rows, panel), panel, day, "flow_activity_ratio") == pytest.approx(
        total[-1] / total[-52:].mean(), rel=1e-6
    )


@pytest.mark.parametrize("day", [dt.date(2022, 4, 4), dt.date(2022, 4, 14), dt.date(2022, 6, 1)])
def test_standard_continues_the_2nd_section_and_jasdaq_together(day):
    rows, panel = over_the_reform(), panel_of(dt.date(2022, 3, 1), 80, market="0112")
    columns = compute(rows, panel)
    second, jasdaq = (series(rows, name, day) for name in ("TSE2nd", "TSEJASDAQ"))
    x = {name: second[name] + jasdaq[name] for name in second}
    if day == dt.date(2022, 6, 1):  # seven weeks have been published since
        own = series(rows, "TSEStandard", day)
        assert len(own["TotTot"]) == 7
        x = {name: np.concatenate([x[name], own[name]]) for name in x}
    for name, value in by_hand(x, (day.weekday() - 4) % 5).items():
        assert at(columns, panel, day, name) == pytest.approx(float(value), rel=1e-5), name


def test_stocks_of_the_2nd_section_and_of_jasdaq_see_their_own_series():
    rows, day = over_the_reform(), dt.date(2022, 3, 30)
    for market, name in (("0102", "TSE2nd"), ("0106", "TSEJASDAQ"), ("0107", "TSEJASDAQ")):
        panel = panel_of(dt.date(2022, 3, 1), market=market)
        total = series(rows, name, day)["TotTot"]
        columns = at(compute(rows, panel), panel, day, "flow_activity_ratio")
        assert columns == pytest.approx(total[-1] / total[-52:].mean(), rel=1e-6)


def test_a_week_that_one_part_lacks_is_none_of_standard():
    rows = over_the_reform()
    lacking = dt.date(2022, 3, 4)
    rows = [row for row in rows if (row["Section"], row["EnDate"]) != ("TSEJASDAQ", lacking)]
    panel, day = panel_of(dt.date(2022, 3, 1), market="0112"), dt.date(2022, 4, 12)
    second, jasdaq = (
        [row for row in rows if row["Section"] == name and row["EnDate"] != lacking]
        for name in ("TSE2nd", "TSEJASDAQ")
    )
    total = np.array([a["TotTot"] + b["TotTot"] for a, b in zip(second, jasdaq, strict=True)])
    columns = compute(rows, panel)
    assert at(columns, panel, day, "flow_activity_ratio") == pytest.approx(
        total[-1] / total[-51:].mean(), rel=1e-6
    )
    # while it is the newest week, Standard keeps the one before
    assert at(columns, panel, "2022-03-14", "flow_days_since") == 6
    only_second = [row for row in rows if row["Section"] != "TSEJASDAQ"]
    panel = panel_of(market="0112")
    columns = compute(only_second, panel)
    assert np.isfinite(columns["flow_foreign_share"]).all()
    assert np.isnan(columns["flow_activity_ratio"]).all()


def test_all_markets_hold_the_2nd_section_and_jasdaq_once():
    rows, day = over_the_reform(), dt.date(2022, 3, 30)
    panel = panel_of(dt.date(2022, 3, 1), market="0109")
    parts = [series(rows, name, day) for name in (*OLD, "TSEJASDAQ")]
    foreign, total = (sum(x[name][-1] for x in parts) for name in ("FrgnBal", "TotTot"))
    total_of_year = sum(x["TotTot"][-52:] for x in parts).mean()
    columns = compute(rows, panel)
    assert at(columns, panel, day, "flow_activity_ratio") == pytest.approx(
        total / total_of_year, rel=1e-6
    )
    net = foreign / sum(x["FrgnTot"][-1] for x in parts)
    assert at(columns, panel, day, "flow_foreign_net_ratio") == pytest.approx(net, rel=1e-5)


# ---- prints that lapse ---------------------------------------------------------------------------

LAST = dt.date(2022, 5, 12)  # the day of the last publication, which counts from the 13th on
LAPSED = "2022-06-10"  # 20 sessions after the 13th


def ended(rows, sections=NEW):
    return [row for row in rows if row["PubDate"] <= LAST or row["Section"] not in sections]


def test_a_print_lapses_20_sessions_after_it_first_counted():
    panel = panel_of()
    columns = compute(ended(history()), panel)
    lapse, first = (
        np.searchsorted(panel.dates, np.datetime64(day)) for day in (LAPSED, "2022-05-13")
    )
    assert columns["flow_days_since"][first:lapse, 0].tolist() == list(range(20))
    for name, values in columns.items():
        assert np.isfinite(values[first:lapse]).all(), name
        assert np.isnan(values[lapse:]).all(), name


def test_a_correction_gives_a_lapsed_print_no_new_life():
    rows, panel = ended(history()), panel_of()
    newest = next(row for row in rows if row["PubDate"] == LAST)
    columns = compute([*rows, {**newest, "PubDate": dt.date(2022, 6, 13)}], panel)
    lapse = np.searchsorted(panel.dates, np.datetime64(LAPSED))
    assert all(np.isnan(values[lapse:]).all() for values in columns.values())


def test_a_print_that_comes_after_a_lapse_counts_at_once():
    resumed = [row for row in history() if row["PubDate"] >= dt.date(2022, 6, 16)]
    panel = panel_of()
    columns = compute(ended(history()) + resumed, panel)
    assert np.isnan(at(columns, panel, "2022-06-16", "flow_foreign_share"))
    assert at(columns, panel, "2022-06-17", "flow_days_since") == 0
    assert at(columns, panel, "2022-06-17", "flow_impulse") == 1


@pytest.mark.parametrize("sections", [NEW, ("TSEPrime",)])
def test_where_the_section_s_print_has_lapsed_all_markets_count(sections):
    rows = ended(history(sections=(*NEW, "TokyoNagoya")), sections)
    panel, elsewhere = panel_of(), panel_of(market="0109")
    columns, all_markets = compute(rows, panel), compute(rows, elsewhere)
    lapse = np.searchsorted(panel.dates, np.datetime64(LAPSED))
    for name, values in columns.items():
        np.testing.assert_array_equal(values[lapse:], all_markets[name][lapse:], err_msg=name)
    everywhere = series(rows, "TokyoNagoya", dt.date(2022, 6, 10))
    share = at(columns, panel, LAPSED, "flow_foreign_share")
    assert share == pytest.approx(everywhere["FrgnTot"][-1] / everywhere["TotTot"][-1], rel=1e-6)
    assert at(columns, panel, LAPSED, "flow_days_since") == 0  # that of the 9th
    own = series(rows, "TSEPrime", dt.date(2022, 6, 9))
    share = at(columns, panel, "2022-06-09", "flow_foreign_share")
    assert share == pytest.approx(own["FrgnTot"][-1] / own["TotTot"][-1], rel=1e-6)


def test_windows_hold_the_prints_of_60_weeks():
    # 22 weeks without a print: of the 60 weeks before 2022-05-12, 38 have one
    gap = (dt.date(2021, 8, 1), dt.date(2022, 1, 1))
    rows = [row for row in history() if not gap[0] < row["PubDate"] < gap[1]]
    panel, day = panel_of(), dt.date(2022, 5, 13)
    reached = dt.date(2022, 5, 12) - dt.timedelta(weeks=60)
    total = np.array(
        [row["TotTot"] for row in rows
         if row["Section"] == "TSEPrime" and row["EnDate"] > reached and row["PubDate"] < day]
    )  # fmt: skip
    assert len(total) == 38
    ratio = at(compute(rows, panel), panel, day, "flow_activity_ratio")
    assert ratio == pytest.approx(total[-1] / total.mean(), rel=1e-6)


def test_an_old_print_that_is_served_late_moves_no_window_back():
    gap = pl.col("PubDate").is_between(dt.date(2021, 8, 1), dt.date(2022, 1, 1))
    day = dt.date(2022, 5, 13)
    rows = stamped(history()).filter(~gap)
    reached = pl.col("PubDate") == dt.date(2021, 4, 1)
    late = pl.when(reached).then(pl.lit(dt.datetime(2022, 5, 12, 12, tzinfo=dt.UTC)))
    late_rows = rows.with_columns(known_at=late.otherwise("known_at"))
    assert rows.filter(reached).height == len(NEW)
    panel = panel_of()
    name = "flow_activity_ratio"
    actual = [
        at(flow.compute(inputs_of(panel, investor_types=table)), panel, day, name)
        for table in (rows, late_rows)
    ]
    assert actual[0] == actual[1]


def test_short_histories_leave_scores_null():
    panel = panel_of(dt.date(2020, 5, 1))
    columns = compute(history(weeks=34), panel)
    assert np.isnan(columns["flow_foreign_net_z"]).all()
    assert np.isfinite(columns["flow_foreign_net_ratio"]).all()


def corrected(rows, seed=3):
    """The rows and 40 late corrections, of which some come after a year."""
    rng = np.random.default_rng(seed)
    late = [
        {**rows[i], "PubDate": rows[i]["PubDate"] + dt.timedelta(days=int(days)), "FrgnBal": 500.0}
        for i, days in zip(
            rng.integers(len(rows) // 3, len(rows), 40), rng.integers(1, 450, 40), strict=True
        )
    ]
    return rows + late


@pytest.mark.parametrize("market", ["0111", "0112", "0102", "0109"])
@pytest.mark.parametrize("cut", [3, 12, 24, 31, 60])
def test_nothing_published_later_moves_an_earlier_day(market, cut):
    panel = panel_of(dt.date(2022, 3, 14), 80, market=market)
    rows = [
        row for row in over_the_reform() if not LAST < row["PubDate"] < dt.date(2022, 6, 20)
    ]  # so that prints lapse too
    moments = calendar.decision_moments(panel.dates, "close", CLOSES)
    complete = stamped(corrected(rows))
    early = complete.filter(pl.col("known_at").dt.replace_time_zone(None) <= moments[cut])
    assert 0 < len(early) < len(complete)
    full, partial = (
        flow.compute(inputs_of(panel, investor_types=rows)) for rows in (complete, early)
    )
    for name, values in full.items():
        np.testing.assert_array_equal(values[: cut + 1], partial[name][: cut + 1], err_msg=name)


@pytest.mark.parametrize("market", ["0111", "0112"])
@pytest.mark.parametrize("first", [330, 420, 555, 600, 640])
def test_a_span_with_its_look_back_equals_the_whole(market, first):
    days = weekdays(680, dt.date(2020, 1, 6))
    gap = (dt.date(2021, 6, 1), dt.date(2021, 12, 1))
    rows = [row for row in over_the_reform() if not gap[0] < row["PubDate"] < gap[1]]
    # the last that is known for 20 sessions before day 640 is a correction of an old week
    rows = [row for row in corrected(rows) if row["PubDate"] < days[610].item()]
    old = next(row for row in rows if row["EnDate"] == dt.date(2021, 3, 5))
    rows = [*rows, {**old, "PubDate": days[635].item()}]
    read = FAMILIES["flow"]
    loaded = [
        row
        for row in rows
        if row["PubDate"] >= days[first - read["investor_types"].look_back].item()
    ]
    start = first - read["panel"].look_back
    complete, span = (
        make(np.full((len(some), 1), 100.0), days=some, market=market)
        for some in (days, days[start:])
    )
    at_once, of_span = compute(rows, complete), compute(loaded, span)
    for name, values in at_once.items():
        np.testing.assert_array_equal(values[first:], of_span[name][first - start :], err_msg=name)


def test_no_rows_give_null_columns_and_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        columns = compute([], panel_of())
    assert "all columns of flow are null" in caplog.text
    assert all(np.isnan(values).all() for values in columns.values())
