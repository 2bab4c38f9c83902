"""The tables behind the simulated exchange: rows by day, from memory or from a folder.

A big file is read month by month and only the months asked for last are kept, so that the server
of a large market needs little memory.
"""

import collections
import datetime as dt
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import polars as pl
from gogooku import errors
from gogooku.raw.catalogue import DATASETS

SMALL = 400_000
"""Rows up to which a file is read whole."""

MONTHS = 6
"""Months that are kept of each big file."""

Equals = Mapping[str, object]
Tables = Mapping[str, pl.DataFrame] | Path


def order(dataset: str) -> list[str]:
    """Name the columns by which the vendor sorts: the day, then the code, then the rest."""
    entry = DATASETS[dataset]
    if dataset in ("summary", "details"):
        return ["DiscDate", "DiscNo"]
    names = [entry.day, "Code", *entry.order]
    return [name for name in dict.fromkeys(names) if name in entry.order]


class _Source(Protocol):
    def rows(self, first: dt.date, last: dt.date, equals: Equals) -> pl.DataFrame: ...

    def days(self) -> pl.Series: ...


class Shelf:
    """Holds a table of the catalogue's fields for each data set, sorted as the vendor sorts.

    tables   a frame per data set, or a folder of <dataset>.parquet read when first asked for;
             columns that a table lacks are null
    """

    def __init__(self, tables: Tables) -> None:
        self._tables, self._lock = tables, threading.RLock()
        self._sources: dict[str, _Source] = {}
        self._corrections: dict[str, pl.DataFrame] = {}
        self._actions: pl.DataFrame | None = None
        self.corrected: dict[tuple[str, dt.date], dt.datetime] = {}

    def __contains__(self, dataset: str) -> bool:
        if isinstance(self._tables, Path):
            return (self._tables / f"{dataset}.parquet").exists()
        return dataset in self._tables

    def rows(
        self, dataset: str, first: dt.date, last: dt.date, equals: Equals | None = None
    ) -> pl.DataFrame:
        """Give the rows of the days `first` to `last` whose columns have the values of `equals`."""
        equals = equals or {}
        rows = self._source(dataset).rows(first, last, equals)
        changes = self._corrections.get(dataset)
        if changes is None:
            return rows
        changes = changes.filter(_chosen(dataset, first, last, equals))
        return _corrected(dataset, rows, changes)

    def days(self, dataset: str) -> pl.Series:
        """Give the days that have rows, in order."""
        return self._source(dataset).days()

    def actions(self) -> pl.DataFrame:
        """Give Date, Code, price, volume: the factors of all splits and rights issues.

        A rights issue ("3" in ExRT) moves prices and leaves volumes as they are.
        """
        with self._lock:
            if self._actions is None:
                self._actions = self._read_actions()
            return self._actions

    def _read_actions(self) -> pl.DataFrame:
        if isinstance(self._tables, Path) and "bars" not in self._corrections:
            every = _scan(self._tables / "bars.parquet", "bars")
        else:
            every = self.rows("bars", dt.date.min, dt.date.max).lazy()
        return (
            every.filter(pl.col("AdjFactor") != 1)
            .select(
                "Date", "Code", price="AdjFactor",
                volume=pl.when(pl.col("ExRT") == "3").then(1.0).otherwise("AdjFactor"),
            )
            .sort("Code", "Date")
            .collect()
        )  # fmt: skip

    def correct(self, dataset: str, rows: pl.DataFrame, at: dt.datetime) -> None:
        """Replace the rows that have the keys of `rows`, and add those that nothing has."""
        with self._lock:
            changes = _whole(dataset, rows.lazy()).collect()
            before = self._corrections.get(dataset, changes.clear())
            self._corrections[dataset] = _corrected(dataset, before, changes)
            for month in changes[DATASETS[dataset].day].dt.month_start().unique():
                self.corrected[dataset, month] = at
            if dataset == "bars":
                self._actions = None

    def announce(self, codes: pl.Series, day: dt.date) -> None:
        """Let each of `codes` split 1:2 on `day`, for adjusted values alone."""
        split = pl.DataFrame({"Code": codes.unique()}).select(
            pl.lit(day).alias("Date"), "Code", price=pl.lit(0.5), volume=pl.lit(0.5)
        )
        with self._lock:
            self._actions = pl.concat([self.actions(), split])

    def _source(self, dataset: str) -> _Source:
        with self._lock:
            if dataset not in self._sources:
                self._sources[dataset] = _open(self._tables, dataset)
            return self._sources[dataset]


def _open(tables: Tables, dataset: str) -> _Source:
    if isinstance(tables, Path):
        path = tables / f"{dataset}.parquet"
        count = _scan(path, dataset).select(pl.len()).collect().item()
        if count > SMALL:
            return _Monthly(path, dataset)
        return _InMemory(_scan(path, dataset).collect(), dataset)
    return _InMemory(_whole(dataset, tables[dataset].lazy()).collect(), dataset)


def _scan(path: Path, dataset: str) -> pl.LazyFrame:
    try:
        return _whole(dataset, pl.scan_parquet(path, glob=False))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise errors.UserError(
            f"{path} cannot be read ({str(error).splitlines()[0]}): make the table again"
        ) from error


def _whole(dataset: str, table: pl.LazyFrame) -> pl.LazyFrame:
    there = set(table.collect_schema().names())
    return table.select(
        pl.col(name) if name in there else pl.lit(None, kind).alias(name)
        for name, kind in DATASETS[dataset].schema.items()
    )


def _chosen(dataset: str, first: dt.date, last: dt.date, equals: Equals) -> pl.Expr:
    within = pl.col(DATASETS[dataset].day).is_between(first, last)
    return within & _matching(equals) if equals else within


def _matching(equals: Equals) -> pl.Expr:
    return pl.all_horizontal(pl.col(name) == value for name, value in equals.items())


def _corrected(dataset: str, rows: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    key = list(DATASETS[dataset].key)
    kept = rows.join(changes, on=key, how="anti", nulls_equal=True)
    return pl.concat([kept, changes]).sort(order(dataset), nulls_last=False)


class _InMemory:
    """A table as one sorted frame."""

    def __init__(self, table: pl.DataFrame, dataset: str) -> None:
        self._table = table.sort(order(dataset))
        self._day = DATASETS[dataset].day

    def rows(self, first: dt.date, last: dt.date, equals: Equals) -> pl.DataFrame:
        days = self._table[self._day]
        low, high = days.search_sorted(first, "left"), days.search_sorted(last, "right")
        rows = self._table[low:high]
        return rows.filter(_matching(equals)) if equals else rows

    def days(self) -> pl.Series:
        return self._table[self._day].unique().sort()


class _Monthly:
    """A table as a file, of which the months asked for last are kept."""

    def __init__(self, path: Path, dataset: str) -> None:
        self._path, self._dataset = path, dataset
        self._lock = threading.Lock()
        self._months: collections.OrderedDict[dt.date, _InMemory] = collections.OrderedDict()
        self._days: pl.Series | None = None

    def rows(self, first: dt.date, last: dt.date, equals: Equals) -> pl.DataFrame:
        if (first.year, first.month) == (last.year, last.month):
            return self._month(first.replace(day=1)).rows(first, last, equals)
        return self._read(first, last, equals).sort(order(self._dataset))

    def days(self) -> pl.Series:
        with self._lock:
            if self._days is None:
                day = pl.col(DATASETS[self._dataset].day)
                days = _scan(self._path, self._dataset).select(day.unique().sort())
                self._days = days.collect().to_series()
            return self._days

    def _month(self, month: dt.date) -> _InMemory:
        with self._lock:
            if month not in self._months:
                last = (month + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
                self._months[month] = _InMemory(self._read(month, last, {}), self._dataset)
                if len(self._months) > MONTHS:
                    self._months.popitem(last=False)
            self._months.move_to_end(month)
            return self._months[month]

    def _read(self, first: dt.date, last: dt.date, equals: Equals) -> pl.DataFrame:
        chosen = _chosen(self._dataset, first, last, equals)
        return _scan(self._path, self._dataset).filter(chosen).collect()
