"""The noise certificate passes noise and refuses a finding."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from gogooku import errors, files
from gogooku.evaluation import noise
from helpers import judged

PARTS = {"reversal": 0.0, "drift": 0.0}


def evaluated(folder, mean, last=dt.date(2021, 12, 31)):
    days = pl.date_range(dt.date(2021, 1, 1), last, eager=True)
    values = mean + 0.05 * np.random.default_rng(3).standard_normal(len(days))
    rows = pl.DataFrame({"date": days, "value": values}).with_columns(
        seed=pl.lit(-1, pl.Int16), horizon=pl.lit(1, pl.Int16), metric=pl.lit("rank_ic")
    )
    files.write_parquet(rows, folder / "ridge.parquet")
    return [folder / "ridge.parquet"]


def test_noise_is_certified(tmp_path):
    (row,) = noise.certify(evaluated(tmp_path, 0.0), PARTS, [1], "next_close")
    assert row["model"] == "ridge" and row["low"] < 0 < row["high"] and row["days"] == 365


def test_a_finding_in_noise_is_refused_by_model_and_horizon(tmp_path):
    with pytest.raises(errors.UserError, match=r"ridge finds RankIC 0\.0[23]\d+ at 1 sessions"):
        noise.certify(evaluated(tmp_path, 0.025), PARTS, [1], "next_close")


def test_too_few_days_are_no_finding_and_no_certificate(tmp_path):
    short = evaluated(tmp_path, 0.0, last=dt.date(2021, 1, 2))
    with pytest.raises(
        errors.UserError, match="ridge has a RankIC at 1 sessions on 2 days, too few"
    ):
        noise.certify(short, PARTS, [1], "next_close")


def test_a_market_with_something_planted_gives_no_certificate(tmp_path):
    with pytest.raises(errors.UserError, match="reversal"):
        noise.certify([], {"reversal": 15.0}, [1], "next_close")


def predicted(folder, scores):
    """Files of predictions by model: (T, N) each of the tidy rows of `judged`."""
    paths = []
    for model, table in scores.items():
        rows = judged.tidy(table, "prediction_1d")
        paths.append(folder / model / "fold0" / "seed0.parquet")
        files.write_parquet(rows, paths[-1])
    return [str(path) for path in paths]


RANDOM = np.random.default_rng(5)
LABEL = RANDOM.standard_normal((200, 40))
SCORES = {"ridge": LABEL + 0.1 * RANDOM.standard_normal(LABEL.shape), "zero": 0 * LABEL}
LABELS = judged.tidy(LABEL, "label").with_columns(horizon=pl.lit(1, pl.Int16))


def test_labels_shuffled_within_days_leave_nothing_of_a_perfect_forecast(tmp_path):
    paths = predicted(tmp_path, SCORES)
    rows = noise.shuffled(paths, LABELS, [1], seed=11)
    assert [row["model"] for row in rows] == ["ridge"]  # zero ranks nobody
    assert rows[0]["days"] == 200 and rows[0]["low"] < 0 < rows[0]["high"] < 0.1
    assert rows == noise.shuffled(paths, LABELS, [1], seed=11)
    assert rows != noise.shuffled(paths, LABELS, [1], seed=12)


def test_shuffled_labels_that_still_tell_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(noise, "_permuted", lambda label, random: label)
    with pytest.raises(errors.UserError, match=r"ridge has RankIC 0\.9\d+ at 1 sessions"):
        noise.shuffled(predicted(tmp_path, SCORES), LABELS, [1], seed=11)


def test_a_model_without_any_rank_ic_is_no_finding(tmp_path):
    rows = files.read_parquet(evaluated(tmp_path, 0.0)[0])
    silent = rows.with_columns(value=pl.lit(None, pl.Float64))
    files.write_parquet(silent, tmp_path / "zero.parquet")
    assert noise.certify([tmp_path / "zero.parquet"], PARTS, [1], "next_close") == []
