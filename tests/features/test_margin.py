"""Margin balances are taken per print, as known on the day, in shares of one basis."""

import datetime as dt
import json
import logging

import numpy as np
import pytest
from gogooku.features import margin
from helpers.holdings import (
    CODES,
    assert_later_rows_move_nothing_earlier,
    assert_the_catalogue_is_complete,
    assert_the_look_back_suffices,
    computed,
    day,
    lively,
    moments,
    quiet,
    stamped,
    statement,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import zscore

RATES = (0.3, 0.3, 0.04, 0.04, 0.02)  # alerts a session
FRIDAY = 5  # session of the first Friday, 2019-01-11


def balance(session, long=100.0, short=50.0, *, code=CODES[0], daily=False, delay=1, **fields):
    """A balance of the session; of the weekly era unless it is published `delay` sessions later."""
    return {
        "PubDate": day(session + delay) if daily else None, "Date": day(session), "Code": code,
        "LongVol": long, "ShrtVol": short, "LongStdVol": 0.6 * long, "ShrtStdVol": 0.8 * short,
        **fields,
    }  # fmt: skip


def alert(session, long=100.0, short=50.0, *, code=CODES[0], delay=1, reasons=(), **fields):
    names = ("Restricted", "DailyPublication", "Monitoring", "RestrictedByJSF")
    flags = {name: str(int(name in reasons)) for name in names}
    return {
        "PubDate": day(session + delay), "AppDate": day(session), "Code": code, "LongOut": long,
        "ShrtOut": short, "PubReason": json.dumps(flags), "TSEMrgnRegCls": "002", **fields,
    }  # fmt: skip


def compute(frame, balances=(), alerts=(), statements=()):
    rows = {"margin_interest": balances, "margin_alert": alerts, "summary": statements}
    return computed(margin, frame, {name: stamped(name, list(x)) for name, x in rows.items()})[0]


def weekly(longs, shorts=None, first=FRIDAY):
    shorts = longs if shorts is None else shorts
    return [balance(first + 5 * week, long, short)
            for week, (long, short) in enumerate(zip(longs, shorts, strict=True))]  # fmt: skip


# ---- when a print counts -------------------------------------------------------------------------


def test_a_weekly_print_counts_after_the_second_session_of_the_next_week():
    columns = compute(quiet(), [balance(FRIDAY), balance(FRIDAY + 5, 300.0)])
    ratio = columns["margin_balance_ratio"][:, 0]
    assert np.isnan(ratio[: FRIDAY + 3]).all()
    np.testing.assert_allclose(ratio[FRIDAY + 3 : FRIDAY + 8], 1 / 3, rtol=1e-6)
    np.testing.assert_allclose(ratio[FRIDAY + 8 : FRIDAY + 25], 5 / 7, rtol=1e-6)
    assert np.flatnonzero(columns["margin_impulse"][:, 0] == 1).tolist() == [FRIDAY + 3, FRIDAY + 8]
    since = columns["margin_days_since"][FRIDAY + 3 : FRIDAY + 10, 0]
    np.testing.assert_array_equal(since, [0, 1, 2, 3, 4, 0, 1])


def test_what_differs_between_stocks_is_not_scaled_as_what_tells_of_the_day():
    columns = compute(quiet(), [balance(FRIDAY), balance(FRIDAY + 5, code=CODES[1])])
    assert columns["margin_days_since"][FRIDAY + 8, :2].tolist() == [5, 0]
    assert {column.kind for column in margin.COLUMNS} == {"stock", "flag"}


def test_a_balance_lapses_after_twenty_sessions():
    ratio = compute(quiet(), [balance(FRIDAY)])["margin_balance_ratio"][:, 0]
    assert np.isfinite(ratio[FRIDAY + 19]) and np.isnan(ratio[FRIDAY + 20 :]).all()


def test_a_daily_print_counts_from_the_session_after_its_publication():
    rows = [balance(s, 100.0 + s, 0.0, daily=True) for s in range(10, 40)]
    columns = compute(quiet(), rows)
    assert np.isnan(columns["margin_long_to_adv20"][11, 0])
    np.testing.assert_allclose(
        columns["margin_long_to_adv20"][20:42, 0], (98 + np.arange(20, 42)) / 1000, rtol=1e-6
    )
    assert (columns["margin_impulse"][12:42, 0] == 1).all()
    assert (columns["margin_days_since"][12:42, 0] == 0).all()


def test_a_correction_replaces_from_its_own_publication_on():
    rows = [balance(s, 100.0, daily=True) for s in (20, 25)]
    corrected = [balance(20, 50.0, daily=True, delay=8), balance(25, 300.0, daily=True, delay=5)]
    plain, columns = compute(quiet(), rows), compute(quiet(), rows + corrected)
    for name in plain:
        np.testing.assert_array_equal(columns[name][:29], plain[name][:29], name)
    speed = columns["margin_buy_velocity"][:, 0]
    assert speed[28] == 0 and speed[29] == 1 and speed[30] == 1 and speed[31] == 5
    np.testing.assert_array_equal(columns["margin_days_since"][27:32, 0], [0, 1, 2, 3, 4])


# ---- columns of one print ------------------------------------------------------------------------


def test_columns_of_a_print():
    rows = [*weekly([80.0], [20.0], FRIDAY + 20), balance(FRIDAY + 25, 100.0, 50.0)]
    columns = compute(quiet(), rows, statements=[statement(2, 1e4, 2e3)])
    expected = {
        "margin_balance_ratio": 1 / 3,
        "margin_credit_ratio": 2.0,
        "institutional_margin_ratio": (60 + 40) / 150,
        "margin_buy_velocity": 0.25,
        "margin_sell_velocity": 1.5,
        "margin_divergence": -1.25,
        "margin_buy_to_mcap": 0.0125,
        "margin_sell_to_mcap": 0.00625,
        "margin_long_to_adv20": 0.1,
        "margin_short_to_adv20": 0.05,
        "margin_d_long_to_adv20": 0.02,
        "margin_d_short_to_adv20": 0.03,
    }
    for name, value in expected.items():
        assert columns[name][FRIDAY + 28, 0] == pytest.approx(value, rel=1e-6), name
    assert np.isnan(columns["margin_momentum"]).all() and np.isnan(columns["margin_long_z52"]).all()


def test_nothing_sold_leaves_ratios_to_it_null():
    columns = compute(quiet(), [balance(20, 100.0, 0.0), balance(25, 100.0, 0.0)])
    assert np.isnan(columns["margin_credit_ratio"]).all()
    assert np.isnan(columns["margin_sell_velocity"]).all()
    assert (
        columns["margin_balance_ratio"][30, 0] == 1
        and columns["margin_d_short_to_adv20"][30, 0] == 0
    )


def test_windows_count_prints():
    rng = np.random.default_rng(0)
    longs, shorts = rng.uniform(50, 150, (2, 60))
    columns = compute(quiet(320), weekly(longs, shorts))
    at = FRIDAY + 5 * 58 + 3
    assert columns["margin_long_z52"][at, 0] == pytest.approx(zscore(longs[7:59])[-1], rel=1e-5)
    assert columns["margin_short_z52"][at, 0] == pytest.approx(zscore(shorts[7:59])[-1], rel=1e-5)
    momentum = longs[58] / longs[55:59].mean() - 1
    assert columns["margin_momentum"][at, 0] == pytest.approx(momentum, rel=1e-5)
    first = np.flatnonzero(np.isfinite(columns["margin_long_z52"][:, 0]))[0]
    assert first == FRIDAY + 5 * 34 + 3


def test_a_window_ends_after_55_weeks():
    rows = [balance(FRIDAY + 5 * week, 100.0 + week) for week in range(0, 100, 2)]
    columns = compute(quiet(520), rows)["margin_long_z52"][:, 0]
    assert np.isnan(columns).all()  # 28 prints of the last 55 weeks are fewer than 35


def test_a_flat_balance_has_no_score():
    rows = [balance(FRIDAY + 5 * week, 100.0 if week < 29 else 300.0) for week in range(60)]
    columns = compute(quiet(320, split=[(150, 0, 0.333333)]), rows)
    assert np.isnan(columns["margin_long_z52"]).all()
    assert np.nanmax(np.abs(columns["margin_buy_velocity"])) < 1e-5


@pytest.mark.parametrize("by", [0.5, 10.0, 0.2])
def test_a_split_changes_no_column(by):
    """Balances and volumes of after the ex-date are in new shares, those of before in old ones."""
    rng = np.random.default_rng(1)
    longs, shorts = rng.uniform(50, 150, (2, 60))
    split = FRIDAY + 5 * 57 + 4  # between balance day and publication
    shares = np.where(np.arange(60) * 5 + FRIDAY >= split, 1 / by, 1.0)
    plain = compute(quiet(320), weekly(longs, shorts), statements=[statement(200)])
    columns = compute(
        quiet(320, split=[(split, 0, by)]),
        weekly(longs * shares, shorts * shares),
        statements=[statement(200)],
    )
    for name in plain:
        np.testing.assert_allclose(columns[name], plain[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_stress_is_the_mean_rank_of_size_side_and_growth():
    frame = quiet(stocks=3)
    longs, before, shorts = (100.0, 200.0, 300.0), (100.0, 100.0, 290.0), (10.0, 30.0, 20.0)
    rows = [balance(s, long, short, code=code)
            for s, many in ((20, before), (25, longs))
            for code, long, short in zip(CODES, many, shorts, strict=False)]  # fmt: skip
    columns = compute(frame, rows)["margin_stress_indicator"][30]
    size, side, growth = [1, 2, 3], [2, 1, 3], [1, 3, 2]
    ranks = np.mean([size, side, growth], axis=0)
    np.testing.assert_allclose(columns, (ranks - 0.5) / 3, rtol=1e-6)


# ---- from weekly to daily ------------------------------------------------------------------------


def test_the_same_balances_give_the_same_columns_on_fridays_of_both_eras():
    rng = np.random.default_rng(2)
    longs, shorts = rng.uniform(50, 150, (2, 330))
    fridays = range(FRIDAY, 330, 5)
    weekly_rows = [balance(s, longs[s], shorts[s]) for s in fridays]
    change = FRIDAY + 5 * 55
    rows = [row for row in weekly_rows if row["Date"] < day(change)]
    rows += [balance(s, longs[s], shorts[s], daily=True) for s in range(change, 330)]
    daily, full = compute(quiet(330), rows), compute(quiet(330), weekly_rows)
    for friday in fridays:
        if change <= friday <= 320:
            for name in daily:
                if name not in ("margin_impulse", "margin_days_since"):
                    np.testing.assert_array_equal(
                        daily[name][friday + 2], full[name][friday + 3], name
                    )


def test_a_daily_print_is_compared_with_the_newest_that_is_a_week_older():
    rows = [balance(20, 100.0), balance(25, 200.0)]  # Fridays
    rows += [balance(s, 10.0 * s, daily=True) for s in range(30, 40) if s != 32]
    columns = compute(quiet(), rows)["margin_buy_velocity"][:, 0]
    before = {30: 200, 31: 200, 33: 200, 34: 200, 35: 300, 36: 310, 37: 310, 38: 330}
    for session, long in before.items():
        assert columns[session + 2] == pytest.approx(10 * session / long - 1, rel=1e-5), session


# ---- alerts --------------------------------------------------------------------------------------


def test_columns_of_an_alert():
    reasons = ("DailyPublication", "Monitoring")
    columns = compute(quiet(), alerts=[alert(25, 300.0, 100.0, reasons=reasons)])
    expected = {
        "dmi_credit_ratio": 3.0,
        "dmi_imbalance": 0.5,
        "dmi_long_to_adv20": 0.3,
        "dmi_short_to_adv20": 0.1,
        "dmi_reason_count": 2,
        "dmi_tse_reg_level": 1,
        "dmi_days_since_pub": 3,
    }
    for name, value in expected.items():
        assert np.isnan(columns[name][:27, 0]).all(), name
        assert columns[name][30, 0] == pytest.approx(value), name
        assert np.isfinite(columns[name][44, 0]) and np.isnan(columns[name][45:, 0]).all(), name


@pytest.mark.parametrize(
    "text, count",
    [
        ('{"Restricted": "1", "Monitoring": "0", "RestrictedByJSF": "1"}', 2),
        ("{'Restricted': '1', 'Monitoring': '0', 'RestrictedByJSF': '0'}", 1),
        ('{"Restricted":1,"Monitoring":0}', 1),
        (None, np.nan),
    ],
)
def test_reasons_are_counted_in_every_notation(text, count):
    columns = compute(quiet(), alerts=[alert(25, PubReason=text)])
    assert columns["dmi_reason_count"][30, 0] == pytest.approx(count, nan_ok=True)


@pytest.mark.parametrize(
    "code, level", [("101", 0), ("001", 1), ("003", 2), ("006", 5), ("999", np.nan)]
)
def test_levels_of_regulation(code, level):
    columns = compute(quiet(), alerts=[alert(25, TSEMrgnRegCls=code)])
    assert columns["dmi_tse_reg_level"][30, 0] == pytest.approx(level, nan_ok=True)


def test_an_alert_is_corrected_and_re_based():
    frame = quiet(split=[(27, 0, 0.5)])
    columns = compute(frame, alerts=[alert(25), alert(25, 400.0, 50.0, delay=4)])
    long = columns["dmi_long_to_adv20"][:, 0]
    assert long[28] == pytest.approx(0.1) and long[30] == pytest.approx(0.4)
    np.testing.assert_array_equal(columns["dmi_days_since_pub"][27:32, 0], [0, 1, 2, 3, 4])


# ---- laws ----------------------------------------------------------------------------------------


def tables(count, seed, change=None):
    """Random balances, weekly to the session `change` and daily from it on, with gaps."""
    rng = np.random.default_rng(seed)
    change = int(count * 0.8) if change is None else change
    fridays = [s for s in range(FRIDAY, change, 5) if s < count - 3]
    weeks = [(s, code) for s in fridays for code in CODES if rng.random() > 0.1]
    days = [(s, code) for s in range(change, count - 1) for code in CODES if rng.random() > 0.1]
    interest = [
        balance(s, *rng.integers(0, 1000, 2).astype(float), code=code, daily=s >= change,
                delay=1 + int(rng.random() < 0.1))
        for s, code in weeks + days
    ]  # fmt: skip
    late = [
        {**row, "PubDate": row["PubDate"] + dt.timedelta(days=int(rng.integers(2, 12))),
         "LongVol": row["LongVol"] + 5}
        for row in interest if row["PubDate"] and rng.random() < 0.1
    ]  # fmt: skip
    alerts = [
        alert(s, *rng.integers(0, 1000, 2).astype(float), code=code, delay=int(rng.integers(1, 4)),
              reasons=["Monitoring"][: rng.integers(2)])
        for s in range(count - 3) for code, rate in zip(CODES, RATES, strict=False)
        if rng.random() < rate
    ]  # fmt: skip
    statements = [
        statement(s, 1e6 * rng.integers(1, 9), 1e4 * rng.integers(0, 9), code=code)
        for code in CODES for s in range(int(rng.integers(0, 60)), count, 61)
    ]  # fmt: skip
    return {
        "margin_interest": stamped("margin_interest", interest + late),
        "margin_alert": stamped("margin_alert", alerts),
        "summary": stamped("summary", statements),
    }


def steps_back(prints):
    """The balances of a window, newest first, walked plainly: dict day → row."""
    days = sorted(prints)
    window, at = [], days[-1]
    while at is not None and len(window) < 52 and days[-1] - at <= dt.timedelta(days=385):
        window.append(at)
        least = 7 if prints[at]["PubDate"] else 1
        at = max((d for d in days if d <= at - dt.timedelta(days=least)), default=None)
    return window


def test_columns_are_those_of_a_plain_walk_through_the_prints():
    count = 420
    frame, rows = lively(count, seed=3), tables(count, 3)
    columns, panel = computed(margin, frame, rows)
    when = moments(panel)
    interest = sorted(rows["margin_interest"].to_dicts(), key=lambda r: (r["known_at"], r["Date"]))
    factor = np.nan_to_num(panel["volume_factor"], nan=1.0)
    scored = 0
    for t in [50, 200, 330, 345, 380, 419]:
        for s, code in enumerate(panel.codes):
            prints, first = {}, {}
            for row in interest:
                known_at = np.datetime64(row["known_at"].replace(tzinfo=None))
                if row["Code"] == code and known_at <= when[t]:
                    prints[row["Date"]] = row
                    first.setdefault(row["Date"], int(np.searchsorted(when, known_at)))
            at = {d: int(np.searchsorted(panel.dates, np.datetime64(d))) for d in prints}
            if not prints or t - at[max(prints)] >= 20:
                assert np.isnan(columns["margin_balance_ratio"][t, s])
                continue
            window = steps_back(prints)
            basis = [np.prod(factor[at[d] + 1 : t + 1, s]) for d in window]
            long, short = (np.array([prints[d][name] for d in window]) / basis
                           for name in ("LongVol", "ShrtVol"))  # fmt: skip
            expected = {
                "margin_balance_ratio": (long[0] - short[0]) / (long[0] + short[0]),
                "margin_days_since": t - first[window[0]],
                "margin_impulse": float(t == first[window[0]]),
            }
            if len(window) > 1 and long[1] > 0 and short[1] > 0:
                expected["margin_buy_velocity"] = long[0] / long[1] - 1
                expected["margin_sell_velocity"] = short[0] / short[1] - 1
            if len(window) >= 4:
                expected["margin_momentum"] = long[0] / long[:4].mean() - 1
            if len(window) >= 35:
                expected["margin_long_z52"] = zscore(long)[0]
                expected["margin_short_z52"] = zscore(short)[0]
                scored += 1
            for name, value in expected.items():
                assert columns[name][t, s] == pytest.approx(value, rel=1e-4, abs=1e-6), (name, t, s)
    assert scored > 20


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), row=st.integers(0, 98))
def test_nothing_known_later_moves_an_earlier_bit(seed, row):
    frame, rows = lively(100, seed=seed), tables(100, seed, change=40)
    numbers = {"margin_interest": ["LongVol", "ShrtVol", "LongStdVol"], "summary": ["ShOutFY"],
               "margin_alert": ["LongOut", "ShrtOut"]}  # fmt: skip
    assert_later_rows_move_nothing_earlier(margin, frame, rows, row, seed, numbers)


@pytest.mark.parametrize("seed", range(3))
def test_the_declared_look_back_holds_all_that_a_day_depends_on(seed):
    count, first = 430, 345
    frame, rows = lively(count, seed=seed), tables(count, seed)
    late = assert_the_look_back_suffices(margin, frame, rows, first)
    assert np.isfinite(late["margin_long_z52"]).any()


def test_the_catalogue_names_what_is_made():
    assert_the_catalogue_is_complete(margin, lively(330), tables(330, 0))


def test_a_missing_data_set_gives_null_columns_and_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        columns = compute(quiet())
    assert "the columns margin_… are null" in caplog.text
    assert "the columns dmi_… are null" in caplog.text
    assert "the columns margin_…_to_mcap are null" in caplog.text
    assert all(np.isnan(values).all() for values in columns.values())
    assert {values.shape for values in columns.values()} == {(60, 2)}
