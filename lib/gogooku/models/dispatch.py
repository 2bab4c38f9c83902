"""What the rules `train` and `predict` do with any model's module."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl

from gogooku import files, jobs, layout
from gogooku.arrays.grid import Grid
from gogooku.dataset.inputs import ModelInputs
from gogooku.errors import UserError
from gogooku.models.contract import Checkpoint, Job


def job(
    module: ModuleType,
    settings: Mapping[str, Any],
    seed: int,
    threads: int,
    checkpoint: Checkpoint | None = None,
) -> Job:
    """Describe a fit or a prediction; `settings` are the model's section of the config."""
    section = vars(module).get("Settings")
    return Job(section(**settings) if section else None, seed, threads, checkpoint)


def fit(
    module: ModuleType, inputs: ModelInputs, fold: Mapping[str, Any], job: Job, refit: bool
) -> Any:
    """Let the module learn from a fold.

    What it chooses, it chooses by the validation part. With `refit` it then learns from all days
    from the training part's first to the validation part's last, else from the training part.
    """
    train, valid = inputs.part(fold["train"]), inputs.part(fold["valid"])
    if hasattr(module, "choose"):
        jobs.seed_everything(job.seed)
        job = replace(job, settings=module.choose(inputs, train, valid, job))
    if refit:
        whole = {"first": fold["train"]["first"], "last": fold["valid"]["last"]}
        train, valid = inputs.part(whole), valid[:0]
    jobs.seed_everything(job.seed)
    return module.fit(inputs, train, valid, job)


def others(
    paths: Sequence[str], inputs: ModelInputs, test: np.ndarray
) -> dict[str, list[np.ndarray]]:
    """Read predictions of other models: by model one table (D, N, H) a seed, NaN for none."""
    grid = Grid(inputs.dates[test], inputs.codes)
    columns = [f"prediction_{horizon}d" for horizon in inputs.horizons]
    scores: dict[str, list[np.ndarray]] = {}
    for path in paths:
        rows = files.read_parquet(path, ["date", "code", *columns])
        cells = grid.cells(rows)
        tables = [grid.dense(cells, rows[name].to_numpy(), np.nan) for name in columns]
        scores.setdefault(layout.fit(path).model, []).append(np.stack(tables, axis=-1))
    return scores


def save(module: ModuleType, model: Any, path: str | Path) -> None:
    """Let the module write its model to `path`: the whole file or none."""
    with files.atomic(path) as draft:
        module.save(model, draft)


def load(module: ModuleType, path: str | Path | Sequence[str]) -> Any:
    """Let the module read its model; UserError if the file is damaged."""
    if not path:  # the model learns nothing, so the rule names no file
        return None
    with files.reading(str(path)):
        return module.load(path)


def predict(
    module: ModuleType, model: Any, inputs: ModelInputs, test: np.ndarray, job: Job
) -> pl.DataFrame:
    """Predict the days at positions `test`: one row a member, date, code, prediction_{h}d.

    Raises UserError if the module gives scores of another shape, or a member none.
    """
    jobs.seed_everything(job.seed)
    scores = np.asarray(module.predict(model, inputs, test, job))
    shape = (len(test), len(inputs.codes), len(inputs.horizons))
    if scores.shape != shape:
        raise UserError(
            f"{module.__file__}: predict gave scores of shape {scores.shape}: give {shape}, "
            "the test days, codes and horizons"
        )
    members = inputs.universe[test]
    if not np.isfinite(scores[members]).all():
        raise UserError(f"{module.__file__}: predict gave a member no finite score: give each one")
    return inputs.tidy(test, scores)
