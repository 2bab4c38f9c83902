"""Gradient-boosted trees by LightGBM: the strong baseline."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from gogooku import files
from gogooku.errors import UserError
from gogooku.models.contract import Job
from gogooku.section import Section

if TYPE_CHECKING:
    import lightgbm

    from gogooku.dataset.inputs import ModelInputs


class Settings(Section):
    """LightGBM's settings under names of this project."""

    rounds: int = Field(ge=1, le=1000000)
    patience: int = Field(ge=1, le=1000000)
    learning_rate: float = Field(gt=0, le=1)
    leaves: int = Field(ge=2, le=131072)
    min_leaf: int = Field(ge=1, le=10**9)
    feature_share: float = Field(gt=0, le=1)
    row_share: float = Field(gt=0, le=1)
    max_bins: int = Field(ge=2, le=255)
    max_rows: int = Field(ge=1, le=10**10)


@dataclass(frozen=True)
class Trees:
    """One model a horizon, as LightGBM's text."""

    columns: list[str]
    horizons: list[int]
    models: list[str]


def fit(inputs: "ModelInputs", train: np.ndarray, valid: np.ndarray, job: Job) -> Trees:
    """Grow trees on each horizon's normal scores until validation stops getting better.

    Of either part, whole days are drawn evenly until they hold `max_rows` rows. The same seed and
    threads give the same bits. Raises UserError for a part without labels.
    """
    import lightgbm

    parameters = _parameters(job)
    x, y = _rows(inputs, _draw(inputs, train, job.settings.max_rows), "training")
    training_rows = lightgbm.Dataset(x, params=parameters, free_raw_data=False)
    x, goal = _rows(inputs, _draw(inputs, valid, job.settings.max_rows), "validation")
    validation_rows = training_rows.create_valid(x)
    models = []
    for h, horizon in enumerate(inputs.horizons):
        stop = lightgbm.early_stopping(job.settings.patience, verbose=False)
        booster = lightgbm.train(
            parameters,
            _aim(training_rows, y[:, h]),
            job.settings.rounds,
            [_aim(validation_rows, goal[:, h])],
            callbacks=[stop],
        )
        logging.info("horizon %d: %d trees", horizon, booster.best_iteration)
        models.append(booster.model_to_string(num_iteration=booster.best_iteration))
    return Trees(list(inputs.columns), list(inputs.horizons), models)


def _parameters(job: Job) -> dict[str, Any]:
    settings = job.settings
    return {
        "objective": "regression", "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves, "min_data_in_leaf": settings.min_leaf,
        "feature_fraction": settings.feature_share, "bagging_fraction": settings.row_share,
        "bagging_freq": 1, "max_bin": settings.max_bins, "seed": job.seed,
        "num_threads": job.threads, "deterministic": True, "force_row_wise": True, "verbosity": -1,
    }  # fmt: skip


def predict(model: Trees, inputs: "ModelInputs", test: np.ndarray, job: Job) -> np.ndarray:
    """Score every member of each test day; UserError if the model has other columns."""
    import lightgbm

    inputs.require_columns(model.columns)
    scores = np.zeros((len(test), len(inputs.codes), len(model.horizons)))
    members = inputs.universe[test]
    rows = inputs.x[test][members]
    for h, text in enumerate(model.models):
        booster = lightgbm.Booster(model_str=text)
        scores[members, h] = booster.predict(rows, num_threads=job.threads)
    return scores


def save(model: Trees, path: str) -> None:
    """Write the models as JSON."""
    files.write_json(vars(model), path)


def load(path: str) -> Trees:
    """Read what `save` wrote."""
    return Trees(**files.read_json(path))


def _draw(inputs: "ModelInputs", positions: np.ndarray, max_rows: int) -> np.ndarray:
    """Draw whole days evenly, as many as hold `max_rows` rows."""
    rows = int(inputs.universe[positions].sum())
    number = max(1, min(len(positions), len(positions) * max_rows // max(rows, 1)))
    even = np.linspace(0, len(positions) - 1, number)
    return positions[even.round().astype(int)]


def _rows(inputs: "ModelInputs", positions: np.ndarray, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Give inputs (R, F) and normal scores (R, H) of the members at `positions`."""
    from gogooku.models.targets import rank_normal

    goal = rank_normal(inputs.labels[positions])
    members = inputs.universe[positions]
    if not np.isfinite(goal).any():
        raise UserError(f"the {part} part of the fold has no day with labels: lengthen splits")
    return inputs.x[positions][members], goal[members]


def _aim(rows: "lightgbm.Dataset", goal: np.ndarray) -> "lightgbm.Dataset":
    """Give the binned rows another goal; a row without one weighs nothing."""
    known = np.isfinite(goal)
    return rows.set_label(np.where(known, goal, 0.0)).set_weight(known.astype(np.float32))
