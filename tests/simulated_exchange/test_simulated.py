import datetime as dt

import numpy as np
import polars as pl
import pytest
from gogooku import errors
from gogooku.panel.price_limits import daily_limit
from gogooku.raw.catalogue import DATASETS, GROUPS
from helpers.dense import Dense, centred, daily_rank_ic, slope
from helpers.tiny_market import ANSWERS
from polars.testing import assert_frame_equal
from simulated_exchange.market import simulation
from simulated_exchange.market.listings import SECTORS

PARTS = ["reversal", "drift", "lead_lag", "cycle"]
HORIZONS = [1, 5, 10, 20]
# On the day of the outage a mean across stocks has nothing to count.
pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty", "ignore:Degrees of freedom")
LONG = {"seed": 5, "start": dt.date(2019, 7, 1), "end": dt.date(2022, 12, 30), "stocks": 330}
SHORT = {"seed": 2, "start": dt.date(2021, 1, 4), "end": dt.date(2021, 12, 30), "stocks": 40}


@pytest.fixture(scope="module")
def market():
    """All parts twice as strong as usual, so that a few years tell them apart."""
    return simulation.simulate(**LONG, parts=dict.fromkeys(PARTS, 30))


@pytest.fixture(scope="module")
def dense(market):
    return Dense(market)


@pytest.fixture(scope="module")
def silent():
    """No part planted."""
    return Dense(simulation.simulate(**LONG, parts={}))


# --- the truth


@pytest.mark.parametrize("horizon", HORIZONS)
def test_returns_follow_the_truth_one_for_one(dense, horizon):
    assert slope(dense.truth("total", horizon), dense.label(horizon)) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("part", PARTS)
def test_returns_follow_each_part_one_for_one(dense, part):
    assert slope(dense.truth(part, 5), dense.label(5)) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_the_strength_asked_for(dense, part):
    spread = np.nanstd(dense.truth(part, 1), axis=1)
    assert spread.mean() == pytest.approx(30e-4, rel=1e-6)


def test_the_truth_predicts_as_its_strength_says(dense):
    expected, label = dense.truth("total", 1), dense.label(1)
    said = np.nanmean(np.nanstd(expected, axis=1)[:-2] / np.nanstd(label, axis=1)[:-2])
    assert daily_rank_ic(expected, label).mean() == pytest.approx(said, rel=0.2)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_total_is_the_sum_of_the_parts(dense, horizon):
    parts = sum(dense.truth(part, horizon) for part in PARTS)
    np.testing.assert_allclose(dense.truth("total", horizon), parts, atol=1e-15)


def test_the_truth_has_a_row_for_every_listed_common_stock_and_session(market):
    master = market.tables["master"]
    common = (pl.col("ProdCat") == "011") & (pl.col("Mkt") != "0105")
    listed = master.filter(common & pl.col("Code").str.ends_with("0")).select("Date", "Code")
    rows = market.truth.group_by("date", "code", maintain_order=True).len()
    assert rows["len"].unique().to_list() == [len(PARTS) + 1]
    assert_frame_equal(rows.select(Date="date", Code="code"), listed)


@pytest.mark.parametrize("off", PARTS)
def test_switching_a_part_off_leaves_everything_else_as_it_was(off):
    on = simulation.simulate(**SHORT, parts=dict.fromkeys(PARTS, 20))
    without = simulation.simulate(**SHORT, parts=dict.fromkeys(PARTS, 20) | {off: 0})
    others = ~pl.col("part").is_in([off, "total"])
    assert_frame_equal(on.truth.filter(others), without.truth.filter(others))
    assert off not in without.truth["part"]
    for name in ("calendar", "master", "summary"):
        assert_frame_equal(on.tables[name], without.tables[name])
    assert not on.tables["bars"].equals(without.tables["bars"])


def test_surprises_can_be_read_off_the_filings(market):
    """The truth of drift jumps where and as far as the rows say."""
    rows = market.tables["summary"].sort("Code", "DiscDate", "DiscTime", "DiscNo")
    guided = pl.coalesce("NxFOP", "FOP").shift(1).over("Code")
    quarter = pl.col("CurPerType").replace_strict({"1Q": 1, "2Q": 2, "3Q": 3, "FY": 4})
    share = pl.when(pl.col("OP").is_null()).then(1.0).otherwise(quarter / 4)
    due = guided * share
    rows = rows.with_columns(surprise=(pl.coalesce("OP", "FOP") - due) / due.abs(), guided=guided)
    once = rows.filter(pl.len().over("Code", "DiscDate") == 1).drop_nulls("surprise")
    first_after = pl.col("DiscTime") < "15:00:00"
    drift = market.truth.filter(pl.col("part") == "drift")
    fresh = pl.col("expected_1d") - np.exp(-1 / 12) * pl.col("expected_1d").shift(1)
    drift = drift.with_columns(fresh=fresh.over("code"))
    same_day = once.filter(first_after).join(
        drift, left_on=["DiscDate", "Code"], right_on=["date", "code"]
    )
    # A correction repeats the actual figures and moves nothing.
    news = same_day.filter(pl.col("fresh").abs() > 1e-9)
    assert len(news) > 500
    assert np.corrcoef(news["surprise"], news["fresh"])[0, 1] > 0.9


# --- no truth, no prediction


def test_without_parts_nothing_is_expected(silent):
    assert silent.market.truth.select(pl.col("^expected.*$").abs().max()).row(0) == (0, 0, 0, 0)


def test_without_parts_returns_are_not_correlated_over_time(silent):
    moves = centred(silent.close[1:] / silent.close[:-1] - 1)
    for lag in (1, 2, 3, 5):
        both = ~np.isnan(moves[lag:]) & ~np.isnan(moves[:-lag])
        assert abs(np.corrcoef(moves[lag:][both], moves[:-lag][both])[0, 1]) < 0.015


@pytest.mark.parametrize("horizon", [1, 20])
@pytest.mark.parametrize("guess", ["last week", "last month", "volatility", "volume", "code"])
def test_without_parts_nothing_ranks_returns(silent, guess, horizon):
    close = silent.close
    past = {1: None}
    for back in (5, 20):
        past[back] = np.full(close.shape, np.nan)
        past[back][back:] = close[back:] / close[:-back] - 1
    quadratic = np.nan_to_num(np.diff(np.log(close), axis=0, prepend=np.nan)) ** 2
    variance = np.full(close.shape, np.nan)
    variance[60:] = np.cumsum(quadratic, axis=0)[60:] - np.cumsum(quadratic, axis=0)[:-60]
    guesses = {
        "last week": past[5],
        "last month": past[20],
        "volatility": variance,
        "volume": silent["Vo"],
        "code": np.broadcast_to(np.arange(close.shape[1], dtype=float), close.shape),
    }
    found = daily_rank_ic(guesses[guess], silent.label(horizon))
    assert abs(found.mean()) < 3.5 * found.std() / np.sqrt(len(found) / (horizon + 1))


# --- the vendor's tables


@pytest.mark.parametrize("dataset", sorted(ANSWERS))
def test_a_table_has_the_vendors_fields_and_keys(market, dataset):
    rows = market.tables[dataset]
    assert dict(rows.schema) == DATASETS[dataset].schema
    keys = DATASETS[dataset].order
    assert rows.select(keys).is_unique().all()
    assert rows[keys[0]].is_sorted()
    assert not rows.select(DATASETS[dataset].filled).null_count().sum_horizontal().item()


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    once, again = (simulation.simulate(**SHORT, parts={"cycle": 10}) for _ in range(2))
    for name, rows in once.tables.items():
        assert_frame_equal(rows, again.tables[name], check_exact=True)
    assert_frame_equal(once.truth, again.truth, check_exact=True)
    other = simulation.simulate(**SHORT | {"seed": 3}, parts={"cycle": 10})
    assert not once.tables["bars"].equals(other.tables["bars"])


def test_the_calendar_knows_the_outage_as_open_and_holidays_with_derivatives(market):
    kinds = dict(market.tables["calendar"].iter_rows())
    assert len(kinds) == (LONG["end"] - LONG["start"] + simulation.CALENDAR).days + 1
    assert kinds[dt.date(2020, 10, 1)] == "1"
    assert kinds[dt.date(2019, 12, 31)] == kinds[dt.date(2022, 1, 10)] == "0"
    assert kinds[dt.date(2022, 9, 23)] == kinds[dt.date(2022, 11, 3)] == "3"
    assert kinds[dt.date(2022, 9, 24)] == "0"


def test_bars_are_whole_or_absent_and_in_order(market):
    bars = market.tables["bars"]
    fields = ["O", "H", "L", "C", "Vo", "Va"]
    empty = bars.select(pl.sum_horizontal(pl.col(fields).is_null()))["O"]
    assert set(empty.unique()) == {0, len(fields)}
    traded = bars.drop_nulls("C")
    low, high, volume, value = (traded[field] for field in ("L", "H", "Vo", "Va"))
    assert (low > 0).all()
    assert (low <= traded.select(pl.min_horizontal("O", "C")).to_series()).all()
    assert (high >= traded.select(pl.max_horizontal("O", "C")).to_series()).all()
    assert (volume >= 100).all() and (volume % 100 == 0).all()
    assert value.is_between(volume * low - 1, volume * high + 1).all()
    silent = bars.filter(pl.col("C").is_null())
    assert silent.select((pl.col("UL") == "0").all(), (pl.col("LL") == "0").all()).row(0) == (
        True,
        True,
    )


def test_no_price_leaves_the_daily_limits_and_flags_mark_the_edge(market):
    bars = market.tables["bars"].sort("Code", "Date")
    factor = pl.col("AdjFactor").cum_prod()
    base = (pl.col("C") / factor).forward_fill().shift(1) * factor
    bars = bars.with_columns(base=base.over("Code")).drop_nulls(["base", "C"])
    limit = pl.Series(daily_limit(bars["base"])) * (1 + 1e-5)
    assert (bars["H"] <= bars["base"] + limit).all()
    assert (bars["L"] >= bars["base"] - limit).all()
    near = bars["H"] > bars["base"] + limit * 0.95
    assert bars.filter(near)["UL"].eq("1").mean() > 0.8
    assert bars.filter(~near)["UL"].eq("0").all()
    assert bars["UL"].eq("1").sum() > 20 and bars["LL"].eq("1").sum() > 20


def test_a_price_held_back_by_the_limit_goes_on_the_next_day(silent):
    """Without parts the next open continues in the direction of the limit, on average."""
    opens = silent["O"] / np.cumprod(np.nan_to_num(silent["AdjFactor"], nan=1.0), axis=0)
    gap = opens[1:] / silent.close[:-1] - 1
    held = (silent["UL"] == 1)[:-1] & (silent["H"] == silent["C"])[:-1]
    assert np.nanmean(gap[held]) > 0.01


def test_on_the_outage_no_stock_trades_and_the_index_stands_still(market):
    outage = pl.col("Date") == dt.date(2020, 10, 1)
    bars = market.tables["bars"].filter(outage)
    assert len(bars) > 300 and bars["C"].null_count() == len(bars)
    before = market.tables["topix"].filter(pl.col("Date") == dt.date(2020, 9, 30))["C"].item()
    assert market.tables["topix"].filter(outage).row(0)[1:] == (before,) * 4


def test_illiquid_stocks_miss_sessions(market):
    share = market.tables["bars"].group_by("Code").agg(pl.col("C").is_null().mean())["C"]
    assert (share > 0.05).sum() >= 5
    assert share.median() < 0.005


def test_adjusted_returns_do_not_jump_on_ex_dates(dense):
    """The largest move on an ex-date would be the smallest of factors, 1:1.2, if left in."""
    moves = np.abs(dense.close[1:] / dense.close[:-1] - 1)
    ex = dense["AdjFactor"][1:] != 1
    ex &= ~np.isnan(moves)
    assert ex.sum() > 20
    assert np.median(moves[ex]) < 2 * np.median(moves[~np.isnan(moves)])
    raw = np.abs(dense["C"][1:] / dense["C"][:-1] - 1)
    assert np.median(raw[ex]) > 0.3


def test_corporate_actions_are_of_all_kinds(market):
    acted = market.tables["bars"].filter(pl.col("AdjFactor") != 1)
    assert acted.filter(pl.col("ExRT") == "1")["AdjFactor"].max() < 0.9
    assert 0.333333 in acted["AdjFactor"].to_list()
    assert acted.filter(pl.col("ExRT") == "2")["AdjFactor"].min() >= 5
    assert acted.filter(pl.col("ExRT") == "3")["AdjFactor"].is_between(0.9, 1).all()
    assert set(acted["ExRT"]) == {"1", "2", "3"}
    assert market.tables["bars"].filter(pl.col("AdjFactor") == 1)["ExRT"].is_null().all()


def test_the_list_holds_letters_all_sectors_and_issues_that_are_not_common_stock(market):
    master = market.tables["master"]
    codes = master["Code"].unique()
    assert codes.str.len_chars().unique().to_list() == [5]
    assert codes.str.contains("[A-Z]").any()
    assert set(master["S33"]) == {row[0] for row in SECTORS}
    assert set(master["ProdCat"]) == {"011", "013", "014", "021"}
    assert master.filter((pl.col("ProdCat") == "011") & ~pl.col("Code").str.ends_with("0")).height
    assert master.filter(pl.col("Mkt") == "0105").height
    assert set(master.filter(pl.col("ProdCat") == "014")["Mkt"]) == {"0109"}


def test_segments_change_names_with_the_reform(market):
    reform = dt.date(2022, 4, 4)
    segments = (
        market.tables["master"].group_by(pl.col("Date") >= reform).agg(pl.col("Mkt").unique())
    )
    found = {new: set(codes) for new, codes in segments.iter_rows()}
    assert found[False] == {"0101", "0102", "0104", "0105", "0106", "0107", "0109"}
    assert found[True] == {"0105", "0109", "0111", "0112", "0113"}


def test_lists_tell_small_stocks_apart_from_the_day_on_which_the_vendor_does():
    early = SHORT | {"start": dt.date(2018, 7, 2), "end": dt.date(2018, 12, 28)}
    master = simulation.simulate(**early, parts={}, datasets=["master"]).tables["master"]
    told_apart = pl.col("Date") >= dt.date(2018, 8, 31)
    names = master.group_by(told_apart).agg(pl.col("ScaleCat").unique())
    found = {late: {name[6:] for name in scales} for late, scales in names.iter_rows()}
    assert found[True] - found[False] == {"Small 1"} and "Small 2" in found[False]


def test_stocks_come_and_go_while_their_number_stays(market):
    daily = market.tables["master"].group_by("Date", maintain_order=True).agg("Code")
    first, last = set(daily["Code"][0]), set(daily["Code"][-1])
    assert 10 < len(last - first) < 60 and 10 < len(first - last) < 60
    assert daily["Code"].list.len().is_between(LONG["stocks"] * 0.9, LONG["stocks"] * 1.1).all()


def test_bars_and_list_name_the_same_issues(market):
    assert_frame_equal(
        market.tables["bars"].select("Date", "Code"), market.tables["master"].select("Date", "Code")
    )


# --- filings


@pytest.fixture(scope="module")
def summary(market):
    return market.tables["summary"]


def test_companies_report_four_times_a_year_some_weeks_after_the_period(summary):
    reports = summary.filter(pl.col("DocType").str.contains("Statements"))
    wait = (reports["DiscDate"] - reports["CurPerEn"]).dt.total_days()
    assert wait.median() == pytest.approx(40, abs=4)
    assert wait.quantile(0.95) < 52
    march = reports.filter(pl.col("CurFYEn").dt.month() == 3)
    assert 0.5 < len(march) / len(reports) < 0.75
    assert len(reports) / (3.5 * LONG["stocks"]) == pytest.approx(4, abs=0.4)


def test_filings_come_at_all_times_of_day(summary):
    times = summary["DiscTime"].value_counts(normalize=True)
    share = dict(times.iter_rows())
    assert {"11:30:00", "12:00:00", "13:00:00", "14:00:00"} <= share.keys()
    assert share["15:00:00"] > 0.2
    assert sum(part for time, part in share.items() if time > "15:00:00") > 0.2


def test_filings_are_of_all_kinds(summary):
    kinds = set(summary["DocType"])
    assert {
        "FYFinancialStatements_Consolidated_JP",
        "1QFinancialStatements_Consolidated_IFRS",
        "3QFinancialStatements_NonConsolidated_JP",
        "EarnForecastRevision",
    } <= kinds
    assert summary.filter(pl.col("DocType").str.contains("IFRS"))["OdP"].null_count() > 0
    assert summary.filter(pl.col("DocType").str.contains("IFRS"))["OdP"].is_null().all()
    assert (summary.group_by("Code", "DiscDate").len()["len"] > 1).sum() > 10
    periods = summary.filter(pl.col("OP").is_not_null()).group_by("Code", "CurPerEn")
    assert (periods.agg(pl.col("DiscDate").n_unique())["DiscDate"] > 1).sum() > 10


def test_guidance_stands_in_the_fields_of_its_year(summary):
    final = pl.col("DocType").str.starts_with("FYFin")
    assert summary.filter(final).select(
        pl.col("NxFOP").is_null().any(), pl.col("FOP").is_null().all()
    ).row(0) == (False, True)
    assert summary.filter(~final).select(
        pl.col("FOP").is_null().any(), pl.col("NxFOP").is_null().all()
    ).row(0) == (False, True)
    revision = summary.filter(pl.col("DocType") == "EarnForecastRevision")
    assert revision["OP"].is_null().all() and revision["ShOutFY"].is_null().all()


def test_share_counts_follow_splits(market, summary):
    split = market.tables["bars"].filter(pl.col("AdjFactor") == 0.5).select("Date", "Code")
    shares = summary.drop_nulls("ShOutFY").select("Code", "DiscDate", "ShOutFY").sort("DiscDate")
    split = split.sort("Date")
    same = {"left_on": "Date", "right_on": "DiscDate", "by": "Code", "check_sortedness": False}
    before = split.join_asof(shares, **same, allow_exact_matches=False)
    after = split.join_asof(shares, **same, strategy="forward")
    ratio = (after["ShOutFY"] / before["ShOutFY"]).drop_nulls()
    assert len(ratio) > 5
    assert ratio.median() == pytest.approx(2, rel=1e-4)


# --- the whole market


def test_the_index_follows_the_stocks(market, dense):
    index = market.tables["topix"]["C"].to_numpy()
    stocks = np.nanmean(dense.close[1:] / dense.close[:-1] - 1, axis=1)
    both = ~np.isnan(stocks)
    assert np.corrcoef(index[1:][both] / index[:-1][both] - 1, stocks[both])[0, 1] > 0.85
    topix = market.tables["topix"]
    assert topix.select((pl.col("H") >= pl.max_horizontal("O", "C")).all()).item()
    assert topix.select((pl.col("L") <= pl.min_horizontal("O", "C")).all()).item()


def test_returns_have_a_realistic_size(silent):
    moves = silent.close[1:] / silent.close[:-1] - 1
    assert 0.009 < np.nanstd(np.nanmean(moves[~np.isnan(moves).all(axis=1)], axis=1)) < 0.014
    assert 0.019 < np.nanmedian(np.nanstd(moves, axis=0)) < 0.026
    kurtosis = np.nanmean((moves - np.nanmean(moves)) ** 4) / np.nanvar(moves) ** 2
    assert 4 < kurtosis < 15


def test_flows_are_published_on_the_fourth_business_day_of_the_next_week(market):
    flows, days = market.tables["investor_types"], market.tables["topix"]["Date"].to_numpy()
    first = flows.unique(["StDate", "Section"], keep="first", maintain_order=True)
    friday = first["StDate"].dt.truncate("1w").dt.offset_by("4d").to_numpy()
    nth = np.searchsorted(days, first["PubDate"]) - np.searchsorted(days, friday, side="right")
    assert set(nth) == {3}
    assert len(flows) > len(first)


def test_flows_add_up(market):
    flows = market.tables["investor_types"]
    investors = [name for name in GROUPS if name not in ("Prop", "Brk", "Tot")]
    for side in ("Sell", "Buy"):
        total = flows.select(pl.sum_horizontal(name + side for name in investors)).to_series()
        assert (total - flows["Brk" + side]).abs().max() <= 10
        assert (flows["Prop" + side] + flows["Brk" + side] - flows["Tot" + side]).abs().max() <= 3
    assert (flows["FrgnBuy"] - flows["FrgnSell"]).equals(flows["FrgnBal"], check_names=False)
    assert {"TSE1st", "TSEPrime", "TokyoNagoya"} <= set(flows["Section"])


# --- refusals


def test_an_unknown_part_is_named():
    with pytest.raises(errors.UserError, match="momentum"):
        simulation.simulate(**SHORT, parts={"momentum": 10})


def test_too_short_a_time_is_refused():
    with pytest.raises(errors.UserError, match="70 sessions"):
        simulation.simulate(**SHORT | {"end": dt.date(2021, 2, 1)}, parts={})
