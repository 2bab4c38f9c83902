"""What every section of the settings is."""

import datetime as dt
import re
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
"""What YAML calls true and false."""

FIRST, LAST = dt.date(1990, 1, 1), dt.date(2099, 12, 31)
"""The days that a setting may name."""


class Section(BaseModel):
    """A section of the settings: no unknown keys, no change after reading.

    A value may come as text, which is what `--config` makes of all that stands in brackets. Nothing
    else is turned into what it is not: true is no number, a number no truth and no day.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _is_of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        kinds = _kinds(cls.model_fields[str(info.field_name)].annotation)
        return [_one(item, kinds) for item in value] if type(value) is list else _one(value, kinds)


def _kinds(annotation: Any) -> list[Any]:
    """Give the types of which an annotation is made."""
    inner = get_args(annotation)
    return [kind for part in inner for kind in _kinds(part)] if inner else [annotation]


def _one(value: Any, kinds: list[Any]) -> Any:
    if value is None or isinstance(value, dict):
        return value
    if bool in kinds:
        return _flag(value)
    if dt.date in kinds:
        return _day(value)
    if isinstance(value, bool):
        raise PydanticCustomError("kind", "true and false mean nothing here")
    return value


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in FLAGS:
        raise PydanticCustomError("kind", "neither true nor false")
    return FLAGS[str(value).lower()]


def _day(value: Any) -> dt.date:
    if type(value) is not dt.date and not re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
        raise PydanticCustomError("kind", "no day")
    try:
        day = dt.date.fromisoformat(str(value))
    except ValueError:
        raise PydanticCustomError("kind", "no day of the calendar") from None
    if not FIRST <= day <= LAST:
        raise PydanticCustomError("kind", "too far away")
    return day
