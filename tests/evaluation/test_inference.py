import numpy as np
import pytest
from gogooku.evaluation import inference
from scipy import stats


def overlapping(days, horizon, mean=0.0, seed=0):
    """Daily numbers that share horizon - 1 of their horizon shocks with the next day's."""
    shocks = np.random.default_rng(seed).normal(size=days + horizon - 1)
    return mean + np.convolve(shocks, np.ones(horizon) / horizon, mode="valid")


def plain_interval(values, waves, confidence):
    """The interval by the formulas of Lazarus et al., written out."""
    days = len(values)
    time = (np.arange(days) + 0.5) / days
    waves_of = [np.sqrt(2) * np.cos(np.pi * j * time) for j in range(1, waves + 1)]
    variance = np.mean([(wave @ values / np.sqrt(days)) ** 2 for wave in waves_of])
    return stats.t.interval(confidence, waves, values.mean(), np.sqrt(variance / days))


@pytest.mark.parametrize(
    "days, reach, waves",
    [(700, 2, 31), (700, 6, 31), (700, 21, 11), (250, 21, 4), (210, 21, 4), (1200, 21, 19)],
)
def test_the_interval_is_that_of_the_published_formulas(days, reach, waves):
    values = overlapping(days, reach, mean=0.1)
    assert inference.waves(days, reach) == waves
    known = inference.mean_estimate(values, reach, 0.9)
    assert (known.low, known.high) == pytest.approx(plain_interval(values, waves, 0.9), rel=1e-9)


def test_many_waves_on_independent_days_give_the_textbook_error():
    values = np.random.default_rng(1).normal(0.3, size=4000)
    known = inference.mean_estimate(values, 1)
    assert known.error == pytest.approx(stats.sem(values), rel=0.2)


@pytest.mark.parametrize("horizon", [1, 5, 20])
def test_nineteen_intervals_of_twenty_hold_the_truth_whatever_the_overlap(horizon):
    held = 0
    for seed in range(1000):
        values = overlapping(490, horizon, mean=0.02, seed=seed)
        known = inference.estimate(values, horizon, "next_close")
        held += known.low < 0.02 < known.high
    assert 0.932 <= held / 1000 <= 0.968


def test_the_textbook_interval_would_hold_it_far_less_often():
    held = 0
    for seed in range(200):
        values = overlapping(490, 20, seed=seed)
        low, high = stats.t.interval(0.95, 489, values.mean(), stats.sem(values))
        held += low < 0 < high
    assert held / 200 < 0.6


@pytest.mark.parametrize("horizon, fewest", [(1, 20), (5, 60), (20, 210)])
def test_too_few_days_for_a_horizon_give_no_interval(horizon, fewest):
    few = inference.estimate(overlapping(fewest - 1, horizon), horizon, "next_close")
    assert np.isfinite(few.mean) and np.isnan([few.low, few.high, few.error]).all()
    assert few.days == fewest - 1
    enough = inference.estimate(overlapping(fewest, horizon), horizon, "next_close")
    assert enough.low < enough.mean < enough.high


@pytest.mark.parametrize("entry, extra", [("next_close", 1), ("next_open", 1), ("close", 0)])
def test_the_reach_is_that_of_the_label(entry, extra):
    assert inference.reach(20, entry) == 20 + extra


def test_overlap_takes_days_away():
    days = 2000
    assert inference.estimate(overlapping(days, 1), 1, "next_close").effective > days / 2
    twenty = inference.estimate(overlapping(days, 20), 20, "next_close").effective
    assert days / 40 < twenty < days / 10


def test_the_detectable_mean_is_found_four_times_in_five():
    sure = inference.mean_estimate(overlapping(400, 1), 1).detectable
    found = 0
    for seed in range(500):
        found += inference.mean_estimate(overlapping(400, 1, mean=sure, seed=seed), 1).low > 0
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
    values = [inference.ratio(top, bottom, 1) for top, bottom in draws]
    spread = np.std([known.mean for known in values])
    assert np.mean([known.error for known in values]) == pytest.approx(spread, rel=0.1)


def test_the_error_of_a_sharpe_ratio_is_lo_s_for_independent_days():
    returns = np.random.default_rng(6).normal(0.001, 0.01, size=20_000)
    known = inference.sharpe(returns, 1)
    daily = returns.mean() / returns.std()
    assert known.mean == pytest.approx(daily * np.sqrt(245))
    assert known.error == pytest.approx(np.sqrt((1 + daily**2 / 2) / 20_000 * 245), rel=0.1)
