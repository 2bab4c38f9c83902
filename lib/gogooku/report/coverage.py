"""What a source does not serve, in sentences: missing rows, days and fields of the raw data."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from gogooku import files, layout
from gogooku.raw import plans
from gogooku.raw.catalogue import DATASETS

PATIENCE = 45  # days without a row, at either end or between, that are not worth a word

NULL = "what is made of it is null"
INSTEAD = {"topix": "the equal-weighted mean return of the universe stands in for the index"}


def lacks(raw: Sequence[str], start: dt.date, end: dt.date) -> list[str]:
    """Say what the raw files <dataset>/<span>.parquet lack between `start` and `end`.

    Returns one sentence for a data set without rows, one for days that it does not cover, one for
    fields that are never filled.
    """
    return [
        sentence
        for dataset, paths in layout.by_dataset(raw).items()
        for sentence in _of(dataset, paths, start, end)
    ]


def _of(dataset: str, paths: list[Path], start: dt.date, end: dt.date) -> list[str]:
    day, fields = DATASETS[dataset].day, list(DATASETS[dataset].schema)
    counts, days = zip(*(_count(path, day, fields) for path in paths), strict=True)
    count, *known = pl.concat(counts).sum().row(0)
    days = pl.concat(days).unique().sort()
    first, last = days.min(), days.max()
    if not count:
        return [f"{dataset}: {_why_empty(dataset, paths)}; {INSTEAD.get(dataset, NULL)}"]
    sentences = []
    if (first - start).days > PATIENCE or (end - last).days > PATIENCE:
        sentences.append(f"{dataset}: rows from {first} to {last} only; null before and after")
    sentences += _holes(dataset, days)
    if never := [name for name, rows in zip(fields, known, strict=True) if not rows]:
        sentences.append(f"{dataset}: {', '.join(never)} never filled")
    return sentences


def _count(path: Path, day: str, fields: list[str]) -> tuple[pl.DataFrame, pl.Series]:
    """Count a file's rows and each field's values, and give its days, without loading the rest."""
    with files.reading(path):
        rows = pl.scan_parquet(path, glob=False).select(fields)
        counts = rows.select(pl.len().alias("_rows"), *(pl.col(name).count() for name in fields))
        return counts.collect(), rows.select(pl.col(day).unique()).collect()[day]


def _holes(dataset: str, days: pl.Series) -> list[str]:
    """Name the times between two days with rows in which there is none."""
    pairs = days.shift().alias("last").to_frame().with_columns(next=days)
    holes = pairs.filter((pl.col("next") - pl.col("last")).dt.total_days() > PATIENCE)
    return [
        f"{dataset}: no row between {last} and {after}; null there" for last, after in holes.rows()
    ]


def _why_empty(dataset: str, paths: list[Path]) -> str:
    plan = files.read_metadata(paths[-1]).get("plan")
    if plan and not plans.serves(plan, DATASETS[dataset]):
        return f"the plan {plan} does not include it, {DATASETS[dataset].plan} does"
    return "the source has no row"
