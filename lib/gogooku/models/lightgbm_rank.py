"""Trees that aim at the order of a day's stocks, not at their returns."""

from typing import TYPE_CHECKING

import numpy as np

from gogooku.models import trees
from gogooku.models.contract import Job
from gogooku.models.trees import Settings, Trees, importance, load, predict, save

if TYPE_CHECKING:
    from gogooku.dataset.inputs import ModelInputs

__all__ = ["Settings", "fit", "importance", "load", "predict", "save"]

GRADES = 5  # of a day's stocks by return, the best counting most


def fit(inputs: "ModelInputs", train: np.ndarray, valid: np.ndarray, job: Job) -> Trees:
    """Grow `rounds` trees on the quintiles of each day's returns, by horizon.

    The loss is XE-NDCG, the cross-entropy between the day's scores and its grades (Bruch 2021): a
    day is one list. Raises UserError without a training day with labels.
    """
    import lightgbm

    days = trees.drawn(inputs, train, job.settings.max_rows)
    aim = trees.parameters(job, {"objective": "rank_xendcg", "objective_seed": job.seed})
    models = []
    for h in range(len(inputs.horizons)):
        grades = _grades(inputs.labels[days, :, h])
        known = grades >= 0
        rows = lightgbm.Dataset(
            inputs.x[days][known], grades[known], group=known.sum(axis=1), params=aim
        )
        models.append(lightgbm.train(aim, rows, job.settings.rounds).model_to_string())
    return Trees(list(inputs.columns), list(inputs.horizons), models)


def _grades(labels: np.ndarray) -> np.ndarray:
    """Grade each day's labels (D, N) from 0 to GRADES − 1; −1 for none."""
    from gogooku.arrays import agreement

    share = (agreement.rank(labels.astype(np.float64)) - 0.5) / np.maximum(
        agreement.count(labels), 1
    )[:, None]
    return np.where(np.isfinite(share), np.nan_to_num(share) * GRADES, -1).astype(np.int64)
