import numpy as np
import pytest
from gogooku.evaluation import portfolio
from hypothesis import given, settings
from hypothesis import strategies as st

NAN = np.nan


@pytest.fixture
def turned():
    """Two days on which the order of four stocks is turned over."""
    prediction = np.array([[4.0, 3, 2, 1], [1, 2, 3, 4]])
    returns = np.array([[0.02, 0.0, 0.0, -0.02], [0.01, 0.01, 0.03, 0.03]])
    return portfolio.long_short(prediction, returns, horizon=1, quantiles=2)


def random_market(seed, days=30, stocks=25):
    random = np.random.default_rng(seed)
    return random.normal(size=(days, stocks)), random.normal(0, 0.02, size=(days, stocks))


def test_the_return_is_the_long_less_the_short_leg(turned):
    np.testing.assert_allclose(turned.gross, [0.02, 0.02])


def test_turnover_counts_every_purchase_and_sale(turned):
    # Entry: 1 bought, 1 sold. Then both legs, as they have drifted, against their opposites.
    np.testing.assert_allclose(turned.turnover, [2.0, 1.01 + 1.0 + 1.0 + 0.99])


def test_costs_are_paid_on_turnover(turned):
    np.testing.assert_allclose(turned.net(10), [0.02 - 0.0020, 0.02 - 0.0040])


def test_an_unchanged_book_pays_only_for_its_drift():
    prediction = np.tile([4.0, 3, 2, 1], (3, 1))
    book = portfolio.long_short(prediction, np.zeros((3, 4)), horizon=1, quantiles=2)
    np.testing.assert_allclose(book.turnover, [2, 0, 0])


def test_a_sleeve_is_a_share_of_the_book_and_is_left_alone():
    prediction = np.array([[4.0, 3, 2, 1], [NAN] * 4, [NAN] * 4])
    returns = np.array([[0.1, 0, 0, 0], [0.1, 0, 0, 0], [0.1, 0, 0, 0]])
    book = portfolio.long_short(prediction, returns, horizon=2, quantiles=2)
    np.testing.assert_allclose(book.gross[:2], [0.25 * 0.1, 0.25 * 1.1 * 0.1])
    np.testing.assert_allclose(book.turnover[:2], [1.0, 0.0])
    assert np.isnan(book.gross[2])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 7]))
def test_a_sleeve_earns_the_spread_of_its_horizon(seed, horizon):
    prediction, returns = random_market(seed)
    prediction[1:] = NAN
    book = portfolio.long_short(prediction, returns, horizon, quantiles=5)
    label = np.prod(1 + returns[:horizon], axis=0) - 1
    order = np.argsort(prediction[0])
    spread = label[order[-5:]].mean() - label[order[:5]].mean()
    assert np.nansum(book.gross) * horizon == pytest.approx(spread, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 28))
def test_what_comes_later_changes_no_earlier_day(seed, day):
    prediction, returns = random_market(seed)
    other, changed = random_market(seed + 1)
    whole = portfolio.long_short(prediction, returns, 5, 5)
    prediction[day:], returns[day:] = other[day:], changed[day:]
    again = portfolio.long_short(prediction, returns, 5, 5)
    np.testing.assert_array_equal(again.gross[:day], whole.gross[:day])
    np.testing.assert_array_equal(again.turnover[:day], whole.turnover[:day])


def test_turning_the_predictions_turns_the_return():
    prediction, returns = random_market(3)
    one = portfolio.long_short(prediction, returns, 5, 5)
    other = portfolio.long_short(-prediction, returns, 5, 5)
    np.testing.assert_allclose(other.gross, -one.gross, atol=1e-15)
    np.testing.assert_allclose(other.turnover, one.turnover)


def test_long_only_is_measured_against_the_mean_of_the_predicted():
    prediction = np.array([[4.0, 3, 2, 1, NAN]])
    returns = np.array([[0.04, 0.02, 0.0, 0.02, 0.9]])
    book = portfolio.long_only(prediction, returns, horizon=1, quantiles=2)
    np.testing.assert_allclose(book.gross, [0.03 - 0.02])
    np.testing.assert_allclose(book.turnover, [1.0])


def test_a_held_stock_without_a_price_counts_as_unchanged():
    prediction = np.array([[4.0, 3, 2, 1]])
    book = portfolio.long_short(prediction, np.array([[NAN, 0.1, 0.0, 0.0]]), 1, 2)
    np.testing.assert_allclose(book.gross, [0.05])


def test_days_without_any_label_or_sleeve_have_no_return():
    prediction = np.array([[1.0] * 4, [4, 3, 2, 1], [4, 3, 2, 1]])
    returns = np.vstack([np.zeros((2, 4)), np.full((1, 4), NAN)])
    book = portfolio.long_short(prediction, returns, 1, 2)
    np.testing.assert_array_equal(np.isfinite(book.gross), [False, True, False])


def test_at_the_break_even_cost_nothing_is_left():
    prediction, returns = random_market(7)
    book = portfolio.long_short(prediction, returns + 0.01 * prediction, 3, 5)
    known = portfolio.statistics(book, 10, "next_close", 0.95)
    assert np.nansum(book.net(known["break_even"])) == pytest.approx(0, abs=1e-12)


def test_statistics_are_those_of_the_daily_returns():
    days = np.array([0.1, -0.5, 0.2, np.nan])
    book = portfolio.Book(days, np.array([1.0, 1.0, 1.0, np.nan]))
    known = portfolio.statistics(book, 100, "next_close", 0.95)
    assert known["gross"]["annual"] == pytest.approx(-0.2 / 3 * 245)
    assert known["gross"]["volatility"] == pytest.approx(np.std(days[:3], ddof=1) * 245**0.5)
    assert known["gross"]["drawdown"] == pytest.approx(0.5)
    assert known["net"]["annual"] == pytest.approx(known["gross"]["annual"] - 245 * 0.01)
    assert known["turnover"] == 1


def test_a_book_that_never_was_has_no_statistics():
    empty = portfolio.Book(np.full(5, NAN), np.full(5, NAN))
    known = portfolio.statistics(empty, 10, "next_close", 0.95)
    assert np.isnan([known["turnover"], known["break_even"], known["net"]["annual"]]).all()
