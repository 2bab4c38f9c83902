"""What a company filed counts from its publication on, in its own place, and no earlier."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from gogooku import calendar
from gogooku.features import filings, statement
from helpers.company_filings import (
    CLOSES,
    KINDS,
    MONTH_ENDS,
    YEAR_MOVED,
    filing,
    moved_year_end,
    of_year,
    quarters,
    revision,
    stamped,
)
from helpers.family_inputs import inputs_of
from helpers.panels import make, weekdays


def compute(rows, panel):
    return statement.compute(inputs_of(panel, summary=stamped(rows)))


def panel_of(sessions=600, price=1000.0, **options):
    return make(np.full((sessions, 2), price), **options)


def at(columns, panel, day, name, slot=0):
    return columns[f"stmt_{name}"][np.searchsorted(panel.dates, np.datetime64(day)), slot]


# ---- when a filing counts


@pytest.mark.parametrize(
    "time, first",
    [("14:59:58", 0), ("14:59:59", 0), ("15:00:00", 1), ("15:30:00", 1), ("", 1), (None, 1)],
)
def test_a_filing_counts_on_its_day_only_if_public_before_the_close(time, first):
    panel = panel_of(30)
    day = panel.dates[10].item()
    columns = compute([filing(day, time=time, Sales=100.0, OP=10.0)], panel)
    assert np.isfinite(columns["stmt_opm"][:, 0]).argmax() == 10 + first
    flags = columns["stmt_imp_statement"][:, 0]
    assert np.flatnonzero(flags == 1).tolist() == [10 + first]
    np.testing.assert_array_equal(
        columns["stmt_days_since_statement"][10 + first :, 0][:3], [0, 1, 2]
    )


def test_the_close_of_half_past_three_counts_from_november_2024():
    days = weekdays(10, dt.date(2024, 10, 31))
    panel = make(np.full((10, 2), 100.0), days=days)
    rows = [
        filing(dt.date(2024, 11, 1), time="15:10:00", Sales=100.0, OP=10.0),
        filing(dt.date(2024, 11, 5), time="15:10:00", code="13020", Sales=100.0, OP=10.0),
    ]
    columns = compute(rows, panel)
    firsts = np.isfinite(columns["stmt_opm"]).argmax(axis=0)
    assert days[firsts].astype(str).tolist() == ["2024-11-04", "2024-11-05"]


def test_a_filing_of_a_weekend_counts_on_monday():
    panel = panel_of(30)
    columns = compute([filing(dt.date(2021, 1, 16), Sales=100.0, OP=10.0)], panel)
    assert panel.dates[np.isfinite(columns["stmt_opm"][:, 0]).argmax()] == np.datetime64(
        "2021-01-18"
    )


def test_letters_of_codes_tell_companies_apart():
    panel = make(np.full((30, 2), 100.0), codes=["13000", "130A0"])
    columns = compute([filing(panel.dates[5].item(), code="130A0", Sales=100.0, OP=10.0)], panel)
    assert (
        np.isnan(columns["stmt_opm"][:, 0]).all() and np.isfinite(columns["stmt_opm"][5:, 1]).all()
    )


# ---- figures


def test_a_forecast_revision_nulls_no_actual():
    panel = panel_of()
    rows = [*quarters(), revision(dt.date(2022, 5, 25), 2022, FOP=40.0)]
    with_it, without = compute(rows, panel), compute(rows[:-1], panel)
    for name in ("opm", "npm", "roe", "yoy_sales", "days_since_statement", "imp_statement"):
        np.testing.assert_array_equal(with_it[f"stmt_{name}"], without[f"stmt_{name}"])


def test_margins_are_those_of_the_cumulated_period():
    panel = panel_of()
    columns = compute(quarters(), panel)
    assert at(columns, panel, "2021-12-01", "opm") == pytest.approx(0.2)
    assert at(columns, panel, "2021-12-01", "npm") == pytest.approx(0.1)


def test_a_quarter_is_compared_with_the_same_one_of_the_year_before():
    panel = panel_of(900)
    later = quarters(2022, dt.date(2022, 8, 9), scale=1.0)
    later[1] = {**later[1], "Sales": 280.0, "NP": -2.0, "OP": 44.0}
    columns = compute(quarters() + later, panel)
    # second quarter: 280 − 100 against 220 − 100; profit −2 − 10 against 22 − 10
    assert at(columns, panel, "2022-12-01", "yoy_sales") == pytest.approx(180 / 120 - 1)
    assert at(columns, panel, "2022-12-01", "yoy_np") == pytest.approx((-12 - 12) / 12)
    assert at(columns, panel, "2022-12-01", "yoy_op") == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(at(columns, panel, "2022-07-01", "yoy_sales"))


def test_each_figure_grows_at_its_own_rate():
    panel = panel_of(900)
    year = quarters(2022, dt.date(2022, 8, 9))
    year[0] = {**year[0], "Sales": 110.0, "OP": 25.0, "NP": 16.0}  # of 100, 20 and 10 before
    columns = compute(quarters() + year, panel)
    actual = {
        name: at(columns, panel, "2022-08-09", name) for name in ("yoy_sales", "yoy_op", "yoy_np")
    }
    assert actual == pytest.approx({"yoy_sales": 0.1, "yoy_op": 0.25, "yoy_np": 0.6})


def test_a_change_of_estimates_is_that_of_the_newest_statement():
    panel = panel_of(60)
    changes = [("1Q", 5, True), ("2Q", 20, False), ("3Q", 30, None)]
    rows = [
        filing(panel.dates[session].item(), period, Sales=100.0, ChgAcEst=changed)
        for period, session, changed in changes
    ]
    flags = compute(rows, panel)["stmt_change_in_est"][:, 0]
    expected = np.repeat([np.nan, 1.0, 0.0, np.nan], [5, 15, 10, 30])
    np.testing.assert_array_equal(flags, expected)


def test_returns_on_equity_and_assets_take_twelve_months():
    panel = panel_of(900)
    later = quarters(2022, dt.date(2022, 8, 9), scale=2.0, ShEq=400.0, Eq=999.0, TA=1000.0)
    columns = compute(quarters(ShEq=300.0, TA=1000.0) + later, panel)
    # after the first quarter of the second year: 52 − 10 + 20
    assert at(columns, panel, "2022-09-01", "roe") == pytest.approx(62 / 400)
    assert at(columns, panel, "2022-09-01", "roa") == pytest.approx(62 / 1000)
    assert at(columns, panel, "2022-06-01", "roe") == pytest.approx(52 / 300)
    assert np.isnan(at(columns, panel, "2022-04-01", "roe"))


def test_equity_falls_back_to_the_equity_ratio_and_never_to_net_assets():
    panel = panel_of()
    columns = compute(quarters(TA=1000.0, EqAR=0.4, Eq=900.0), panel)
    assert at(columns, panel, "2022-06-01", "roe") == pytest.approx(52 / 400)
    columns = compute(quarters(Eq=900.0), panel)
    assert np.isnan(columns["stmt_roe"]).all()


def test_a_correction_changes_what_follows_and_not_what_was_known():
    panel = panel_of(900)
    rows = quarters() + quarters(2022, dt.date(2022, 8, 9))[:1]
    fixed = filing(dt.date(2022, 9, 20), "1Q", 2021, Sales=50.0, OP=10.0, NP=5.0)
    before, after = compute(rows, panel), compute([*rows, fixed], panel)
    day = np.searchsorted(panel.dates, np.datetime64("2022-09-20"))
    for name, values in after.items():
        np.testing.assert_array_equal(values[:day], before[name][:day])
    assert at(before, panel, "2022-09-20", "yoy_sales") == pytest.approx(0.0)
    assert at(after, panel, "2022-09-20", "yoy_sales") == pytest.approx(1.0)
    # it is an old period's: the newest statement stays the newest
    np.testing.assert_array_equal(
        after["stmt_days_since_statement"], before["stmt_days_since_statement"]
    )


def test_a_correction_of_the_newest_period_replaces_it_without_a_new_announcement():
    panel = panel_of(60)
    day = panel.dates[20].item()
    rows = [
        filing(day, Sales=100.0, OP=10.0, BPS=200.0),
        filing(panel.dates[25].item(), Sales=100.0, OP=30.0, BPS=100.0),
    ]
    columns = compute(rows, panel)
    assert at(columns, panel, panel.dates[24], "bp") == pytest.approx(0.2)
    assert at(columns, panel, panel.dates[25], "bp") == pytest.approx(0.1)
    assert at(columns, panel, panel.dates[24], "opm") == pytest.approx(0.1)
    assert at(columns, panel, panel.dates[25], "opm") == pytest.approx(0.3)
    assert columns["stmt_imp_statement"][:, 0].tolist().count(1.0) == 1


def test_of_filings_in_one_second_the_last_number_counts():
    panel = panel_of(30)
    day = panel.dates[5].item()
    rows = [filing(day, Sales=100.0, OP=10.0), filing(day, Sales=100.0, OP=20.0)]
    assert at(compute(rows, panel), panel, day, "opm") == pytest.approx(0.2)
    numbered = [{**row, "DiscNo": no} for row, no in zip(rows, ["2", "1"], strict=True)]
    assert at(compute(numbered, panel), panel, day, "opm") == pytest.approx(0.1)


def test_ifrs_without_ordinary_profit_and_banks_without_operating_profit():
    panel = panel_of(30)
    day = panel.dates[5].item()
    rows = [
        filing(
            day, document="1QFinancialStatements_Consolidated_IFRS", Sales=100.0, OP=10.0, NP=5.0
        ),
        filing(day, code="13020", Sales=100.0, OdP=20.0, NP=8.0),
    ]
    columns = compute(rows, panel)
    assert at(columns, panel, day, "opm") == pytest.approx(0.1)
    assert np.isnan(at(columns, panel, day, "opm", 1))
    assert at(columns, panel, day, "npm", 1) == pytest.approx(0.08)


def test_figures_of_the_parent_alone_are_flagged_and_not_mixed_with_the_group():
    panel = panel_of(900)
    alone = "{}FinancialStatements_NonConsolidated_JP"
    first = [{**row, "DocType": alone.format(row["CurPerType"])} for row in quarters()]
    columns = compute(first + quarters(2022, dt.date(2022, 8, 9)), panel)
    assert at(columns, panel, "2022-06-01", "nc_flag") == 1
    assert at(columns, panel, "2022-09-01", "nc_flag") == 0
    assert np.isnan(at(columns, panel, "2022-09-01", "yoy_sales"))
    assert np.isnan(at(columns, panel, "2022-09-01", "roe"))


def test_figures_of_the_group_go_before_those_of_the_parent_for_one_period():
    panel = panel_of(30)
    day, alone = panel.dates[5].item(), "1QFinancialStatements_NonConsolidated_JP"
    rows = [
        filing(day, Sales=100.0, OP=10.0),
        filing(day, document=alone, Sales=50.0, OP=1.0),
    ]
    for order in (rows, rows[::-1]):
        columns = compute(order, panel)
        assert at(columns, panel, day, "opm") == pytest.approx(0.1)
        assert at(columns, panel, day, "nc_flag") == 0


def test_an_odd_fiscal_year_keeps_quarters_and_twelve_months():
    """A company moves its year end from March to December: a fiscal year of nine months."""
    panel = panel_of(900)
    short = {"CurFYSt": dt.date(2022, 4, 1), "CurFYEn": dt.date(2022, 12, 31)}
    rows = quarters(ShEq=100.0) + [
        filing(dt.date(2022, 8, 9), "1Q", 2022, Sales=110.0, NP=11.0, **short),
        filing(dt.date(2022, 11, 9), "2Q", 2022, Sales=230.0, NP=23.0, **short),
        filing(dt.date(2023, 2, 9), "FY", 2022, Sales=400.0, NP=40.0,
               **short, CurPerEn=dt.date(2022, 12, 31)),
    ]  # fmt: skip
    columns = compute(rows, panel)
    # the quarter to December: 400 − 230 against 360 − 220; twelve months: 40 + (52 − 36)
    assert at(columns, panel, "2023-03-01", "yoy_sales") == pytest.approx(170 / 140 - 1)
    assert at(columns, panel, "2023-03-01", "roe") == pytest.approx(56 / 100)


def test_a_year_that_ends_on_the_twentieth_is_a_year():
    panel = panel_of(900)
    rows = [
        filing(dt.date(2021, 4, 5), "FY", Sales=100.0, NP=10.0, ShEq=50.0,
               CurFYSt=dt.date(2020, 2, 21), CurPerEn=dt.date(2021, 2, 20),
               CurFYEn=dt.date(2021, 2, 20)),
        filing(dt.date(2021, 6, 30), "1Q", Sales=30.0, NP=3.0,
               CurFYSt=dt.date(2021, 2, 21), CurPerEn=dt.date(2021, 5, 20),
               CurFYEn=dt.date(2022, 2, 20)),
    ]  # fmt: skip
    columns = compute(rows, panel)
    assert at(columns, panel, "2021-04-06", "roe") == pytest.approx(0.2)
    assert np.isnan(at(columns, panel, "2021-07-01", "roe"))
    prepared = filings.prepare(stamped(rows).with_columns(published_at="known_at"), pl.lit(1.0))
    assert prepared.select("end", "length").rows() == [(2021 * 12 + 2, 12), (2021 * 12 + 5, 3)]


# ---- guidance


def test_progress_is_measured_against_the_guidance_of_the_same_year():
    panel = panel_of()
    rows = [
        revision(dt.date(2021, 5, 14), 2021, FOP=100.0, FNP=50.0),
        *quarters(),
        revision(dt.date(2021, 9, 1), 2021, FOP=80.0),
    ]
    rows[4] = {**rows[4], "NxFOP": 500.0, "NxFNp": 250.0}
    columns = compute(rows, panel)
    assert at(columns, panel, "2021-08-20", "progress_op") == pytest.approx(20 / 100)
    assert at(columns, panel, "2021-09-02", "progress_op") == pytest.approx(20 / 80)
    assert at(columns, panel, "2021-09-02", "progress_np") == pytest.approx(10 / 50)
    assert at(columns, panel, "2022-06-01", "progress_op") == pytest.approx(104 / 80)


def test_progress_towards_a_guided_loss_is_unknown():
    panel = panel_of()
    columns = compute([revision(dt.date(2021, 5, 14), FOP=-100.0), *quarters()], panel)
    assert np.isnan(columns["stmt_progress_op"]).all()


def test_a_revision_is_measured_against_what_was_in_force_before_its_day():
    panel = panel_of()
    rows = [
        filing(dt.date(2021, 5, 14), "FY", 2020, NxFOP=100.0, NxFEPS=10.0, NxFDivAnn=40.0,
               NxtFYEn=dt.date(2022, 3, 31)),
        revision(dt.date(2021, 7, 1), FOP=120.0, FEPS=9.0),
        filing(dt.date(2021, 7, 1), "1Q", FOP=120.0, time="14:30:00"),
        revision(dt.date(2021, 7, 20), FDivAnn=50.0),
        filing(dt.date(2021, 8, 10), "1Q", FOP=120.0),
    ]  # fmt: skip
    columns = compute(rows, panel)
    assert np.isnan(at(columns, panel, "2021-06-01", "rev_fore_op"))
    # a second filing of the day that repeats the guidance hides nothing
    assert at(columns, panel, "2021-07-01", "rev_fore_op") == pytest.approx(0.2)
    assert at(columns, panel, "2021-07-01", "rev_fore_eps") == pytest.approx(-0.1)
    # a dividend revision says nothing of profits
    assert at(columns, panel, "2021-07-20", "rev_fore_op") == pytest.approx(0.2)
    assert at(columns, panel, "2021-07-20", "rev_div_fore") == pytest.approx(0.25)
    # a later filing that repeats it does
    assert at(columns, panel, "2021-08-10", "rev_fore_op") == 0


def test_a_correction_that_repeats_old_guidance_leaves_the_newer_in_force():
    panel = panel_of()
    table = {"NxFOP": 100.0, "NxFDivAnn": 40.0, "NxtFYEn": dt.date(2022, 3, 31)}
    full = filing(dt.date(2021, 5, 14), "FY", 2020, Sales=1.0, **table)
    rows = [full, revision(dt.date(2021, 7, 1), FOP=150.0)]
    rows += [{**full, "DiscDate": dt.date(2021, 7, 20), "Sales": 2.0}]
    rows += [filing(dt.date(2021, 8, 10), "1Q", FOP=160.0)]
    rows += [{**full, "DiscDate": dt.date(2021, 9, 1), "NxFOP": 110.0}]
    columns = compute(rows, panel)
    for day in ("2021-07-01", "2021-07-20"):
        assert at(columns, panel, day, "rev_fore_op") == pytest.approx(0.5), day
    for day in ("2021-08-10", "2021-09-01"):  # the last is of a period before the newest
        assert at(columns, panel, day, "rev_fore_op") == pytest.approx(160 / 150 - 1), day


def test_guidance_for_the_next_year_waits_until_the_running_one_has_closed():
    panel = panel_of()
    following = {"NxFOP": 500.0, "NxFDivAnn": 70.0, "NxtFYEn": dt.date(2023, 3, 31)}
    rows = [
        revision(dt.date(2021, 5, 14), FOP=100.0, FDivAnn=40.0),
        revision(dt.date(2021, 9, 1), FOP=120.0, FDivAnn=50.0, **following),
        filing(dt.date(2022, 5, 13), "FY", Sales=1.0),
    ]
    columns = compute(rows, panel)
    assert at(columns, panel, "2021-09-01", "rev_fore_op") == pytest.approx(0.2)
    assert at(columns, panel, "2021-09-01", "div_yield_fore") == pytest.approx(0.05)
    assert np.isnan(at(columns, panel, "2022-05-13", "rev_fore_op"))
    assert at(columns, panel, "2022-05-12", "div_yield_fore") == pytest.approx(0.05)
    assert at(columns, panel, "2022-05-13", "div_yield_fore") == pytest.approx(0.07)


def test_filings_of_the_next_year_end_the_guidance_of_a_year_that_was_never_reported():
    panel = panel_of()
    first = revision(dt.date(2021, 11, 8), FDivAnn=40.0, NxFDivAnn=50.0)
    for following, actual in (
        (revision(dt.date(2022, 5, 13), 2022, FDivAnn=60.0), 0.06),
        (filing(dt.date(2022, 8, 10), "1Q", 2022, Sales=1.0), 0.05),
    ):
        columns = compute([first, following], panel)
        before = following["DiscDate"] - dt.timedelta(days=1)
        assert at(columns, panel, before, "div_yield_fore") == pytest.approx(0.04)
        assert at(columns, panel, following["DiscDate"], "div_yield_fore") == pytest.approx(actual)


def test_guidance_for_a_loss_improved_is_a_positive_revision():
    panel = panel_of()
    rows = [revision(dt.date(2021, 5, 14), FNP=-100.0), revision(dt.date(2021, 7, 1), FNP=-50.0)]
    assert at(compute(rows, panel), panel, "2021-07-01", "rev_fore_np") == pytest.approx(0.5)


def test_guidance_of_a_finished_year_is_no_guidance():
    panel = panel_of()
    rows = [
        revision(dt.date(2021, 5, 14), FDivAnn=30.0),
        revision(dt.date(2021, 7, 1), FDivAnn=60.0),
    ]
    columns = compute([*rows, filing(dt.date(2022, 5, 13), "FY", Sales=1.0)], panel)
    assert at(columns, panel, "2022-05-12", "div_yield_fore") == pytest.approx(0.06)
    assert np.isnan(at(columns, panel, "2022-05-13", "div_yield_fore"))
    assert np.isnan(at(columns, panel, "2022-05-13", "rev_div_fore"))


# ---- what a filing takes back


GUIDED = {"Sales": 750.0, "OP": 30.0, "NP": 20.0, "FOP": 40.0, "FNP": 28.0, "FDivAnn": 12.0}
BEFORE, AFTER = dt.date(2022, 3, 10), dt.date(2022, 3, 14)


def taken_back(**fields):
    """Progress in OP and NP, and the dividend's yield, before and after a revision."""
    document = fields.pop("document", "EarnForecastRevision")
    period = fields.pop("period", "FY")
    rows = [
        filing(dt.date(2022, 2, 7), "3Q", **GUIDED),
        filing(dt.date(2022, 3, 11), period, document=document, **fields),
    ]
    panel = panel_of(320)
    columns = compute(rows, panel)
    names = ("progress_op", "progress_np", "div_yield_fore")
    return [[round(float(at(columns, panel, day, x)), 4) for x in names] for day in (BEFORE, AFTER)]


IN_FORCE = [30 / 40, round(20 / 28, 4), 0.012]


def test_a_revision_without_numbers_withdraws_the_guidance():
    before, after = taken_back()
    assert before == IN_FORCE
    assert np.isnan(after).all()


@pytest.mark.parametrize(
    "fields",
    [
        {"FDivAnn": 12.0},
        {"FOP2Q": 15.0},
        {"FNCNP": 9.0},
        {"FSales": 1000.0},
        {"NxFOP": 44.0},
        {"period": "2Q"},
    ],
    ids=["dividend", "half-year", "parent alone", "sales", "next year", "of the half-year"],
)
def test_a_revision_of_something_else_withdraws_nothing(fields):
    assert taken_back(**fields) == [IN_FORCE, IN_FORCE]


def test_a_revision_of_dividends_withdraws_them_alone():
    _, after = taken_back(document="DividendForecastRevision")
    assert after[:2] == IN_FORCE[:2] and np.isnan(after[2])
    assert taken_back(document="DividendForecastRevision", FDivFY=12.0)[1] == IN_FORCE


def test_guidance_after_a_withdrawal_is_no_revision_of_what_was_withdrawn():
    rows = [
        filing(dt.date(2021, 8, 5), "1Q", OP=5.0, FOP=40.0),
        revision(dt.date(2021, 9, 1)),
        revision(dt.date(2021, 10, 1), FOP=30.0),
        revision(dt.date(2021, 11, 1), FOP=36.0),
    ]
    panel = panel_of(300)
    columns = compute(rows, panel)
    actual = [at(columns, panel, dt.date(2021, month, 5), "rev_fore_op") for month in (9, 10, 11)]
    np.testing.assert_allclose(actual, [np.nan, np.nan, 0.2], rtol=1e-6)
    assert at(columns, panel, dt.date(2021, 10, 5), "progress_op") == np.float32(5 / 30)


# ---- years of other than twelve months


def test_a_year_that_will_not_be_has_no_guidance():
    panel = panel_of(560, days=weekdays(560, dt.date(2021, 1, 4)))
    columns = compute(moved_year_end(), panel)
    for day, actual in YEAR_MOVED.items():
        assert {x: at(columns, panel, day, x) for x in actual} == pytest.approx(actual, rel=1e-6), (
            day
        )


def test_a_year_made_longer_voids_the_one_that_it_takes_in():
    april, june = dt.date(2021, 4, 1), dt.date(2022, 6, 30)
    rows = [
        moved_year_end()[0],
        of_year(dt.date(2021, 8, 5), "1Q", dt.date(2021, 6, 30), april, june,
                Sales=260.0, OP=25.0, NP=15.0, FOP=150.0, FDivAnn=15.0),
    ]  # fmt: skip
    panel = panel_of(400, days=weekdays(400, dt.date(2021, 1, 4)))
    columns = compute(rows, panel)
    assert at(columns, panel, dt.date(2021, 8, 4), "div_yield_fore") == np.float32(0.012)
    assert at(columns, panel, dt.date(2021, 8, 6), "div_yield_fore") == np.float32(0.015)
    assert np.isnan(at(columns, panel, dt.date(2021, 8, 6), "rev_fore_op"))


def test_a_late_correction_of_the_year_before_voids_nothing():
    first, quarter, *_ = moved_year_end()
    corrected = {**first, "DiscDate": dt.date(2021, 9, 1)}
    panel = panel_of(400, days=weekdays(400, dt.date(2021, 1, 4)))
    columns = compute([first, quarter, corrected], panel)
    assert at(columns, panel, dt.date(2021, 9, 3), "div_yield_fore") == np.float32(0.009)


# ---- per share


def test_per_share_ratios_take_the_days_price_and_the_shares_without_treasury():
    panel = panel_of()
    columns = compute(quarters(ShEq=3000.0, ShOutFY=12.0, TrShFY=2.0), panel)
    assert at(columns, panel, "2022-06-01", "ep") == pytest.approx(5.2 / 1000)
    assert at(columns, panel, "2022-06-01", "bp") == pytest.approx(300 / 1000)
    assert at(columns, panel, "2022-06-01", "sp") == pytest.approx(52 / 1000)


def test_dollars_are_compared_neither_with_yen_nor_with_the_price():
    fields = {"ShEq": 3000.0, "ShOutFY": 10.0, "FDivAnn": 20.0}
    rows = quarters(**fields) + quarters(2022, dt.date(2022, 8, 9), scale=0.01, **fields)
    rows = [{**row, "Code": code} for code in ("62690", "99990") for row in rows]
    panel = make(np.full((900, 2), 1000.0), codes=["62690", "99990"])
    columns = compute(rows, panel)
    # the second statement of the year, of November 2021, is the last one in yen
    for name in ("ep", "bp", "sp", "div_yield_fore", "yoy_sales", "roe"):
        assert np.isfinite(at(columns, panel, "2022-09-01", name, 1)), name
        assert np.isnan(at(columns, panel, "2022-09-01", name)), name
    assert np.isfinite(at(columns, panel, "2022-01-31", "bp"))
    assert np.isnan(at(columns, panel, "2022-02-08", "bp"))
    assert at(columns, panel, "2022-09-01", "opm") == pytest.approx(0.2)


def test_a_split_after_the_filing_leaves_the_ratios_as_they_were():
    sessions = 600
    split = np.searchsorted(weekdays(sessions), np.datetime64("2022-06-15"))
    price, factor = np.full((sessions, 2), 1000.0), np.ones((sessions, 2))
    price[split:, 0], factor[split, 0] = 500.0, 0.5
    panel = make(price, factor=factor)
    rows = quarters(ShEq=3000.0, ShOutFY=10.0)
    rows += [revision(dt.date(2022, 6, 1), 2022, FEPS=8.0, FDivAnn=20.0),
             revision(dt.date(2022, 7, 1), 2022, FEPS=4.0, FDivAnn=12.0)]  # fmt: skip
    columns = compute(rows, panel)
    for day in ("2022-06-14", "2022-06-15", "2022-06-30"):
        assert at(columns, panel, day, "ep") == pytest.approx(5.2 / 1000)
        assert at(columns, panel, day, "bp") == pytest.approx(0.3)
        assert at(columns, panel, day, "div_yield_fore") == pytest.approx(0.02)
    # guidance after the split is in new shares: 4 a share is the same, 12 is a fifth more
    assert at(columns, panel, "2022-07-01", "rev_fore_eps") == pytest.approx(0.0, abs=1e-6)
    assert at(columns, panel, "2022-07-01", "rev_div_fore") == pytest.approx(0.2)
    assert at(columns, panel, "2022-07-01", "div_yield_fore") == pytest.approx(12 / 500)


@pytest.mark.parametrize("day, time, book", [(10, "16:00:00", 300.0), (11, "10:00:00", 150.0)])
def test_a_filing_is_in_the_shares_of_its_own_day(day, time, book):
    price, factor = np.full((30, 2), 1000.0), np.ones((30, 2))
    price[11:, 0], factor[11, 0] = 500.0, 0.5
    panel = make(price, factor=factor)
    row = filing(panel.dates[day].item(), time=time, Sales=1.0, BPS=book)
    assert at(compute([row], panel), panel, panel.dates[12], "bp") == pytest.approx(0.3)
    shares = {"ShEq": 3000.0, "ShOutFY": 3000.0 / book}
    row = filing(panel.dates[day].item(), time=time, Sales=1.0, **shares)
    assert at(compute([row], panel), panel, panel.dates[12], "bp") == pytest.approx(0.3)


def preferring(first=None, second=None):
    """Two fiscal years of a company of 10 million common shares and its next first quarter.

    Profit is 200 million a quarter and 300 in the last one; equity is 8,000 million, then 8,400.
    `first` and `second` are what the second year and the quarter after it file besides.
    """
    shares = {"ShOutFY": 11e6, "TrShFY": 1e6, "AvgSh": 10e6, "TA": 2e10}
    profits = dict(zip(MONTH_ENDS, (200e6, 400e6, 600e6, 900e6), strict=True))
    days = [dt.date(2021, 8, 10) + dt.timedelta(days=91 * i) for i in range(4)]
    rows = [
        filing(day, period, NP=profit, EPS=profit / 10e6, ShEq=8e9, **shares)
        for day, (period, profit) in zip(days, profits.items(), strict=True)
    ]
    rows[-1] |= first or {}
    quarter = filing(dt.date(2022, 8, 10), "1Q", 2022, NP=300e6, EPS=30.0, ShEq=8.4e9, **shares)
    return [*rows, quarter | (second or {})]


def test_preferred_shares_take_their_part_of_equity_and_profit():
    panel = panel_of()
    columns = compute(preferring({"BPS": 500.0, "EPS": 70.0}), panel)
    # 8,000 − 500 × 10 = 3,000 million are theirs, and 900 − 70 × 10 = 200 of the year
    assert at(columns, panel, "2022-06-01", "bp") == pytest.approx(500 / 1000)
    assert at(columns, panel, "2022-06-01", "ep") == pytest.approx(70 / 1000)
    assert at(columns, panel, "2022-09-01", "bp") == pytest.approx(540 / 1000)
    assert at(columns, panel, "2022-09-01", "ep") == pytest.approx((70 + 30 - 20) / 1000)
    assert at(columns, panel, "2022-09-01", "roe") == pytest.approx((900 + 300 - 200) / 8400)


def test_preferred_shares_may_hold_more_than_the_equity_and_deepen_a_loss():
    panel = panel_of()
    columns = compute(preferring({"BPS": -50.0, "NP": -900e6, "EPS": -110.0}), panel)
    assert at(columns, panel, "2022-06-01", "bp") == pytest.approx(-50 / 1000)
    assert at(columns, panel, "2022-06-01", "ep") == pytest.approx(-110 / 1000)
    assert at(columns, panel, "2022-09-01", "bp") == pytest.approx((840 - 850) / 1000)
    assert at(columns, panel, "2022-09-01", "ep") == pytest.approx((-110 + 30 - 20) / 1000)


@pytest.mark.parametrize("split", [1.1, 1.2, 1.3, 1.5, 2, 3, 5, 6, 8, 10, 20])
@pytest.mark.parametrize("told", [True, False])
def test_a_split_in_the_filed_figures_and_not_in_the_shares_is_no_preferred_share(split, told):
    panel = panel_of()
    year = {"BPS": 800 / split, "EPS": 90 / split, "AvgSh": 10e6 if told else split * 10e6}
    after = {"ShOutFY": split * 11e6, "TrShFY": split * 1e6, "AvgSh": split * 10e6}
    columns = compute(preferring(year, {**after, "EPS": 30 / split}), panel)
    assert at(columns, panel, "2022-06-01", "bp") == pytest.approx(0.8 / split)
    assert at(columns, panel, "2022-09-01", "bp") == pytest.approx(0.84 / split)
    assert at(columns, panel, "2022-09-01", "ep") == pytest.approx(0.1 / split)


@pytest.mark.parametrize("split", [1.5, 2, 10, 20])
def test_preferred_shares_that_look_like_a_split_are_told_by_the_other_figure(split):
    panel = panel_of()
    book, profit = 800 / split, 90 / split
    for earned, later in ((70.0, 40 + book), (90.0, 40 + book), (None, 840)):
        columns = compute(preferring({"BPS": book, "EPS": earned}), panel)
        assert at(columns, panel, "2022-06-01", "bp") == pytest.approx(book / 1000)
        assert at(columns, panel, "2022-09-01", "bp") == pytest.approx(later / 1000)
    columns = compute(preferring({"BPS": 800.0, "EPS": profit}), panel)
    assert at(columns, panel, "2022-06-01", "ep") == pytest.approx(profit / 1000)


@pytest.mark.parametrize("unit", [100, 1000, 0.001])
def test_a_book_value_in_another_unit_is_made_from_the_equity(unit):
    panel = panel_of()
    columns = compute(preferring({"BPS": 800.0 * unit}), panel)
    assert at(columns, panel, "2022-06-01", "bp") == pytest.approx(800 / 1000)


def test_a_figure_per_share_of_nothing_is_none():
    panel = panel_of()
    columns = compute(preferring({"BPS": 0.0, "EPS": 0.0}), panel)
    assert at(columns, panel, "2022-06-01", "bp") == pytest.approx(800 / 1000)
    assert at(columns, panel, "2022-06-01", "ep") == pytest.approx(90 / 1000)
    assert at(columns, panel, "2022-09-01", "bp") == pytest.approx(840 / 1000)


@pytest.mark.parametrize(
    "year",
    [{"EPS": None}, {"AvgSh": None}, {"EPS": -90.0}, {"EPS": 0.09}, {"EPS": 9e4}, {"EPS": 89.95},
     {"AvgSh": 1e6}, {"AvgSh": 1e8}, {"EPS": 110.0}],
)  # fmt: skip
def test_profit_per_share_falls_back_on_profit_where_eps_tells_of_no_preferred_shares(year):
    panel = panel_of()
    columns = compute(preferring(year), panel)
    assert at(columns, panel, "2022-06-01", "ep") == pytest.approx(90 / 1000)
    assert at(columns, panel, "2022-09-01", "ep") == pytest.approx(100 / 1000)


def test_a_loss_in_a_wrong_unit_is_that_loss():
    panel = panel_of()
    columns = compute(preferring({"NP": -900e6, "EPS": -90e3}), panel)
    assert at(columns, panel, "2022-06-01", "ep") == pytest.approx(-90 / 1000)


def test_book_value_under_other_rules_is_not_the_groups():
    panel = panel_of()
    for rules in ("IFRS", "US"):
        document = f"FYFinancialStatements_Consolidated_{rules}"
        columns = compute(preferring({"BPS": 500.0, "DocType": document}), panel)
        assert at(columns, panel, "2022-06-01", "bp") == pytest.approx(800 / 1000)
        assert at(columns, panel, "2022-09-01", "bp") == pytest.approx(840 / 1000)


def test_what_preferred_shares_hold_is_told_for_a_year():
    panel = panel_of(900)
    rows = preferring({"BPS": 500.0})
    late = {**rows[-1], "DiscDate": dt.date(2023, 8, 10), "CurPerEn": dt.date(2023, 6, 30),
            "CurFYSt": dt.date(2023, 4, 1), "CurFYEn": dt.date(2024, 3, 31)}  # fmt: skip
    columns = compute([*rows, late], panel)
    assert at(columns, panel, "2023-06-01", "bp") == pytest.approx(540 / 1000)
    assert at(columns, panel, "2023-08-10", "bp") == pytest.approx(840 / 1000)


def test_a_correction_tells_anew_what_preferred_shares_take():
    panel = panel_of()
    *rows, quarter = preferring({"BPS": 500.0, "EPS": 70.0})
    day = dt.date(2022, 6, 15)
    repeats = [{**rows[-1], "DiscDate": day, **less}
               for less in ({"BPS": None}, {"EPS": None}, {"AvgSh": None})]  # fmt: skip
    corrected = {**rows[-1], "DiscDate": day, "BPS": 600.0, "EPS": 80.0}
    cases = [*((row, (500, 70), 540) for row in repeats), (corrected, (600, 80), 640)]
    for row, (book, profit), later in cases:
        columns = compute([*rows, row, quarter], panel)
        assert at(columns, panel, "2022-06-14", "bp") == pytest.approx(500 / 1000)
        assert at(columns, panel, "2022-06-14", "ep") == pytest.approx(70 / 1000)
        assert at(columns, panel, "2022-06-15", "bp") == pytest.approx(book / 1000)
        assert at(columns, panel, "2022-06-15", "ep") == pytest.approx(profit / 1000)
        assert at(columns, panel, "2022-09-01", "bp") == pytest.approx(later / 1000)


# ---- laws


def random_filings(seed=0, companies=2):
    rng = np.random.default_rng(seed)
    numbers = [name for name, kind in KINDS.items() if kind == pl.Float64]
    rows = []
    for year in (2019, 2020, 2021, 2022):
        for code in range(companies):
            for row in quarters(year, dt.date(year, 8, 10)):
                late = row["DiscDate"] + dt.timedelta(days=int(rng.integers(0, 40)))
                fields = {name: float(rng.normal(50, 40)) for name in numbers if rng.random() < 0.8}
                rows.append({**row, **fields, "Code": f"{1301 + code}0", "DiscDate": late})
                again = late + dt.timedelta(days=int(rng.integers(0, 60)))
                rows.append(revision(again, year, FOP=float(rng.normal(50, 40)), FDivAnn=3.0,
                                     code=f"{1301 + code}0"))  # fmt: skip
    return sorted(rows, key=lambda row: row["DiscDate"])


@pytest.mark.parametrize("cut", [100, 333, 471])
def test_nothing_filed_later_moves_an_earlier_day(cut):
    panel = panel_of(600, days=weekdays(600, dt.date(2020, 6, 1)))
    rows = random_filings()
    moment = calendar.decision_moments(panel.dates[cut : cut + 1], "close", CLOSES)[0]
    complete = stamped(rows)
    early = complete.filter(pl.col("known_at").dt.replace_time_zone(None) <= moment)
    full, partial = (
        statement.compute(inputs_of(panel, summary=rows)) for rows in (complete, early)
    )
    assert len(early) < len(complete)
    for name, values in full.items():
        np.testing.assert_array_equal(values[: cut + 1], partial[name][: cut + 1], err_msg=name)
        assert np.isfinite(values).any(), name


def test_prices_and_splits_to_come_move_no_earlier_day():
    price = np.full((600, 2), 1000.0)
    factor, later = np.ones(price.shape), price.copy()
    factor[400, 0], later[400:] = 0.2, 77.0
    days = weekdays(600, dt.date(2020, 6, 1))
    before = compute(random_filings(), make(price, days=days))
    after = compute(random_filings(), make(later, factor=factor, days=days))
    for name, values in after.items():
        np.testing.assert_array_equal(values[:400], before[name][:400], err_msg=name)


def test_the_order_of_the_rows_does_not_matter():
    panel = panel_of(300, days=weekdays(300, dt.date(2021, 6, 1)))
    rows = stamped(random_filings())
    columns = statement.compute(inputs_of(panel, summary=rows))
    mixed = statement.compute(
        inputs_of(panel, summary=rows.sample(fraction=1, shuffle=True, seed=1))
    )
    for name, values in columns.items():
        np.testing.assert_array_equal(values, mixed[name])


def test_figures_expire_and_their_age_is_capped():
    panel = panel_of(600)
    columns = compute([filing(panel.dates[5].item(), Sales=100.0, OP=10.0)], panel)
    assert (
        np.isfinite(columns["stmt_opm"][5:250, 0]).all()
        and np.isnan(columns["stmt_opm"][250:]).all()
    )
    assert columns["stmt_days_since_statement"][-1, 0] == 245


def test_no_filings_give_null_columns_and_a_warning(caplog):
    columns = compute([], panel_of(30))
    assert [record.message for record in caplog.records] == [
        "no statement is known: all columns of statement are null"
    ]
    assert set(columns) == {column.name for column in statement.COLUMNS}
    assert all(np.isnan(values).all() for values in columns.values())
