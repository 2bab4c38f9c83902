"""What a family computes its columns from."""

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from gogooku import calendar, files, point_in_time
from gogooku.panel.panel import Panel
from gogooku.raw import store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inputs:
    """The panel, the days and the rows of data sets; those that a family leaves out are not read.

    panel     the span's sessions, and those before it that its look-back reaches
    start     position in the panel of the span's first session: columns may begin there
    moments   (T,) moment of decision of each session [UTC, microseconds]
    closes    (T,) moment at which each session closes, likewise
    load      data set → rows with `known_at`, and what else its `families.Read` names
    user      where the user's own columns come from: studies of `pandas_ta`, a `module`
    """

    panel: Panel
    start: int
    moments: calendar.Days
    closes: calendar.Days
    load: Callable[[str], pl.DataFrame]
    user: Mapping[str, Any] | None = None

    @classmethod
    def read(
        cls,
        paths: Mapping[str, files.Paths],
        reads: Mapping[str, Mapping[str, Any]],
        moment: Mapping[str, Any],
        first: dt.date,
        user: Mapping[str, Any] | None,
    ) -> "Inputs":
        """Give the inputs of a span from its files; rows are read when a family takes them.

        paths    input → its files of the span and the look-back
        reads    input → fields of `families.Read`
        moment   clock, decision and closes of the run
        first    the span's first day

        Raises UserError, then or when rows are taken, naming a file that is missing, unreadable or
        lacks a column.
        """
        panel = Panel.read(paths["panel"])
        closes = moment["closes"]
        moments = calendar.decision_moments(panel.dates, moment["decision"], closes)

        def load(name: str) -> pl.DataFrame:
            read, clock = reads[name], moment["clock"]
            if not read["fields"]:
                return files.read_parquet(paths[name], ["date", "source", "target", "weight"])
            known = store.read(name, paths[name], clock, read["fields"])
            if read["published"]:
                published = store.read(name, paths[name], "published", [])["known_at"]
                known = known.with_columns(published_at=published)
            if read["key"]:
                return point_in_time.on_the_day(known, read["key"], panel.dates, moments)
            return known

        at_close = calendar.decision_moments(panel.dates, "close", closes)
        return cls(panel, panel.row(first), moments, at_close, load, user)

    def rows(self, name: str, without: str = "") -> pl.DataFrame:
        """Give the rows of a data set; without any, the log warns in the sentence `without`."""
        rows = self.load(name)
        if without and rows.is_empty():
            log.warning(without)
        return rows

    @cached_property
    def sessions(self) -> calendar.Sessions:
        """Trading days of the exchange's calendar, as far as it is read."""
        rows = self.rows("calendar")
        return calendar.Sessions.of(rows["Date"].to_numpy(), rows["HolDiv"].to_list())
