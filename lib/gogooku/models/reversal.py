"""Reversal: yesterday's losers are tomorrow's winners. The baseline that costs nothing."""

from typing import TYPE_CHECKING

import numpy as np

from gogooku.errors import UserError
from gogooku.models.contract import Job

if TYPE_CHECKING:
    from gogooku.dataset.inputs import ModelInputs

RETURN = "returns_1d"


def predict(model: None, inputs: "ModelInputs", test: np.ndarray, job: Job) -> np.ndarray:
    """Score every stock by minus its one-session return, for all horizons alike.

    Raises UserError without the column returns_1d. Source: Jegadeesh (1990).
    """
    if RETURN not in inputs.columns:
        raise UserError(f"reversal needs the column {RETURN}: add technical to features.families")
    score = -inputs.x[test, :, inputs.columns.index(RETURN)]
    return np.repeat(score[..., None], len(inputs.horizons), axis=-1)
