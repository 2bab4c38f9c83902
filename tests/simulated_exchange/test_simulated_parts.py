"""Planted parts that tables other than prices know of: strength, timing, and who can see them."""

import datetime as dt
import functools
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from helpers.dense import Dense, as_of, centred, daily_rank_ic, slope, t_statistic
from polars.testing import assert_frame_equal
from simulated_exchange.market import simulation
from simulated_exchange.market.signals import WEEKLY

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty", "ignore:Degrees of freedom")
LONG = {"seed": 5, "start": dt.date(2019, 7, 1), "end": dt.date(2022, 12, 30), "stocks": 330}
SHORT = {"seed": 2, "start": dt.date(2021, 1, 4), "end": dt.date(2021, 12, 30), "stocks": 40}
STRENGTH = {
    "short": 30, "margin": 30, "flow": 30, "option": 3, "sector": 30, "size": 30, "schedule": 30,
}  # fmt: skip
PARTS = list(STRENGTH)
SEEN = {
    "short": "short_sale", "margin": "margin_interest", "flow": "investor_types",
    "option": "options_225", "size": "valuation", "schedule": "earnings_date",
}  # fmt: skip


@functools.cache
def dense(part, strength=None):
    """A market with one part alone, and the tables that tell of it."""
    strength = STRENGTH[part] if strength is None else strength
    wanted = {"calendar", "bars", "master", *filter(None, [SEEN.get(part)])}
    made = simulation.simulate(**LONG, parts={part: strength}, datasets=sorted(wanted))
    found = Dense(SimpleNamespace(tables=dict(made.tables), truth=made.truth))
    found.shares = found.factor  # on today's basis a count of shares is multiplied by it
    return found


def section(market):
    """(T, N) market section of the list as the weekly flows name it."""
    names = {"0101": 1, "0102": 2, "0104": 3, "0106": 4, "0107": 4,
             "0111": 5, "0112": 6, "0113": 7}  # fmt: skip
    rows = market.market.tables["master"].with_columns(
        number=pl.col("Mkt").replace_strict(names, default=None, return_dtype=pl.Float64)
    )
    return market.wide(rows.filter(pl.col("Code").is_in(market.codes)), "number")


# --- what tables tell, as it becomes known


def reported(market):
    """Sum (T, N) of each reporter's newest position; one that fell below 0.5 % counts no more."""
    rows = market.market.tables["short_sale"]
    known = market.first_session("short_sale", rows)
    kept = known < len(market.days)
    rows, known = rows.filter(pl.Series(kept)), known[kept]
    reporter = rows.select(pl.struct("Code", "SSName").rank("dense"))["Code"].to_numpy() - 1
    step = np.full((len(market.days), reporter.max() + 1), np.nan)
    ratio = rows["ShrtPosToSO"].to_numpy()
    step[known, reporter] = np.where(ratio >= 0.005, ratio, 0)
    held = np.nan_to_num(as_of(step))
    home = np.zeros(held.shape[1], np.int64)
    home[reporter] = market.column(rows["Code"])
    return held @ np.eye(len(market.codes))[home]


def growth(market):
    """Growth (T, N) of margin buying between prints, in the session that first knows it."""
    rows = market.market.tables["margin_interest"].filter(pl.col("Code").is_in(market.codes))
    day = market.session(rows["Date"])
    column = market.column(rows["Code"])
    rebased = rows["LongVol"].to_numpy() * market.shares[day, column]
    rows = rows.with_columns(rebased=pl.Series(rebased)).sort("Code", "Date", "PubDate")
    change = (pl.col("rebased").log() - pl.col("rebased").log().shift(1)).over("Code")
    rows = rows.with_columns(change=change)
    known = market.first_session("margin_interest", rows)
    found = np.full((len(market.days) + 1, len(market.codes)), np.nan)
    found[known.clip(max=len(market.days)), market.column(rows["Code"])] = rows["change"]
    return np.where(np.isfinite(found), found, np.nan)[:-1]


def bought(market):
    """Foreigners' net buying of each stock's section (T, N), in the session that first knows it."""
    names = {"TSE1st": 1, "TSE2nd": 2, "TSEMothers": 3, "TSEJASDAQ": 4,
             "TSEPrime": 5, "TSEStandard": 6, "TSEGrowth": 7}  # fmt: skip
    rows = market.market.tables["investor_types"].unique(
        ["Section", "StDate"], keep="first", maintain_order=True
    )
    known = market.first_session("investor_types", rows)
    mine, found = section(market), np.full((len(market.days), len(market.codes)), np.nan)
    net = (rows["FrgnBal"] / rows["FrgnTot"]).to_list()
    for session, name, value in zip(known, rows["Section"], net, strict=True):
        if name in names and session < len(found):
            found[session, mine[max(session - 5, 0)] == names[name]] = value
    return found


def worry(market):
    """Skew (T,) of each session's chain: how implied volatility falls as strikes rise."""
    left = (pl.col("SQD") - pl.col("Date")).dt.total_days()
    rows = market.market.tables["options_225"].filter(
        (pl.col("EmMrgnTrgDiv") == "002") & (pl.col("PCDiv") == "1") & (left > 20)
    )
    rows = rows.filter(pl.col("SQD") == pl.col("SQD").min().over("Date")).select(
        "Date",
        x=(pl.col("Strike") / pl.col("UnderPx")).log() / (left / 365).sqrt(),
        y=pl.col("IV") / pl.col("BaseVol"),
    )
    rows = rows.filter(pl.col("x").abs() < 0.5)
    return np.array([
        -np.polyfit(day["x"], day["y"], 2)[1]
        for day in rows.partition_by("Date", maintain_order=True)
    ])  # fmt: skip


# --- strength


@pytest.mark.parametrize("part", PARTS)
def test_returns_follow_each_part_one_for_one(part):
    market = dense(part)
    for horizon in (1, 5):
        found = slope(market.truth(part, horizon), market.label(horizon))
        assert found == pytest.approx(1, abs=0.25 if part == "option" else 0.12)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_the_strength_asked_for(part):
    spread = np.nanstd(dense(part).truth(part, 1), axis=1)
    assert spread.mean() == pytest.approx(STRENGTH[part] / 1e4, rel=1e-6)


@pytest.mark.parametrize("part", ["short", "margin", "sector", "size", "schedule", "flow"])
def test_the_truth_ranks_returns(part):
    market = dense(part)
    assert t_statistic(daily_rank_ic(market.truth(part, 1), market.label(1))) > 8


def test_fear_is_followed_by_returns_of_the_market():
    market = dense("option")
    expected, found = (
        np.nanmean(part, axis=1) for part in (market.truth("option", 1), market.label(1))
    )
    both = ~np.isnan(found)
    assert np.polyfit(expected[both], found[both], 1)[0] == pytest.approx(1, abs=0.5)
    beta = np.nanstd(market.truth("option", 1), axis=1) / np.abs(expected)
    assert np.median(beta) == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_off_leaves_no_trace(part):
    some = {"reversal": 20, "drift": 20}
    on, off, absent = (
        simulation.simulate(**SHORT, parts=some | setting, datasets=["bars", "short_sale"])
        for setting in ({part: STRENGTH[part]}, {part: 0}, {})
    )
    assert_frame_equal(off.tables["bars"], absent.tables["bars"], check_exact=True)
    assert_frame_equal(off.truth, absent.truth, check_exact=True)
    assert part not in off.truth["part"] and part in on.truth["part"]
    others = pl.col("part").is_in(list(some))
    assert_frame_equal(on.truth.filter(others), off.truth.filter(others), check_exact=True)
    assert_frame_equal(on.tables["short_sale"], off.tables["short_sale"], check_exact=True)
    assert not on.tables["bars"].equals(off.tables["bars"])


# --- timing: the truth moves when a row becomes known, and not before


def fresh(market, part, decay):
    """What is new in the truth of each session (T, N)."""
    truth = market.truth(part, 1)
    return truth[1:] - decay * truth[:-1]


def correlation(x, y):
    both = np.isfinite(x) & np.isfinite(y)
    return np.corrcoef(x[both], y[both])[0, 1]


def test_the_truth_about_shorts_moves_in_the_session_that_first_knows_a_report():
    market = dense("short")
    moved = np.diff(reported(market), axis=0)
    new = np.diff(market.truth("short", 1), axis=0)
    assert correlation(moved, new) < -0.9
    settled = moved == 0
    assert np.nanstd(new[settled]) < 0.2 * np.nanstd(new[~settled])
    for early in (1, 2):
        assert abs(correlation(moved[early:], new[:-early])) < 0.06


def test_the_sum_of_reports_is_what_the_truth_knows():
    market = dense("short")
    late = slice(250, None)  # by then every reporter has reported anew
    ic = daily_rank_ic(reported(market)[late], -market.truth("short", 1)[late])
    assert ic.min() > 0.95


def test_the_truth_about_margin_moves_with_a_print_alone():
    market = dense("margin")
    # The first weeks follow prints from before the first day.
    new, printed = fresh(market, "margin", WEEKLY)[10:], growth(market)[11:]
    weekly = np.isfinite(printed).any(axis=1)
    assert 30 < weekly.sum() / (len(weekly) / 245) < 52
    assert np.nanmax(np.abs(new[~weekly])) < 1e-12
    assert correlation(printed, new) < -0.7


def test_the_truth_about_flows_moves_with_a_publication_alone():
    market = dense("flow")
    new, net = fresh(market, "flow", WEEKLY), bought(market)[1:]
    published = np.isfinite(net).any(axis=1)
    assert np.nanmax(np.abs(new[~published])) < 1e-12
    assert correlation(centred(net[published]), centred(new[published])) > 0.8


def test_the_truth_about_fear_is_that_of_the_chain_before():
    """Prices of options are known in the night that follows."""
    market = dense("option")
    expected, skew = np.nanmean(market.truth("option", 1), axis=1), worry(market)
    moved = [np.diff(part) for part in (expected, skew)]
    assert np.corrcoef(moved[0][1:], moved[1][:-1])[0, 1] > 0.8
    assert abs(np.corrcoef(moved[0], moved[1])[0, 1]) < 0.15


def test_returns_are_planted_before_announced_dates_alone():
    market = dense("schedule")
    rows = market.market.tables["earnings_date"]
    known = market.first_session("earnings_date", rows)
    dates = rows["SchDate"].fill_null(dt.date(9999, 12, 31)).to_numpy()
    dates = np.searchsorted(market.sessions(), dates)
    expected = np.zeros((len(market.days), len(market.codes)), bool)
    said = {}
    for session, column, key, date in sorted(
        zip(known.tolist(), market.column(rows["Code"]).tolist(),
            rows.select(pl.struct("Code", "FQName", "FYE")).to_series().to_list(),
            dates.tolist(), strict=True),
        key=lambda row: row[0],
    ):  # fmt: skip
        said.setdefault((column, *key.values()), []).append((session, date))
    for (column, *_), chain in said.items():
        for place, (session, date) in enumerate(chain):
            end = chain[place + 1][0] if place + 1 < len(chain) else date
            for now in range(max(session, date - 7), min(date - 2, end, len(expected))):
                expected[now, column] = True
    truth = market.truth("schedule", 1)
    listed = np.isfinite(truth)
    first = 60  # what was announced before the first day is not served
    agree = (truth[first:] > 0) == expected[first:]
    assert agree[listed[first:]].all()
    assert expected[first:].mean() > 0.04


# --- who can see it


def seen(part):
    market = dense(part)
    if part == "short":
        return -reported(market)
    if part == "margin":
        return -as_of(growth(market))
    if part == "flow":
        return as_of(bought(market))
    if part == "size":
        return -market.wide(
            market.market.tables["valuation"].filter(pl.col("Code").is_in(market.codes)), "MktCap"
        )
    moves = np.nan_to_num(np.diff(np.log(market.close), axis=0, prepend=np.nan))
    past = np.cumsum(moves, axis=0)
    past[10:] -= past[:-10].copy()
    home = market.market.tables["master"].unique("Code").select("Code", "S33").sort("Code")
    sector = home.filter(pl.col("Code").is_in(market.codes))["S33"].to_numpy()
    return np.stack([past[:, sector == mine].mean(axis=1) for mine in sector], axis=1)


@pytest.mark.parametrize("part", ["short", "margin", "flow", "size", "sector"])
def test_what_the_tables_tell_ranks_later_returns(part):
    ic = daily_rank_ic(seen(part), dense(part).label(1))
    assert t_statistic(ic) > 4


@pytest.mark.parametrize("part", ["short", "margin", "flow", "size"])
def test_what_the_tables_tell_ranks_nothing_when_the_part_is_off(part):
    on, off = dense(part), dense(part, 0)
    if part == "size":
        guess = -off.wide(
            off.market.tables["valuation"].filter(pl.col("Code").is_in(off.codes)), "MktCap"
        )
    else:
        guess = seen(part)  # reports, reasons and leanings are drawn without regard to the parts
    ic = daily_rank_ic(guess, off.label(1))
    assert abs(t_statistic(ic)) < 3.5
    assert on.codes == off.codes


def test_shorts_follow_the_news_of_filings():
    """A reporter that looks again gives a position up more often after good news."""
    made = simulation.simulate(
        **LONG, parts={"drift": 30}, datasets=["calendar", "bars", "short_sale"]
    )
    market = Dense(SimpleNamespace(tables=dict(made.tables), truth=made.truth))
    rows = market.market.tables["short_sale"].filter(pl.col("PrevRptRatio") >= 0.005)
    session = market.session(rows["DiscDate"]) - 2
    news = market.truth("drift", 1)[session.clip(min=0), market.column(rows["Code"])]
    given_up = (rows["ShrtPosToSO"] < 0.005).to_numpy()
    assert correlation(news, given_up) > 6 / np.sqrt(len(rows))
