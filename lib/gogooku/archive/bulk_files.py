"""A folder of the vendor's bulk files, at any depth and under the vendor's own names.

    equities_bars_daily_202501.csv.gz      a whole month; an unpacked .csv does as well
    equities_bars_daily_20250204.csv.gz    a day

A month's file is written once the month is over: where it is there, files of its days are left out,
so that rows which the vendor has withdrawn stay withdrawn. The vendor's paths have hyphens
(margin-alert), names of files may have underscores instead.
"""

import datetime as dt
import gzip
import logging
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from gogooku.errors import UserError
from gogooku.raw import schema
from gogooku.raw.catalogue import DATASETS

NAME = re.compile(r"(?P<stem>[a-z0-9_-]+?)(_(?P<date>\d{6}|\d{8}))?\.csv(\.gz)?")

STEMS = {re.sub("[/-]", "_", entry.path.strip("/")): name for name, entry in DATASETS.items()}

log = logging.getLogger(__name__)


def is_one(folder: Path) -> bool:
    """Whether the folder holds bulk files."""
    return next(_all(folder), None) is not None


def files(folder: Path, dataset: str, first: dt.date, last: dt.date) -> list[Path]:
    """List a data set's files that may hold rows from `first` to `last`, days before months."""
    every = [(path, date) for name, date, path in _all(folder) if name == dataset]
    months = {date for _, date in every if len(date) == 6}
    current = [(path, date) for path, date in every if len(date) != 8 or date[:6] not in months]
    inside = [(path, date) for path, date in current if _overlaps(date, first, last)]
    return [path for path, _ in sorted(inside, key=lambda file: (len(file[1]) != 8, file[0].name))]


def read(folder: Path, dataset: str, first: dt.date, last: dt.date) -> pl.DataFrame:
    """Read the rows of one data set from `first` to `last`, in the types of the catalogue.

    Files that belong to no data set are said. Raises UserError naming a file that is broken, or
    what schema.table refuses.
    """
    packed = (path for path in _tables(folder) if path.name.endswith(".csv.gz"))
    if strange := [path.name for path in packed if not _named(path)]:
        log.warning(
            "%s: %d files belong to no data set and are left out: %s",
            folder, len(strange), ", ".join(strange[:5]),
        )  # fmt: skip
    entry = DATASETS[dataset]
    frames = [_table(dataset, path) for path in files(folder, dataset, first, last)]
    rows = schema.joined(dataset, frames).filter(pl.col(entry.day).is_between(first, last))
    return rows.unique(entry.order, keep="last", maintain_order=True).sort(entry.order)


def _all(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Give data set, date ("" for none) and path of each bulk file."""
    for path in _tables(folder):
        if named := _named(path):
            yield *named, path


def _tables(folder: Path) -> list[Path]:
    """List all CSV files at any depth, without what cannot be searched or vanishes meanwhile."""
    paths = (Path(top, name) for top, _, names in os.walk(folder) for name in names)
    return sorted(path for path in paths if ".csv" in path.name)


def _named(path: Path) -> tuple[str, str] | None:
    """Read data set and date in a file's name; None if it belongs to none."""
    named = NAME.fullmatch(path.name)
    stem = named["stem"].replace("-", "_") if named else ""
    return (STEMS[stem], named["date"] or "") if named and stem in STEMS else None


def _overlaps(date: str, first: dt.date, last: dt.date) -> bool:
    if not date:
        return True
    start, end = f"{first:%Y%m%d}"[: len(date)], f"{last:%Y%m%d}"[: len(date)]
    return start <= date <= end


def _table(dataset: str, path: Path) -> pl.DataFrame:
    content = _unpacked(path)
    try:
        return schema.table(dataset, content)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _unpacked(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read ({error}): download it again") from None
