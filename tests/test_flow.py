"""Investor flows are taken per weekly print, as known on the day, and follow a stock's section."""

import datetime as dt
import logging

import numpy as np
import polars as pl
import pytest
from gogooku import calendar
from gogooku.features import flow
from gogooku.sources.catalogue import DATASETS, GROUPS
from panels import make, weekdays

CLOSES = [{"from": "1900-01-01", "at": "15:00"}]
FRIDAY = dt.date(2020, 1, 10)
# The vendor's names: proprietary, individuals, foreigners, securities companies, business and other
# corporations; then institutions: trusts, insurers, city and regional banks, trust banks, others.
INSTITUTIONS = ["InvTr", "InsCo", "Bank", "TrstBnk", "OthFin"]
INVESTORS = ["Prop", "Ind", "Frgn", "SecCo", "BusCo", "OthCo", *INSTITUTIONS]
OLD, NEW = ("TSE1st", "TSE2nd", "TSEMothers"), ("TSEPrime", "TSEStandard", "TSEGrowth")


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
    moments = calendar.decision_moments(panel.dates, "close", CLOSES)
    return flow.compute(panel, stamped(rows), moments)


def at(made, panel, day, name):
    return made[name][np.searchsorted(panel.dates, np.datetime64(day)), 0]


def test_a_print_counts_from_the_session_after_its_publication_to_the_next():
    panel = panel_of()
    rows = history()
    made = compute(rows, panel)
    week = next(row for row in rows if row["PubDate"] == dt.date(2022, 5, 12))
    ratio = week["FrgnBal"] / week["FrgnTot"]
    own = made["flow_foreign_net_ratio"][:, 0]
    days = panel.dates[np.isclose(own, ratio, rtol=1e-6)].astype(str).tolist()
    assert days == ["2022-05-13", "2022-05-16", "2022-05-17", "2022-05-18", "2022-05-19"]
    assert at(made, panel, "2022-05-13", "flow_impulse") == 1
    since = [at(made, panel, day, "flow_days_since") for day in days]
    assert since == [0, 1, 2, 3, 4]
    impulses = panel.dates[1:][made["flow_impulse"][1:, 0] == 1]
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
    kept = [row for row in rows if row["Section"] == section and row["PubDate"] < until]
    return {name: np.array([row[name] for row in kept]) for name in kept[0] if name[-3:] in
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
    made = compute(rows, panel)
    told = []
    for day in panel.dates[20::4].tolist():
        expected = by_hand(series(rows, "TSEPrime", day), (day.weekday() - 4) % 5)
        assert set(expected) == set(made) == {column.name for column in flow.COLUMNS}
        for name, value in expected.items():
            assert at(made, panel, day, name) == pytest.approx(float(value), rel=1e-5), name
        told.append(expected)
    assert all(len({float(each[name]) for each in told}) > 1 for name in made)


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


def test_a_series_goes_on_under_its_new_name():
    rows = [row for row in history(sections=OLD) if row["EnDate"] < dt.date(2022, 4, 4)]
    rows += [row for row in history() if row["EnDate"] > dt.date(2022, 4, 4)]
    panel = panel_of()
    day = dt.date(2022, 6, 1)
    total = np.concatenate([series(rows, name, day)["TotTot"] for name in ("TSE1st", "TSEPrime")])
    assert at(compute(rows, panel), panel, day, "flow_activity_ratio") == pytest.approx(
        total[-1] / total[-52:].mean(), rel=1e-6
    )


def test_short_histories_leave_scores_null():
    panel = panel_of(dt.date(2020, 5, 1))
    made = compute(history(weeks=34), panel)
    assert np.isnan(made["flow_foreign_net_z"]).all()
    assert np.isfinite(made["flow_foreign_net_ratio"]).all()


@pytest.mark.parametrize("cut", [3, 12, 31])
def test_nothing_published_later_moves_an_earlier_day(cut):
    panel = panel_of()
    rng = np.random.default_rng(3)
    rows = history()
    late = []
    for i, days in zip(rng.integers(300, 390, 40), rng.integers(1, 60, 40), strict=True):
        published = rows[i]["PubDate"] + dt.timedelta(days=int(days))
        late.append({**rows[i], "PubDate": published, "FrgnBal": 500.0})
    moments = calendar.decision_moments(panel.dates, "close", CLOSES)
    whole = stamped(rows + late)
    told = whole.filter(pl.col("known_at").dt.replace_time_zone(None) <= moments[cut])
    assert 0 < len(told) < len(whole)
    full, partial = (flow.compute(panel, rows, moments) for rows in (whole, told))
    for name, values in full.items():
        np.testing.assert_array_equal(values[: cut + 1], partial[name][: cut + 1], err_msg=name)


def test_no_rows_give_null_columns_and_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        made = compute([], panel_of())
    assert "all columns of flow are null" in caplog.text
    assert all(np.isnan(values).all() for values in made.values())
