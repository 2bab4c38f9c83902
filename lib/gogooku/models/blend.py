"""Blend: the mean of what other models say, by the ranks of each day."""

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, field_validator

from gogooku.models.contract import Job
from gogooku.section import Section

if TYPE_CHECKING:
    from gogooku.dataset.inputs import ModelInputs


class Settings(Section):
    """Which models, and how much each counts."""

    weights: dict[str, Annotated[float, Field(ge=0, le=1e6)]]

    @field_validator("weights")
    @classmethod
    def _weigh_something(cls, weights: dict[str, float]) -> dict[str, float]:
        if not any(weights.values()):
            raise ValueError("blend.weights weighs no model: give one a weight above 0")
        return weights

    @property
    def models(self) -> dict[str, float]:
        """Models that count, and how much."""
        return {name: weight for name, weight in self.weights.items() if weight}


def predict(model: None, inputs: "ModelInputs", test: np.ndarray, job: Job) -> np.ndarray:
    """Score every member by the weighted mean of its ranks, from 0 to 1, in the models named.

    Of a model's seeds the mean is taken first. Weights are those of the settings: nothing is chosen
    by results.
    """
    total = np.zeros((len(test), len(inputs.codes), len(inputs.horizons)))
    models = job.settings.models
    for name, weight in models.items():
        seeds = job.others[name]
        for scores in seeds:
            total += weight / len(seeds) * _ranked(scores)
    return np.where(inputs.universe[test][..., None], total, 0) / sum(models.values())


def _ranked(scores: np.ndarray) -> np.ndarray:
    """Rank each day's scores of a horizon from 0 to 1; (D, N, H)."""
    from gogooku.arrays import agreement

    flat = np.moveaxis(scores, -1, 1).reshape(-1, scores.shape[1]).astype(np.float64)
    share = (agreement.rank(flat) - 0.5) / np.maximum(agreement.count(flat), 1)[:, None]
    return np.moveaxis(share.reshape(len(scores), scores.shape[2], scores.shape[1]), 1, -1)
