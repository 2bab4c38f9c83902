"""What the head of the report says, by made-up numbers whose verdict is known."""

import numpy as np
import pytest
from gogooku.evaluation.comparison import ConfidenceSet, Difference
from gogooku.evaluation.inference import Estimate
from gogooku.evaluation.overfitting import Deflated
from gogooku.report import verdict
from gogooku.report.assurance import Certificate
from gogooku.report.judgement import Book, Judgement

DAYS = 490


def estimate(mean, error=0.004, days=DAYS):
    known = error is not None
    low, high = (mean - 2.3 * error, mean + 2.3 * error) if known else (None, None)
    return {
        "mean": mean, "error": error, "low": low, "high": high, "days": days,
        "detectable": 3 * error if known else None,
    }  # fmt: skip


def evaluation(skills, sharpe=-1.0, error=0.004):
    """Skills by horizon; every long–short book has the same net Sharpe ratio."""
    books = {"net": {"sharpe": estimate(sharpe, 0.5)}, "gross": {"sharpe": estimate(1.0, 0.5)}}
    horizons = {
        str(horizon): {"-1": {"rank_ic": estimate(skill, error), "long_short": books}}
        for horizon, skill in skills.items()
    }
    rules = {"entry": "next_close", "confidence": 0.95, "days": DAYS}
    return None, {"horizons": horizons, "truth": {}, **rules}


def judgement(sets, differences=(), probabilistic=0.1, trials=96):
    """Confidence sets as horizon → model → p; differences as (model, horizon, verdict)."""
    models = {model: None for p in sets.values() for model in p}
    left = Deflated(probabilistic, 0.1, 0.1, 100.0, "")
    return Judgement(
        differences=[Difference(m, h, Estimate(0.0), 0.01, text) for m, h, text in differences],
        sets=[ConfidenceSet(h, DAYS, dict.fromkeys(p, 0.0), p, []) for h, p in sets.items()],
        books=[Book(model, horizon, left) for horizon in sets for model in models],
        choices=[],
        trials=trials,
    )


def say(evaluations, found, certificates=()):
    return verdict.sentences(evaluations, found, "ridge", certificates)


def test_leaders_and_losers_are_named_with_their_horizons():
    evaluations = {
        "atft": evaluation({1: 0.001, 20: 0.002}),
        "ridge": evaluation({1: 0.04, 20: 0.05}),
        "lightgbm": evaluation({1: 0.04, 20: 0.05}),
    }
    sets = {
        1: {"atft": 0.001, "ridge": 0.7, "lightgbm": 1.0},
        20: {"atft": 0.4, "ridge": 1.0, "lightgbm": 0.9},
    }
    found = judgement(sets, [("atft", 1, "lower"), ("lightgbm", 1, "not told apart")])
    leaders, losers, skill, costs, backing = say(evaluations, found)
    assert leaders == (
        "At 1 session atft is behind, and the others cannot be told from the best; "
        "at 20 sessions no model can be told from another."
    )
    assert losers == "Below ridge, the yardstick: atft at 1 session."
    assert skill == (
        "Skill, a RankIC surely above 0, is shown by ridge and lightgbm at every horizon; "
        "atft shows none."
    )
    assert costs.startswith("Nothing survives costs: every long–short book loses after them")
    assert "atft at 1 session, has a net Sharpe ratio of −1.00 [−2.15, +0.15]" in costs
    assert backing == (
        "490 test days show a true RankIC of 0.012 at 1 session and 0.012 at 20 sessions four "
        "times in five; 96 books have been tried on this market."
    )


def test_a_few_that_lead_are_named():
    evaluations = {name: evaluation({1: 0.04}) for name in ("a", "b", "c", "d")}
    found = judgement({1: {"a": 1.0, "b": 0.9, "c": 0.001, "d": 0.001}})
    leaders = "At 1 session a and b lead and cannot be told from each other."
    assert say(evaluations, found)[0] == leaders


def test_noise_ranks_nobody_and_shows_no_skill():
    evaluations = {name: evaluation({1: 0.005, 5: -0.006}) for name in ("atft", "ridge")}
    sets = {1: {"atft": 0.03, "ridge": 1.0}, 5: {"atft": 0.5, "ridge": 1.0}}
    said = say(evaluations, judgement(sets, [("atft", 1, "lower")]))
    assert said[0] == "At every horizon no model can be told from another."
    assert said[1] == "No model shows skill: of 4 mean RankICs none is surely above 0."
    assert not any("elow ridge" in sentence for sentence in said)


def test_ranks_share_one_error_rate_over_all_horizons():
    sets = judgement({h: {"atft": 0.02, "ridge": 1.0} for h in (1, 5, 10, 20)}).sets
    assert verdict.ranked(sets[:1], 0.025) == [1]
    assert verdict.ranked(sets, 0.025) == []


def test_a_yardstick_that_nobody_differs_from_is_said():
    evaluations = {name: evaluation({1: 0.04}) for name in ("atft", "ridge", "zero")}
    found = judgement(
        {1: {"atft": 1.0, "ridge": 0.9, "zero": 0.001}}, [("atft", 1, "not told apart")]
    )
    assert "No model is surely below or above ridge, the yardstick." in say(evaluations, found)


def test_a_model_that_is_better_than_the_yardstick_is_named():
    evaluations = {name: evaluation({1: 0.04}) for name in ("blend", "ridge")}
    found = judgement({1: {"blend": 1.0, "ridge": 0.001}}, [("blend", 1, "higher")])
    said = say(evaluations, found)
    assert said[:2] == [
        "At 1 session blend leads.",
        "Above ridge, the yardstick: blend at 1 session.",
    ]


@pytest.mark.parametrize(
    "sharpe, probabilistic, words",
    [
        (
            0.8,
            0.5,
            "Nothing surely survives costs: no long–short book's net Sharpe ratio is surely",
        ),
        (3.0, 0.999, "is beyond what the best of 96 trials reaches by luck"),
        (3.0, 0.9996, "After costs a gain that 96 trials do not explain is left to the long–short"),
    ],
)
def test_what_costs_leave_is_said_with_the_trials(sharpe, probabilistic, words):
    evaluations = {"ridge": evaluation({1: 0.04}, sharpe)}
    said = say(evaluations, judgement({1: {"ridge": 1.0}}, probabilistic=probabilistic))
    assert any(words in sentence for sentence in said)
    assert not any("lead" in sentence for sentence in said)  # one model has no rank


def test_too_few_days_say_so():
    evaluations = {name: evaluation({20: 0.1}, error=None) for name in ("atft", "ridge")}
    said = say(evaluations, judgement({20: {"atft": np.nan, "ridge": np.nan}}))
    assert said[0] == "At 20 sessions too few days tell models apart."
    assert said[1] == "Too few days tell whether any model has skill."
    assert said[-1].startswith("490 test days are too few for an interval")


def test_audits_that_are_missing_are_named():
    evaluations = {"ridge": evaluation({1: 0.04})}
    found = judgement({1: {"ridge": 1.0}})
    both = [Certificate("leaks", True, ""), Certificate("noise", True, "")]
    assert say(evaluations, found, both)[-1].endswith("both audits have passed on this code.")
    one = [both[0], Certificate("noise", False, "")]
    assert say(evaluations, found, one)[-1].endswith("audit_noise has not passed on this code.")
