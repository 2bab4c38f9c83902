"""What a model and the workflow owe each other.

A model is one module with

    fit(inputs, train, valid, job) -> model      learns from the days at positions `train`
    predict(model, inputs, test, job) -> scores  (D, N, H), of the D days at positions `test`
    save(model, path), load(path)                one file, without pickle
    choose(inputs, train, valid, job) -> settings   if it has something to choose by `valid`
    importance(model) -> {column: share}   if it can say what it listens to: from 0, adding up to 1

where `inputs` are ModelInputs, positions are those of its dates and a larger score means a better
return expected. With `splits.refit` a fit gets the days of both parts as `train` and none to watch
as `valid`, and `choose`, before it, the parts themselves. A model that learns nothing has `predict`
alone and gets None for `model`. Its settings, if any, are a class `Settings` of
`gogooku.section.Section`: the section of the config named as the model. What it needs stands in
`catalogue.MODELS` or, of a user's own, in its `NEEDS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gogooku import files

Size = Callable[[int, int, int], float]


def usual_memory(rows: int, columns: int, attempt: int) -> float:
    """Memory [MB] of a model that holds its rows twice: dense, and as it learns from them."""
    return attempt * (2000 + 12e-6 * rows * columns)


def usual_minutes(rows: int, columns: int, attempt: int) -> float:
    """Minutes of a model that reads its rows a few times."""
    return attempt * (30 + 1e-6 * rows * columns)


@dataclass(frozen=True)
class Needs:
    """What a model reads and what a fit costs.

    learns     whether it is fitted; else it has `predict` alone
    graphs     whether it reads the days' graphs
    seeds      whether chance plays a part: a fit for each of the settings' seeds, or one in all
    gpu        GPUs of a fit; a prediction has none
    window     its settings → sessions that a prediction looks back on, the day's own included
    columns    of the data set that it reads; None: all
    families   of features without which it cannot be
    others     its settings → models whose predictions it is made of
    memory     (rows, columns, attempt) → memory of a job [MB];  rows and columns of what it reads
    minutes    (rows, columns, attempt) → minutes of a fit at most
    """

    learns: bool = True
    graphs: bool = False
    seeds: bool = False
    gpu: int = 0
    window: Callable[[Any], int] = lambda settings: 1
    columns: tuple[str, ...] | None = None
    families: tuple[str, ...] = ()
    others: Callable[[Any], Sequence[str]] = lambda settings: ()
    memory: Size = usual_memory
    minutes: Size = usual_minutes


@dataclass(frozen=True)
class Checkpoint:
    """Where a fit may keep its state until it ends, so that a killed one goes on.

    path       the file
    meanings   the code, settings and seed of the fit;  inputs  the files that it reads
    """

    path: Path
    meanings: tuple[Any, ...]
    inputs: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Name of the fit: a state is of use to the fit of the same name alone."""
        return files.fingerprint(*self.meanings, files=self.inputs)


@dataclass(frozen=True)
class Job:
    """One fit or prediction, beside its inputs.

    settings     the model's section, an instance of its Settings; None if it has no such class
    seed         of all its draws
    threads      CPU threads that it may use
    checkpoint   of a fit that can go on from one; None: it starts afresh
    curve        entries that a fit adds, one an epoch: {"epoch": 1, "loss": 0.9, …}; the report
                 draws the loss
    validation   what `choose` adds on its choice: {"rank_ic": …} of the validation part, which
                 the ledger of trials notes
    others       scores (D, N, H) of the test days by each seed of the models that it is made of
    """

    settings: Any = None
    seed: int = 0
    threads: int = 1
    checkpoint: Checkpoint | None = None
    curve: list[dict[str, float]] = field(default_factory=list)
    validation: dict[str, float] = field(default_factory=dict)
    others: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)
