"""The raw files as the panel and the features read them."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from gogooku import calendar, files, point_in_time
from gogooku.errors import UserError
from gogooku.raw.catalogue import DATASETS


def read(
    dataset: str, paths: files.Paths, clock: calendar.Clock, fields: Sequence[str] | None = None
) -> pl.DataFrame:
    """Read raw files of one data set with the moments of one clock as `known_at`.

    fields   to read; None: all that the catalogue has. What the vendor has added since is in the
             newer files alone

    Raises UserError naming a file that cannot be read, or holds a column of another type: a moment
    where a day is asked for would count as the day before, with Japan nine hours ahead of UTC.
    """
    schema = DATASETS[dataset].schema
    moments = dict.fromkeys(point_in_time.COLUMN.values(), point_in_time.MOMENT)
    types = {name: schema[name] for name in (schema if fields is None else fields)} | moments
    every = [paths] if isinstance(paths, str | Path) else paths
    rows = pl.concat([_read_one(path, types) for path in every])
    return point_in_time.visible(rows, clock)


def _read_one(path: str | Path, types: dict[str, pl.DataType]) -> pl.DataFrame:
    rows = files.read_parquet(path, list(types))
    for name, kind in types.items():
        if rows.schema[name] != kind:
            raise UserError(
                f"{path} holds {rows.schema[name]} in the column {name!r}, not {kind}: write it "
                "with the types of lib/gogooku/raw/catalogue.py"
            )
    return rows
