"""The noise certificate passes noise and refuses a finding."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from gogooku import errors, files
from gogooku.evaluation import noise

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
