"""What a path names, and back: store, build and run; stage, data set, span, model, fold and seed.

raw          data/raw/<store>/<dataset>/<span>.parquet
build        builds/<build>/<stage>/<span>.parquet; of features the stage is features/<family>
fits         runs/<name>/<stage>/<model>/fold<k>/seed<s>…, models and predictions
evaluation   runs/<name>/evaluation/<model>.parquet
record       runs/<name>/report/run.json, of what the report is about
ledger       runs/ledger.jsonl, of all runs in the working directory
comparison   comparisons/<name>+<name>….html, of several runs
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gogooku.errors import UserError

FIT = re.compile(r"([^/]+)/fold(\d+)/seed(\d+)(?:\.[^/]*|/[^/]*)$")
LEDGER = "runs/ledger.jsonl"
NESTED = ("features", "models", "predictions")
"""Stages that have one folder a family or model."""


class Fit(NamedTuple):
    """What names one fit of a model."""

    model: str
    fold: int
    seed: int


def raw_folder(store: str) -> str:
    """Give the folder of a source's rows."""
    return f"data/raw/{store}"


def build_folder(build: str) -> str:
    """Give the folder of what runs may share: panel to data set, labels and graphs."""
    return f"builds/{build}"


def run_folder(name: str) -> str:
    """Give the folder of a run: folds, models, predictions, evaluation and report."""
    return f"runs/{name}"


def model_file(name: str, fit: Fit) -> str:
    """Give the file of a fitted model in the run `name`."""
    return f"{run_folder(name)}/models/{fit.model}/fold{fit.fold}/seed{fit.seed}/model"


def predictions(name: str, fit: Fit) -> str:
    """Give the file of a fit's predictions in the run `name`."""
    return f"{run_folder(name)}/predictions/{fit.model}/fold{fit.fold}/seed{fit.seed}.parquet"


def audit(name: str, kind: str) -> str:
    """Give the file of an audit of the run `name`: leaks or noise."""
    return f"{run_folder(name)}/audit/{kind}.json"


def record(name: str) -> str:
    """Give the file in which the report of the run `name` says what it is about."""
    return f"{run_folder(name)}/report/run.json"


def comparison(names: Iterable[str]) -> str:
    """Give the page on which runs are compared, without its ending."""
    return f"comparisons/{'+'.join(names) or 'none'}"


def dataset(path: str | Path) -> str:
    """Give the data set of a raw file."""
    return Path(path).parent.name


def span(path: str | Path) -> str:
    """Give the span of a raw file or of a build's file."""
    return Path(path).stem


def model(path: str | Path) -> str:
    """Give the model of an evaluation file."""
    return Path(path).stem


def run(path: str | Path) -> str:
    """Give the run of a file, by its path relative to the working directory."""
    return Path(path).parts[1]


def fit(path: str | Path) -> Fit:
    """Give model, fold and seed of a file of models or predictions.

    Raises UserError if the path does not end as theirs do.
    """
    match = FIT.search(str(path))
    if not match:
        raise UserError(f"{path} is not <model>/fold<number>/seed<number>…: rename it")
    return Fit(match[1], int(match[2]), int(match[3]))


def stage(path: str | Path) -> str:
    """Give the stage of a build's or run's file, as panel, features/flow or predictions/ridge.

    path   relative to the working directory: its second folder is the build or run
    """
    name, *deeper = Path(path).parts[2:-1]
    return f"{name}/{deeper[0]}" if name in NESTED else name


def by_dataset(paths: Iterable[str | Path]) -> dict[str, list[Path]]:
    """Sort raw files by data set and, within it, by span."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(map(Path, paths)):
        groups.setdefault(dataset(path), []).append(path)
    return groups
