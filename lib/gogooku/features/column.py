"""A column of the catalogue, and the frame that a family makes of its columns."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from gogooku.panel.panel import Panel

Kind = Literal["stock", "market", "flag"]
Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Column:
    """One feature: what it is, in which unit, and what it needs.

    kind        stock: normalised across the day's universe; market: of the day or of a market
                section's day, scaled over time; flag: 0 or 1, never scaled
    look_back   sessions before the day that its value can depend on
    min_obs     observations that it needs. Of a column made of daily bars: on how many bars in a
                row, counted from a stock's first, it has its first value
    source      paper, book, exchange rule or vendor's field that defines it
    validates   whether a value makes `is_{family}_valid` true; not if the day's list of stocks
                gives the value to everyone, or if it lasts longer than the data behind it
    inputs      fields of the panel, in its order, then raw data sets as `families.FAMILIES` orders
                them, that a value is computed from; a column of the user's need not list them
    """

    name: str
    kind: Kind
    unit: str
    definition: str
    look_back: int
    min_obs: int
    source: str
    validates: bool = True
    inputs: tuple[str, ...] = ()

    def about(self) -> str:
        """Say all but the name and the inputs in one line."""
        needs = f"looks back {self.look_back}, needs {self.min_obs}"
        return f"{self.definition} ({self.unit}); {needs}; {self.source}"


class Described(Values):
    """Values of a family whose columns its settings decide, and what these columns are."""

    def __init__(self, values: Mapping[str, np.ndarray], columns: Sequence[Column]) -> None:
        super().__init__(values)
        self.columns = columns


def finish(
    panel: Panel,
    family: str,
    columns: Sequence[Column],
    values: Mapping[str, np.ndarray],
    first: dt.date,
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Lay a family's values out as the rows of its span, in the catalogue's order.

    columns   of the catalogue; values that are Described have their own
    values    name → array as Panel.tidy takes it; NaN where unknown

    Returns the frame (date, code, columns, `is_{family}_valid`: any column known that tells of the
    stock or, where none is the stock's, of the day) and the file's metadata, which holds each
    column's kind and what it is.

    Raises ValueError if `columns` and `values` name different columns, or one is infinite.
    """
    columns = values.columns if isinstance(values, Described) else columns
    names = [column.name for column in columns]
    if unmatched := set(names) ^ set(values):
        raise ValueError(f"{family}: named and made columns differ in {sorted(unmatched)}")
    frame = panel.tidy({name: values[name] for name in names}, first)
    if infinite := [name for name in names if frame[name].is_infinite().any()]:
        raise ValueError(f"{family}: {infinite} hold infinite values")
    of_stocks = [column.name for column in columns if column.kind == "stock" and column.validates]
    known = pl.any_horizontal(pl.col(name).is_not_null() for name in of_stocks or names)
    valid = f"is_{family}_valid"
    kinds = {column.name: column.kind for column in columns} | {valid: "flag"}
    about = {column.name: column.about() for column in columns}
    about[valid] = "whether any column that tells of the stock, or else of the day, is known"
    metadata = {"kinds": json.dumps(kinds), "about": json.dumps(about)}
    return frame.with_columns(known.alias(valid)), metadata
