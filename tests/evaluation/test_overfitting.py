import datetime as dt

import numpy as np
import polars as pl
import pytest
from arch.bootstrap import MCS
from gogooku.evaluation import comparison, inference, overfitting
from gogooku.evaluation.overfitting import Moments
from scipy import stats

# ---- Sharpe ratios -------------------------------------------------------------------------------

YEAR = 250
FOUND = Moments(5 * YEAR, 2.5 / np.sqrt(YEAR), -3, 10)
"""Bailey and Lopez de Prado (2014), "A numerical example": 2.5 a year over five years of days."""
SPREAD = 0.5 / YEAR
"""... and the variance of the trials' ratios there, 1/2 of a year's."""


def test_the_published_example_of_the_deflated_sharpe_ratio():
    threshold = overfitting.expected_maximum(100, SPREAD)
    assert threshold == pytest.approx(0.1132, abs=5e-5)
    assert overfitting.probabilistic_sharpe(FOUND, threshold) == pytest.approx(0.9004, abs=5e-5)
    threshold = overfitting.expected_maximum(46, SPREAD)
    assert overfitting.probabilistic_sharpe(FOUND, threshold) == pytest.approx(0.9505, abs=5e-5)
    normal = FOUND._replace(skew=0, kurtosis=3)
    threshold = overfitting.expected_maximum(88, SPREAD)
    assert overfitting.probabilistic_sharpe(normal, threshold) == pytest.approx(0.9505, abs=5e-5)


def test_the_published_example_of_the_probabilistic_sharpe_ratio():
    """Bailey and Lopez de Prado (2012): 24 months at 0.458 each, skewed and fat-tailed."""
    months = Moments(24, 0.458, -2.448, 10.164)
    assert overfitting.probabilistic_sharpe(months) == pytest.approx(0.913, abs=5e-4)
    normal = months._replace(skew=0, kurtosis=3)
    assert overfitting.probabilistic_sharpe(normal) == pytest.approx(0.982, abs=5e-4)


@pytest.mark.parametrize("periods, years", [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_published_minimum_track_records(periods, years):
    """The same paper: a ratio of 2 a year against 1, normal returns, 95 %."""
    moments = Moments(periods, 2 / np.sqrt(periods), 0, 3)
    days = overfitting.minimum_track_record(moments, 0.95, 1 / np.sqrt(periods))
    assert days / periods == pytest.approx(years, abs=5e-3)
    long_enough = moments._replace(days=days)
    assert overfitting.probabilistic_sharpe(long_enough, 1 / np.sqrt(periods)) == pytest.approx(
        0.95
    )


# By ffn 1.4.1 of `of_ffn`: the expected maximum of six, the best one's deflated Sharpe ratio, and
# the probability of overfitting among all six and among the first four, by 16 blocks.
FFN_THRESHOLD, FFN_DEFLATED = 0.10250350484250229, 0.9940262436018508
FFN_ALL, FFN_FOUR = 0.05773115773115773, 0.37544677544677546


def of_ffn():
    """Six strategies of 503 fat-tailed days, each a little better than the one before."""
    random = np.random.RandomState(20)
    return 0.01 * random.standard_t(4, (503, 6)) + 0.0004 * np.arange(6)


def test_deflation_is_ffns():
    daily = of_ffn()
    sharpes = daily.mean(axis=0) / daily.std(axis=0, ddof=1)
    best = daily[:, sharpes.argmax()]
    found = overfitting.deflate(best, len(sharpes), sharpes, 0.95)
    assert found.threshold == pytest.approx(FFN_THRESHOLD, rel=1e-9)
    assert found.probability == pytest.approx(FFN_DEFLATED, rel=1e-9)
    assert found.reason == ""


def test_overfitting_is_ffns():
    daily = of_ffn()
    assert overfitting.backtest_overfitting(daily, 1).probability == pytest.approx(FFN_ALL)
    assert overfitting.backtest_overfitting(daily[:, :4], 1).probability == pytest.approx(FFN_FOUR)


def test_a_lucky_search_of_200_noise_strategies_is_deflated_to_insignificance():
    random = np.random.default_rng(1)
    significant, naive = 0, 0
    for _ in range(200):
        daily = 0.01 * random.standard_t(5, (490, 200))
        sharpes = daily.mean(axis=0) / daily.std(axis=0)
        found = overfitting.deflate(daily[:, sharpes.argmax()], 200, sharpes, 0.95)
        significant += found.probability >= 0.95
        naive += found.probabilistic >= 0.95
    assert significant / 200 <= 0.05
    assert naive / 200 > 0.9  # what the search alone would have claimed


def test_a_strategy_of_true_skill_survives_its_search():
    random = np.random.default_rng(2)
    daily = 0.01 * random.standard_normal((1200, 50))
    sharpes = daily.mean(axis=0) / daily.std(axis=0)
    found = overfitting.deflate(daily[:, 0] + 0.003, 50, sharpes, 0.95)
    assert found.probability > 0.99 and found.days < 1200


def test_more_trials_leave_less():
    left = [
        overfitting.probabilistic_sharpe(FOUND, overfitting.expected_maximum(trials, SPREAD))
        for trials in (1, 2, 10, 100, 1000)
    ]
    assert left == sorted(left, reverse=True)
    assert left[0] == overfitting.probabilistic_sharpe(FOUND)


@pytest.mark.parametrize(
    "returns, sharpes, reason",
    [
        ([], [0.1, 0.2], "0 days, fewer than 20"),
        ([0.01, np.nan] * 19, [0.1, 0.2], "19 days, fewer than 20"),
        ([0.01] * 100, [0.1, 0.2], "the returns do not vary"),
        ([0.01, -0.01] * 50, [0.1, np.nan], "the trials have fewer than two Sharpe ratios"),
        ([0.01, -0.01] * 50, [], "the trials have fewer than two Sharpe ratios"),
    ],
)
def test_what_cannot_be_deflated_says_why(returns, sharpes, reason):
    found = overfitting.deflate(np.array(returns, float), 12, sharpes, 0.95)
    assert np.isnan(found.probability) and found.reason == reason


def test_returns_without_a_gain_never_make_a_track_record():
    losing = Moments.of(np.random.default_rng(3).normal(-0.001, 0.001, 100))
    assert overfitting.minimum_track_record(losing, 0.95) == np.inf


# ---- choices -------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategies", [3, 10])
def test_a_choice_among_noise_lasts_in_half_of_the_cases(strategies):
    random = np.random.default_rng(4)
    found = [
        overfitting.backtest_overfitting(random.normal(size=(400, strategies)), 40).probability
        for _ in range(500)
    ]  # 10 blocks
    assert np.mean(found) == pytest.approx(0.5, abs=4 * np.std(found) / np.sqrt(500))


def test_the_choice_of_one_that_is_truly_good_lasts():
    daily = np.random.default_rng(5).normal(size=(480, 10))
    daily[:, 7] += 0.4
    assert overfitting.backtest_overfitting(daily, 2).probability < 0.01


def test_blocks_are_no_shorter_than_a_label_reaches():
    daily = np.random.default_rng(6).normal(size=(200, 3))
    assert overfitting.backtest_overfitting(daily, 2).blocks == 16
    assert overfitting.backtest_overfitting(daily, 21).blocks == 8
    few = overfitting.backtest_overfitting(daily, 40)
    assert np.isnan(few.probability) and few.reason == "200 days, fewer than 6 blocks"


@pytest.mark.parametrize("daily", [np.zeros((0, 0)), np.ones((300, 4)), np.full((300, 4), np.nan)])
def test_nothing_to_choose_from_says_so(daily):
    found = overfitting.backtest_overfitting(daily, 2)
    assert np.isnan(found.probability) and found.reason == "fewer than two strategies that vary"


# ---- comparisons ---------------------------------------------------------------------------------


def overlapping(random, days, reach, models, common=0.7):
    """Daily numbers of models that share `common` of their variance and overlap as labels do."""
    own = random.normal(size=(days + reach - 1, models)) * np.sqrt(1 - common)
    shocks = own + random.normal(size=(days + reach - 1, 1)) * np.sqrt(common)
    total = np.vstack([np.zeros((1, models)), np.cumsum(shocks, axis=0)])
    return (total[reach:] - total[:-reach]) / reach


def evaluated(daily, horizon=1, confidence=0.95):
    """Evaluations whose mean of seeds has the RankICs daily (T, K), of models a, b, …"""
    dates = [dt.date(2020, 1, 1) + dt.timedelta(day) for day in range(len(daily))]
    fields = {"seed": -1, "fold": 0, "horizon": horizon, "metric": "rank_ic"}
    rules = {"entry": "next_close", "confidence": confidence}
    return {
        chr(ord("a") + k): (
            pl.DataFrame({"date": dates, "value": values}).with_columns(
                **{name: pl.lit(value) for name, value in fields.items()}
            ),
            rules,
        )
        for k, values in enumerate(daily.T)
    }


@pytest.mark.parametrize("days, horizon", [(700, 1), (700, 20), (300, 5)])
def test_models_that_are_alike_are_all_kept_and_a_clearly_worse_one_is_dropped(
    days, horizon, monkeypatch
):
    monkeypatch.setattr(comparison, "DRAWS", 500)
    random = np.random.default_rng(7)
    whole, dropped = 0, 0
    for _ in range(80):
        daily = overlapping(random, days, horizon + 1, 5)
        whole += (comparison.set_p_values(daily, horizon + 1) > 0.05).all()
        daily[:, 2] -= 7 * np.sqrt(2 * 0.3 / days)  # errors of a difference
        p = comparison.set_p_values(daily, horizon + 1)
        dropped += p[2] <= 0.05 and (np.delete(p, 2) > 0.05).sum() >= 3
    assert whole / 80 >= 0.9 and dropped / 80 >= 0.9


def test_with_every_wave_the_confidence_set_is_archs_for_independent_days(monkeypatch):
    monkeypatch.setattr(comparison, "DRAWS", 1000)
    monkeypatch.setattr(inference, "waves", lambda days, reach: days - 1)
    daily = np.random.default_rng(8).normal(size=(200, 6))
    daily += -daily.mean(axis=0) + np.array([0.4, 0.32, 0.28, 0.25, 0, -0.4])
    known = MCS(-daily, 0.05, reps=4000, block_size=1, bootstrap="circular", seed=1)
    known.compute()
    theirs = known.pvalues["Pvalue"].sort_index().to_numpy()
    ours = comparison.set_p_values(daily, 1)
    assert ours == pytest.approx(theirs, abs=0.05)
    assert len({round(p, 2) for p in theirs}) >= 4
    assert np.flatnonzero(ours > 0.05).tolist() == known.included


def test_models_that_are_equal_share_their_p_value():
    daily = overlapping(np.random.default_rng(9), 300, 2, 3)
    twice = np.hstack([daily, daily[:, :2]])
    alone = comparison.set_p_values(daily, 2)
    assert comparison.set_p_values(twice, 2).tolist() == [*alone, *alone[:2]]
    assert comparison.set_p_values(daily[:, [0, 0]], 2).tolist() == [1, 1]


def test_too_few_days_make_no_confidence_set():
    found = comparison.confidence_set(
        evaluated(np.random.default_rng(0).normal(size=(40, 3)), 20), 20
    )
    assert found.members == [] and np.isnan(list(found.p.values())).all()


def test_the_confidence_set_is_by_the_days_that_all_models_have():
    daily = np.random.default_rng(10).normal(size=(200, 3))
    models = evaluated(daily)
    rows, rules = models["b"]
    nothing = rows.with_columns(value=pl.lit(None, pl.Float64))
    found = comparison.confidence_set({**models, "b": (rows[50:], rules), "z": (nothing, rules)}, 1)
    assert found.days == 150 and list(found.p) == ["a", "b", "c"]
    assert found.means["a"] == pytest.approx(daily[50:, 0].mean())


def test_holm_s_correction_is_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(11).uniform(0, 0.2, 9)
    assert comparison.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    holed = np.insert(p, [2, 5], np.nan)
    assert comparison.holm(holed)[np.isfinite(holed)] == pytest.approx(comparison.holm(p))
    assert np.isnan(comparison.holm([np.nan, np.nan])).all()


def test_a_p_value_and_its_interval_agree():
    values = np.random.default_rng(12).normal(0.1, 1, 400)
    for confidence in (0.8, 0.95, 0.99):
        known = inference.mean_estimate(values, 2, confidence)
        assert (inference.p_value(known, 2) < 1 - confidence) == (known.low > 0)
    exact = 2 * stats.t.sf(abs(known.mean / known.error), inference.waves(400, 2))
    assert inference.p_value(known, 2) == pytest.approx(exact)
    assert np.isnan(inference.p_value(inference.mean_estimate(values[:9], 2), 2))


def test_a_difference_that_only_one_of_many_comparisons_shows_ranks_nobody():
    random = np.random.default_rng(13)
    daily = 0.1 * random.normal(size=(490, 12))
    daily -= daily.mean(axis=0)
    daily[:, 1] += 2.6 * 0.1 * np.sqrt(2 / 490)  # p about 0.01
    alone, *_ = comparison.differences(evaluated(daily[:, :2]), "a", [1])
    assert alone.verdict == "higher" and alone.estimate.low > 0
    found = {row.model: row for row in comparison.differences(evaluated(daily), "a", [1])}
    assert found["b"].estimate == alone.estimate
    assert found["b"].p == pytest.approx(11 * alone.p) and found["b"].verdict == "not told apart"


def test_noise_models_are_told_apart_in_few_of_many_runs():
    random = np.random.default_rng(14)
    ranked = 0
    for _ in range(300):
        daily = np.column_stack([random.normal(size=490) for _ in range(5)])
        ranked += any(
            row.verdict in ("higher", "lower")
            for row in comparison.differences(evaluated(daily), "a", [1])
        )
    assert ranked / 300 <= 0.08
