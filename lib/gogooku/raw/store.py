"""The raw files as the panel and the features read them."""

from collections.abc import Sequence

import polars as pl

from gogooku import calendar, files, point_in_time
from gogooku.raw.catalogue import DATASETS


def read(
    dataset: str, paths: files.Paths, clock: calendar.Clock, fields: Sequence[str] | None = None
) -> pl.DataFrame:
    """Read raw files of one data set with the moments of one clock as `known_at`.

    fields   to read; None: all that the catalogue has. What the vendor has added since is in the
             newer files alone
    """
    columns = [
        *(DATASETS[dataset].schema if fields is None else fields),
        *point_in_time.COLUMN.values(),
    ]
    return point_in_time.visible(files.read_parquet(paths, columns), clock)
