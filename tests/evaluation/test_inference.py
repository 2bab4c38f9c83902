import numpy as np
import pytest
import statsmodels.api as sm
from gogooku.evaluation import inference
from scipy import stats


def overlapping(days, horizon, mean=0.0, seed=0):
    """Daily numbers that share horizon - 1 of their horizon shocks with the next day's."""
    shocks = np.random.default_rng(seed).normal(size=days + horizon - 1)
    return mean + np.convolve(shocks, np.ones(horizon) / horizon, mode="valid")


@pytest.mark.parametrize("lag", [0, 1, 6, 21])
def test_the_variance_is_that_of_statsmodels(lag):
    values = overlapping(300, 5)
    fit = sm.OLS(values, np.ones(300)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": False}
    )
    error = np.sqrt(inference.long_run_variance(values, lag) / 300)
    assert error == pytest.approx(fit.bse[0], rel=1e-12)


def test_without_lags_it_is_the_t_interval():
    values = np.random.default_rng(1).normal(0.3, size=60)
    known = inference.mean_estimate(values, 0, 0.9)
    low, high = stats.t.interval(0.9, 59, values.mean(), stats.sem(values))
    assert (known.low, known.high) == pytest.approx((low, high))


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_the_interval_is_near_the_limit_of_kiefer_and_vogelsang(share):
    days = 1000
    lag = int(share * days) - 1
    values = np.random.default_rng(2).normal(size=days)
    known = inference.mean_estimate(values, lag)
    plain = np.sqrt(inference.long_run_variance(values, lag) / days)
    critical = 1.96 + 2.9694 * share + 0.416 * share**2 - 0.5324 * share**3
    assert (known.high - known.mean) / plain == pytest.approx(critical, rel=0.03)


@pytest.mark.parametrize("horizon", [1, 5, 20])
def test_nineteen_intervals_of_twenty_hold_the_truth_whatever_the_overlap(horizon):
    held = 0
    for seed in range(400):
        values = overlapping(490, horizon, mean=0.02, seed=seed)
        known = inference.estimate(values, horizon, "next_close")
        held += known.low < 0.02 < known.high
    assert 0.92 <= held / 400 <= 0.98


def test_the_textbook_interval_would_hold_it_far_less_often():
    held = 0
    for seed in range(200):
        known = inference.mean_estimate(overlapping(490, 20, seed=seed), 0)
        held += known.low < 0 < known.high
    assert held / 200 < 0.6


@pytest.mark.parametrize("entry, extra", [("next_close", 1), ("next_open", 1), ("close", 0)])
def test_the_lag_covers_the_label_twice(entry, extra):
    assert inference.lag_for(20, entry, 400) == 2 * (20 + extra)
    assert inference.lag_for(1, entry, 400) == 26


def test_overlap_takes_days_away():
    days = 2000
    assert inference.estimate(overlapping(days, 1), 1, "next_close").effective > days / 2
    twenty = inference.estimate(overlapping(days, 20), 20, "next_close").effective
    assert days / 40 < twenty < days / 10


def test_the_detectable_mean_is_found_four_times_in_five():
    sure = inference.mean_estimate(overlapping(400, 1), 0).detectable
    found = 0
    for seed in range(500):
        found += inference.mean_estimate(overlapping(400, 1, mean=sure, seed=seed), 0).low > 0
    assert 0.72 < found / 500 < 0.88


def test_days_without_a_number_are_left_out():
    values = overlapping(100, 1)
    holed = np.insert(values, [0, 50, 100], np.nan)
    assert inference.mean_estimate(holed, 4) == inference.mean_estimate(values, 4)


@pytest.mark.parametrize("values", [[], [0.1], [0.1, 0.2], [0.3] * 50])
def test_too_little_to_say_gives_no_interval(values):
    known = inference.mean_estimate(np.array(values), 3)
    assert np.isnan([known.error, known.low, known.high, known.detectable]).all()
    assert known.days == len(values)


def test_icir_is_mean_over_deviation():
    values = np.array([0.1, 0.3, np.nan, -0.1, 0.2])
    kept = values[np.isfinite(values)]
    assert inference.icir(values) == pytest.approx(kept.mean() / kept.std(ddof=1))


def test_a_ratio_errs_less_than_its_parts_where_they_move_together():
    random = np.random.default_rng(3)
    bottom = 0.2 + 0.1 * random.normal(size=500)
    top = 0.5 * bottom + 0.005 * random.normal(size=500)
    known = inference.ratio(top, bottom, 2)
    alone = inference.mean_estimate(top / bottom.mean(), 2)
    assert known.mean == pytest.approx(top.mean() / bottom.mean())
    assert known.low < 0.5 < known.high
    assert known.error < alone.error / 5


def test_the_error_of_a_ratio_is_that_of_its_draws():
    random = np.random.default_rng(4)
    draws = 0.1 + 0.1 * random.normal(size=(600, 2, 300))
    values = [inference.ratio(top, bottom, 0) for top, bottom in draws]
    spread = np.std([known.mean for known in values])
    assert np.mean([known.error for known in values]) == pytest.approx(spread, rel=0.1)


def test_the_error_of_a_sharpe_ratio_is_lo_s_for_independent_days():
    returns = np.random.default_rng(6).normal(0.001, 0.01, size=20_000)
    known = inference.sharpe(returns, 0)
    daily = returns.mean() / returns.std()
    assert known.mean == pytest.approx(daily * np.sqrt(245))
    assert known.error == pytest.approx(np.sqrt((1 + daily**2 / 2) / 20_000 * 245), rel=0.02)
