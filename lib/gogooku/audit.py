"""The audit of time: change the future of every raw data set, rebuild, compare the past bit by bit.

Promises of "no look-ahead" are cheap. Here every raw row that was not yet known at the close of a
day is altered, some are deleted and some added; the workflow itself then builds everything again
in a folder of its own, models included, and no value of that day or an earlier one may differ.
"""

import datetime as dt
import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gogooku import calendar, run
from gogooku.run import UserError

NOISE = 0.02  # sd of the relative change of every future number: within the daily price limits
DELETED, ADDED = 0.05, 0.05  # share of the future rows
SPLITS = 0.002  # share of the future bars that become an ex-date
PRICES = {"O", "H", "L", "C"}
KEPT = {"Code", "DiscNo", "Section", "HolDiv"}  # what tells rows apart
WHEN = {"labels": "exit"}  # the column that dates a row, where it is not `date`
ROOMS = ("panel", "quality", "labels", "features/*", "graphs", "dataset", "predictions/*")
FITS = "fold, scaler, models"
FITTED = ("folds/fold0.json", "folds/scaler0.json", "models/*/fold0/*/model.*")


def chosen_day(test: Mapping[str, str], day: str | None) -> dt.date:
    """Give `day`, or by default the middle of the test part; UserError if it lies outside it."""
    first, last = (dt.date.fromisoformat(test[end]) for end in ("first", "last"))
    middle = first + (last - first) / 2
    friday = middle - dt.timedelta(max(0, middle.weekday() - 4))  # markets rest at weekends
    chosen = dt.date.fromisoformat(day) if day else friday
    if not first <= chosen <= last:
        raise UserError(f"audit.day {chosen} is outside the first fold's test part {first}…{last}")
    return chosen


def moment_of(day: dt.date, decision: str, closes: Sequence[Mapping[str, str]]) -> dt.datetime:
    """Give the moment of decision of `day` as an aware datetime in UTC."""
    moment = calendar.decision_moments(np.array([day], "datetime64[D]"), decision, closes)[0]
    return moment.astype(dt.datetime).replace(tzinfo=dt.UTC)


def change_future(
    rows: pl.DataFrame, moment: dt.datetime, clock: calendar.Clock, seed: int
) -> tuple[pl.DataFrame, int]:
    """Alter every row not yet known at `moment`, delete some and add some.

    Numbers gain relative noise, texts and flags move to other rows; added rows are copies with
    altered numbers, as corrections are. Keys, dates and moments stay, so that the rows stay legal.

    Returns the rows in their old order and how many were not yet known.
    """
    column = pl.col("known_at" if clock == "published" else "served_at")
    past, future = rows.filter(column <= moment), rows.filter(column > moment)
    random = np.random.default_rng(seed)
    kept = future.filter(random.random(len(future)) >= DELETED)
    changed = _disturbed(kept, random)
    if "DiscNo" in rows.columns or "Section" in rows.columns:
        extra = changed.filter(random.random(len(changed)) < ADDED)
        changed = pl.concat([changed, _disturbed(extra, random)])
    order = [name for name in ("DiscDate", "PubDate", "Date", "Code") if name in rows.columns]
    return pl.concat([past, changed.sort(order, maintain_order=True)]), len(future)


def _disturbed(rows: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Alter all but keys, days and moments; the prices of a bar move together and stay legal."""
    together = np.exp(NOISE * random.standard_normal(len(rows)))
    return pl.DataFrame([_altered(series, together, random) for series in rows.iter_columns()])


def _altered(series: pl.Series, together: np.ndarray, random: np.random.Generator) -> pl.Series:
    if series.name == "AdjFactor":
        split = random.random(len(series)) < SPLITS
        return series.zip_with(pl.Series(~split), pl.repeat(0.5, len(series), eager=True))
    if series.name in PRICES:
        return series * together
    if series.dtype == pl.Float64:
        return series * np.exp(NOISE * random.standard_normal(len(series)))
    if series.dtype in (pl.String, pl.Boolean) and series.name not in KEPT:
        return series.gather(random.permutation(len(series)))
    return series


def rebuild(
    folder: Path,
    raw: Sequence[str],
    setting: Mapping[str, Any],
    moment: dt.datetime,
    targets: Sequence[str],
    cores: int,
) -> dict[str, int]:
    """Build `targets` in `folder` by the workflow itself, from raw files with another future.

    Returns the number of rows per data set that were not yet known at `moment`.
    Raises UserError with the end of the log if the nested run fails.
    """
    shutil.rmtree(folder, ignore_errors=True)
    unknown: dict[str, int] = {}
    for i, path in enumerate(run.progress(map(Path, raw), "changing the future", len(raw))):
        rows, count = change_future(run.read_parquet(path), moment, setting["clock"], seed=i)
        unknown[path.parent.name] = unknown.get(path.parent.name, 0) + count
        run.write_parquet(rows, folder / path)
    run.write_json({**setting, "source": "stored"}, folder / "config.json")
    _snakemake(folder, targets, cores)
    return unknown


def _snakemake(folder: Path, targets: Sequence[str], cores: int) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.json")]
    command += ["--cores", str(cores), "--profile", str(root / "profiles" / "default"), "--"]
    done = subprocess.run([*command, *targets], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"the rebuild in {folder} failed, look there:\n{done.stderr[-2000:]}")


def compare(before: Path, after: Path, day: dt.date) -> list[dict[str, Any]]:
    """Compare two runs' files stage by stage up to `day`, which lies in fold 0's test part.

    Returns one row a stage: files, rows, values, how many later rows differ (the audit's power),
    and the first difference (file, column, date and code) or None. The last row holds what was
    fitted before the test part (fold, scaler, models), compared byte by byte.
    """
    stages = [path for room in ROOMS for path in sorted(after.glob(room)) if path.is_dir()]
    rows = [_compare_stage(before / path.relative_to(after), path, day) for path in stages]
    names = [str(path.relative_to(after)) for path in stages]
    told = [{"stage": name, **row} for name, row in zip(names, rows, strict=True)]
    return [*told, _compare_fits(before, after)]


def _compare_stage(before: Path, after: Path, day: dt.date) -> dict[str, Any]:
    row: dict[str, Any] = {"files": 0, "rows": 0, "values": 0}
    row |= {"later_rows": 0, "later_rows_changed": 0, "difference": None}
    for path in sorted(after.rglob("*.parquet")):
        told, changed = run.read_parquet(before / path.relative_to(after)), run.read_parquet(path)
        when = pl.col(WHEN.get(after.name, "date"))
        past = [frame.filter(when <= day) for frame in (told, changed)]
        row["files"] += 1
        row["rows"] += len(past[0])
        row["values"] += past[0].width * len(past[0])
        later = [frame.filter(when > day).hash_rows() for frame in (told, changed)]
        row["later_rows"] += len(later[0])
        row["later_rows_changed"] += len(set(later[0]) ^ set(later[1]))
        row["difference"] = row["difference"] or _difference(path.relative_to(after.parent), *past)
    return row


def _compare_fits(before: Path, after: Path) -> dict[str, Any]:
    files = [path for pattern in FITTED for path in sorted(after.glob(pattern))]
    names = [path.relative_to(after) for path in files]
    moved = [name for name in names if (before / name).read_bytes() != (after / name).read_bytes()]
    difference = {"file": str(moved[0]), "column": "all", "first": "its bytes"} if moved else None
    return {"stage": FITS, "files": len(files), "difference": difference}


def _difference(path: Path, told: pl.DataFrame, changed: pl.DataFrame) -> dict[str, str] | None:
    if told.equals(changed):
        return None
    if len(told) != len(changed):
        return {"file": str(path), "column": "rows", "first": f"{len(told)} became {len(changed)}"}
    column = next(name for name in told.columns if not told[name].equals(changed[name]))
    where = told[column].ne_missing(changed[column]).arg_max() or 0
    first = told.select(name for name in ("date", "code") if name in told.columns).row(where)
    return {"file": str(path), "column": column, "first": " ".join(map(str, first))}


def verdict(stages: Sequence[Mapping[str, Any]], day: dt.date) -> None:
    """Log the table; raise UserError on the first leak, or if the audit could not have seen one."""
    for row in stages:
        logging.info("%s", json.dumps(row))
    leaks = [row["difference"] for row in stages if row["difference"]]
    if leaks:
        first = leaks[0]
        raise UserError(
            f"look-ahead: {first['file']} column {first['column']} ({first['first']}) changed with "
            f"rows known only after {day}: make it use rows with known_at up to that day"
        )
    blind = [r["stage"] for r in stages if r.get("later_rows") and not r["later_rows_changed"]]
    if blind or len(stages) < 2:
        raise UserError(
            f"the audit of {day} changed nothing that {blind or 'any stage'} could show: choose an "
            "earlier audit.day"
        )


def discard(folder: Path) -> None:
    """Delete a rebuild that has been compared; one that failed stays for a look."""
    shutil.rmtree(folder)
