"""The table config/availability.yaml, which says when rows become known."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ValidationError,
    field_validator,
    model_validator,
)

from gogooku import calendar
from gogooku.errors import UserError
from gogooku.point_in_time import Rules
from gogooku.raw.catalogue import DATASETS
from gogooku.section import Section


def _time(text: str) -> str:
    if text != "close":
        calendar.minutes(text)
    return text


def _in_lists(rules: Any) -> Any:
    """Make a list of a clock's rule that stands alone."""
    if not isinstance(rules, dict):
        return rules
    return {clock: rule if isinstance(rule, list) else [rule] for clock, rule in rules.items()}


class Availability(Section):
    """When rows are known, and when days are decided.

    close      of the exchange, those with `since` in ascending order
    decision   clock → `close` or the time of day at which a day's row is decided [HH:MM JST]
    datasets   when the rows of each are known
    """

    close: list[calendar.Close]
    decision: dict[calendar.Clock, Annotated[str, AfterValidator(_time)]]
    datasets: dict[str, Annotated[Rules, BeforeValidator(_in_lists)]]

    @field_validator("decision")
    @classmethod
    def _has_both_clocks(cls, decision: dict[calendar.Clock, str]) -> dict[calendar.Clock, str]:
        if lacking := {"published", "served"} - decision.keys():
            raise ValueError(f"lacks the clock {min(lacking)}")
        return decision

    @model_validator(mode="after")
    def _names_all_data_sets(self) -> "Availability":
        if strangers := sorted(self.datasets.keys() ^ DATASETS.keys()):
            raise ValueError(f"{strangers[0]} needs one rule here and one entry in the catalogue")
        return self


def read(path: str | Path) -> Availability:
    """Read the table.

    Raises UserError with one line per fault: where it is, and what is wrong.
    """
    try:
        return Availability.model_validate(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = (f"{path}: {_fault(fault)}" for fault in error.errors())
        raise UserError("\n".join(faults)) from None


def _fault(fault: Mapping[str, Any]) -> str:
    key = ".".join(map(str, fault["loc"])) or "the file"
    return f"{key}: {fault.get('ctx', {}).get('error', fault['msg'])}"
