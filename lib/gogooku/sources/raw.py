"""The raw files as the panel and the features read them."""

from collections.abc import Sequence

import polars as pl

from gogooku import calendar, known, run
from gogooku.sources.catalogue import DATASETS


def read(
    dataset: str, paths: run.Paths, clock: calendar.Clock, fields: Sequence[str] | None = None
) -> pl.DataFrame:
    """Read raw files of one data set with the moments of one clock as `known_at`.

    fields   to read; None: all that the catalogue has. What the vendor has added since is in the
             newer files alone
    """
    columns = [*(DATASETS[dataset].schema if fields is None else fields), *known.COLUMN.values()]
    return known.visible(run.read_parquet(paths, columns), clock)
