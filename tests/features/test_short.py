"""Short positions are summed over those who report them, each with its newest report as known."""

import logging

import numpy as np
import polars as pl
import pytest
from gogooku import calendar
from gogooku.features import short
from helpers import panels
from helpers.family_inputs import inputs_of
from helpers.holdings import (
    CODES,
    RULES,
    assert_later_rows_move_nothing_earlier,
    assert_the_catalogue_is_complete,
    assert_the_look_back_suffices,
    computed,
    day,
    lively,
    moments,
    quiet,
    stamped,
)
from hypothesis import given, settings
from hypothesis import strategies as st

SECTORS = ["0050", "3250", "9050", "9999"]
NAMES = ["Alpha", "Beta", "個人"]


def report(session, name="Alpha", ratio=0.01, *, delay=1, code=CODES[0], **fields):
    """A position of the session, disclosed `delay` sessions later."""
    return {
        "DiscDate": day(session + delay), "CalcDate": day(session), "Code": code, "SSName": name,
        "DICName": None, "FundName": None, "ShrtPosToSO": ratio, "ShrtPosShares": ratio * 1e6,
        **fields,
    }  # fmt: skip


def sales(session, sector="0050", outright=60.0, restricted=30.0, free=10.0):
    return {"Date": day(session), "S33": sector, "SellExShortVa": outright,
            "ShrtWithResVa": restricted, "ShrtNoResVa": free}  # fmt: skip


def compute(frame, reports=(), sold=()):
    rows = {"short_sale": reports, "short_ratio": sold}
    return computed(short, frame, {name: stamped(name, list(x)) for name, x in rows.items()})[0]


# ---- positions of stocks -------------------------------------------------------------------------


def test_a_report_counts_from_the_session_after_its_disclosure():
    columns = compute(quiet(), [report(10, delay=2)])["short_ratio"]
    assert np.isnan(columns[:13, 0]).all() and (columns[13:, 0] == np.float32(0.01)).all()
    assert np.isnan(columns[:, 1]).all()


def test_reporters_are_added_up_and_each_counts_with_its_newest_report():
    rows = [report(10), report(12, "Beta", 0.02), report(14, ratio=0.03)]
    rows += [report(16, "Beta", 0.02, FundName="Fund"), report(16, "Beta", 0.04, DICName="Manager")]
    columns = compute(quiet(), rows)["short_ratio"][:, 0]
    expected = {12: 0.01, 13: 0.01, 14: 0.03, 15: 0.03, 16: 0.05, 17: 0.05, 18: 0.11}
    for session, total in expected.items():
        assert columns[session] == pytest.approx(total), session


def test_of_two_rows_of_a_named_holder_and_day_the_last_counts():
    columns = compute(quiet(), [report(10, ratio=0.01), report(10, ratio=0.03)])["short_ratio"][
        :, 0
    ]
    assert columns[12] == pytest.approx(0.03)


def test_two_persons_without_a_name_are_one_reporter_with_the_sum_of_their_positions():
    """Alpha has 10,000 of 1M shares, the persons 10,000 and 20,000, later 6,000 and too few."""
    persons = [report(10, "個人", ratio) for ratio in (0.01, 0.02)]
    later = [report(14, "個人", ratio) for ratio in (0.006, 0.003)]
    columns = compute(quiet(), [report(8), *persons, *later])
    for session, total in {10: 0.01, 11: 0.01, 12: 0.04, 15: 0.04, 16: 0.016}.items():
        assert columns["short_ratio"][session, 0] == pytest.approx(total), session
    assert columns["short_ratio_change_5d"][16, 0] == pytest.approx(0.016 - 0.01)
    assert columns["days_to_cover"][14, 0] == pytest.approx(40_000 / 1000)  # of 1,000 shares a day
    assert np.isnan(columns["short_ratio"][:, 1]).all()


def test_what_is_known_at_the_very_moment_of_decision_counts():
    panel = panels.of(quiet())
    reports, none = stamped("short_sale", [report(10)]), stamped("short_ratio", [])
    at_half_past_five = calendar.decision_moments(panel.dates, "17:30", RULES.close)
    columns = short.compute(
        inputs_of(panel, moments=at_half_past_five, short_sale=reports, short_ratio=none)
    )["short_ratio"][:, 0]
    assert np.isfinite(columns).argmax() == 11


def test_names_are_compared_field_by_field():
    rows = [report(10, "AB", DICName="C"), report(10, "A", DICName="BC")]
    assert compute(quiet(), rows)["short_ratio"][20, 0] == pytest.approx(0.02)


def test_a_position_below_the_limit_is_none_and_a_silent_reporter_lapses():
    frame = quiet(300)
    columns = compute(frame, [report(10, ratio=0.005), report(20, ratio=0.0049)])
    assert (
        np.isnan(columns["days_to_cover"][11:13, 0]).all() and columns["days_to_cover"][22, 0] == 0
    )
    columns = columns["short_ratio"][:, 0]
    assert columns[21] == np.float32(0.005) and columns[22] == 0
    last = np.flatnonzero(np.isfinite(columns))[-1]
    assert last == 20 + 244


def test_a_lapsed_reporter_leaves_the_others():
    rows = [report(10), *(report(session, "Beta", 0.02) for session in (10, 100))]
    columns = compute(quiet(300), rows)["short_ratio"][:, 0]
    assert columns[254] == pytest.approx(0.03) and columns[255] == pytest.approx(0.02)


def test_a_correction_replaces_from_its_own_disclosure_on():
    rows = [report(10), report(10, ratio=0.02, delay=5)]
    columns = compute(quiet(), rows)["short_ratio"][:, 0]
    assert columns[15] == np.float32(0.01) and columns[16] == np.float32(0.02)


def test_a_late_report_of_an_older_position_changes_nothing():
    rows = [report(10), report(8, ratio=0.05, delay=10)]
    columns = compute(quiet(), rows)["short_ratio"][:, 0]
    assert (columns[12:] == np.float32(0.01)).all()


def test_changes_and_means_are_those_of_the_daily_sums():
    rows = [report(session, ratio=0.001 * session) for session in range(8, 40)]
    columns = compute(quiet(), rows)
    daily = np.full(60, np.nan)
    daily[10:41] = 0.001 * np.arange(8, 39)
    daily[41:] = 0.039
    for name, expected in {
        "short_ratio_change_5d": daily[35] - daily[30],
        "short_ratio_ma5": daily[31:36].mean(),
        "short_ratio_ma20": daily[16:36].mean(),
    }.items():
        assert columns[name][35, 0] == pytest.approx(expected, rel=1e-5), name
    assert np.isnan(columns["short_ratio_change_5d"][14, 0])
    assert np.isnan(columns["short_ratio_ma5"][12, 0]) and np.isfinite(
        columns["short_ratio_ma5"][13, 0]
    )


def test_days_to_cover_survive_a_split():
    """1:2 on session 20: 10,000 shares of before are 20,000 of after, as is the volume."""
    frame = quiet(split=[(20, 0, 0.5)])
    columns = compute(frame, [report(15), report(15, "Beta")])["days_to_cover"][:, 0]
    assert (columns[17:] == np.float32(20.0)).all()
    after = compute(frame, [report(20, ShrtPosShares=20_000.0)])["days_to_cover"][:, 0]
    assert (after[22:] == np.float32(10.0)).all()


def test_the_risk_of_a_squeeze_is_the_mean_rank_in_the_universe():
    frame = quiet(stocks=5).with_columns(universe=pl.col("code") != CODES[4])
    ratios, counts = (0.01, 0.02, 0.03, 0.04, 0.9), (4e4, 2e4, 3e4, 6e4, 9e9)
    rows = [report(10, code=code, ratio=share, ShrtPosShares=shares)
            for code, share, shares in zip(CODES, ratios, counts, strict=False)]  # fmt: skip
    columns = compute(frame, rows)["short_squeeze_risk"][30]
    ranks = np.array([[1, 2, 3, 4], [3, 1, 2, 4]]).mean(axis=0)
    np.testing.assert_allclose(columns[:4], (ranks - 0.5) / 4)


# ---- sectors -------------------------------------------------------------------------------------


def test_a_stock_takes_the_share_of_its_sector_one_session_later():
    frame = quiet(stocks=4)  # sectors 0050, 3250, 9050, 0050
    rows = [sales(10), sales(10, "3250", 50, 10, 40), sales(10, "9999", 0, 9e9, 9e9)]
    columns = compute(frame, sold=rows)
    expected = {
        "ss_sec33_short_share": [0.4, 0.5, np.nan, 0.4],
        "ss_sec33_restrict_share": [0.75, 0.2, np.nan, 0.75],
        "ss_mkt_short_share": [0.45] * 4,
        "ss_rel_short_share": [-0.05, 0.05, np.nan, -0.05],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(columns[name][11], values, rtol=1e-6, err_msg=name)
        assert np.isnan(columns[name][[10, 12]]).all(), name


def test_a_stock_without_a_sector_gets_the_market_alone():
    frame = quiet().with_columns(s33=pl.lit("-"))
    columns = compute(frame, sold=[sales(10)])
    assert np.isnan(columns["ss_sec33_short_share"]).all()
    assert columns["ss_mkt_short_share"][11, 0] == pytest.approx(0.4)


def test_scores_count_sessions_with_a_print():
    rng = np.random.default_rng(0)
    short_sold = rng.uniform(10, 50, 100)
    printed = [session for session in range(100) if session != 70]
    rows = [sales(s, "0050", 100 - short_sold[s], short_sold[s], 0) for s in printed]
    columns = compute(quiet(100, 1), sold=rows)
    share = np.append(np.nan, short_sold / 100)
    share[71] = np.nan
    window = share[31:91]
    score = (share[90] - np.nanmean(window)) / np.nanstd(window)
    assert columns["ss_sec33_z60"][90, 0] == pytest.approx(score, rel=1e-5)
    assert columns["ss_sec33_mom5"][90, 0] == pytest.approx(share[90] - share[85], rel=1e-5)
    assert np.isnan(columns["ss_sec33_mom5"][[71, 76], 0]).all()


def test_a_stock_that_changes_its_sector_takes_the_history_of_the_new_one():
    frame = quiet(100, 1).with_columns(
        s33=pl.when(pl.col("date") < day(90)).then(pl.lit("0050")).otherwise(pl.lit("3250"))
    )
    rows = [sales(s, name, 100, s * by, 0) for s in range(99) for name, by in
            (("0050", 1), ("3250", 2))]  # fmt: skip
    columns = compute(frame, sold=rows)["ss_sec33_mom5"][:, 0]
    share = [2 * s / (100 + 2 * s) for s in (89, 84)]
    assert columns[90] == pytest.approx(share[0] - share[1], rel=1e-4)


# ---- laws ----------------------------------------------------------------------------------------


def tables(count, seed, reports_a_session=2.0):
    """Random reports with corrections, late ones and silence, and sales with gaps."""
    rng = np.random.default_rng(seed)
    reports = [
        report(int(s), str(rng.choice(NAMES)), round(rng.uniform(0.001, 0.05), 4),
               delay=int(rng.choice([1, 2, 2, 9])), code=CODES[rng.integers(10)],
               ShrtPosShares=float(rng.integers(1, 10**7)))
        for s in rng.integers(0, count - 1, int(count * reports_a_session))
    ]  # fmt: skip
    named = {(r["DiscDate"], r["CalcDate"], r["Code"], r["SSName"]): r for r in reports}
    persons = [r for r in reports if r["SSName"] == "個人"]
    once = [r for r in named.values() if r["SSName"] != "個人"] + persons
    sold = [
        sales(s, name, *rng.uniform(1, 100, 3))
        for s in range(count) for name in SECTORS if rng.random() > 0.05
    ]  # fmt: skip
    return {
        "short_sale": stamped("short_sale", once).sort("DiscDate", "CalcDate"),
        "short_ratio": stamped("short_ratio", sold),
    }


def test_sums_are_those_of_a_plain_walk_through_the_reports():
    count = 330
    frame, rows = lively(count), tables(count, 1)
    columns, panel = computed(short, frame, rows)
    when = moments(panel)
    reports = rows["short_sale"].to_dicts()
    volume, factor = panel["raw_volume"], np.nan_to_num(panel["volume_factor"], nan=1.0)
    for t in [5, 40, 200, 260, 329]:
        for s, code in enumerate(panel.codes):
            newest = {}
            for row in sorted(reports, key=lambda r: r["known_at"]):
                known = np.datetime64(row["known_at"].replace(tzinfo=None)) <= when[t]
                if row["Code"] == code and known:
                    days = row["CalcDate"], row["DiscDate"]
                    before, said = newest.get(row["SSName"], (days, []))
                    if days[0] >= before[0]:
                        newest[row["SSName"]] = days, [*said, row] if days == before else [row]
            interest, counts = [], []
            for row in (row for _, said in newest.values() for row in said):
                at = int(np.searchsorted(panel.dates, np.datetime64(row["CalcDate"])))
                if t - at < 245:
                    reportable = row["ShrtPosToSO"] >= 0.005
                    interest.append(reportable * row["ShrtPosToSO"])
                    counts.append(
                        reportable * row["ShrtPosShares"] / np.prod(factor[at + 1 : t + 1, s])
                    )
            recent = [volume[i, s] / np.prod(factor[i + 1 : t + 1, s])
                      for i in range(max(0, t - 19), t + 1)]  # fmt: skip
            mean = np.nanmean(recent) if np.isfinite(recent).sum() >= 14 else np.nan
            expected = sum(interest) if interest else np.nan
            assert columns["short_ratio"][t, s] == pytest.approx(expected, rel=1e-5, nan_ok=True)
            cover = sum(counts) / mean if counts else np.nan
            assert columns["days_to_cover"][t, s] == pytest.approx(cover, rel=1e-5, nan_ok=True)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), row=st.integers(0, 98))
def test_nothing_known_later_moves_an_earlier_bit(seed, row):
    frame, rows = lively(100, seed=seed), tables(100, seed)
    numbers = {"short_sale": ["ShrtPosToSO", "ShrtPosShares"], "short_ratio": list(short.SOLD)}
    assert_later_rows_move_nothing_earlier(short, frame, rows, row, seed, numbers)


@pytest.mark.parametrize("seed", range(3))
def test_the_declared_look_back_holds_all_that_a_day_depends_on(seed):
    count, first = 330, 285
    frame, rows = lively(count, seed=seed), tables(count, seed, 0.2)
    assert_the_look_back_suffices(short, frame, rows, first)


def test_the_catalogue_names_what_is_made():
    assert_the_catalogue_is_complete(short, lively(120), tables(120, 0))


def test_a_missing_data_set_gives_null_columns_and_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        columns = compute(quiet())
    assert len(caplog.records) == 2
    assert "columns of stocks are null" in caplog.text
    assert "columns of sectors are null" in caplog.text
    assert all(np.isnan(values).all() for values in columns.values())
    assert {values.shape for values in columns.values()} == {(60, 2)}
