"""Gradient-boosted trees by LightGBM, whatever they aim at: settings, rows and files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from gogooku import files
from gogooku.errors import UserError
from gogooku.models.contract import Job
from gogooku.section import Section

if TYPE_CHECKING:
    from gogooku.dataset.inputs import ModelInputs


class Settings(Section):
    """LightGBM's settings under names of this project."""

    rounds: int = Field(ge=1, le=1000000)
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


def parameters(job: Job, aim: Mapping[str, Any]) -> dict[str, Any]:
    """Give LightGBM's parameters: the settings, and what the trees aim at.

    The same seed and threads give the same bits.
    """
    settings = job.settings
    return {
        "learning_rate": settings.learning_rate, "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.min_leaf, "feature_fraction": settings.feature_share,
        "bagging_fraction": settings.row_share, "bagging_freq": 1, "max_bin": settings.max_bins,
        "seed": job.seed, "num_threads": job.threads, "deterministic": True,
        "force_row_wise": True, "verbosity": -1, **aim,
    }  # fmt: skip


def drawn(inputs: "ModelInputs", train: np.ndarray, max_rows: int) -> np.ndarray:
    """Draw whole days of `train` evenly, as many as hold `max_rows` rows.

    Raises UserError if no training day has labels.
    """
    if not np.isfinite(inputs.labels[train]).any():
        raise UserError("the training part of the fold has no day with labels: lengthen splits")
    rows = int(inputs.universe[train].sum())
    number = max(1, min(len(train), len(train) * max_rows // max(rows, 1)))
    even = np.linspace(0, len(train) - 1, number)
    return train[even.round().astype(int)]


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


def importance(model: Trees) -> dict[str, float]:
    """Give each column's share of all gains by its splits, mean of horizons."""
    import lightgbm

    boosters = [lightgbm.Booster(model_str=text) for text in model.models]
    gains = np.array([own.feature_importance("gain") for own in boosters])
    shares = (gains / np.maximum(gains.sum(axis=1, keepdims=True), 1e-300)).mean(axis=0)
    return dict(zip(model.columns, shares.tolist(), strict=True))


def save(model: Trees, path: str) -> None:
    """Write the models as JSON."""
    files.write_json(vars(model), path)


def load(path: str) -> Trees:
    """Read what `save` wrote."""
    return Trees(**files.read_json(path))
