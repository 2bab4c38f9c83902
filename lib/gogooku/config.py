"""The settings that a run may have; config/default.yaml documents each and gives its value."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from gogooku import splits
from gogooku.calendar import Clock, Granularity, spans
from gogooku.features.families import FAMILIES
from gogooku.run import UserError

Model = Literal["atft", "lightgbm", "ridge", "reversal"]
Entry = Literal["next_close", "next_open", "close"]
Share = float

LAST_CLOSE = "15:30"  # the latest close that the exchange has had [JST]


class Section(BaseModel):
    """A section of the settings: no unknown keys, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dates(Section):
    start: dt.date
    end: dt.date

    @model_validator(mode="after")
    def _in_order(self) -> "Dates":
        if self.end < self.start:
            raise ValueError(f"dates.end {self.end} is before dates.start {self.start}: swap them")
        return self


class Jquants(Section):
    url: str
    plan: Literal["free", "light", "standard", "premium"]
    timeout: PositiveFloat
    attempts: PositiveInt


class Parts(Section):
    reversal: float = Field(ge=0)
    drift: float = Field(ge=0)
    lead_lag: float = Field(ge=0)
    cycle: float = Field(ge=0)


class Market(Section):
    seed: int
    start: dt.date
    end: dt.date
    stocks: int = Field(ge=40)
    parts: Parts


class Quality(Section):
    limit_tolerance: Share = Field(ge=0, lt=1)
    limit_relief_days: PositiveInt


class Universe(Section):
    min_price: float = Field(ge=0)
    min_value: float = Field(ge=0)
    min_sessions: int = Field(ge=0, le=60)


class Features(Section):
    families: list[str] = Field(min_length=1)
    clip: Share = Field(ge=0, lt=0.5)
    method: Literal["zscore", "rank"]
    min_stocks: PositiveInt

    @field_validator("families")
    @classmethod
    def _exist(cls, names: list[str]) -> list[str]:
        return _among(names, list(FAMILIES), "features.families")


class Labels(Section):
    horizons: list[PositiveInt] = Field(min_length=1)
    entry: Entry

    @field_validator("horizons")
    @classmethod
    def _ascend(cls, horizons: list[int]) -> list[int]:
        if horizons != sorted(set(horizons)):
            raise ValueError(f"labels.horizons {horizons} must ascend without repeats")
        return horizons


class Splits(Section):
    mode: Literal["expanding", "rolling"]
    train: PositiveInt
    valid: PositiveInt
    test: PositiveInt
    step: PositiveInt
    embargo: int = Field(ge=0)


class Graph(Section):
    window: PositiveInt
    half_life: PositiveFloat
    shrinkage: Share = Field(ge=0, le=1)
    neighbours: PositiveInt
    min_correlation: Share = Field(ge=0, le=1)
    min_observations: PositiveInt

    @model_validator(mode="after")
    def _window_can_hold_observations(self) -> "Graph":
        if self.min_observations > self.window:
            raise ValueError(
                f"graph.min_observations {self.min_observations} exceeds graph.window "
                f"{self.window}: no stock could have an edge; lower the first"
            )
        return self


class Atft(Section):
    window: int = Field(ge=4)
    hidden: PositiveInt
    heads: PositiveInt
    frequencies: PositiveInt
    dropout: Share = Field(ge=0, lt=1)
    epochs: PositiveInt
    days_per_epoch: PositiveInt
    learning_rate: PositiveFloat
    weight_decay: float = Field(ge=0)
    patience: PositiveInt

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "Atft":
        if self.hidden % self.heads:
            raise ValueError(
                f"atft.hidden {self.hidden} is no multiple of atft.heads {self.heads}: change one"
            )
        return self


class Lightgbm(Section):
    rounds: PositiveInt
    patience: PositiveInt
    learning_rate: PositiveFloat
    leaves: int = Field(ge=2)
    min_leaf: PositiveInt
    feature_share: Share = Field(gt=0, le=1)
    row_share: Share = Field(gt=0, le=1)
    max_bins: int = Field(ge=2, le=255)
    max_rows: PositiveInt


class Ridge(Section):
    penalty: float = Field(ge=0)


class Evaluation(Section):
    quantiles: int = Field(ge=2)
    cost: float = Field(ge=0)
    confidence: Share = Field(gt=0, lt=1)


class Audit(Section):
    day: dt.date | None


class Settings(Section):
    """All settings of a run."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    source: Literal["simulated", "jquants", "archive", "stored"]
    store: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    dates: Dates
    spans: Granularity
    clock: Clock
    decision_time: str | None = Field(pattern=r"^\d\d:\d\d$")
    jquants: Jquants
    archive: str | None
    archive_factor: Literal["ex_date", "day_before"]
    market: Market
    quality: Quality
    universe: Universe
    features: Features
    labels: Labels
    splits: Splits
    graph: Graph
    models: list[Model] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    atft: Atft
    lightgbm: Lightgbm
    ridge: Ridge
    evaluation: Evaluation
    audit: Audit

    @property
    def all_spans(self) -> list[str]:
        """Every span from dates.start to dates.end."""
        return spans(self.dates.start, self.dates.end, self.spans)

    @model_validator(mode="after")
    def _embargo_covers_the_longest_label(self) -> "Settings":
        longest = max(self.labels.horizons)
        if self.splits.embargo < longest:
            raise ValueError(
                f"splits.embargo is {self.splits.embargo} sessions but the longest label lasts "
                f"{longest}: raise splits.embargo to at least {longest}"
            )
        return self

    @field_validator("decision_time")
    @classmethod
    def _prices_of_the_day_are_known(cls, time: str | None) -> str | None:
        if time and time < LAST_CLOSE:
            raise ValueError(
                f"decision_time {time} is before the close, when the day's prices are not known "
                f"yet: choose {LAST_CLOSE} or later, or null"
            )
        return time

    @model_validator(mode="after")
    def _source_is_complete(self) -> "Settings":
        if self.source == "archive" and not self.archive:
            raise ValueError(
                "source is archive but no folder is named: add --config archive=FOLDER"
            )
        if self.source == "archive" and not Path(str(self.archive)).is_dir():
            raise ValueError(f"archive {self.archive} is no folder: name one that exists")
        served = self.market.start <= self.dates.start and self.dates.end <= self.market.end
        if self.source == "simulated" and not served:
            raise ValueError(
                f"dates {self.dates.start}…{self.dates.end} leave the simulated market's "
                f"{self.market.start}…{self.market.end}: narrow dates or widen market"
            )
        return self

    @model_validator(mode="after")
    def _a_fold_fits(self) -> "Settings":
        s = self.splits
        if not splits.count(
            len(self.all_spans), train=s.train, valid=s.valid, test=s.test, step=s.step
        ):
            raise ValueError(
                f"{len(self.all_spans)} spans hold no fold of splits.train {s.train} + valid "
                f"{s.valid} + test {s.test}: shorten them or widen dates"
            )
        return self


def _among(names: list[str], known: list[str], where: str) -> list[str]:
    if strangers := sorted(set(names) - set(known)):
        raise ValueError(f"{where} names {strangers}, which do not exist: choose from {known}")
    return names


def read(config: Mapping[str, Any]) -> Settings:
    """Check `config` and give it as settings.

    Raises UserError with one line per fault: the key, what is wrong, and what to change.
    """
    try:
        return Settings.model_validate(dict(config))
    except ValidationError as error:
        raise UserError("\n".join(_sentence(fault) for fault in error.errors())) from None


def _sentence(fault: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in fault["loc"])
    match fault["type"]:
        case "extra_forbidden":
            return f"config: {key} is no setting: see config/default.yaml for the names"
        case "missing":
            return f"config: {key} is missing: config/default.yaml has its default"
        case "value_error":
            return f"config: {fault['ctx']['error']}"
    return f"config: {key} is {fault['input']!r}: {fault['msg'].lower()}"
