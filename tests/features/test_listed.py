"""The list of the day and the shares as known: nothing dated back, every count in one basis."""

import datetime as dt
import logging

import numpy as np
import polars as pl
import pytest
from gogooku import errors
from gogooku.families import FAMILIES
from gogooku.features import listed
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

SEGMENTS = ["0111", "0112", "0113"]


def master(frame, **fields):
    """The list of every day of the panel's rows; a field is a value, or an expression of rows."""
    attributes = {"ScaleCat": "TOPIX Mid400", "Mrgn": "2", "ProdCat": "011", **fields}
    attributes = {
        name: x if isinstance(x, pl.Expr) else pl.lit(x) for name, x in attributes.items()
    }
    rows = frame.select(Date="date", Code="code", Mkt="market", **attributes)
    return stamped("master", rows.to_dicts())


def compute(frame, statements=(), lists=None, **fields):
    lists = master(frame, **fields) if lists is None else lists
    rows = {"master": lists, "summary": stamped("summary", list(statements))}
    return computed(listed, frame, rows)[0]


# ---- market value --------------------------------------------------------------------------------


def test_market_value_is_shares_outstanding_times_close():
    columns = compute(quiet(), [statement(10, 1e6, 2e5)])
    expected = {
        "market_cap_log": np.log(8e5 * 1000),
        "shares_float_ratio": 0.8,
        "liquidity_score": np.log(1e6) / np.log(8e8),
    }
    for name, value in expected.items():
        assert np.isnan(columns[name][:10, 0]).all(), name
        assert columns[name][20, 0] == pytest.approx(value, rel=1e-6), name
    assert np.isnan(columns["market_cap_log"][:, 1]).all()


@pytest.mark.parametrize("sessions", [1, 2, 3, 10, 18, 21])
def test_a_run_may_begin_with_a_few_sessions(sessions):
    columns = compute(quiet(sessions), [statement(0, 1e6)])
    assert all(values.shape == (sessions, 2) for values in columns.values())


def test_without_treasury_shares_all_are_outstanding():
    columns = compute(quiet(), [statement(10, 1e6, None)])
    assert (columns["shares_float_ratio"][10:, 0] == 1).all()


def test_the_newest_period_counts_and_is_corrected_later():
    rows = [
        statement(10, 1e6, 0.0, period=day(0)),
        statement(20, 2e6, 0.0, period=day(5)),
        statement(25, 9e6, 0.0, period=day(0)),  # corrects a period before
        statement(30, 3e6, 0.0, period=day(5)),
        statement(35, None, None, period=day(8), DocType="EarnForecastRevision"),
    ]
    columns = np.exp(compute(quiet(), rows)["market_cap_log"][:, 0]) / 1000
    for session, shares in {10: 1e6, 19: 1e6, 20: 2e6, 29: 2e6, 30: 3e6, 59: 3e6}.items():
        assert columns[session] == pytest.approx(shares, rel=1e-4), session


def test_shares_lapse_300_sessions_after_their_period():
    columns = compute(quiet(360), [statement(20, 1e6, 0.0, period=day(3))])["market_cap_log"][:, 0]
    assert np.flatnonzero(np.isfinite(columns)).tolist() == list(range(20, 303))


@pytest.mark.parametrize("split, shares", [(15, 1e6), (20, 2e6), (25, 1e6)])
def test_a_split_leaves_market_value_as_it_was(split, shares):
    """A filing of session 20 counts the shares of that day: with a split until then, not after."""
    frame = quiet(split=[(split, 0, 0.5)], price=1000.0)
    columns = compute(frame, [statement(20, shares, 0.0)])["market_cap_log"][20:, 0]
    basis = 0.5 if split <= 20 else 1.0
    np.testing.assert_allclose(np.exp(columns), shares * 1000 * basis, rtol=1e-4)


def test_a_rights_issue_leaves_the_share_count_alone():
    frame = quiet(split=[(25, 0, 0.8)]).with_columns(volume_factor=pl.lit(1.0))
    columns = np.exp(compute(frame, [statement(20, 1e6, 0.0)])["market_cap_log"][:, 0])
    assert columns[24] == pytest.approx(1e9, rel=1e-4) and columns[25] == pytest.approx(
        8e8, rel=1e-4
    )


def test_a_segments_premium_is_the_score_of_size_among_its_members():
    frame = quiet(stocks=8).with_columns(
        market=pl.when(pl.col("code") < CODES[4]).then(pl.lit("0111")).otherwise(pl.lit("0113")),
        universe=pl.col("code") != CODES[3],
    )
    issued = [1e6, 2e6, 4e6, 9e6, 1e5, 1e5, 3e5, 5e5]
    columns = compute(
        frame, [statement(10, n, 0.0, code=c) for c, n in zip(CODES, issued, strict=False)]
    )
    sizes = np.log(np.array(issued) * 1000)
    for members, others in ((slice(0, 3), slice(0, 4)), (slice(4, 8), slice(4, 8))):
        mean, spread = sizes[members].mean(), sizes[members].std()
        np.testing.assert_allclose(
            columns["market_segment_premium"][20, others],
            (sizes[others] - mean) / spread,
            rtol=1e-4,
        )


def test_the_sections_before_are_scored_as_the_segment_that_continues_them():
    markets = ["0102", "0106", "0102", "0104", "0107", "0104"]
    frame = quiet(stocks=6).with_columns(
        market=pl.col("code").replace_strict(dict(zip(CODES, markets, strict=False)))
    )
    issued = [1e6, 2e6, 4e6, 1e5, 3e5, 5e5]
    columns = compute(
        frame, [statement(10, n, 0.0, code=c) for c, n in zip(CODES, issued, strict=False)]
    )
    sizes = np.log(np.array(issued).reshape(2, 3) * 1000)
    scores = (sizes - sizes.mean(axis=1)[:, None]) / sizes.std(axis=1)[:, None]
    np.testing.assert_allclose(columns["market_segment_premium"][20], scores.ravel(), rtol=1e-4)


def test_a_sectors_momentum_weighs_its_members_by_their_value_before():
    frame = quiet(stocks=4, split=[(30, 0, 0.5)]).with_columns(s33=pl.lit("0050"))
    gains = pl.col("code").replace_strict({CODES[0]: 1.1, CODES[1]: 0.9, CODES[2]: 1.0}, default=9)
    frame = frame.with_columns(
        close=pl.when(pl.col("date") >= day(40)).then(pl.col("close") * gains).otherwise("close"),
        universe=pl.col("code") != CODES[3],
    )
    issued = (1e6, 2e6, 4e6, 9e6)
    rows = [statement(10, n, 0.0, code=code) for code, n in zip(CODES, issued, strict=False)]
    columns = compute(frame, rows)["sector_momentum"]
    np.testing.assert_allclose(columns[39], 0, atol=1e-6)
    expected = (1.1 + 2 * 0.9 + 4) / 7 - 1
    np.testing.assert_allclose(columns[40:60], np.full((20, 4), expected), rtol=1e-4)
    assert np.isnan(columns[:30]).all()
    elsewhere = compute(frame.with_columns(s33=pl.lit("-")), rows)["sector_momentum"]
    assert np.isnan(elsewhere).all()


# ---- the list of the day -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code, name",
    [("0111", "prime"), ("0101", "prime"), ("0112", "standard"), ("0102", "standard"),
     ("0106", "standard"), ("0113", "growth"), ("0104", "growth"), ("0107", "growth"),
     ("0109", None)],
)  # fmt: skip
def test_segments_continue_the_sections_that_they_took_over(code, name):
    columns = compute(quiet().with_columns(market=pl.lit(code)))
    flags = {f"mkt_{each}": float(each == name) for each in ("prime", "standard", "growth")}
    assert {flag: columns[flag][5, 0] for flag in flags} == flags


@pytest.mark.parametrize(
    "text, number",
    [("TOPIX Core30", 4), ("TOPIX Large70", 3), ("TOPIX Mid400", 2), ("TOPIX Small 1", 1),
     ("TOPIX Small 2", 1), ("-", 0), ("TOPIX Unheard", np.nan), (None, np.nan)],
)  # fmt: skip
def test_classes_of_size_are_in_order(text, number):
    columns = compute(quiet(), ScaleCat=text)["scale_cat"]
    np.testing.assert_array_equal(columns, np.full((60, 2), number))


def test_the_class_of_small_stocks_stands_when_the_list_begins_to_tell_them_apart():
    frame = quiet()
    told_apart = pl.col("date") >= day(30)
    names = pl.when(told_apart).then(pl.lit("TOPIX Small 1")).otherwise(pl.lit("TOPIX Small 2"))
    np.testing.assert_array_equal(compute(frame, ScaleCat=names)["scale_cat"], np.ones((60, 2)))


def test_a_class_counts_from_the_day_on_which_the_list_names_it():
    frame = quiet()
    late = pl.col("date") >= day(30)
    columns = compute(frame, Mrgn=pl.when(late).then(pl.lit("2")).otherwise(pl.lit("1")))
    flags = columns["is_loanable"]
    assert (flags[:30] == 0).all() and (flags[30:] == 1).all()
    assert np.isnan(compute(frame, Mrgn=None)["is_loanable"]).all()


def test_two_lists_of_a_day_that_differ_are_refused_and_equal_ones_are_one():
    frame = quiet()
    lists = master(frame, ScaleCat="TOPIX Core30")
    columns = compute(frame, lists=pl.concat([lists, lists]))
    np.testing.assert_array_equal(columns["scale_cat"], compute(frame, lists=lists)["scale_cat"])
    other = lists.with_columns(ScaleCat=pl.lit("TOPIX Small 1"))
    with pytest.raises(errors.UserError, match="master holds two different rows for Date"):
        compute(frame, lists=pl.concat([lists, other]))


def test_a_stock_has_no_attributes_on_days_on_which_it_is_not_listed():
    columns = compute(quiet().filter((pl.col("code") != CODES[1]) | (pl.col("date") < day(30))))
    for name in ("mkt_prime", "scale_cat", "is_loanable"):
        assert np.isfinite(columns[name][:30]).all() and np.isnan(columns[name][30:, 1]).all(), name


# ---- laws ----------------------------------------------------------------------------------------


def tables(frame, count, seed):
    """Random lists, and statements with corrections of the period before."""
    rng = np.random.default_rng(seed)
    lists = master(frame).with_columns(
        ScaleCat=pl.Series(rng.choice(list(listed.SCALES), len(frame))),
        Mrgn=pl.Series(rng.choice(["1", "2", "3"], len(frame))),
    )
    statements = [
        statement(s, 1e6 * rng.integers(1, 9), 1e4 * rng.integers(0, 9), code=code,
                  period=day(s) - dt.timedelta(days=int(rng.choice([40, 40, 130]))))
        for code in CODES for s in range(int(rng.integers(0, 60)), count, 31)
    ]  # fmt: skip
    return {"master": lists, "summary": stamped("summary", statements)}


def random_market(count, seed):
    rng = np.random.default_rng(seed)
    frame = lively(count, seed=seed)
    return frame.with_columns(market=pl.Series(rng.choice(SEGMENTS[:2], len(frame))))


def test_shares_are_those_of_a_plain_walk_through_the_statements():
    count = 380
    frame = random_market(count, 4)
    rows = tables(frame, count, 4)
    columns, panel = computed(listed, frame, rows)
    when = moments(panel)
    statements = sorted(rows["summary"].to_dicts(), key=lambda row: row["known_at"])
    factor = np.nan_to_num(panel["volume_factor"], nan=1.0)
    for t in [10, 60, 200, 379]:
        for s, code in enumerate(panel.codes):
            newest = None
            for row in statements:
                known = np.datetime64(row["known_at"].replace(tzinfo=None)) <= when[t]
                newer = newest is None or row["CurPerEn"] >= newest["CurPerEn"]
                newest = row if row["Code"] == code and known and newer else newest
            expected = np.nan
            if newest is not None:
                at = np.searchsorted(panel.dates, np.datetime64(newest["DiscDate"]))
                out = (newest["ShOutFY"] - newest["TrShFY"]) / np.prod(factor[at + 1 : t + 1, s])
                expected = np.log(out * panel["raw_close"][t, s])
            assert columns["market_cap_log"][t, s] == pytest.approx(expected, rel=1e-5, nan_ok=True)


def test_sector_momentum_is_that_of_a_plain_walk_through_the_members():
    frame = random_market(120, 5)
    rows = tables(frame, 120, 5)
    columns, panel = computed(listed, frame, rows)
    cap, close = np.exp(columns["market_cap_log"].astype(float)), panel["close"]
    for t in [60, 100, 119]:
        for sector in np.unique(panel["s33"][t]):
            members = panel["universe"][t] & (panel["s33"][t] == sector)
            gain, weight = close[t] / close[t - 20] - 1, cap[t - 20]
            both = members & np.isfinite(gain * weight)
            if sector >= 0 and both.any():
                expected = (gain * weight)[both].sum() / weight[both].sum()
                actual = columns["sector_momentum"][t, panel["s33"][t] == sector]
                np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-5)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), row=st.integers(0, 98))
def test_nothing_known_later_moves_an_earlier_bit(seed, row):
    frame = random_market(100, seed)
    numbers = {"master": [], "summary": ["ShOutFY", "TrShFY"]}
    rows = tables(frame, 100, seed)
    assert_later_rows_move_nothing_earlier(listed, frame, rows, row, seed, numbers)


@pytest.mark.parametrize("seed", range(3))
def test_the_declared_look_back_holds_all_that_a_day_depends_on(seed):
    count, first = 400, 345
    frame = random_market(count, seed)
    assert FAMILIES["listed"]["master"].look_back == 0
    assert_the_look_back_suffices(listed, frame, tables(frame, count, seed), first)


def test_the_catalogue_names_what_is_made():
    frame = random_market(120, 0)
    assert_the_catalogue_is_complete(listed, frame, tables(frame, 120, 0))


def test_without_statements_market_value_is_null_and_said_to_be(caplog):
    with caplog.at_level(logging.WARNING):
        columns = compute(quiet())
    assert "columns of market value are null" in caplog.text
    assert np.isnan(columns["market_cap_log"]).all() and np.isfinite(columns["mkt_prime"]).all()
