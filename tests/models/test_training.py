import numpy as np
import pytest
import torch
from gogooku.errors import UserError
from gogooku.models import atft, contract
from gogooku.models.deterministic import make_torch_deterministic
from gogooku.models.network import training
from helpers import planted
from scipy import stats

SHAPE = dict(window=5, hidden=8, heads=2, frequencies=1, dropout=0.0)
PACE = dict(epochs=4, days_per_epoch=60, learning_rate=0.02, weight_decay=0.01)
TRAIN, VALID, TEST = np.arange(70), np.arange(75, 90), np.arange(95, 120)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    make_torch_deterministic(0, 1)
    yield
    torch.set_num_threads(before)


def learn(days, train=TRAIN, valid=VALID, seed=0, checkpoint=None, **changes):
    settings = atft.Settings(**(SHAPE | PACE | changes))
    job = contract.Job(settings, seed, 1, checkpoint)
    return training.fit(days, train, valid, job), job.curve


def predict(net, days, test):
    return days.tidy(test, training.predict(net, days, test, contract.Job()))


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.values(), other.values(), strict=True))


# Loss


def test_the_loss_is_huber_plus_one_minus_pearson_over_known_targets():
    scores, targets = torch.randn(2, 50, 3, generator=torch.manual_seed(0))
    targets[:20, 1] = torch.nan
    parts = []
    for h in range(3):
        known = targets[:, h].isfinite()
        x, y = scores[known, h], targets[known, h]
        parts.append(torch.nn.functional.huber_loss(x, y) + 1 - stats.pearsonr(x, y).statistic)
    torch.testing.assert_close(
        training.day_loss(scores, targets), torch.stack(parts).mean().float(), atol=1e-4, rtol=0
    )


def test_missing_targets_and_constant_scores_leave_the_gradient_finite():
    scores = torch.zeros(10, 3, requires_grad=True)
    targets = torch.randn(10, 3)
    targets[:, 1] = torch.nan
    targets[1:, 2] = torch.nan
    loss = training.day_loss(scores, targets)
    loss.backward()
    assert loss.isfinite() and scores.grad.isfinite().all()
    assert not scores.grad[:, 1:].any()
    assert training.day_loss(scores, torch.full((10, 3), torch.nan)) == 0


# Learning


@pytest.mark.parametrize("part", ["linear", "neighbour", "sequence"])
def test_a_planted_signal_is_learnt(part):
    days = planted.days(part)
    net, curve = learn(days)
    predictions = predict(net, days, TEST)
    assert planted.skill(days, predictions, 1) > 0.4
    assert planted.skill(days, predictions, 5) > 0.4
    assert curve[-1]["loss"] < curve[0]["loss"]


def test_noise_has_no_skill():
    days = planted.days("none")
    net, curve = learn(days, epochs=2)
    # 25 days of 90 stocks: standard error 0.021.
    assert abs(planted.skill(days, predict(net, days, TEST), 1)) < 0.07
    assert all(np.isfinite(list(entry.values())).all() for entry in curve)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    days = planted.days()
    one, other, third = (learn(days, epochs=1, seed=s, dropout=0.1) for s in (3, 3, 4))
    assert same(one[0].state_dict(), other[0].state_dict()) and one[1] == other[1]
    assert not same(one[0].state_dict(), third[0].state_dict())


def test_a_killed_fit_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    days, kept = planted.days(), tmp_path / "kept" / "state.pt"
    fit, other = (contract.Checkpoint(kept, (code,), ()) for code in "ab")
    pace = dict(epochs=3, days_per_epoch=10, dropout=0.1, checkpoint=fit)
    undisturbed = learn(days, **pace)
    assert not kept.exists()
    epoch = training._epoch

    def killed(course, *rest):
        if len(course.curve) == 2:
            raise KeyboardInterrupt
        return epoch(course, *rest)

    monkeypatch.setattr(training, "_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        learn(days, **pace)
    monkeypatch.setattr(training, "_epoch", epoch)
    bytes_left = kept.read_bytes()
    resumed = learn(days, **pace)
    assert same(resumed[0].state_dict(), undisturbed[0].state_dict())
    assert resumed[1] == undisturbed[1]

    kept.write_bytes(bytes_left)
    steps = []
    monkeypatch.setattr(training, "_epoch", lambda *a: steps.append(1) or epoch(*a))
    learn(days, **pace | {"checkpoint": other})
    assert len(steps) == 3


def test_days_that_are_watched_change_nothing_and_their_rank_ic_is_told():
    days = planted.days()
    watched, curve = learn(days, epochs=2, days_per_epoch=5)
    alone, other = learn(days, epochs=2, days_per_epoch=5, valid=VALID[:0])
    assert same(watched.state_dict(), alone.state_dict())
    assert [entry["epoch"] for entry in curve] == [1, 2] and "rank_ic" in curve[0]
    assert [set(entry) for entry in other] == [{"epoch", "loss"}] * 2


def test_the_rate_comes_down_to_nothing_over_the_steps(monkeypatch):
    rates, step = [], training._Course.step

    def watch(course, loss):
        rates.append(course.optimizer.param_groups[0]["lr"])
        step(course, loss)

    monkeypatch.setattr(training._Course, "step", watch)
    learn(planted.days(), epochs=3, days_per_epoch=5)
    assert len(rates) == 15 and max(rates) == pytest.approx(PACE["learning_rate"], rel=0.01)
    assert rates[-1] < 1e-4 * PACE["learning_rate"]


# Laws


def test_a_days_scores_do_not_depend_on_other_days_or_on_the_future():
    days = planted.days(sessions=30)
    net, _ = learn(days, TRAIN[:15], TRAIN[16:20], epochs=1)
    told = predict(net, days, np.arange(20, 26))
    days.x[23:] = 7
    days.neighbours[23:] = -1
    days.labels[:] = np.nan
    alone = predict(net, days, np.array([22]))
    assert told.join(alone.select("date", "code"), on=["date", "code"]).equals(alone)


def test_predictions_are_the_members_of_each_day_also_before_a_full_window():
    days = planted.days(sessions=30)
    net, _ = learn(days, TRAIN[:15], TRAIN[16:20], epochs=1)
    predictions = predict(net, days, np.array([0, 29]))
    assert len(predictions) == days.universe[[0, 29]].sum()
    assert predictions["prediction_5d"].is_finite().all()


def test_predictions_are_made_on_the_cpu_even_beside_a_gpu(monkeypatch):
    days = planted.days(sessions=30)
    net, _ = learn(days, TRAIN[:15], TRAIN[16:20], epochs=1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert predict(net, days, np.array([29])).height == days.universe[29].sum()


@pytest.mark.parametrize("lost, part", [(TRAIN, "training"), (VALID, "validation")])
def test_a_part_without_labels_is_refused(lost, part):
    days = planted.days()
    days.labels[lost] = np.nan
    with pytest.raises(UserError, match=f"{part} part of the fold has no day with labels"):
        learn(days)


def test_other_columns_are_refused():
    days = planted.days(sessions=30)
    net, _ = learn(days, TRAIN[:15], TRAIN[16:20], epochs=1)
    days.columns[0] = "other"
    with pytest.raises(UserError, match="other columns"):
        predict(net, days, np.array([3]))
