"""Momentum: the winners of the year but for its last month go on winning."""

from typing import TYPE_CHECKING

import numpy as np

from gogooku.errors import UserError
from gogooku.models.contract import Job

if TYPE_CHECKING:
    from gogooku.dataset.inputs import ModelInputs

RETURN = "momentum_12_1"


def predict(model: None, inputs: "ModelInputs", test: np.ndarray, job: Job) -> np.ndarray:
    """Score every stock by its return from 245 to 20 sessions before, for all horizons alike.

    Raises UserError without the column. Source: Jegadeesh and Titman (1993).
    """
    if RETURN not in inputs.columns:
        raise UserError(f"momentum needs the column {RETURN}: add technical to features.families")
    score = inputs.x[test, :, inputs.columns.index(RETURN)]
    return np.repeat(score[..., None], len(inputs.horizons), axis=-1)
