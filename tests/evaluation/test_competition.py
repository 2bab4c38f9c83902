import numpy as np
import pandas as pd
import pytest
from gogooku.arrays.ordered import Ordered
from gogooku.evaluation import competition, evaluate
from helpers import judged


def published(rows):
    """The metric as its host published it: rows date, rank, target; ranks from 0."""

    def of_day(day):
        assert sorted(day["rank"]) == list(range(len(day)))
        weights = np.linspace(start=2, stop=1, num=200)
        first = day.sort_values(by="rank")["target"][:200] * weights
        last = day.sort_values(by="rank", ascending=False)["target"][:200] * weights
        return (first.sum() - last.sum()) / weights.mean()

    daily = pd.Series({date: of_day(day) for date, day in rows.groupby("date")})
    return daily, daily.mean() / daily.std()


def ordered_days(days=60, stocks=450, ties=True, seed=0):
    random = np.random.default_rng(seed)
    prediction, label = random.normal(size=(2, days, stocks))
    prediction[random.random(prediction.shape) < 0.05] = np.nan
    label[random.random(label.shape) < 0.02] = np.nan
    return (prediction.round(1) if ties else prediction), label * 0.02


def test_the_score_is_that_of_the_published_metric():
    prediction, label = ordered_days()
    frames = []
    for day in range(len(label)):
        rows = pd.DataFrame({"prediction": prediction[day], "target": label[day]}).dropna(
            subset="prediction"
        )
        # alike predictions by code, the later one first
        order = rows.sort_index(ascending=False).sort_values(
            "prediction", ascending=False, kind="stable"
        )
        frames.append(order.assign(rank=range(len(order)), date=day))
    daily, score = published(pd.concat(frames))
    returns = competition.spread(Ordered.of(prediction), label)
    np.testing.assert_allclose(returns, daily, rtol=1e-12)
    known = competition.score(returns, 0.95)
    assert known.mean == pytest.approx(score, rel=1e-12)
    assert known.low < score < known.high


def test_a_day_by_hand():
    prediction, label = np.arange(400.0)[None], np.zeros((1, 400))
    label[0, [399, 0]] = 0.10, 0.03  # the first and the last rank weigh 2, of a mean of 1.5
    label[0, 200] = 0.015  # the last of the first 200 weighs 1
    returns = competition.spread(Ordered.of(prediction), label)
    assert returns[0] == pytest.approx((2 * 0.10 + 0.015 - 2 * 0.03) / 1.5)


@pytest.mark.parametrize("lacking", ["stocks", "labels", "difference"])
def test_a_day_that_cannot_be_ranked_or_judged_has_no_return(lacking):
    prediction, label = ordered_days(days=2, stocks=420, ties=False, seed=1)
    prediction[:, :400] = np.nan_to_num(prediction[:, :400])
    if lacking == "stocks":
        prediction[0, 399:] = np.nan
    elif lacking == "labels":
        label[0] = np.nan
    else:
        prediction[0] = 1.0
    assert np.isfinite(competition.spread(Ordered.of(prediction), label)).tolist() == [False, True]


def test_luck_reaches_what_the_podium_scored():
    assert competition.of_luck(competition.DAYS) == pytest.approx(0.382, abs=0.0005)
    assert competition.of_luck(competition.DAYS, 2000) == pytest.approx(0.431, abs=0.0005)
    best = np.random.default_rng(0).normal(0, 1 / np.sqrt(64), (4000, 500)).max(axis=1).mean()
    assert competition.of_luck(64) == pytest.approx(best, abs=0.004)


def test_the_interval_is_as_wide_as_independent_days_make_it():
    returns = np.random.default_rng(2).normal(0.001, 0.01, 700)
    known = competition.score(returns, 0.95)
    assert known.high - known.low == pytest.approx(2 * 1.96 / np.sqrt(700), rel=0.3)


@pytest.mark.parametrize(
    "stocks, entry, judged_so",
    [(410, "next_close", True), (390, "next_close", False), (410, "close", False)],
)
def test_an_evaluation_has_the_score_where_400_stocks_are_ranked(stocks, entry, judged_so):
    labels, truth = judged.market(days=30, stocks=stocks, horizons=(1,))
    seeds = {0: judged.forecast(truth, noise=1.0, horizons=(1,))}
    surroundings, rules = judged.surroundings(labels), judged.rules(entry)
    daily, summary = evaluate.evaluate(seeds, labels, None, surroundings, [1], rules)
    assert bool(summary["competition"]) == ("competition" in daily["metric"]) == judged_so
    if judged_so:
        assert summary["competition"]["stocks"] == stocks
        assert summary["competition"]["score"]["days"] == 30
