"""Options tell what a chain tells that was public, by formulas that stand on their own."""

import datetime as dt
import logging
import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import polars as pl
import pytest
from gogooku import calendar
from gogooku.families import FAMILIES
from gogooku.features import option
from gogooku.raw.catalogue import DATASETS
from helpers.family_inputs import inputs_of
from helpers.panels import make, weekdays
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

CLOSES = [calendar.Close("15:00", since=dt.date(1900, 1, 1))]
NAMES = {column.name for column in option.COLUMNS}
KINDS = {
    name: DATASETS["options_225"].schema[name] for name in FAMILIES["option"]["options_225"].fields
}
DAY = dt.date(2021, 6, 1)
LEVEL = 30_000.0


def contract(put, strike, expiry, day=DAY, **fields):
    """One row of a chain; `expiry` counts days from `day`."""
    columns = {
        "Date": day, "Code": f"{expiry:03d}{strike:06.0f}{1 + (not put)}", "EmMrgnTrgDiv": "002",
        "PCDiv": "1" if put else "2", "Strike": float(strike), "SQD": day + dt.timedelta(expiry),
        "Vo": 0.0, "OI": 0.0, "Va": 0.0, "UnderPx": LEVEL, "IV": 20.0, "IR": 0.0,
    }  # fmt: skip
    return columns | fields


def stamped(rows, night="27h"):
    """Rows known at 03:00 of the next day, or at another time after midnight of their own."""
    frame = pl.DataFrame(rows, schema=KINDS)
    moment = pl.col("Date").cast(pl.Datetime("us")).dt.offset_by(night).dt.offset_by("-9h")
    return frame.with_columns(known_at=moment.dt.replace_time_zone("UTC"))


def panel_of(sessions=10, first=dt.date(2021, 5, 27)):
    return make(np.full((sessions, 2), 100.0), days=weekdays(sessions, first))


def compute(panel, rows, decision="close"):
    rows = rows if isinstance(rows, pl.DataFrame) else stamped(rows)
    moments = calendar.decision_moments(panel.dates, decision, CLOSES)
    return option.compute(inputs_of(panel, moments=moments, options_225=rows))


def of_day(rows, **options):
    """What the close after DAY makes of one chain."""
    panel = panel_of(**options)
    columns = compute(panel, rows)
    day = np.searchsorted(panel.dates, np.datetime64("2021-06-02"))
    return {name: values[day] for name, values in columns.items()}


# ---- when a chain counts


def test_a_close_sees_the_chain_of_the_session_before_and_no_older_one():
    panel = panel_of()
    rows = [contract(put, 30_000, 30, Vo=10.0 + put) for put in (True, False)]
    columns = compute(panel, rows)["put_call_ratio"]
    seen = panel.dates[np.isfinite(columns)].astype(str).tolist()
    assert seen == ["2021-06-02"]
    # at seven in the evening the night's delivery is still ahead
    assert np.isfinite(compute(panel, rows, "19:00")["put_call_ratio"]).sum() == 1
    friday = [{**row, "Date": dt.date(2021, 6, 4)} for row in rows]
    columns = compute(panel, friday)["put_call_ratio"]
    assert panel.dates[np.isfinite(columns)].astype(str).tolist() == ["2021-06-07"]


def test_of_a_chain_known_by_halves_the_known_half_counts():
    panel = panel_of()
    first = stamped([contract(True, 29_000, 30, Vo=30.0), contract(False, 31_000, 30, Vo=10.0)])
    second = stamped([contract(True, 28_000, 30, Vo=70.0)], night="36h")
    late = stamped([contract(False, 32_000, 30, Vo=90.0)], night="40h")
    columns = compute(panel, pl.concat([first, second, late]))["put_call_ratio"]
    day = np.searchsorted(panel.dates, np.datetime64("2021-06-02"))
    assert columns[day] == 10.0  # the second came at noon, the last an hour after the close
    assert np.isnan(np.delete(columns, day)).all()
    assert compute(panel, first)["put_call_ratio"][day] == 3.0


def test_a_chain_served_on_its_own_day_counts_that_evening_and_until_a_newer_one():
    panel = panel_of()
    rows = stamped([contract(put, 30_000, 30, Vo=10.0 + put) for put in (True, False)], "15h")
    columns = compute(panel, rows)["put_call_ratio"]
    seen = panel.dates[np.isfinite(columns)].astype(str).tolist()
    assert seen == ["2021-06-01", "2021-06-02"]


def test_rows_of_emergency_margin_are_no_second_contract():
    rows = [contract(True, 29_000, 30, Vo=30.0), contract(False, 31_000, 30, Vo=10.0)]
    twice = [*rows, {**rows[1], "EmMrgnTrgDiv": "001", "Vo": 999.0, "IV": 99.0}]
    np.testing.assert_equal(of_day(twice), of_day(rows))


# ---- volumes and open interest


def test_volumes_and_open_interest_by_hand():
    rows = [
        contract(True, 29_000, 30, Vo=60.0, OI=100.0, Va=5e6),
        contract(True, 28_000, 60, Vo=30.0, OI=500.0),
        contract(False, 31_000, 30, Vo=45.0, OI=300.0, Va=15e6),
        contract(False, 32_000, 400, Vo=0.0, OI=None),
    ]
    columns = of_day(rows)
    assert columns["put_call_ratio"] == 2.0
    assert columns["oi_call_put_imbalance"] == pytest.approx(-300 / 900)
    assert columns["smart_money_indicator"] == 1.0  # of three traded contracts the busiest is a put


def test_without_a_trade_in_calls_there_is_no_ratio():
    columns = of_day([contract(True, 29_000, 30, Vo=60.0), contract(False, 31_000, 30)])
    assert np.isnan(columns["put_call_ratio"])
    assert columns["smart_money_indicator"] == 1.0
    columns = of_day([contract(True, 29_000, 30), contract(False, 31_000, 30)])
    assert np.isnan(columns["smart_money_indicator"]) and np.isnan(columns["oi_call_put_imbalance"])


def test_the_busiest_tenth_is_rounded_up_and_holds_ties():
    volumes = [*range(1, 9), 50, 50, 50]  # eleven traded: two busiest, and the one tied with them
    puts = [True] * 8 + [True, False, False]
    rows = [contract(put, 20_000 + 100 * i, 30, Vo=float(v))
            for i, (put, v) in enumerate(zip(puts, volumes, strict=True))]  # fmt: skip
    rows += [contract(True, 40_000 + 100 * i, 30) for i in range(30)]  # untraded count for nothing
    assert of_day(rows)["smart_money_indicator"] == pytest.approx((50 - 100) / 150)


# ---- Black's delta


def black_76(put, forward, strike, years, iv, rate):
    """Price of a European option on a forward, from the formula of 1976."""
    root = iv * math.sqrt(years)
    up = (math.log(forward / strike) + iv**2 * years / 2) / root
    n = NormalDist().cdf
    call = math.exp(-rate * years) * (forward * n(up) - strike * n(up - root))
    return call - math.exp(-rate * years) * (forward - strike) * put


@given(
    st.booleans(), st.floats(0.6, 1.6), st.floats(0.03, 2), st.floats(0.08, 0.9),
    st.floats(-0.01, 0.05),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_delta_is_the_slope_of_blacks_price(put, moneyness, years, iv, rate):
    spot = 100.0
    strike, forward = moneyness * spot, spot * math.exp(rate * years)
    smile = {"put": put, "Strike": strike, "UnderPx": spot, "years": years, "IV": iv, "rate": rate}
    delta = option.black_delta({name: np.array([value]) for name, value in smile.items()})[0]
    step = 1e-3
    high, low = (black_76(put, forward + s, strike, years, iv, rate) for s in (step, -step))
    assert delta == pytest.approx((high - low) / (2 * step), abs=1e-6)


def test_deltas_of_a_put_and_its_call_differ_by_the_discount():
    years, rate = np.full(2, 0.5), np.full(2, 0.02)
    smile = {"put": np.array([True, False]), "Strike": np.full(2, 95.0), "years": years,
             "UnderPx": np.full(2, 100.0), "IV": np.full(2, 0.2), "rate": rate}  # fmt: skip
    put, call = option.black_delta(smile)
    assert call - put == pytest.approx(math.exp(-0.01))


# ---- implied volatility


def chain(surface, expiries=(10, 38, 73), day=DAY, spacing=250, **fields):
    """A chain whose IV [percent] is surface(ln(strike/level), days)."""
    return [
        contract(put, strike, days, day, IV=surface(math.log(strike / LEVEL), days), **fields)
        for days in expiries
        for strike in range(24_000, 36_001, spacing)
        for put in (True, False)
    ]


def between(days, at):
    """IV at `days` from IVs at two expiries {days: IV}, variance being linear in time."""
    (one, low), (other, high) = sorted(at.items())
    share = (days - one) / (other - one)
    return math.sqrt(((1 - share) * low**2 * one + share * high**2 * other) / days)


def test_volatility_in_thirty_and_sixty_days_lies_between_the_neighbouring_expiries():
    level = {10: 30.0, 38: 22.0, 73: 19.0}
    columns = of_day(chain(lambda k, days: level[days] - 40 * k))
    month = between(30, {10: 0.30, 38: 0.22})
    season = between(60, {38: 0.22, 73: 0.19})
    assert columns["avg_iv"] == pytest.approx(month, rel=1e-6)
    assert columns["term_structure_slope"] == pytest.approx(season - month, rel=1e-5)


def test_before_the_first_expiry_its_volatility_holds_and_beyond_the_last_none():
    columns = of_day(chain(lambda k, days: 20.0 - 40 * k, expiries=(5, 33, 50)))
    assert columns["avg_iv"] == pytest.approx(0.20)  # the expiry in five days is too near to count
    assert np.isnan(columns["term_structure_slope"])
    columns = of_day(chain(lambda k, days: 20.0, expiries=(5, 20)))
    assert np.isnan(columns["avg_iv"])


def test_at_the_money_is_the_strike_nearest_to_the_forward_with_both_sides_mean():
    rows = [
        contract(put, strike, 30, IV=iv + put, IR=3.0)
        for strike, iv in ((29_875, 25.0), (30_000, 22.0), (30_125, 19.0))
        for put in (True, False)
    ]
    # forward = 30,000 × e^(0.03 × 30/365) = 30,074.1: the nearest strike is 30,125
    assert of_day(rows)["avg_iv"] == pytest.approx(0.195)
    flat = [{**row, "IR": 0.0} for row in rows]
    assert of_day(flat)["avg_iv"] == pytest.approx(0.225)


def test_without_a_strike_near_the_money_there_is_no_level():
    rows = [contract(put, strike, 30) for strike in (28_000, 32_000) for put in (True, False)]
    assert np.isnan(of_day(rows)["avg_iv"])


@pytest.mark.parametrize("absent", [0.0, -1.0, None])
def test_a_volatility_that_is_not_positive_is_missing(absent):
    rows = chain(lambda k, days: 20.0 - 40 * k)
    holes = [{**row, "IV": absent} if row["Strike"] == 30_000 and row["PCDiv"] == "1" else row
             for row in rows]  # fmt: skip
    assert of_day(holes)["avg_iv"] == pytest.approx(0.20)
    none = of_day([{**row, "IV": absent, "Vo": 5.0} for row in rows])
    assert np.isnan([none[n] for n in ("avg_iv", "iv_skew", "iv_dispersion")]).all()
    assert none["put_call_ratio"] == 1.0


def test_before_settlement_prices_were_published_volumes_are_known_alone():
    rows = [{**row, "IV": None, "SQD": None, "UnderPx": None, "IR": None, "Vo": 1.0}
            for row in chain(lambda k, days: 20.0)]  # fmt: skip
    columns = of_day(rows)
    assert columns["put_call_ratio"] == 1.0
    assert np.isnan([columns[n] for n in ("avg_iv", "iv_skew", "iv_dispersion")]).all()


def skew_by_hand(rows, days):
    """Difference of the wings of one expiry, strike by strike from the formula of 1976."""
    n, nearest = NormalDist().cdf, {}
    for put in (True, False):
        wing = []
        for row in rows:
            k, iv, years = row["Strike"], row["IV"] / 100, days / 365
            if (row["SQD"] - DAY).days != days or (row["PCDiv"] == "1") != put:
                continue
            up = math.log(LEVEL / k) / (iv * math.sqrt(years)) + iv * math.sqrt(years) / 2
            if (k < LEVEL) == put and k != LEVEL:
                wing.append((abs((n(-up) if put else n(up)) - 0.25), iv))
        nearest[put] = min(wing)[1]
    return nearest[True] - nearest[False]


def test_skew_is_taken_where_deltas_are_a_quarter_on_the_nearest_two_expiries():
    rows = chain(lambda k, days: 21.0 - 45 * k + 30 * k**2 - days / 50)
    expected = (skew_by_hand(rows, 10) + skew_by_hand(rows, 38)) / 2
    assert expected > 0.01
    assert of_day(rows)["iv_skew"] == pytest.approx(expected, rel=1e-5)
    # an expiry without one wing is passed over
    lame = [r for r in rows if r["PCDiv"] == "1" or (r["SQD"] - DAY).days != 10]
    expected = (skew_by_hand(rows, 38) + skew_by_hand(rows, 73)) / 2
    assert of_day(lame)["iv_skew"] == pytest.approx(expected, rel=1e-5)
    one = [r for r in rows if (r["SQD"] - DAY).days == 10]
    assert np.isnan(of_day(one)["iv_skew"])


def test_no_strike_near_a_quarter_of_delta_gives_no_skew():
    sparse = chain(lambda k, days: 12.0, expiries=(10, 38), spacing=3_000)
    assert np.isnan(of_day(sparse)["iv_skew"])


def test_dispersion_is_that_of_traded_contracts_of_the_nearest_two_expiries():
    rows = chain(lambda k, days: 20.0 - 40 * k)
    traded = [29_000, 30_000, 31_500]
    rows = [{**r, "Vo": 7.0} if r["Strike"] in traded else r for r in rows]
    ivs = [0.20 - 0.40 * math.log(strike / LEVEL) for strike in traded]
    assert of_day(rows)["iv_dispersion"] == pytest.approx(np.std(ivs), rel=1e-5)


# ---- windows


def history(sessions, seed=0, strikes=range(27_000, 33_001, 750)):
    """Random chains of `sessions` days, with holes in whole days and in single values."""
    rng, rows = np.random.default_rng(seed), []
    for day in weekdays(sessions, dt.date(2020, 1, 6)).tolist():
        if rng.random() < 0.03:
            continue
        level = float(rng.uniform(10, 40))
        for days in (4, 17, 45, 80):
            for strike in strikes:
                for put in (True, False):
                    iv = max(level + rng.normal() - 30 * math.log(strike / LEVEL), 5.0)
                    rows.append(contract(
                        put, strike, days, day, IV=iv if rng.random() < 0.95 else 0.0,
                        Vo=float(rng.poisson(3)), OI=float(rng.poisson(50)),
                        Va=float(rng.poisson(3) * 1e5), IR=float(rng.uniform(0, 1)),
                    ))  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def long():
    """Chains of 330 days, the panel of these days, and what is made of them."""
    panel = panel_of(330, dt.date(2020, 1, 6))
    rows = stamped(history(330))
    return panel, rows, compute(panel, rows)


def test_rank_is_the_share_of_a_year_below(long):
    _, _, columns = long
    level, rank = columns["avg_iv"].astype(float), columns["iv_percentile_rank"]
    for day in range(len(level)):
        window = level[max(0, day - 244) : day + 1]
        window = window[np.isfinite(window)]
        if len(window) < 164 or np.isnan(level[day]):
            assert np.isnan(rank[day])
        else:
            score = stats.percentileofscore(window, level[day], kind="mean") / 100
            assert rank[day] == pytest.approx(score, abs=1e-6)
    assert np.isfinite(rank).sum() > 140 and np.nanmin(rank) < 0.2 < 0.8 < np.nanmax(rank)


def test_momentum_sets_a_week_against_a_month(long):
    panel, rows, columns = long
    ratio = pd.Series(columns["put_call_ratio"].astype(float))
    means = [ratio.rolling(n, min_periods=fewest).mean() for n, fewest in ((5, 4), (20, 14))]
    np.testing.assert_allclose(columns["pcr_momentum"], means[0] / means[1] - 1, atol=1e-6)
    value = rows.group_by("Date", "PCDiv").agg(pl.col("Va").sum()).sort("Date")
    puts, calls = (value.filter(PCDiv=side).select("Date", "Va") for side in "12")
    both = puts.join(calls, on="Date", suffix="_call")
    days = np.searchsorted(panel.dates, both["Date"].to_numpy()) + 1
    daily = pd.Series(np.full(len(panel.dates) + 1, np.nan))
    daily[days] = ((both["Va_call"] - both["Va"]) / (both["Va_call"] + both["Va"])).to_numpy()
    means = [daily.rolling(n, min_periods=fewest).mean()[:-1] for n, fewest in ((5, 4), (20, 14))]
    np.testing.assert_allclose(columns["option_flow_momentum"], means[0] - means[1], atol=1e-6)


# ---- an oracle, row by row


def by_hand(rows, day):
    """What the close after `day` knows of the daily columns, from a list of rows."""
    chain = [row for row in rows if row["Date"] == day]
    volume = {put: sum(r["Vo"] for r in chain if (r["PCDiv"] == "1") == put) for put in (1, 0)}
    interest = {put: sum(r["OI"] for r in chain if (r["PCDiv"] == "1") == put) for put in (1, 0)}
    traded = sorted((r["Vo"] for r in chain if r["Vo"] > 0), reverse=True)
    least = traded[math.ceil(len(traded) / 10) - 1]
    busy = {put: sum(r["Vo"] for r in chain if r["Vo"] >= least and (r["PCDiv"] == "1") == put)
            for put in (1, 0)}  # fmt: skip
    quoted = [r for r in chain if r["IV"] > 0 and (r["SQD"] - day).days >= 7]
    expiries = sorted({(r["SQD"] - day).days for r in quoted})
    middle = {}
    for days in expiries:
        own = [r for r in quoted if (r["SQD"] - day).days == days]
        apart = {id(r): abs(math.log(LEVEL / r["Strike"]) + r["IR"] / 100 * days / 365)
                 for r in own}  # fmt: skip
        nearest = min(apart.values())
        ivs = [r["IV"] / 100 for r in own if apart[id(r)] == nearest]
        if nearest <= 0.05:
            middle[days] = sum(ivs) / len(ivs)
    spots = [r["IV"] / 100 for r in quoted
             if (r["SQD"] - day).days in expiries[:2] and r["Vo"] > 0]  # fmt: skip
    known = sorted(middle)
    month = between(30, {d: middle[d] for d in known[:2]})
    season = between(60, {d: middle[d] for d in known[1:3]})
    return {
        "put_call_ratio": volume[1] / volume[0],
        "oi_call_put_imbalance": (interest[0] - interest[1]) / (interest[0] + interest[1]),
        "smart_money_indicator": (busy[1] - busy[0]) / (busy[1] + busy[0]),
        "avg_iv": month,
        "term_structure_slope": season - month,
        "iv_dispersion": np.std(spots),
    }


def test_random_chains_agree_with_a_telling_row_by_row(long):
    panel, rows, columns = long
    contracts = rows.drop("known_at").to_dicts()
    checked = 0
    for session in range(20, 60):
        day = panel.dates[session - 1].item()
        if not any(row["Date"] == day for row in contracts):
            assert np.isnan(columns["put_call_ratio"][session])
            continue
        checked += 1
        for name, value in by_hand(contracts, day).items():
            assert columns[name][session] == pytest.approx(value, rel=1e-5, abs=1e-6), name
    assert checked > 30


# ---- laws


@pytest.mark.parametrize("cut", [90, 200, 310])
def test_nothing_known_later_moves_an_earlier_day(long, cut):
    panel, rows, _ = long
    late = rows.sample(500, seed=cut).with_columns(
        pl.col("known_at") + pl.duration(days=1), Vo=pl.col("Vo") + 9
    )
    rows = pl.concat([rows, late])
    moment = calendar.decision_moments(panel.dates, "close", CLOSES)[cut]
    early = rows.filter(pl.col("known_at").dt.replace_time_zone(None) <= moment)
    assert len(early) < len(rows)
    full, partial = compute(panel, rows), compute(panel, early.sample(len(early), shuffle=True))
    for name in NAMES:
        np.testing.assert_array_equal(full[name][: cut + 1], partial[name][: cut + 1], err_msg=name)


def test_a_span_with_its_look_back_equals_the_whole(long):
    panel, rows, full = long
    needs, length = FAMILIES["option"], 60
    window = slice(len(panel.dates) - length - needs["panel"].look_back, len(panel.dates))
    part = make(panel["close"][window], days=panel.dates[window])
    since = panel.dates[len(panel.dates) - length - needs["options_225"].look_back].item()
    columns = compute(part, rows.filter(pl.col("Date") >= since))
    for name in NAMES:
        np.testing.assert_array_equal(columns[name][-length:], full[name][-length:], err_msg=name)
        assert np.isfinite(columns[name][-length:]).mean() > 0.8, name


def test_the_order_of_rows_does_not_matter(long):
    panel, rows, full = long
    columns = compute(panel, rows.sample(len(rows), shuffle=True, seed=1))
    for name in NAMES:
        np.testing.assert_array_equal(columns[name], full[name], err_msg=name)


def test_no_rows_give_null_columns_and_a_warning(caplog):
    panel = panel_of()
    with caplog.at_level(logging.WARNING):
        columns = compute(panel, [])
    assert "all columns of option are null" in caplog.text
    assert set(columns) == NAMES
    assert all(v.shape == (10,) and np.isnan(v).all() for v in columns.values())
