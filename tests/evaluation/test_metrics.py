import numpy as np
import pytest
from gogooku.arrays import agreement, ordered
from gogooku.arrays.ordered import Ordered
from gogooku.evaluation import metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats


@pytest.fixture
def days():
    """Predictions and labels of 40 days and 60 stocks, with ties and holes."""
    random = np.random.default_rng(5)
    label = random.normal(size=(40, 60))
    prediction = np.round(label + random.normal(size=label.shape), 1)
    prediction[random.random(label.shape) < 0.1] = np.nan
    label[random.random(label.shape) < 0.1] = np.nan
    return prediction, label


def numbers(prediction, label, quantiles=5):
    return metrics.daily(Ordered.of(prediction), Ordered.of(label), quantiles)


def legs(prediction, quantiles):
    return ordered.legs(Ordered.of(prediction), quantiles)


def pairs(prediction, label):
    for x, y in zip(prediction, label, strict=True):
        both = np.isfinite(x) & np.isfinite(y)
        yield x[both], y[both]


def test_rank_ic_is_scipys_spearman(days):
    expected = [stats.spearmanr(x, y).statistic for x, y in pairs(*days)]
    np.testing.assert_allclose(agreement.rank_ic(*days), expected, atol=1e-12)
    np.testing.assert_array_equal(numbers(*days)["rank_ic"], agreement.rank_ic(*days))


def test_ic_is_scipys_pearson(days):
    expected = [stats.pearsonr(x, y).statistic for x, y in pairs(*days)]
    np.testing.assert_allclose(numbers(*days)["ic"], expected, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(float, (3, 9), elements=st.sampled_from([-1.5, 0.0, 2.0, 7.0, np.nan])))
def test_ranks_are_scipys_with_holes_left_open(values):
    expected = stats.rankdata(values, axis=1, nan_policy="omit")
    np.testing.assert_array_equal(agreement.rank(values), expected)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rank_ic_sees_only_the_order(seed):
    random = np.random.default_rng(seed)
    prediction, label = random.normal(size=(2, 3, 25))
    whole = agreement.rank_ic(prediction, label)
    np.testing.assert_allclose(agreement.rank_ic(np.exp(prediction), label**3), whole, atol=1e-12)
    np.testing.assert_allclose(agreement.rank_ic(-prediction, label), -whole, atol=1e-12)
    assert (np.abs(whole) <= 1 + 1e-12).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_stocks_changes_no_metric(seed):
    random = np.random.default_rng(seed)
    prediction, label = random.integers(0, 9, size=(2, 3, 30)).astype(float)
    mixed = random.permutation(30)
    known, again = numbers(prediction, label), numbers(prediction[:, mixed], label[:, mixed])
    for name, values in known.items():
        np.testing.assert_allclose(again[name], values, atol=1e-12)


@pytest.mark.parametrize("draw", ["normal", "lognormal", "standard_cauchy"])
def test_a_prediction_that_knows_nothing_hits_half_of_the_stocks(draw):
    random = np.random.default_rng(3)
    prediction = np.exp(random.normal(size=(300, 201)))
    label = getattr(random, draw)(size=(300, 201))
    label[random.random(label.shape) < 0.2] = 0.0  # stocks that did not move
    hits = numbers(prediction, label)["hit_rate"]
    assert abs(hits.mean() - 0.5) < 3 * hits.std() / np.sqrt(300)


def test_hit_rate_counts_the_same_side_of_the_median():
    label = np.exp(np.arange(20.0))[None]
    prediction = label.copy()
    prediction[0, [2, 5, 12, 19]] = prediction[0, [12, 19, 2, 5]]  # four on the other side
    assert numbers(prediction, label)["hit_rate"][0] == pytest.approx(16 / 20)


def test_spread_is_the_top_less_the_bottom_quantile():
    prediction = np.arange(50.0)[None]
    assert numbers(prediction, prediction**2, 10)["spread"][0] == pytest.approx(
        np.mean(np.arange(45, 50) ** 2) - np.mean(np.arange(5) ** 2)
    )


def test_both_legs_hold_the_same_number_of_untied_stocks():
    random = np.random.default_rng(0)
    prediction = random.normal(size=(30, 47))
    prediction[random.random(prediction.shape) < 0.2] = np.nan
    size = np.isfinite(prediction).sum(axis=1) // 10
    for leg in legs(prediction, 10):
        np.testing.assert_array_equal((leg > 0).sum(axis=1), size)
        np.testing.assert_allclose(leg.sum(axis=1), 1)


@pytest.mark.parametrize("tied", [5, 10, 12, 20, 25, 60])
def test_stocks_tied_across_the_border_share_what_is_left_of_the_leg(tied):
    # 100 stocks, ten to a leg; the highest `tied` are alike.
    prediction = np.r_[np.arange(100.0 - tied), np.full(tied, 1000.0)][None]
    top, bottom = legs(prediction, 10)
    expected = np.zeros(100)
    expected[100 - tied :] = 1 / max(tied, 10)
    expected[90 : 100 - tied] = 1 / 10
    np.testing.assert_allclose(top[0], expected)
    np.testing.assert_allclose(bottom[0], np.where(np.arange(100) < 10, 0.1, 0))


def test_the_order_of_tied_stocks_decides_nothing():
    prediction = np.random.default_rng(4).integers(0, 4, (5, 40)).astype(float)
    for leg, turned in zip(legs(prediction, 10), legs(prediction[:, ::-1], 10), strict=True):
        np.testing.assert_array_equal(leg, turned[:, ::-1])


def test_a_day_whose_predictions_are_alike_but_for_rounding_has_no_legs():
    alike = np.full((1, 30), 0.3) * (1 + 1e-16 * np.arange(30))
    assert not np.any(legs(alike, 5))


def test_days_that_say_nothing_give_no_number():
    random = np.random.default_rng(2)
    prediction, label = random.normal(size=(2, 4, 30))
    prediction[0, 19:] = np.nan  # 19 pairs
    prediction[1] = 0.1 + 0.2  # all alike
    label[2] = np.nan
    for values in numbers(prediction, label).values():
        np.testing.assert_array_equal(np.isfinite(values), [False, False, False, True])


def test_standardised_days_have_mean_0_and_deviation_1(days):
    z = metrics.mean_of_standardised([days[0]])
    np.testing.assert_allclose(np.nanmean(z, axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(z, axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(np.isnan(z), np.isnan(days[0]))
    assert (metrics.mean_of_standardised([np.full((1, 5), 0.3)]) == 0).all()
