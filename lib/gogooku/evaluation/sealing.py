"""A sealed final period: days that nobody has looked at yet, for the last judgement."""

import datetime as dt

import polars as pl

from gogooku import files
from gogooku.errors import UserError
from gogooku.panel.panel import Panel


class Seal:
    """Leaves out of an evaluation what belongs to a sealed period.

    first   its first day, as text; None: nothing is sealed
    """

    def __init__(self, first: str | None) -> None:
        self.first = dt.date.fromisoformat(first) if first else None

    def predictions(self, seeds: dict[int, pl.DataFrame]) -> dict[int, pl.DataFrame]:
        """Keep days before the period; UserError if that leaves none."""
        kept = {seed: self._before(rows, "date") for seed, rows in seeds.items()}
        if not any(map(len, kept.values())):
            raise UserError(
                f"evaluation.sealed {self.first} leaves no test day to evaluate: choose a later day"
            )
        return {seed: rows for seed, rows in kept.items() if len(rows)}

    def labels(self, paths: files.Paths) -> pl.DataFrame:
        """Read labels whose exit lies before the period."""
        rows = files.read_parquet(paths, required=["date", "code", "horizon", "label", "exit"])
        return self._before(rows, "exit")

    def panel(self, paths: files.Paths) -> Panel:
        """Read the sessions before the period: books end there, as at the end of the data."""
        if self.first is None:
            return Panel.read(paths)
        return Panel.of(self._before(files.read_parquet(paths), "date"))

    def _before(self, rows: pl.DataFrame, column: str) -> pl.DataFrame:
        return rows.filter(pl.col(column) < self.first) if self.first else rows
