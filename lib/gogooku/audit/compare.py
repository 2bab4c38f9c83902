"""Two builds of one run, compared up to a day: bit by bit, stage by stage."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gogooku import files, layout

STAGES = ("panel", "quality", "labels", "graphs", "features/*", "dataset")
"""A build's stages in the order in which they are built."""

FOLDERS = (*(f"builds/*/{stage}" for stage in STAGES), "runs/*/predictions/*")
FITTED = ("runs/*/folds/*0.json", "runs/*/models/*/fold0/*/model")
"""Files fitted before the first fold's test part."""

FITS = "fold, scaler, models"
BYTES = {"column": "all", "columns": 1, "first": "bytes"}
WHEN = {"labels": "exit"}
"""The column that dates a row of a stage, where it is not `date`."""

COUNTS = ("files", "rows", "values", "later_rows", "later_rows_changed")
"""What is counted of each stage."""

ANEW = " anew"
KEYS = ("date", "code", "source", "target", "rule", "field")


def stages(before: Path, after: Path, day: dt.date) -> list[dict[str, Any]]:
    """Compare the files that `after` has built anew with those of `before`, up to `day`.

    before, after   working directories, which hold builds and runs

    Returns one row a stage: its name; how many files, rows and values were compared; the rows later
    than `day` and how many differ; the columns and those that differ later, which shows what the
    audit could see; and the first difference (file, column, columns, first: day and code) or None.
    Files that hold a fold's fits are one stage more, compared byte by byte: `day` must lie in
    fold 0's test part.
    """
    rows = []
    for folder in (path for pattern in FOLDERS for path in sorted(after.glob(pattern))):
        pairs = [(before / path.relative_to(after), path) for path in folder.rglob("*.parquet")]
        anew = sorted(pair for pair in pairs if not pair[1].samefile(pair[0]))
        if anew:
            name = layout.stage(anew[0][1].relative_to(after))
            rows.append({"stage": name, **_stage(anew, after, WHEN.get(name, "date"), day)})
    fitted = sorted(path for pattern in FITTED for path in after.glob(pattern))
    return [*rows, _fits(fitted, before, after)] if fitted else rows


def of_file(before: Path, after: Path, file: str, day: dt.date) -> dict[str, Any] | None:
    """Give the first difference up to `day` of `file`, as `stages` names it; None if none is."""
    old, new = before / file, after / file
    if old.suffix != ".parquet":
        return BYTES if old.read_bytes() != new.read_bytes() else None
    when = pl.col(WHEN.get(layout.stage(file), "date"))
    original, changed = (files.read_parquet(path).filter(when <= day) for path in (old, new))
    return difference(original, changed)


def difference(original: pl.DataFrame, changed: pl.DataFrame) -> dict[str, Any] | None:
    """Give the first row in which two tables differ by a bit; None if there is none.

    Returns the first of the differing columns there, how many differ anywhere, and the row's day
    and code. Rows that are missing or more count as the column "rows".
    """
    if original.columns != changed.columns or original.schema != changed.schema:
        return {"column": "columns", "columns": original.width, "first": "all rows"}
    keys = _keys(original)
    size = min(len(original), len(changed))
    misplaced = _unlike(original[:size].select(keys), changed[:size].select(keys))
    if misplaced or len(original) != len(changed):
        where = min(misplaced.values(), default=size)
        longer = original if len(original) > where else changed
        return {"column": "rows", "columns": original.width, "first": _named(longer, where)}
    unlike = _unlike(original.drop(keys), changed.drop(keys))
    if not unlike:
        return None
    column = min(unlike, key=lambda name: unlike[name])
    first = _named(original, unlike[column])
    return {"column": column, "columns": len(unlike), "first": first}


def _unlike(original: pl.DataFrame, changed: pl.DataFrame) -> dict[str, int]:
    """Name the differing columns, each with the first row in which it differs."""
    pairs = zip(original.iter_columns(), changed.iter_columns(), strict=True)
    marks = ((old.name, _bits(old).ne_missing(_bits(new))) for old, new in pairs)
    return {name: mark.arg_max() or 0 for name, mark in marks if mark.any()}


def _bits(values: pl.Series) -> pl.Series:
    """Give floating-point numbers as whole ones of the same bits: −0 is not 0."""
    if not values.dtype.is_float():
        return values
    flat = np.ascontiguousarray(values.fill_null(0).to_numpy())
    bits = pl.Series(values.name, flat.view(f"u{flat.itemsize}"))
    return bits.zip_with(
        values.is_not_null(), pl.repeat(None, len(bits), dtype=bits.dtype, eager=True)
    )


def _keys(rows: pl.DataFrame) -> list[str]:
    return [name for name in KEYS if name in rows.columns]


def _named(rows: pl.DataFrame, where: int) -> str:
    keys = [name for name in ("date", "code") if name in rows.columns]
    return " ".join(map(str, rows.select(keys).row(where)))


def _stage(
    pairs: Sequence[tuple[Path, Path]], after: Path, when: str, day: dt.date
) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COUNTS, 0)
    first, columns, moved = None, set(), set()
    for old, new in pairs:
        original, changed = files.read_parquet(old), files.read_parquet(new)
        past = [frame.filter(pl.col(when) <= day) for frame in (original, changed)]
        later = [frame.filter(pl.col(when) > day) for frame in (original, changed)]
        hashes = [set(frame.hash_rows()) for frame in later]
        row["files"] += 1
        row["rows"] += len(past[0])
        row["values"] += past[0].width * len(past[0])
        row["later_rows"] += len(later[0])
        row["later_rows_changed"] += len(hashes[0] ^ hashes[1])
        columns |= set(original.drop(_keys(original)).columns)
        moved |= _moved(*later)
        mismatch = difference(*past)
        first = first or (mismatch and {"file": str(new.relative_to(after)), **mismatch})
    return {**row, "columns": sorted(columns), "moved": sorted(moved), "difference": first}


def _moved(original: pl.DataFrame, changed: pl.DataFrame) -> set[str]:
    """Name the columns that have another value in a row that both have; to be null is none."""
    if original.columns != changed.columns:
        return set()
    keys = _keys(original)
    first, anew = (rows.unique(keys, keep="first") for rows in (original, changed))
    both = first.join(anew, on=keys, suffix=ANEW)
    pairs = ((both[name], both[name + ANEW]) for name in original.drop(keys).columns)
    return {
        old.name
        for old, new in pairs
        if (_bits(old).ne_missing(_bits(new)) & new.is_not_null()).any()
    }


def _fits(paths: Sequence[Path], before: Path, after: Path) -> dict[str, Any]:
    names = [path.relative_to(after) for path in paths]
    moved = [name for name in names if (before / name).read_bytes() != (after / name).read_bytes()]
    differences = [{"file": str(name), **BYTES} for name in moved]
    return {
        "stage": FITS,
        "files": len(paths),
        "difference": differences[0] if differences else None,
    }
