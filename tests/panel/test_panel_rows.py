"""The panel's rows: who is listed, who is a member, and that nothing later is used."""

import numpy as np
import polars as pl
import pytest
from gogooku.errors import UserError
from gogooku.panel import rows as panel_rows
from gogooku.panel import universe
from gogooku.raw.catalogue import DATASETS
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

FIRST = np.datetime64("2024-01-04")
OPTIONS = {
    "limit_tolerance": 0.01,
    "limit_relief_days": 5,
    "min_price": 50,
    "min_value": 1e6,
    "min_sessions": 5,
}
RULES = {"min_price": 50, "min_value": 1e6, "min_sessions": 5}


def sessions(count):
    return np.arange(FIRST, FIRST + count)


def moments(dates):
    return dates.astype("datetime64[us]") + np.timedelta64(6, "h")


def rows_of(dataset, columns):
    absent = {name: None for name in DATASETS[dataset].schema if name not in columns}
    frame = pl.DataFrame({**columns, **absent}, schema_overrides=DATASETS[dataset].schema)
    known = pl.col("Date").cast(pl.Datetime("us", "UTC"))
    return frame.with_columns(known_at=known + pl.duration(hours=6 if dataset == "bars" else -9))


def market(count=40, codes=("10010", "10020", "10030"), seed=0):
    """Give bars and lists of `codes` over `count` sessions of quiet trading."""
    rng, dates = np.random.default_rng(seed), sessions(count)
    close = np.round(1000 * np.exp(np.cumsum(rng.normal(0, 0.01, (count, len(codes))), 0)))
    keys = {"Date": np.repeat(dates, len(codes)), "Code": list(codes) * count}
    prices = {name: close.ravel() for name in "OHLC"}
    bars = rows_of("bars", {**keys, **prices, "Vo": 2000.0, "AdjFactor": 1.0, "UL": "0", "LL": "1"})
    kinds = {"ProdCat": "011", "Mkt": "0111", "S33": "0050", "S17": "1", "ScaleCat": "-"}
    return bars, rows_of("master", {**keys, **kinds}), dates


def build(bars, master, dates, first=FIRST):
    return panel_rows.build(bars, master, dates, moments(dates), first.item(), **OPTIONS)


def test_a_row_stands_for_every_session_and_listed_common_stock():
    bars, master, dates = market()
    panel, findings = build(bars, master, dates, first=dates[30])
    assert panel.height == 10 * 3 and findings.is_empty()
    assert panel.select("date", "code").equals(panel.select("date", "code").sort("date", "code"))
    assert (
        panel.columns
        == (
            "date code open high low close volume value factor volume_factor new_level limit_up "
            "limit_down s33 s17 market universe"
        ).split()
    )
    assert panel["universe"].all() and panel["limit_down"].all() and not panel["limit_up"].any()


@pytest.mark.parametrize(
    "change",
    [{"ProdCat": "014"}, {"ProdCat": "021"}, {"Mkt": "0105"}, {"Code": "10015"}],
)
def test_what_is_no_common_stock_is_left_out(change):
    bars, master, dates = market(codes=("10010", "10020"))
    other = pl.col("Code") == "10010"
    master = master.with_columns(
        pl.when(other).then(pl.lit(value)).otherwise(name).alias(name)
        for name, value in change.items()
    )
    assert build(bars, master, dates)[0]["code"].unique().to_list() == ["10020"]


def test_traded_value_is_estimated_only_where_the_source_has_none():
    bars, master, dates = market()
    bars = bars.with_columns(Va=pl.when(pl.col("Code") == "10010").then(7e6))
    panel, _ = build(bars, master, dates)
    given = pl.col("code") == "10010"
    assert (panel.filter(given)["value"] == 7e6).all()
    rest = panel.filter(~given)
    assert (rest["value"] == rest["close"] * rest["volume"]).all()


def test_a_rights_issue_adjusts_prices_and_not_volume():
    bars, master, dates = market()
    bars = bars.with_columns(
        AdjFactor=pl.when(pl.col("Date") == dates[7]).then(0.9).otherwise(1.0),
        ExRT=pl.when(pl.col("Code") == "10010").then(pl.lit("3")).otherwise(pl.lit("1")),
    )
    panel, _ = build(bars, master, dates)
    action = panel.filter(pl.col("date") == dates[7])
    assert action["factor"].to_list() == [0.9, 0.9, 0.9]
    assert action["volume_factor"].to_list() == [1.0, 0.9, 0.9]


def test_a_new_level_of_prices_is_led_over_to_and_volumes_are_left():
    bars, master, dates = market()
    split = (pl.col("Code") == "10010") & (pl.col("Date") >= dates[20])
    bars = bars.with_columns(pl.when(split).then(pl.col(*"OHLC") / 2).otherwise(pl.col(*"OHLC")))
    panel, findings = build(bars, master, dates)
    level = findings.filter(rule="new_level").row(0, named=True)
    assert level["code"] == "10010" and dates[20] < level["date"] < dates[30]
    row = panel.filter(pl.col("new_level"))
    assert row.select("date", "code").row(0) == (level["date"], "10010") and len(row) == 1
    before = panel.filter(pl.col("code") == "10010", pl.col("date") < dates[20])["close"][-1]
    assert row["factor"][0] == row["close"][0] / before and row["volume_factor"][0] == 1


def test_an_outage_leaves_the_rows_and_the_members_and_no_prices():
    bars, master, dates = market()
    panel, _ = build(bars.filter(pl.col("Date") != dates[30]), master, dates)
    outage = panel.filter(pl.col("date") == dates[30])
    assert outage.height == 3 and outage["universe"].all()
    assert outage["close"].null_count() == outage["volume"].null_count() == 3


def test_a_session_without_any_listed_stock_is_said(caplog):
    bars, master, dates = market()
    build(bars, master.filter(pl.col("Date") != dates[30]), dates)
    assert "no stock is listed on 1 sessions" in caplog.text


@pytest.mark.parametrize("dataset", ["bars", "master"])
def test_a_row_that_became_known_after_the_decision_is_not_used(dataset):
    bars, master, dates = market()
    late = pl.col("Date") == dates[35]
    known_at = pl.when(late).then(pl.col("known_at") + pl.duration(days=2)).otherwise("known_at")
    given = {"bars": bars, "master": master}
    given[dataset] = given[dataset].with_columns(known_at=known_at)
    without = {"bars": bars, "master": master}
    without[dataset] = without[dataset].filter(~late)
    for one, other in zip(build(**given, dates=dates), build(**without, dates=dates), strict=True):
        assert_frame_equal(one, other)


def test_a_correction_counts_if_it_was_known_in_time_and_never_after():
    bars, master, dates = market()
    bars = bars.with_columns(known_at=pl.col("known_at") - pl.duration(hours=2))
    fixed = bars.filter(pl.col("Date") == dates[35]).with_columns(C=pl.col("H"), L=pl.col("L") - 1)
    plain = build(bars, master, dates)[0]
    for hours, lowest in ((1, -1.0), (2, -1.0), (3, 0.0)):
        correction = fixed.with_columns(known_at=pl.col("known_at") + pl.duration(hours=hours))
        panel, findings = build(pl.concat([bars, correction]), master, dates)
        assert findings.is_empty()
        moved = panel.with_columns(moved=pl.col("low") - plain["low"])
        assert moved.filter(pl.col("date") == dates[35])["moved"].to_list() == [lowest] * 3


@settings(max_examples=25, deadline=None)
@given(
    day=st.integers(20, 38),
    scale=st.sampled_from([0.0, -1.0, 0.01, 1.3, 100.0, float("nan")]),
    newcomer=st.booleans(),
    seed=st.integers(0, 5),
)
def test_nothing_after_a_day_changes_its_rows_or_findings(day, scale, newcomer, seed):
    bars, master, dates = market(seed=seed)
    later = pl.col("Date") > dates[day]
    prices = [
        pl.when(later).then(pl.col(name) * scale).otherwise(name).alias(name)
        for name in ("O", "H", "L", "C", "Vo", "AdjFactor")
    ]
    other = bars.with_columns(prices)
    if newcomer:
        names = pl.col("Code").replace("10020", "10000")
        master = pl.concat([master, master.filter(later).with_columns(Code=names)]).unique()
        other = pl.concat([other, other.filter(later).with_columns(Code=names)]).unique()
    upto = pl.col("date") <= dates[day]
    told = [frame.filter(upto) for frame in build(other, master, dates)]
    cut = [frame.filter(pl.col("Date") <= dates[day]) for frame in (bars, market(seed=seed)[1])]
    known = build(*cut, dates[: day + 1])
    for one, two in zip(told, known, strict=True):
        assert_frame_equal(one, two, check_exact=True)


@settings(max_examples=25, deadline=None)
@given(shape=st.tuples(st.integers(1, 90), st.integers(1, 4)), seed=st.integers(0, 99))
def test_membership_is_what_a_plain_loop_finds(shape, seed):
    rng = np.random.default_rng(seed)
    close = np.where(rng.random(shape) < 0.6, np.nan, rng.uniform(30, 90, shape))
    value, listed = close * 30000, rng.random(shape) < 0.9
    found = universe.members(close, value, listed, **RULES)
    for t, n in np.ndindex(shape):
        past = close[: t + 1, n]
        last = past[~np.isnan(past)][-1:]
        liquid = np.nansum(value[max(0, t - 19) : t + 1, n]) / 20 >= 1e6
        seasoned = np.sum(~np.isnan(past[-60:])) >= 5
        assert found[t, n] == bool(listed[t, n] and liquid and seasoned and (last >= 50).any())


def test_the_universe_fails_on_price_value_and_age_alone():
    close = np.full((30, 4), 100.0)
    value = np.full((30, 4), 2e6)
    close[:, 1], value[:, 2], close[:26, 3] = 49.0, 0.9e6, np.nan
    found = universe.members(close, value, np.ones((30, 4), bool), **RULES)
    assert found[-1].tolist() == [True, False, False, False]


def test_a_span_without_sessions_makes_no_rows():
    bars, master, dates = market()
    panel, findings = build(bars, master, dates, first=dates[-1] + 1)
    whole, _ = build(bars, master, dates)
    assert panel.is_empty() and findings.is_empty() and panel.schema == whole.schema


def test_a_span_for_which_the_source_holds_nothing_is_refused():
    bars, master, dates = market()
    for lists in (master.clear(), master.filter(pl.col("Date") < dates[30])):
        with pytest.raises(UserError, match="listed from 2024-02-03 to 2024-02-12: move dates.s"):
            build(bars, lists, dates, first=dates[30])


def test_two_lists_of_a_day_that_differ_are_refused_and_equal_ones_count_once():
    bars, master, dates = market()
    double = master.filter(pl.col("Date") == dates[35], pl.col("Code") == "10020")
    again = build(bars, pl.concat([master, double]), dates)
    for one, other in zip(again, build(bars, master, dates), strict=True):
        assert_frame_equal(one, other)
    differs = double.with_columns(S33=pl.lit("9050"))
    with pytest.raises(UserError, match="different rows for Date 2024-02-08, Code 10020"):
        build(bars, pl.concat([master, differs]), dates)


@pytest.mark.parametrize(("shift", "said"), [(0, False), (-1, True), (1, True)])
def test_factors_that_stand_beside_their_ex_dates_are_said(shift, said, caplog):
    bars, master, dates = market(codes=("10010", "10020", "10030", "10040"))
    day = pl.col("Date")
    ex_date = day >= dates[35]
    halved = [
        pl.when(ex_date).then(pl.col(name) / 2).otherwise(name).alias(name) for name in "OHLC"
    ]
    stands = pl.when(day == dates[35 + shift]).then(0.5).otherwise(1.0)
    build(bars.with_columns(*halved, AdjFactor=stands), master, dates, first=dates[30])
    assert ("4 of 4 adjustment factors" in caplog.text) == said
    assert ("check archive_factor" in caplog.text) == said


def test_a_listed_stock_without_bars_has_rows_and_no_membership():
    bars, master, dates = market()
    whole, _ = build(bars, master, dates)
    unpriced, _ = build(bars.clear(), master, dates)
    assert unpriced.height == whole.height and not unpriced["universe"].any()
