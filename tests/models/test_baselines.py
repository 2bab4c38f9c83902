import lightgbm
import numpy as np
import pytest
from gogooku.errors import UserError
from gogooku.models import blend, dispatch, lightgbm_rank, momentum, reversal, trees, zero
from gogooku.models import lightgbm as squared
from gogooku.models import ridge as linear
from gogooku.models.contract import Job
from gogooku.models.targets import rank_normal
from helpers import planted
from scipy import stats
from sklearn.linear_model import Ridge

GROW = dict(rounds=40, learning_rate=0.1, leaves=7, min_leaf=50,
            feature_share=1.0, row_share=0.8, max_bins=63, max_rows=100_000)  # fmt: skip
TRAIN, VALID, TEST = np.arange(70), np.arange(75, 90), np.arange(95, 120)
LAST = ["prediction_1d", "prediction_5d"]


def grown(days, **changes):
    return squared.fit(days, TRAIN, VALID, Job(trees.Settings(**(GROW | changes))))


def ranked(days, **changes):
    return lightgbm_rank.fit(days, TRAIN, VALID, Job(trees.Settings(**(GROW | changes))))


def ridge(days, penalty=1.0):
    return linear.fit(days, TRAIN, VALID, Job(linear.Settings(penalty=[penalty])))


def predict(model, days, test=TEST):
    module = squared if isinstance(model, trees.Trees) else linear
    return dispatch.predict(module, model, days, test, Job())


@pytest.mark.parametrize("fit", [grown, ranked, ridge])
def test_a_planted_effect_is_found_for_every_horizon(fit):
    days = planted.days("linear")
    predictions = predict(fit(days), days)
    assert planted.skill(days, predictions, 1) > 0.5
    assert planted.skill(days, predictions, 5) > 0.5


@pytest.mark.parametrize("fit", [grown, ranked, ridge])
def test_the_planted_column_is_the_most_important_and_shares_add_up_to_1(fit):
    model = fit(planted.days("linear"))
    module = squared if isinstance(model, trees.Trees) else linear
    shares = module.importance(model)
    assert max(shares, key=shares.__getitem__) == "b"
    assert min(shares.values()) >= 0 and sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("fit", [grown, ranked, ridge])
def test_noise_has_no_skill(fit):
    days = planted.days("none", seed=1)
    # 25 days of 90 stocks: standard error 0.021.
    assert abs(planted.skill(days, predict(fit(days), days), 1)) < 0.07


@pytest.mark.parametrize("fit", [grown, ranked, ridge])
def test_rows_are_the_members_of_each_test_day_and_bits_repeat(fit):
    days = planted.days("linear")
    predictions = predict(fit(days), days)
    day, slot = np.nonzero(days.universe[TEST])
    assert (predictions["code"].to_numpy() == days.codes[slot]).all()
    assert (predictions["date"].to_numpy() == days.dates[TEST][day]).all()
    assert predictions.equals(predict(fit(days), days))


@pytest.mark.parametrize("fit", [grown, ranked, ridge])
def test_a_days_scores_do_not_depend_on_the_other_test_days(fit):
    days = planted.days("linear")
    model = fit(days)
    alone = predict(model, days, TEST[3:4])
    together = predict(model, days)
    assert together.join(alone.select("date", "code"), on=["date", "code"]).equals(alone)


@pytest.mark.parametrize(
    "fit, module", [(grown, squared), (ranked, lightgbm_rank), (ridge, linear)]
)
def test_a_saved_model_predicts_the_same_bits(fit, module, tmp_path):
    days = planted.days("linear")
    model = fit(days)
    module.save(model, tmp_path / "model")
    assert predict(module.load(tmp_path / "model"), days).equals(predict(model, days))


@pytest.mark.parametrize("fit", [grown, ranked, ridge])
def test_a_part_without_labels_and_other_columns_are_refused(fit):
    days = planted.days("linear")
    model = fit(days)
    days.columns[0] = "other"
    with pytest.raises(UserError, match="other columns"):
        predict(model, days)
    days.labels[:] = np.nan
    with pytest.raises(UserError, match="training part"):
        fit(days)


def test_ridge_is_sklearns_on_rows_centred_and_weighted_by_day():
    days = planted.days("linear")
    model = ridge(days, penalty=3.0)
    goal = rank_normal(days.labels)
    rows, scores, weights = [], [], []
    for t in TRAIN:
        known = days.universe[t]
        x = days.x[t, known].astype(float)
        rows.append(x - x.mean(0))
        scores.append(goal[t, known, 0])
        weights.append(np.full(known.sum(), 1 / known.sum()))
    oracle = Ridge(alpha=3.0, fit_intercept=False)
    oracle.fit(np.concatenate(rows), np.concatenate(scores), np.concatenate(weights))
    np.testing.assert_allclose(model.coefficients[:, 0], oracle.coef_, rtol=1e-6)


def test_a_stocks_ridge_score_has_the_same_bits_whoever_else_is_there():
    rng = np.random.default_rng(0)
    x, coefficients = rng.standard_normal((700, 150)).astype(np.float32), rng.random((150, 2))
    everyone = linear._score(x, coefficients)
    np.testing.assert_allclose(everyone, x.astype(float) @ coefficients, rtol=0, atol=1e-12)
    for kept in (1, 2, 3, 50, 333, 699):
        np.testing.assert_array_equal(linear._score(x[:kept], coefficients), everyone[:kept])


def test_what_is_the_same_for_all_stocks_gets_no_weight_even_without_penalty():
    days = planted.days("linear")
    days.x[..., 1] = np.arange(len(days.dates))[:, None]
    model = ridge(days, penalty=0.0)
    assert np.isfinite(model.coefficients).all()
    np.testing.assert_allclose(model.coefficients[1], 0, atol=1e-6)


def test_a_horizons_trees_do_not_depend_on_the_other_horizons():
    days = planted.days("linear")
    both = grown(days).models[1]
    later = {**vars(days), "labels": days.labels[..., 1:], "horizons": [5]}
    alone = grown(type(days)(**later))
    assert alone.models[0] == both


@pytest.mark.parametrize("fit", [grown, ranked])
def test_trees_are_as_many_as_the_settings_say_whatever_validation_would_show(fit):
    days = planted.days("none")
    sizes = [lightgbm.Booster(model_str=m).num_trees() for m in fit(days, rounds=30).models]
    assert sizes == [30, 30]


def test_grades_are_the_quintiles_of_a_days_labels():
    labels = np.array([[0.3, np.nan, -0.2, 0.0, 0.1, 0.9], [np.nan] * 6], np.float32)
    assert lightgbm_rank._grades(labels).tolist() == [[3, -1, 0, 1, 2, 4], [-1] * 6]


def test_the_training_rows_are_whole_days_drawn_evenly():
    days = planted.days("linear")
    drawn = trees.drawn(days, TRAIN, 1000)
    assert days.universe[drawn].sum() <= 1100 and drawn[0] == 0 and drawn[-1] == 69
    assert set(np.diff(drawn)) <= {6, 7, 8}


def test_ridge_chooses_the_penalty_that_ranks_the_validation_part_best(caplog):
    days = planted.days("linear")
    job = Job(linear.Settings(penalty=[1e-3, 1.0, 1e3, 1e7]))
    chosen = linear.choose(days, TRAIN, VALID, job).penalty
    skills = {}
    for penalty in job.settings.penalty:
        rows = predict(ridge(days, penalty), days, VALID)
        labels = [days.labels[t, days.universe[t]] for t in VALID]
        scores = rows.partition_by("date", maintain_order=True)
        skills[penalty] = np.mean([
            [stats.spearmanr(day[name], label[:, h]).statistic for h, name in enumerate(LAST)]
            for day, label in zip(scores, labels, strict=True)
        ])  # fmt: skip
    assert chosen == [max(skills, key=skills.get)]
    assert job.validation["rank_ic"] == pytest.approx(max(skills.values()), abs=1e-6)


class Watcher:
    """A model that says which days it was given."""

    __file__ = "watcher.py"

    def __init__(self):
        self.seen = []

    def choose(self, inputs, train, valid, job):
        self.seen.append(("choose", train, valid))
        return "chosen"

    def fit(self, inputs, train, valid, job):
        self.seen.append((job.settings, train, valid))


def part(days, positions):
    return {"first": str(days.dates[positions[0]]), "last": str(days.dates[positions[-1]])}


@pytest.mark.parametrize("refit", [True, False])
def test_what_was_chosen_by_validation_is_fitted_on_both_parts(refit):
    days, model = planted.days(), Watcher()
    fold = {"train": part(days, TRAIN), "valid": part(days, VALID)}
    dispatch.fit(model, days, fold, Job("own"), refit)
    (first, *chosen_by), (settings, train, valid) = model.seen
    assert first == "choose" and settings == "chosen"
    np.testing.assert_array_equal(chosen_by[0], TRAIN)
    np.testing.assert_array_equal(chosen_by[1], VALID)
    # The days between both parts were kept from the choice alone.
    np.testing.assert_array_equal(train, np.arange(90) if refit else TRAIN)
    np.testing.assert_array_equal(valid, VALID[:0] if refit else VALID)


def test_momentum_is_the_years_return_and_zero_is_zero():
    days = planted.days("linear")
    days.columns[1] = "momentum_12_1"
    known = dispatch.predict(momentum, None, days, TEST, Job())
    expected = days.x[TEST][days.universe[TEST]][:, 1]
    np.testing.assert_array_equal(known["prediction_5d"].to_numpy(), expected)
    nothing = dispatch.predict(zero, None, days, TEST, Job())
    assert nothing.select(LAST).sum().row(0) == (0, 0) and len(nothing) == len(known)


def test_a_blend_is_the_weighted_mean_of_ranks_and_of_seeds_first():
    days = planted.days("none")
    random = np.random.default_rng(0)
    one, two, three = random.normal(size=(3, len(TEST), len(days.codes), 2))
    for table in (one, two, three):
        table[~days.universe[TEST]] = np.nan
    weights = blend.Settings(weights={"a": 2, "b": 1, "c": 0})
    job = Job(weights, others={"a": [one, np.exp(two)], "b": [three]})
    rows = dispatch.predict(blend, None, days, TEST, job)
    inside = days.universe[TEST[4]]

    def share(table):
        return (stats.rankdata(table[4, inside, 1]) - 0.5) / inside.sum()

    expected = (share(one) + share(two) + share(three)) / 3
    known = rows.filter(date=days.dates[TEST[4]].item())["prediction_5d"]
    np.testing.assert_allclose(known, expected, atol=1e-6)


def test_reversal_is_minus_the_days_return_for_all_horizons():
    days = planted.days("linear")
    predictions = dispatch.predict(reversal, None, days, TEST, Job())
    expected = -days.x[TEST][days.universe[TEST]][:, 0]
    for column in LAST:
        np.testing.assert_array_equal(predictions[column].to_numpy(), expected)
    days.columns[0] = "other"
    with pytest.raises(UserError, match="returns_1d"):
        reversal.predict(None, days, TEST, Job())
