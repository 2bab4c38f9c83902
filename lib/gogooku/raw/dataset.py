"""What the catalogue says of a data set: how it is asked for, and what its fields are."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

Plan = Literal["free", "light", "standard", "premium", "minute"]
Request = Literal["range", "session", "week", "now"]

PLANS: tuple[Plan, ...] = ("free", "light", "standard", "premium")
"""Subscriptions, each with all that the one before serves; `minute` is an add-on to paid ones."""

_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "object": pl.String(),
    "date": pl.Date(),
    "flag": pl.Boolean(),
}


@dataclass(frozen=True)
class Field:
    """One field of a data set: `filled` in every row, or `optional` as a whole, or neither."""

    name: str
    unit: str
    filled: bool
    optional: bool

    @property
    def type(self) -> pl.DataType:
        """Type that a frame holds it in."""
        return _TYPES.get(self.unit, pl.Float64())


@dataclass(frozen=True)
class DataSet:
    """How one data set is asked for, and what its rows are.

    path      below the API's root
    plan      the cheapest that serves it
    since     first day of its history
    request   range: one request for a span of days; session: one each session; week: one for the
              last session of each week until DAILY_MARGIN, then one each session; now: only
              today's state can be asked for
    day       the field by which rows are asked for and filed under
    query     the parameter that names that day
    key       fields that tell any two rows apart
    unnamed   whether two rows may have one key all the same, since the vendor names no persons
    served    time of day from which a day's rows can be read [HH:MM JST, may pass 24:00]
    delay     sessions from the day to the one on which its rows are served
    reread    sessions for which the vendor may still correct a day in place
    empty     whether a session may have no row at all
    traded    whether HALTED has none: its rows tell of trading
    margin    days by which a range is asked wider than wanted and cut afterwards: the vendor
              does not say whether its range means the publication or the week [days]
    bulk      whether whole months are offered as files
    ignored   fields that are not kept: adjusted prices look ahead, market value is withdrawn
    """

    name: str
    path: str
    plan: Plan
    since: dt.date
    day: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    served: str
    request: Request = "session"
    delay: int = 0
    reread: int = 0
    empty: bool = False
    traded: bool = False
    margin: int = 0
    unnamed: bool = False
    bulk: bool = True
    query: str = "date"
    ignored: frozenset[str] = frozenset()

    @cached_property
    def schema(self) -> dict[str, pl.DataType]:
        """Name → type, in the vendor's order."""
        return {field.name: field.type for field in self.fields}

    @cached_property
    def filled(self) -> list[str]:
        """Fields that have a value in every row."""
        return [field.name for field in self.fields if field.filled]

    @cached_property
    def needed(self) -> list[str]:
        """Fields that no answer with rows may lack."""
        return [field.name for field in self.fields if not field.optional]

    @cached_property
    def order(self) -> list[str]:
        """Fields by which rows are sorted, and told apart: the key, or of unnamed rows all."""
        rest = [name for name in self.schema if name not in self.key] if self.unnamed else []
        return [*self.key, *rest]

    @property
    def bucket(self) -> str:
        """Name of the rate limit of its own that it has beside the plan's; "" for none."""
        if self.path in ("/fins/summary", "/fins/details"):
            return "fins"
        return "minute" if self.plan == "minute" else ""


def _fields(text: str) -> tuple[Field, ...]:
    """Read the catalogue's notation."""
    lines = [line.split() for line in text.strip().splitlines()]
    return tuple(
        Field(name.rstrip("!?"), unit, name.endswith("!"), name.endswith("?"))
        for unit, *names in filter(None, lines)
        for name in names
    )


def entry(name: str, path: str, plan: Plan, since: str, fields: str, **facts: object) -> DataSet:
    """Make one entry of the catalogue, its fields in the catalogue's notation.

    facts   the other fields of DataSet; `day` is the first of the key if it is not given
    """
    columns = _fields(fields)
    key = tuple(str(facts.pop("key")).split())
    facts.setdefault("day", key[0])
    day = dt.date.fromisoformat(since)
    return DataSet(name, path, plan, day, key=key, fields=columns, **facts)  # type: ignore[arg-type]
