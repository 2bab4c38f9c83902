"""The raw files as the panel and the features read them."""

import polars as pl

from gogooku import calendar, known, run
from gogooku.sources.catalogue import DATASETS


def read(dataset: str, paths: run.Paths, clock: calendar.Clock) -> pl.DataFrame:
    """Read raw files of one data set with the moments of one clock as `known_at`.

    Only the catalogue's fields are read: fields that the vendor has added since are in the newer
    files alone.
    """
    columns = [*DATASETS[dataset].schema, *known.COLUMN.values()]
    return known.visible(run.read_parquet(paths, columns), clock)
