"""Another future: what is altered, deleted and added among the raw rows known only after a moment.

One edit is one raw row, so that any number of them can be applied and the guilty one be found. What
a field may become follows from its unit in the catalogue of data sets; keys, days and moments stay,
so that the rows remain legal.
"""

import datetime as dt
import re
import zlib
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from gogooku.calendar import Clock
from gogooku.point_in_time import COLUMN, Rules
from gogooku.raw.catalogue import DATASETS
from gogooku.raw.dataset import DataSet

NOISE = 0.02
"""Standard deviation of the relative change of a number: within the exchange's price limits."""

DELETED, SWAPPED, CORRECTED, NOVEL = 0.05, 0.1, 0.1, 0.02
"""Shares: rows that vanish; numbers and flags taken from another row; rows that are published again
with other values; texts that become one never seen before."""

SILENT, INDISPENSABLE = 0.15, {"calendar", "master", "bars"}
"""Share of the other data sets that end with the moment, so that a run whose data begin after it
has none: what is made of a data set may depend on whether it has rows at all."""

SPLITS = 0.002
"""Share of the bars that become an ex-date of a split by two, or stop being one."""

ISSUES = 0.05
"""Share of the issues that are delisted with the moment, and of those that are listed then."""

PRICE = re.compile(r"[MAE]?[OHLC]")
"""Open, high, low and close of a day or of one of its sessions. They move together, so that their
order holds; then open and close are swapped in half of them, and ranges widen a little."""
SESSIONS = ("", "M", "A", "E")
WIDER = 0.002
"""Scale of the widening of a range, relative."""

POSITION, EDIT, RANK = "_position", "_edit", "_rank"


def draw(
    rows: pl.DataFrame,
    dataset: str,
    moment: dt.datetime,
    clock: Clock,
    rules: Rules,
    seed: tuple[int, str],
    *,
    ending: bool,
) -> pl.DataFrame:
    """Draw the edits of one raw file.

    rows     of `dataset`, with known_at and served_at
    moment   aware; rows known by then on `clock` stay as they are
    rules    when the data set's rows are known: the fields that they name stay
    seed     a number for all files of the audit, which chooses the issues that come and go, and
             the name of this one
    ending   whether the data set may end with the moment (`ends`)

    Of the rows not yet known all are altered: numbers by noise or another row's number, flags,
    texts and dates likewise, bars by splits. Some vanish, all rows of a delisted issue among them,
    and of a data set that ends all.
    Added are corrections (a row once more, other values, known a day later), also of those rows of
    the past that the vendor may still correct, and new issues (another's rows under a new code).

    Returns the rows as they become or, deleted, were, with `_position` among `rows` (of an
    added one, that of its model) and `_edit` (altered | deleted | added).
    """
    entry = DATASETS[dataset]
    number, name = seed
    random = np.random.default_rng([number, zlib.crc32(name.encode())])
    disturb = _disturber(entry, rules, random)
    numbered = rows.with_row_index(POSITION)
    future = numbered.filter(pl.col(COLUMN[clock]) > moment)
    if ending and ends(dataset, number):
        return future.with_columns(pl.lit("deleted").alias(EDIT))
    gone = pl.Series(random.random(len(future)) < DELETED) | _drawn_issues(future, number, "out")
    altered = disturb(future.filter(~gone))
    recent = numbered.filter(pl.col(COLUMN[clock]) > moment - dt.timedelta(days=2 * entry.reread))
    again = recent.filter(random.random(len(recent)) < CORRECTED) if entry.reread else recent[:0]
    listed = _renamed(altered.filter(_drawn_issues(altered, number, "in")))
    parts = [
        (future.filter(gone), "deleted"),
        (altered, "altered"),
        (_later(disturb(again), moment), "added"),
        (disturb(listed), "added"),
    ]
    return pl.concat([part.with_columns(pl.lit(kind).alias(EDIT)) for part, kind in parts])


def ends(dataset: str, number: int) -> bool:
    """Say whether the audit of this number lets the data set end with its moment."""
    return dataset not in INDISPENSABLE and _mark(number, "ends", dataset) < SILENT


def _mark(number: int, *words: str) -> float:
    """Give a number in [0, 1) that follows from an audit's number and the words alone."""
    return zlib.crc32(" ".join([str(number), *words]).encode()) / 2**32


def apply(rows: pl.DataFrame, dataset: str, edits: pl.DataFrame) -> pl.DataFrame:
    """Give the raw `rows` with `edits` carried out, in the order of their key."""
    numbered = rows.with_row_index(POSITION)
    replaced = edits.filter(pl.col(EDIT) != "added").select(POSITION)
    others = numbered.join(replaced, on=POSITION, how="anti", maintain_order="left")
    new = edits.filter(pl.col(EDIT) != "deleted").select(numbered.columns)
    order = [*DATASETS[dataset].key, POSITION]
    return pl.concat([others, new]).sort(order, maintain_order=True).drop(POSITION)


def ranked(edits: Mapping[str, pl.DataFrame], clock: Clock) -> tuple[dict[str, pl.DataFrame], int]:
    """Number all edits, by file, from 0 on in `_rank`: the earliest known first. Gives their count.

    The order is total, so "the first n edits" means the same rows each time.
    """
    moments = [
        frame.select(pl.lit(name).alias("file"), pl.col(COLUMN[clock]).alias("known_at"))
        for name, frame in edits.items()
    ]
    every = pl.concat(moments).with_row_index("row")
    order = every.sort("known_at", "row").with_row_index(RANK).sort("row")[RANK]
    starts = np.cumsum([0, *(len(frame) for frame in edits.values())])
    return {
        name: frame.with_columns(order.slice(start, len(frame)))
        for (name, frame), start in zip(edits.items(), starts, strict=False)
    }, len(every)


def _drawn_issues(rows: pl.DataFrame, number: int, word: str) -> pl.Series:
    """Say of which rows the issue is drawn: the same issues in every file of an audit."""
    if "Code" not in rows.columns:
        return pl.repeat(False, len(rows), eager=True)
    codes = rows["Code"].unique().to_list()
    return rows["Code"].is_in([code for code in codes if _mark(number, word, code) < ISSUES])


def _renamed(rows: pl.DataFrame) -> pl.DataFrame:
    """Give each issue a code that no other has: the exchange uses no Z in its codes.

    Of two that would share one, the smaller code gets it.
    """
    if "Code" not in rows.columns:
        return rows
    new = pl.col("Code").str.head(-2) + "Z" + pl.col("Code").str.tail(1)
    return rows.filter(pl.col("Code") == pl.col("Code").min().over(new)).with_columns(Code=new)


def _later(rows: pl.DataFrame, moment: dt.datetime) -> pl.DataFrame:
    """Let rows be known a day after they were, or after `moment` if that is later."""
    late = [pl.max_horizontal(name, pl.lit(moment)).alias(name) for name in COLUMN.values()]
    return rows.with_columns(late).with_columns(pl.col(*COLUMN.values()).dt.offset_by("1d"))


def _disturber(
    entry: DataSet, rules: Rules, random: np.random.Generator
) -> Callable[[pl.DataFrame], pl.DataFrame]:
    fixed = {*entry.key, entry.day, *rules.columns}
    units = {field.name: field.unit for field in entry.fields if field.name not in fixed}

    def disturbed(rows: pl.DataFrame) -> pl.DataFrame:
        together = np.exp(NOISE * random.standard_normal(len(rows)))
        weeks = pl.Series(random.integers(1, 3, len(rows))) * dt.timedelta(weeks=1)
        changed = [
            _other(rows[name], unit, together, weeks, random)
            for name, unit in units.items()
            if name in rows.columns
        ]
        return _reshaped(rows.with_columns(changed), random)

    return disturbed


def _reshaped(rows: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Give bars another shape, in which the high is still the highest and the low the lowest."""
    turned = pl.lit(pl.Series(random.random(len(rows)) < 0.5))
    wider = pl.lit(pl.Series(np.exp(WIDER * np.abs(random.standard_normal(len(rows))))))
    bars = [[f"{session}{price}" for price in "OHLC"] for session in SESSIONS]
    shapes = [
        (
            pl.when(turned).then(close).otherwise(first).alias(first),
            pl.col(high) * wider,
            pl.col(low) / wider,
            pl.when(turned).then(first).otherwise(close).alias(close),
        )
        for first, high, low, close in bars
        if {first, high, low, close} <= set(rows.columns)
    ]
    return rows.with_columns(shape for bar in shapes for shape in bar)


def _other(
    old: pl.Series, unit: str, together: np.ndarray, weeks: pl.Series, random: np.random.Generator
) -> pl.Series:
    """Give other values of a field, as its unit allows."""
    if unit == "date":
        return old + weeks
    swapped = old.gather(random.permutation(len(old)))
    if unit == "object":
        return swapped
    if unit == "text":
        return _where(random, NOVEL, old.str.replace_all(".", "0"), swapped)
    if unit == "flag":
        return _where(random, SWAPPED, ~old, swapped)
    if unit == "factor":
        return _where(random, SPLITS, (old == 1).replace_strict({True: 0.5, False: 1.0}), old)
    if PRICE.fullmatch(old.name):
        return old * together
    return _where(random, SWAPPED, swapped, old * np.exp(NOISE * random.standard_normal(len(old))))


def _where(
    random: np.random.Generator, share: float, chosen: pl.Series, other: pl.Series
) -> pl.Series:
    """Take a random `share` of the values from `chosen`."""
    return chosen.zip_with(pl.Series(random.random(len(other)) < share), other).rename(other.name)
