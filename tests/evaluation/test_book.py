"""Books against a ledger kept by hand, and what cannot be traded."""

import dataclasses

import numpy as np
import pytest
from gogooku.evaluation import book, portfolio
from gogooku.evaluation.market import Market
from helpers import judged, panels
from hypothesis import given, settings
from hypothesis import strategies as st

NAN = np.nan
CODES = list("ABCDE")
SESSIONS = panels.weekdays(8)

# Raw closes. A is halted for two sessions; B splits two for one on the fifth; C closes at its upper
# limit (500 + 100) on the third, D at its (240 + 80) on the sixth, after which it leaves the lists.
CLOSE = np.array([
    [1000, 2000, 500, 200, 100],
    [1000, 2000, 500, 200, 100],
    [1000, 2000, 600, 210, 100],
    [NAN,  2000, 600, 250,  90],
    [NAN,  1000, 600, 240,  80],
    [ 750, 1000, 600, 320,  80],
    [ 750, 1010, 600, NAN,  80],
    [ 750, 1010, 600, NAN,  80],
])  # fmt: skip
FACTOR = np.ones(CLOSE.shape)
FACTOR[4, 1] = 0.5
# By day: the highest prediction is bought and the lowest sold short, at the next session's close.
PREDICTION = np.array([
    [5, 4, 3, 1, 2],  # long A, short D
    [4, 3, 5, 2, 1],  # long C, short E
    [4, 5, 3, 1, 2],  # long B, short D
    [4, 5, 3, 2, 1],  # long B, short E
    [NAN] * 5,
    [NAN] * 5,
    [NAN] * 5,
])  # fmt: skip


def hand_panel(**fields):
    rows = panels.rows(
        SESSIONS, CODES, open=CLOSE, high=CLOSE, low=CLOSE, close=CLOSE, volume=1e4, value=1e8,
        factor=FACTOR, volume_factor=FACTOR, **fields,
    )  # fmt: skip
    return panels.of(rows.filter(~((rows["code"] == "D") & (rows["date"] >= SESSIONS[6].item()))))


def hand_market(entry="next_close", delisting=-0.5, days=SESSIONS[:7]):
    return Market.of(hand_panel(), days, np.array(CODES), entry, delisting)


COSTS = portfolio.Costs(**judged.COSTS)


def hand_book(**changes):
    target = judged.long_short(PREDICTION, 5)
    return portfolio.trade(target, hand_market(), 2, COSTS._replace(**changes))


def test_the_book_is_the_ledger_kept_by_hand():
    # A leg is 1,000,000 yen, a sleeve of two sessions 500,000.
    # 2nd: buys 500 A at 1,000, sells 2,500 D at 200. To the next close D 200 → 210: −25,000.
    # 3rd: C is locked and not bought; sells 5,000 E at 100. D → 250: −100,000, E → 90: +50,000.
    # 4th: A does not trade and waits. Buys 250 B at 2,000. Of D 2,500 leave and 2,000 enter: buys
    #      500 at 250. D → 240: +20,000, 5,000 E → 80: +50,000; the split of B changes nothing.
    # 5th: A waits. Buys 500 B at 1,000. Of E 5,000 leave and 6,250 enter: sells 1,250 at 80.
    #      A resumes at 750: 500 × −250 = −125,000. D → 320: 2,000 × −80 = −160,000.
    # 6th: sells 500 A at 750 and the older 500 B at 1,000. D is locked and cannot be bought back:
    #      it leaves the lists and is settled at 160: +320,000. The other 500 B → 1,010: +5,000.
    # 7th: sells 500 B at 1,010, buys back 6,250 E at 80: the book is empty.
    yen = np.array([-25_000, -50_000, 70_000, -285_000, 325_000, 0, NAN])
    traded = np.array([1_000_000, 500_000, 625_000, 600_000, 875_000, 1_005_000, NAN])
    known = hand_book()
    np.testing.assert_allclose(known.gross * 1e6, yen, atol=1e-6)
    np.testing.assert_allclose(known.turnover * 1e6, traded, atol=1e-6)


def test_costs_are_those_of_the_ledger_and_the_dearer_counts():
    traded = np.array([1_000_000, 500_000, 625_000, 600_000, 875_000, 1_005_000, NAN])
    short = np.array([500_000, 1_025_000, 950_000, 980_000, 1_140_000, 0, NAN])
    cheap = hand_book(cost=10, half_spread=[(0, 9), (10**8, 3)], borrow=24.5)
    np.testing.assert_allclose(cheap.flat * 1e6, traded * 10e-4, atol=1e-6)
    # 3 bp of what is traded, and a thousandth of what is short a session: 24.5 % in 245.
    np.testing.assert_allclose(cheap.detailed * 1e6, traded * 3e-4 + short / 1000, atol=1e-6)
    assert cheap.dearer == "detailed"
    np.testing.assert_allclose(cheap.net, cheap.gross - cheap.detailed)
    flat = hand_book(cost=100)
    assert flat.dearer == "flat"
    np.testing.assert_allclose(flat.net, flat.gross - flat.flat)


def test_impact_is_the_square_root_law_up_to_a_days_value():
    market = dataclasses.replace(
        hand_market(), volatility=np.full((7, 5), 0.02), value=np.full((7, 5), 4e6)
    )
    target = judged.long_short(PREDICTION[:1], 5)
    target = np.vstack([target, np.zeros((6, 5))])
    book_of = portfolio.trade(target, market, 1, COSTS._replace(half_spread=[(0, 0)], impact=1))
    # 100 million yen of a stock that trades 4 million: the whole day's volatility, of both legs.
    assert book_of.detailed[0] == pytest.approx(0.02 * 2)
    small = COSTS._replace(half_spread=[(0, 0)], impact=1, capital=1e6)
    book_of = portfolio.trade(target, market, 1, small)
    # One million is a quarter of the day: half of its volatility.
    assert book_of.detailed[0] == pytest.approx(0.02 * 0.5 * 2)


def test_the_capacity_is_the_capital_at_which_orders_keep_to_the_participation():
    # Every order is a leg, of stocks that trade 1e8 a day: at 1 % a leg of 1e6 yen; the largest,
    # which closes D at 210 after it was sold at 200, is more than a tenth of all.
    target = np.vstack([judged.long_short(PREDICTION[:1], 5), np.zeros((6, 5))])
    known = portfolio.trade(target, hand_market(), 1, COSTS._replace(participation=1))
    assert known.capacity == pytest.approx(1e6 / 1.05)


def test_a_halt_costs_what_it_costs():
    # Held at 100, two sessions without a trade, then 60: the field's own case.
    close = np.array(
        [[100.0] * 5] * 2 + [[NAN, 101, 100, 100, 99]] * 2 + [[60, 102, 100, 100, 98]] * 5
    )
    panel = panels.make(close, days=panels.weekdays(9), codes=CODES)
    market = Market.of(panel, panels.weekdays(8), np.array(CODES), "next_close", 0)
    prediction = np.vstack([[5, 4, 3, 2, 1], np.full((7, 5), NAN)])
    known = portfolio.trade(judged.long_short(prediction, 2), market, 5, COSTS)
    # A fifth of the leg: half in A and B long, half in D and E short.
    assert np.nansum(known.gross) == pytest.approx((-0.40 + 0.02 + 0.0 + 0.02) / 10)


@pytest.mark.parametrize("delisting", [0.0, -0.3, 0.25])
def test_a_delisted_stock_gets_the_settings_return(delisting):
    market = hand_market(delisting=delisting)
    np.testing.assert_array_equal(market.gone[:, 3], np.arange(7) >= 5)
    assert market.price[5, 3] == pytest.approx(320 * (1 + delisting))
    assert market.returns[4, 3] == pytest.approx(delisting)


def test_a_stock_that_is_listed_to_the_end_is_not_gone():
    assert not hand_market().gone[:, [0, 1, 2, 4]].any()


def test_who_is_locked_is_judged_by_the_price_of_entry_alone():
    opens = CLOSE.copy()
    opens[2, 2] = 590.0  # C opens below its limit, and closes at it
    whole = panels.rows(
        SESSIONS, CODES, open=opens, high=CLOSE, low=CLOSE, close=CLOSE, volume=1e4, value=1e8,
    )  # fmt: skip
    at = {
        entry: Market.of(panels.of(whole), SESSIONS[:7], np.array(CODES), entry, 0)
        for entry in ("next_open", "next_close", "close")
    }
    assert at["next_open"].buyable[1, 2] and not at["next_close"].buyable[1, 2]
    assert not at["close"].buyable[2, 2]
    assert at["next_close"].sellable[1, 2]


def test_the_lower_limit_forbids_sales_alone():
    close = np.full((4, 1), 1000.0)
    close[2:] = 700.0  # the daily limit of a base of 1,000 is 300
    panel = panels.make(close, days=panels.weekdays(4), codes=["A"])
    market = Market.of(panel, panels.weekdays(3), np.array(["A"]), "next_close", 0)
    np.testing.assert_array_equal(market.sellable[:, 0], [True, False, True])
    assert market.buyable.all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 38))
def test_what_comes_later_changes_no_earlier_order(seed, row):
    close = panels.walk(60, 8, seed, holes=0.1)
    other = close.copy()
    other[row + 2 :] *= np.random.default_rng(seed).uniform(0.5, 2, other[row + 2 :].shape)
    days, codes = panels.weekdays(60)[:45], np.array([f"{1301 + i}0" for i in range(8)])
    one, two = (Market.of(panels.make(x), days, codes, "next_close", 0) for x in (close, other))
    for name in ("price", "buyable", "sellable", "gone", "value", "volatility"):
        known, again = getattr(one, name)[: row + 1], getattr(two, name)[: row + 1]
        np.testing.assert_array_equal(known, again, err_msg=name)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 5]))
def test_units_are_conserved_and_no_order_is_one_that_cannot_be(seed, horizon):
    random = np.random.default_rng(seed)
    shape = (40, 6)
    price = 100 * np.exp(np.cumsum(random.normal(0, 0.02, shape), axis=0))
    market = Market(
        price=price, buyable=random.random(shape) < 0.8, sellable=random.random(shape) < 0.8,
        gone=np.zeros(shape, bool), value=np.full(shape, 1e8), volatility=np.full(shape, 0.02),
    )  # fmt: skip
    target = np.round(random.normal(size=shape)) * (random.random(shape) < 0.5)
    held, traded = book.positions(target, market, horizon)
    assert not np.any((traded > 0) & ~market.buyable) and not np.any(
        (traded < 0) & ~market.sellable
    )
    units = held / price
    np.testing.assert_allclose(np.diff(units, axis=0), (traded / price)[1:], atol=1e-12)
    np.testing.assert_allclose(units[0], (traded / price)[0], atol=1e-12)


def test_a_decision_after_the_last_session_meets_nobody():
    late = hand_market(days=SESSIONS)
    assert np.isnan(late.price[7]).all() and not late.buyable[7].any()
