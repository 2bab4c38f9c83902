"""Trees on the normal scores of returns, by squared error: the strong baseline."""

from typing import TYPE_CHECKING

import numpy as np

from gogooku.models import trees
from gogooku.models.contract import Job
from gogooku.models.trees import Settings, Trees, importance, load, predict, save

if TYPE_CHECKING:
    from gogooku.dataset.inputs import ModelInputs

__all__ = ["Settings", "fit", "importance", "load", "predict", "save"]


def fit(inputs: "ModelInputs", train: np.ndarray, valid: np.ndarray, job: Job) -> Trees:
    """Grow `rounds` trees on each horizon's normal scores.

    The number is fixed: some eighty validation days, of which each is like its neighbours, cannot
    tell one tree from a hundred. Raises UserError without a training day with labels.
    """
    import lightgbm

    from gogooku.models.targets import rank_normal

    days = trees.drawn(inputs, train, job.settings.max_rows)
    members = inputs.universe[days]
    goals = rank_normal(inputs.labels[days])[members]
    aim = trees.parameters(job, {"objective": "regression"})
    rows = lightgbm.Dataset(inputs.x[days][members], params=aim, free_raw_data=False)
    models = []
    for goal in goals.T:
        known = np.isfinite(goal)  # a row without a label weighs nothing
        rows.set_label(np.where(known, goal, 0.0)).set_weight(known.astype(np.float32))
        models.append(lightgbm.train(aim, rows, job.settings.rounds).model_to_string())
    return Trees(list(inputs.columns), list(inputs.horizons), models)
