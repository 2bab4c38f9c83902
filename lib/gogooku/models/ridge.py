"""Ridge regression across the stocks of each day: the linear baseline."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field
from threadpoolctl import threadpool_limits

from gogooku import files
from gogooku.errors import UserError
from gogooku.models.contract import Job
from gogooku.section import Section

if TYPE_CHECKING:
    from gogooku.dataset.inputs import ModelInputs


class Settings(Section):
    """How strongly coefficients are drawn to 0: one penalty, or several to choose from."""

    penalty: list[Annotated[float, Field(ge=0, le=1e12)]] = Field(min_length=1)


@dataclass(frozen=True)
class Ridge:
    """Coefficients (F, H) of the day's inputs, float64."""

    columns: list[str]
    horizons: list[int]
    coefficients: np.ndarray


@threadpool_limits.wrap(limits=1)  # the bits of a product depend on the threads that share it
def choose(inputs: "ModelInputs", train: np.ndarray, valid: np.ndarray, job: Job) -> Settings:
    """Choose the penalty whose scores of the validation part have the highest mean RankIC.

    The mean is over its days and horizons; of two that are alike the larger penalty is taken.
    """
    if len(job.settings.penalty) == 1:
        return job.settings
    sums = _sums(inputs, train)
    skills = {
        penalty: _skill(inputs, valid, _solved(*sums, penalty)) for penalty in job.settings.penalty
    }
    best = max(sorted(skills, reverse=True), key=skills.__getitem__)
    found = ", ".join(f"{penalty:g}: {skill:.4f}" for penalty, skill in skills.items())
    logging.info("mean validation RankIC by penalty: %s; chosen %g", found, best)
    job.validation["rank_ic"] = skills[best]
    return Settings(penalty=[best])


def _skill(inputs: "ModelInputs", valid: np.ndarray, coefficients: np.ndarray) -> float:
    from gogooku.arrays.agreement import rank_ic

    daily = []
    for position in valid:
        members = inputs.universe[position]
        scores = _score(inputs.x[position, members], coefficients)
        daily.append(rank_ic(scores.T, inputs.labels[position, members].T.astype(np.float64)))
    known = np.array(daily)
    return float(np.nanmean(known)) if np.isfinite(known).any() else 0.0


@threadpool_limits.wrap(limits=1)
def fit(inputs: "ModelInputs", train: np.ndarray, valid: np.ndarray, job: Job) -> Ridge:
    """Regress each horizon's normal scores on the day's inputs, all days weighing the same.

    The (first) penalty is added to the diagonal of X'X, in units of one day's worth of rows. Inputs
    are centred within the day, so what is the same for all stocks of a day has no say. Raises
    UserError without a training day with labels. Source: Hoerl and Kennard (1970).
    """
    coefficients = _solved(*_sums(inputs, train), job.settings.penalty[0])
    return Ridge(list(inputs.columns), list(inputs.horizons), coefficients)


def _sums(inputs: "ModelInputs", train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum X'X (H, F, F) and X'y (H, F) over the days."""
    from gogooku.models.targets import rank_normal

    width, horizons = len(inputs.columns), len(inputs.horizons)
    moments = np.zeros((horizons, width, width))
    products = np.zeros((horizons, width))
    for position in train:
        x = inputs.x[position]
        for h, y in enumerate(rank_normal(inputs.labels[position : position + 1])[0].T):
            _accumulate(moments[h], products[h], x, y)
    if not moments.any():
        raise UserError("the training part of the fold has no day with labels: lengthen splits")
    return moments, products


def _solved(moments: np.ndarray, products: np.ndarray, penalty: float) -> np.ndarray:
    """Solve for the coefficients (F, H)."""
    ridge = max(penalty, np.finfo(float).eps) * np.eye(moments.shape[-1])
    return np.linalg.solve(moments + ridge, products[..., None])[..., 0].T


def _accumulate(moment: np.ndarray, product: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Add one day's mean of x x' and of x y, over the stocks with a label."""
    known = np.isfinite(y)
    if known.sum() > 1:
        rows = x[known].astype(np.float64)
        rows -= rows.mean(axis=0)
        moment += rows.T @ rows / len(rows)
        product += rows.T @ y[known] / len(rows)


def predict(model: Ridge, inputs: "ModelInputs", test: np.ndarray, job: Job) -> np.ndarray:
    """Score every member of each test day; UserError if the model has other columns."""
    inputs.require_columns(model.columns)
    scores = np.zeros((len(test), len(inputs.codes), len(model.horizons)))
    for row, position in zip(scores, test, strict=True):
        members = inputs.universe[position]
        row[members] = _score(inputs.x[position, members], model.coefficients)
    return scores


def _score(x: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Multiply x (N, F) by coefficients (F, H), one column after the other.

    A stock's bits are its own: a matrix product may round otherwise with more or fewer rows.
    """
    scores = np.zeros((len(x), coefficients.shape[1]))
    for column, weights in zip(x.T, coefficients, strict=True):
        scores += column[:, None] * weights
    return scores


def importance(model: Ridge) -> dict[str, float]:
    """Give each column's share of all absolute coefficients, mean of horizons."""
    sizes = np.abs(model.coefficients)
    shares = (sizes / np.maximum(sizes.sum(axis=0), np.finfo(float).tiny)).mean(axis=1)
    return dict(zip(model.columns, shares.tolist(), strict=True))


def save(model: Ridge, path: str) -> None:
    """Write the coefficients as JSON."""
    files.write_json({**vars(model), "coefficients": model.coefficients.tolist()}, path)


def load(path: str) -> Ridge:
    """Read what `save` wrote."""
    stored = files.read_json(path)
    return Ridge(**{**stored, "coefficients": np.array(stored["coefficients"])})
