"""Impossible prices are rejected, true ones stand, and tomorrow has no say."""

import numpy as np
import polars as pl
import pytest
from gogooku.panel import quality
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

OPTIONS = {"limit_tolerance": 0.01, "limit_relief_days": 5}
FIRST = np.datetime64("2022-06-01")
NONE = None


def bars_of(*prices, code="94680", volume=1000.0, value=None, factors=None):
    """Give one stock's bars: each price is a close (and open, high, low), or (O, H, L, C)."""
    rows = [price if isinstance(price, tuple) else (price,) * 4 for price in prices]
    columns = dict(zip("OHLC", zip(*rows, strict=True), strict=True))
    return pl.DataFrame(
        {
            "Date": np.arange(FIRST, FIRST + len(rows)),
            "Code": code,
            **{name: list(values) for name, values in columns.items()},
            "Vo": volume,
            "Va": value,
            "AdjFactor": factors or [1.0] * len(rows),
        },
        schema_overrides=dict.fromkeys([*"OHLC", "Vo", "Va"], pl.Float64),
    )


def judge(bars, sessions=None):
    count = sessions or bars["Date"].n_unique()
    return quality.clean(bars, np.arange(FIRST, FIRST + count), **OPTIONS)


def closes(*prices, **more):
    return judge(bars_of(*prices, **more))[0]["C"].to_list()


def test_a_price_a_hundred_times_too_high_is_rejected_without_tomorrow():
    record = bars_of(2821, 2720, (267000, 272700, 266200, 272000), 2698)
    today, found_today = judge(record.head(3))
    later, found_later = judge(record)
    assert today["C"].to_list() == [2821, 2720, NONE]
    assert later["C"].to_list() == [2821, 2720, NONE, 2698]
    assert_frame_equal(found_today, found_later)
    assert found_today["field"].to_list() == ["C", "H", "L", "O"]
    assert set(found_today["rule"]) == {"daily_limit"}
    assert found_today["value"][0] == 272000
    assert "2215.0 to 3225.0" in found_today["reason"][0]


def test_only_the_impossible_field_is_rejected():
    cleaned, findings = judge(bars_of(1000, (1000, 9000, 990, 1010)))
    assert cleaned.select("O", "H", "L", "C").row(1) == (1000, NONE, 990, 1010)
    assert findings["field"].to_list() == ["H"]


@pytest.mark.parametrize(
    ("price", "stands"), [(1300, True), (1303, True), (1304, False), (700, True), (696, False)]
)
def test_the_limit_is_the_exchange_s_with_the_tolerance(price, stands):
    assert closes(1000, price) == [1000, price if stands else NONE]


def test_a_first_close_stands():
    assert closes(NONE, 272000) == [NONE, 272000]


def test_a_split_moves_the_base():
    assert closes(3000, 1490, factors=[1.0, 0.5]) == [3000, 1490]
    assert closes(3000, 1490) == [3000, NONE]
    assert closes(3000, NONE, 1490, factors=[1.0, 0.5, 1.0]) == [3000, NONE, 1490]


def test_after_days_held_at_the_limit_the_exchange_widens_it():
    held = (11710, 8710, 7210, 5710, 3710, (2440, 2880, 2401, 2620))
    assert closes(*held) == [11710, 8710, 7210, 5710, 3710, 2620]
    quiet = (11710, (9000, 9000, 8710, 8710), (8700, 8700, 7210, 7210), (5710,) * 4, 3710)
    assert closes(*quiet) == [11710, 8710, 7210, 5710, NONE]


def test_after_days_without_a_trade_the_limit_is_wider():
    assert closes(669, NONE, NONE, 1300) == [669, NONE, NONE, 1300]
    assert closes(669, NONE, 1300) == [669, NONE, NONE]


@pytest.mark.parametrize("level", [1.0, 27.0, 1360.0, 5000.0, 27200.0, 272000.0, 1e7])
def test_a_new_level_that_lasts_is_accepted_in_the_end(level):
    kept = closes(2720, *[(level, level * 1.001, level * 0.999, level)] * 20)
    accepted = kept.index(level)
    assert accepted > 2
    assert set(kept[accepted:]) == {level}


def new_levels(*prices, **more):
    """Closes of a new level, by session, and by what their links multiply the last good close."""
    cleaned, findings = judge(bars_of(*prices, **more))
    found = findings.filter(rule="new_level")
    links = cleaned.with_row_index().drop_nulls("link")
    assert found["value"].to_list() == links["C"].to_list()
    return dict(links.select("index", "link").iter_rows())


def test_a_price_that_lasts_without_a_factor_is_a_new_level():
    assert new_levels(3000, *[1490] * 8) == {3: 1490 / 3000}
    assert new_levels(160000, *[1600] * 12) == {9: 1600 / 160000}
    assert new_levels(2720, *[27200.0] * 20) == {9: 10.0}
    assert new_levels(3000, 1490, 149000, 1500, 1510) == {3: 0.5}  # a bad tick on the way
    assert new_levels(220, 220, 110, 110, 111) == {3: 0.5}
    assert new_levels(1000, 1000, 549, 549, 560) == {3: 0.549}
    assert new_levels(1000, 1000, 667, 667, 670) == {3: 0.667}
    assert new_levels(3000, *[1490] * 8, factors=[1.0, 0.5, *[1.0] * 7]) == {}
    assert new_levels(3000, 745, 745, 745, factors=[1.0, 1.0, 0.5, 1.0]) == {3: 745 / 1500}


def test_true_prices_are_no_new_level():
    assert new_levels(1000, 1310, 1330, 1320) == {}  # just beyond the limit, in unrounded prices
    assert new_levels(2720, 272000, 2700) == new_levels(2720, *[272000] * 3, 2700) == {}
    assert new_levels(11710, 8710, 7210, 5710, 3710, (2440, 2880, 2401, 2620)) == {}
    assert new_levels(1000, NONE, NONE, 1500, 1510) == {}
    assert new_levels(540, 760, 700, 660) == new_levels(150, 150, 230, 195) == {}  # not as far
    assert new_levels(145, 97, 98) == new_levels(230, 154, 155) == {}  # within the limits


def test_a_bad_tick_after_a_bad_tick_is_rejected_too():
    assert closes(2720, 272000, 27200, 2700) == [2720, NONE, NONE, 2700]


def test_of_two_prices_that_contradict_each_other_neither_stands():
    cleaned, findings = judge(bars_of(1000, (1000, 1005, 990, 1010), (1000, 990, 995, 992)))
    assert cleaned.select("O", "H", "L", "C").rows()[1:] == [
        (1000, NONE, 990, NONE),
        (NONE, NONE, NONE, NONE),
    ]
    assert findings["field"].to_list() == ["C", "H", "C", "H", "L", "O"]
    assert set(findings["rule"]) == {"contradiction"}


def test_prices_volumes_and_factors_have_their_sign():
    cleaned, findings = judge(
        bars_of((0, 1010, -5, 1000), 1000, volume=[-1.0, 0.0], factors=[0.0, -2.0])
    )
    assert cleaned.select("O", "H", "L", "C").row(0) == (NONE, 1010, NONE, 1000)
    assert cleaned["Vo"].to_list() == [NONE, 0.0]
    assert cleaned["AdjFactor"].to_list() == [NONE, NONE]
    assert cleaned["C"].to_list() == [1000, 1000]
    assert findings.group_by("rule").len().row(0) == ("sign", 5)


def test_no_price_volume_or_value_is_infinite():
    endless = float("inf")
    cleaned, findings = judge(
        bars_of(1000, (endless, 1010, 990, -endless), volume=[1.0, endless], value=[endless, 5.0])
    )
    assert cleaned.select("O", "H", "L", "C").row(1) == (NONE, 1010, 990, NONE)
    assert cleaned["Vo"].to_list() == [1.0, NONE] and cleaned["Va"].to_list() == [NONE, NONE]
    assert findings.select("field", "rule").rows() == [
        ("Va", "sign"), ("Va", "derived"), ("C", "sign"), ("O", "sign"), ("Vo", "sign")
    ]  # fmt: skip


@pytest.mark.parametrize("factor", [0.0, -0.5, float("inf"), float("nan")])
def test_a_factor_that_can_be_none_counts_as_one_and_is_reported(factor):
    cleaned, findings = judge(bars_of(1000, 1010, 1020, factors=[1.0, factor, 1.0]))
    assert cleaned["C"].to_list() == [1000, 1010, 1020]
    assert cleaned["AdjFactor"].to_list() == [1.0, NONE, 1.0]
    assert findings.select("field", "rule").rows() == [("AdjFactor", "sign")]


def test_an_absent_factor_is_no_finding():
    bars = bars_of(1000, 1010).with_columns(AdjFactor=pl.lit(None, pl.Float64))
    assert judge(bars)[1].is_empty()


def test_what_is_no_number_becomes_null():
    cleaned, findings = judge(bars_of(1000, (float("nan"),) * 4, value=[5.0, float("nan")]))
    assert cleaned["C"].to_list() == [1000, NONE] and cleaned["Va"].to_list() == [5.0, NONE]
    assert findings.is_empty()


def test_a_value_stands_or_falls_with_its_close_and_volume():
    cleaned, findings = judge(
        bars_of(1000, 1010, 99999, 1020, volume=[1.0, -1.0, 1.0, 1.0], value=[7.0, 8.0, 9.0, -1.0])
    )
    assert cleaned["Va"].to_list() == [7.0, NONE, NONE, NONE]
    assert findings.filter(field="Va").select("rule", "value").rows() == [
        ("derived", 8.0), ("derived", 9.0), ("sign", -1.0)
    ]  # fmt: skip


def test_equal_rows_count_once_and_rows_that_differ_not_at_all():
    bars = bars_of(1000, 1010, 1020)
    twice = pl.concat([bars, bars.head(1), bars.slice(1, 1).with_columns(C=1011.0)])
    cleaned, findings = judge(twice)
    assert cleaned["C"].to_list() == [1000, NONE, 1020]
    assert findings.select("date", "rule", "value").rows() == [
        (cleaned["Date"][1], "duplicate", 2.0)
    ]


def test_nothing_of_rows_that_differ_is_left():
    bars = bars_of(1000, 1010, value=5.0, factors=[1.0, 0.5]).with_columns(UL=pl.lit("1"))
    twice = pl.concat([bars, bars.tail(1).with_columns(UL=pl.lit("0"))])
    for order in (twice, twice.reverse()):
        assert judge(order)[0].drop("Date", "Code").row(1) == (NONE,) * 9


def test_stocks_are_judged_apart_and_rows_stay():
    one, other = bars_of(1000, 1010, 1020), bars_of(50000, 50100, 50200, code="13010")
    cleaned, findings = judge(pl.concat([one, other]))
    assert findings.is_empty()
    assert_frame_equal(cleaned.drop("link"), pl.concat([other, one]).sort("Date", "Code"))


def test_a_rejected_volume_leaves_the_prices():
    cleaned, _ = judge(bars_of(1000, 1010, volume=[1.0, -1.0]))
    assert cleaned["C"].to_list() == [1000, 1010] and cleaned["Vo"].to_list() == [1.0, NONE]


def test_rows_of_other_days_are_left_out():
    assert judge(bars_of(1000, 1010, 1020), sessions=2)[0].height == 2


PRICE = st.one_of(st.none(), st.sampled_from([0.0, -1.0, 1.0, 90.0, 1e3, 1.2e3, 1e5]))
BAR = st.tuples(PRICE, PRICE, PRICE, PRICE)


@settings(max_examples=60, deadline=None)
@given(
    bars=st.lists(BAR, min_size=2, max_size=15),
    cut=st.integers(1, 14),
    factors=st.lists(st.sampled_from([1.0, 0.5, 0.1, 10.0]), min_size=15, max_size=15),
)
def test_nothing_later_changes_a_judgement(bars, cut, factors):
    whole = bars_of(*bars, factors=factors[: len(bars)])
    cut = min(cut, len(bars))
    told, found = judge(whole)
    known, known_found = judge(whole.head(cut))
    assert_frame_equal(told.head(cut), known, check_exact=True)
    last = known["Date"].max()
    assert_frame_equal(found.filter(pl.col("date") <= last), known_found, check_exact=True)


@settings(max_examples=60, deadline=None)
@given(bars=st.lists(BAR, min_size=1, max_size=15))
def test_what_is_left_is_possible(bars):
    left, _ = judge(bars_of(*bars))
    prices = left.select("O", "H", "L", "C")
    low, high = prices["L"].fill_null(0.0), prices["H"].fill_null(float("inf"))
    for name in prices.columns:
        good = prices[name].is_null() | ((prices[name] > 0) & (prices[name] >= low))
        assert (good & (prices[name].is_null() | (prices[name] <= high))).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), limit=st.floats(0.0, 1.0))
def test_no_walk_inside_the_limits_is_touched(seed, limit):
    rng = np.random.default_rng(seed)
    path = [1000.0]
    for step in rng.uniform(-limit, limit, 30):
        path.append(max(round(path[-1] + step * quality.daily_limit(path[-1]).item(), 1), 1.0))
    assert closes(*path) == path
