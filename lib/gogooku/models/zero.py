"""Zero: the forecast of who knows nothing. It ranks no stock, so most scores have no value."""

from typing import TYPE_CHECKING

import numpy as np

from gogooku.models.contract import Job

if TYPE_CHECKING:
    from gogooku.dataset.inputs import ModelInputs


def predict(model: None, inputs: "ModelInputs", test: np.ndarray, job: Job) -> np.ndarray:
    """Score every stock by 0."""
    return np.zeros((len(test), len(inputs.codes), len(inputs.horizons)))
