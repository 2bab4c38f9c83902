"""The table config/availability.yaml, which says when rows become known, read and checked."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from gogooku.errors import UserError
from gogooku.raw.catalogue import DATASETS
from gogooku.section import Section

NIGHT = r"^([0-3]\d):[0-5]\d(:[0-5]\d)?$"
"""A time of day [JST]; past 24:00 it is the next day's."""

Time = Annotated[str, Field(pattern=NIGHT)]


class TimeColumn(Section):
    """The column that holds a row's time of day."""

    column: str


class Moment(Section):
    """One rule: a date column at a time of day."""

    column: str
    at: Literal["close"] | Time | TimeColumn | None = None
    missing: Time | None = None
    days: int = 0
    week_session: int = Field(default=0, ge=0)
    after: Time = "00:00:00"
    batches: list[Time] | None = None

    @model_validator(mode="after")
    def _has_one_time(self) -> "Moment":
        if (self.at is None) == (self.batches is None):
            raise ValueError("a rule has either `at` or `batches`")
        if isinstance(self.at, TimeColumn) != (self.missing is not None):
            raise ValueError("`missing` goes with `at: {column: …}`, and only with it")
        return self


class Clocks(Section):
    """Both clocks of a data set."""

    published: Moment | list[Moment]
    served: Moment | list[Moment]


class Close(Section):
    """The end of trading from a day on, or on one half day."""

    at: Time
    since: Any = Field(default=None, alias="from")
    day: Any = None


class Decision(Section):
    """The moment at which a day's row is decided, by clock."""

    published: Literal["close"] | Time
    served: Literal["close"] | Time


class Availability(Section):
    """The whole file."""

    close: list[Close]
    decision: Decision
    datasets: dict[str, Clocks]

    @model_validator(mode="after")
    def _names_all_data_sets(self) -> "Availability":
        if strangers := sorted(self.datasets.keys() ^ DATASETS.keys()):
            raise ValueError(f"{strangers[0]} needs one rule here and one entry in the catalogue")
        return self


def read(path: str | Path) -> dict[str, Any]:
    """Read the file, once it is found to be right; days are texts, as rules of Snakemake need them.

    Raises UserError with one line per fault: where it is, and what is wrong.
    """
    told = yaml.safe_load(Path(path).read_text())
    try:
        Availability.model_validate(told)
    except ValidationError as error:
        places = {".".join(map(str, fault["loc"])): fault["msg"] for fault in error.errors()}
        faults = [f"{path}: {place or 'the file'}: {why}" for place, why in places.items()]
        raise UserError("\n".join(faults)) from None
    closes = [{key: str(value) for key, value in rule.items()} for rule in told["close"]]
    return {**told, "close": closes}
