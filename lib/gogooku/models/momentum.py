"""Momentum: the winners of the year but for its last month go on winning."""

from typing import TYPE_CHECKING

import numpy as np

from gogooku.models import reversal
from gogooku.models.contract import Job

if TYPE_CHECKING:
    from gogooku.dataset.inputs import ModelInputs

RETURN = "momentum_12_1"


def predict(model: None, inputs: "ModelInputs", test: np.ndarray, job: Job) -> np.ndarray:
    """Score every stock by its return from 245 to 20 sessions before, for all horizons alike.

    Raises UserError without the column. Source: Jegadeesh and Titman (1993).
    """
    return reversal.column(inputs, test, RETURN)
