"""Gradient-boosted trees by LightGBM: the strong baseline."""

import logging
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import polars as pl

from gogooku import files
from gogooku.dataset.inputs import Days
from gogooku.errors import UserError
from gogooku.models.targets import rank_normal


@dataclass(frozen=True)
class Trees:
    """One model a horizon, as LightGBM's text."""

    columns: list[str]
    horizons: list[int]
    models: list[str]


def fit(
    days: Days,
    train: np.ndarray,
    valid: np.ndarray,
    *,
    seed: int,
    threads: int,
    rounds: int,
    patience: int,
    learning_rate: float,
    leaves: int,
    min_leaf: int,
    feature_share: float,
    row_share: float,
    max_bins: int,
    max_rows: int,
) -> Trees:
    """Grow trees on each horizon's normal scores until validation stops getting better.

    max_rows   of either part: whole days are drawn evenly

    The settings are LightGBM's under names of this project; the same seed and threads give the
    same bits. Raises UserError for a part without labels.
    """
    parameters = {
        "objective": "regression", "learning_rate": learning_rate, "num_leaves": leaves,
        "min_data_in_leaf": min_leaf, "feature_fraction": feature_share,
        "bagging_fraction": row_share, "bagging_freq": 1, "max_bin": max_bins, "seed": seed,
        "num_threads": threads, "deterministic": True, "force_row_wise": True, "verbosity": -1,
    }  # fmt: skip
    x, y = _rows(days, _draw(days, train, max_rows), "training")
    learnt = lightgbm.Dataset(x, params=parameters, free_raw_data=False)
    x, goal = _rows(days, _draw(days, valid, max_rows), "validation")
    judged = learnt.create_valid(x)
    models = []
    for h, horizon in enumerate(days.horizons):
        stop = lightgbm.early_stopping(patience, verbose=False)
        booster = lightgbm.train(
            parameters, _aim(learnt, y[:, h]), rounds, [_aim(judged, goal[:, h])], callbacks=[stop]
        )
        logging.info("horizon %d: %d trees", horizon, booster.best_iteration)
        models.append(booster.model_to_string(num_iteration=booster.best_iteration))
    return Trees(list(days.columns), list(days.horizons), models)


def predict(model: Trees, days: Days, test: np.ndarray, threads: int) -> pl.DataFrame:
    """Score every member of each day at positions `test`: date, code, prediction_{h}d.

    Raises UserError if the columns of `days` are not those of the model.
    """
    if days.columns != model.columns:
        raise UserError("the model was trained on other columns than the data set's: train again")
    scores = np.zeros((len(test), len(days.codes), len(model.horizons)))
    members = days.universe[test]
    rows = days.x[test][members]
    for h, text in enumerate(model.models):
        booster = lightgbm.Booster(model_str=text)
        scores[members, h] = booster.predict(rows, num_threads=threads)
    return days.tidy(test, scores, model.horizons)


def save(model: Trees, path: str | Path) -> None:
    """Write the models as JSON."""
    files.write_json(vars(model), path)


def load(path: str | Path) -> Trees:
    """Read what `save` wrote."""
    return Trees(**files.read_json(path))


def _draw(days: Days, positions: np.ndarray, max_rows: int) -> np.ndarray:
    """Draw whole days evenly, as many as hold `max_rows` rows."""
    rows = int(days.universe[positions].sum())
    number = max(1, min(len(positions), len(positions) * max_rows // max(rows, 1)))
    even = np.linspace(0, len(positions) - 1, number)
    return positions[even.round().astype(int)]


def _rows(days: Days, positions: np.ndarray, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Give inputs (R, F) and normal scores (R, H) of the members at `positions`."""
    goal = rank_normal(days.labels[positions])
    members = days.universe[positions]
    if not np.isfinite(goal).any():
        raise UserError(f"the {part} part of the fold has no day with labels: lengthen splits")
    return days.x[positions][members], goal[members]


def _aim(rows: lightgbm.Dataset, goal: np.ndarray) -> lightgbm.Dataset:
    """Give the binned rows another goal; a row without one weighs nothing."""
    known = np.isfinite(goal)
    return rows.set_label(np.where(known, goal, 0.0)).set_weight(known.astype(np.float32))
