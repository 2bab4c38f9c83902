import numpy as np
import pytest
from gogooku.arrays import ordered
from gogooku.arrays.ordered import Ordered
from gogooku.evaluation import portfolio
from gogooku.evaluation.market import Market
from helpers import judged
from hypothesis import given, settings
from hypothesis import strategies as st

NAN = np.nan
COSTS = portfolio.Costs(**judged.COSTS)


def market(returns):
    """A market in which all can be traded; `returns` (T, N) follow the decisions of their day."""
    price = 100 * np.vstack([np.ones(np.shape(returns)[1]), np.cumprod(1 + returns, axis=0)])
    every = np.ones(price.shape, bool)
    return Market(price, every, every, ~every, 1e8 * every, 0.02 * every)


def traded(prediction, returns, horizon, quantiles):
    """The long–short book of predictions (T, N) and the returns that follow each, and no more."""
    target = judged.long_short(prediction, quantiles)
    rest = np.zeros((len(returns) + 1 - len(target), target.shape[1]))
    return portfolio.trade(np.vstack([target, rest]), market(returns), horizon, COSTS)


@pytest.fixture
def turned():
    """Two days on which the order of four stocks is turned over, and one to sell all."""
    prediction = np.array([[4.0, 3, 2, 1], [1, 2, 3, 4]])
    returns = np.array([[0.02, 0.0, 0.0, -0.02], [0.01, 0.01, 0.03, 0.03], [0, 0, 0, 0]])
    return traded(prediction, returns, horizon=1, quantiles=2)


def random_market(seed, days=30, stocks=25):
    random = np.random.default_rng(seed)
    return random.normal(size=(days, stocks)), random.normal(0, 0.02, size=(days, stocks))


def test_the_return_is_the_long_less_the_short_leg(turned):
    np.testing.assert_allclose(turned.gross, [0.02, 0.02, 0, NAN])


def test_turnover_counts_every_purchase_and_sale_and_the_last_ones_too(turned):
    # Entry: 1 bought, 1 sold. Then both legs, as they have drifted, against their opposites.
    np.testing.assert_allclose(turned.turnover, [2.0, 1.01 + 1.0 + 1.0 + 0.99, 2.04, NAN])


def test_costs_are_paid_on_turnover(turned):
    np.testing.assert_allclose(turned.net[:2], [0.02 - 0.0020, 0.02 - 0.0040])


def test_an_unchanged_book_pays_only_for_its_drift():
    book = traded(np.tile([4.0, 3, 2, 1], (3, 1)), np.zeros((4, 4)), 1, 2)
    np.testing.assert_allclose(book.turnover[:3], [2, 0, 0])


def test_a_sleeve_is_a_share_of_the_book_and_is_left_alone():
    returns = np.array([[0.1, 0, 0, 0], [0.1, 0, 0, 0], [0.1, 0, 0, 0]])
    book = traded([[4.0, 3, 2, 1]], returns, horizon=2, quantiles=2)
    np.testing.assert_allclose(book.gross[:3], [0.25 * 0.1, 0.25 * 1.1 * 0.1, 0])
    np.testing.assert_allclose(book.turnover[:3], [1.0, 0.0, 0.25 * 1.21 + 0.75])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 7]))
def test_a_sleeve_earns_the_spread_of_its_horizon(seed, horizon):
    prediction, returns = random_market(seed)
    book = traded(prediction[:1], returns, horizon, quantiles=5)
    label = np.prod(1 + returns[:horizon], axis=0) - 1
    order = np.argsort(prediction[0])
    spread = label[order[-5:]].mean() - label[order[:5]].mean()
    assert np.nansum(book.gross) * horizon == pytest.approx(spread, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 28))
def test_what_comes_later_changes_no_earlier_day(seed, day):
    prediction, returns = random_market(seed)
    other, changed = random_market(seed + 1)
    whole = traded(prediction, returns, 5, 5)
    prediction[day:], returns[day:] = other[day:], changed[day:]
    again = traded(prediction, returns, 5, 5)
    np.testing.assert_array_equal(again.gross[:day], whole.gross[:day])
    np.testing.assert_array_equal(again.turnover[:day], whole.turnover[:day])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3]))
def test_the_book_is_a_ledger_of_sleeves(seed, horizon):
    prediction, returns = random_market(seed)
    book = traded(prediction, returns, horizon, 5)
    sleeves, gross, turnover = [], [], []
    for scores, gains in zip(prediction, returns, strict=True):
        order, sleeve = np.argsort(scores), np.zeros(25)
        sleeve[order[-5:]], sleeve[order[:5]] = 1 / 5 / horizon, -1 / 5 / horizon
        leaving = sleeves.pop(0) if len(sleeves) == horizon else np.zeros(25)
        sleeves.append(sleeve)
        turnover.append(np.abs(sleeve - leaving).sum())
        gross.append(sum(one @ gains for one in sleeves))
        sleeves = [one * (1 + gains) for one in sleeves]
    np.testing.assert_allclose(book.gross[:-1], gross, atol=1e-12)
    np.testing.assert_allclose(book.turnover[:-1], turnover, atol=1e-12)


def test_turning_the_predictions_turns_the_return():
    prediction, returns = random_market(3)
    one, other = traded(prediction, returns, 5, 5), traded(-prediction, returns, 5, 5)
    np.testing.assert_allclose(other.gross, -one.gross, atol=1e-15)
    np.testing.assert_allclose(other.turnover, one.turnover)


def test_a_book_held_every_tenth_day_is_judged_over_all_its_days():
    random = np.random.default_rng(0)
    days = np.arange(0, 1000, 10)
    prediction, returns = np.zeros((1000, 100)), random.normal(0, 0.02, (1001, 100))
    prediction[days] = random.normal(size=(100, 100))
    returns[days] += 0.002 * prediction[days]
    book = traded(prediction, returns, 1, 10)
    known = portfolio.statistics(book, "next_close", 0.95)
    # From the first entry to the last exit: 991 decisions and the session that sells.
    assert np.isfinite(book.gross).sum() == 992
    assert known["gross"]["annual"] == pytest.approx(np.nansum(book.gross) / 992 * 245)
    assert known["turnover"] == pytest.approx(np.nansum(book.turnover) / 992)
    assert np.nansum(book.turnover) == pytest.approx(400, rel=0.01)  # 100 entries and 100 exits
    every = np.zeros(992)
    every[days] = book.gross[days]
    plain = every.mean() / every.std() * np.sqrt(245)
    assert known["gross"]["sharpe"].mean == pytest.approx(plain)


def test_long_only_is_measured_against_the_mean_of_the_predicted():
    prediction = np.array([[4.0, 3, 2, 1, NAN], [NAN] * 5])
    surroundings = market(np.array([[0.04, 0.02, 0.0, 0.02, 0.9]]))
    target, _ = ordered.legs(Ordered.of(prediction), 2)
    mean = portfolio.mean_of_predicted(prediction, surroundings)
    book = portfolio.trade(target, surroundings, 1, COSTS).against(mean)
    np.testing.assert_allclose(book.gross, [0.03 - 0.02, NAN])
    np.testing.assert_allclose(book.turnover, [1.0, NAN])


def test_neutral_weights_have_no_sector_and_no_size():
    random = np.random.default_rng(5)
    sector = random.integers(0, 4, (10, 60))
    size = random.normal(size=(10, 60)) + sector
    prediction = random.normal(size=(10, 60)) + sector + 0.5 * size
    prediction[:, :7] = NAN
    size[:, 7], sector[:, 8] = NAN, -1
    weights = portfolio.neutral(Ordered.of(prediction), sector, size)
    assert not weights[:, :9].any()
    np.testing.assert_allclose(np.nansum(weights * size, axis=1), 0, atol=1e-12)
    for number in range(4):
        np.testing.assert_allclose((weights * (sector == number)).sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.maximum(weights, 0).sum(axis=1), 1)
    rest = np.corrcoef(weights[0, 9:], prediction[0, 9:])[0, 1]
    assert rest > 0.3


def test_a_day_with_one_stock_a_sector_has_no_neutral_book():
    weights = portfolio.neutral(
        Ordered.of(np.arange(4.0)[None]), np.arange(4)[None], np.ones((1, 4))
    )
    assert not weights.any()


def test_at_the_break_even_cost_nothing_is_left():
    prediction, returns = random_market(7)
    book = traded(prediction, returns + 0.01 * prediction, 3, 5)
    known = portfolio.statistics(book, "next_close", 0.95)
    left = book.gross - book.turnover * known["break_even"] * 1e-4
    assert np.nansum(left) == pytest.approx(0, abs=1e-12)


def book_of(gross, turnover):
    flat = np.array(turnover) * 0.01
    return portfolio.Book(np.array(gross), np.array(turnover), flat, flat / 2, 0 * flat, 1e6)


def test_statistics_are_those_of_the_daily_returns():
    days = np.array([0.1, -0.5, 0.2, NAN])
    known = portfolio.statistics(book_of(days, [1.0, 1.0, 1.0, NAN]), "next_close", 0.95)
    assert known["gross"]["annual"] == pytest.approx(-0.2 / 3 * 245)
    assert known["gross"]["volatility"] == pytest.approx(np.std(days[:3], ddof=1) * 245**0.5)
    assert known["gross"]["drawdown"] == pytest.approx(0.5)
    assert known["net"]["annual"] == pytest.approx(known["gross"]["annual"] - 245 * 0.01)
    assert known["turnover"] == 1 and known["dearer"] == "flat"
    assert known["flat"] == pytest.approx(2.45) and known["detailed"] == pytest.approx(1.225)


def test_a_book_that_never_was_has_no_statistics():
    known = portfolio.statistics(book_of([NAN] * 5, [NAN] * 5), "next_close", 0.95)
    assert np.isnan([known["turnover"], known["break_even"], known["net"]["annual"]]).all()


def test_a_book_that_earns_nothing_but_rounding_has_no_sharpe_ratio():
    rounding = 1e-19 * np.random.default_rng(0).normal(size=300)
    known = portfolio.statistics(book_of(rounding, np.ones(300)), "next_close", 0.95)
    assert np.isnan(known["gross"]["sharpe"].mean)
    known = portfolio.statistics(book_of(np.full(300, 1e-3), np.ones(300)), "next_close", 0.95)
    assert np.isnan(known["gross"]["sharpe"].mean)
