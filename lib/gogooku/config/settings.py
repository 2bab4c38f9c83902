"""The settings that a run may have; config/default.yaml documents each and gives its value."""

import ast
import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from gogooku import splits
from gogooku.calendar import ENTRY_LAG, FEWEST_SESSIONS, Clock, Entry, Granularity, spans
from gogooku.errors import UserError
from gogooku.families import FAMILIES
from gogooku.features import studies

Model = Literal["atft", "lightgbm", "ridge", "reversal"]
Share = float

JAPAN = dt.timezone(dt.timedelta(hours=9))
LAST_CLOSE = "15:30"  # the latest close that the exchange has had [JST]
BARS_SERVED = "16:30"  # when the API delivers daily bars [JST]
SHORTEST_EMBARGO = 20  # sessions


class Section(BaseModel):
    """A section of the settings: no unknown keys, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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
    plan: Literal["auto", "free", "light", "standard", "premium"]
    share: Share = Field(gt=0, le=1)
    ledger: str = Field(min_length=1)
    bulk: bool
    timeout: PositiveFloat
    attempts: PositiveInt

    @field_validator("url")
    @classmethod
    def _hides_the_key(cls, url: str) -> str:
        host = urlsplit(url).hostname
        if not host or not url.startswith(("https://", "http://")):
            raise ValueError(f"{url!r} is no address: write https://host/path")
        if url.startswith("http://") and host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(f"{url} would show the key to the network: write https://{host}…")
        return url


class Parts(Section):
    reversal: float = Field(ge=0)
    drift: float = Field(ge=0)
    lead_lag: float = Field(ge=0)
    cycle: float = Field(ge=0)
    short: float = Field(ge=0)
    margin: float = Field(ge=0)
    flow: float = Field(ge=0)
    option: float = Field(ge=0)
    sector: float = Field(ge=0)
    size: float = Field(ge=0)
    schedule: float = Field(ge=0)


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
    pandas_ta: list[str]
    user: str | None
    clip: Share = Field(ge=0, lt=0.5)
    method: Literal["zscore", "robust", "rank", "rank_normal"]
    within_sector: bool
    min_stocks: PositiveInt

    @field_validator("families")
    @classmethod
    def _exist(cls, names: list[str]) -> list[str]:
        if strangers := sorted(set(names) - set(FAMILIES)):
            raise ValueError(
                f"features.families names {strangers}, which do not exist: choose from "
                f"{list(FAMILIES)}"
            )
        if len(set(names)) < len(names):
            raise ValueError(f"features.families {names} names one twice: name each once")
        return names

    @field_validator("pandas_ta")
    @classmethod
    def _are_studies(cls, names: list[str]) -> list[str]:
        try:
            studies.refuse_strangers(names)
        except UserError as error:
            raise ValueError(str(error)) from None
        return names

    @field_validator("user")
    @classmethod
    def _is_a_module(cls, path: str | None) -> str | None:
        """Give the module's whole path, which holds wherever a job runs."""
        if path is None:
            return None
        if Path(path).suffix != ".py" or not Path(path).is_file():
            raise ValueError(f"features.user {path} is no .py file: name one that exists")
        try:
            body = ast.parse(Path(path).read_text(encoding="utf-8")).body
        except SyntaxError as error:
            raise ValueError(f"features.user {path} is no Python: {error}") from None
        if not any(isinstance(x, ast.FunctionDef) and x.name == "columns" for x in body):
            raise ValueError(f"features.user {path} lacks columns(panel): define it")
        return str(Path(path).resolve())

    @model_validator(mode="before")
    @classmethod
    def _own_columns_have_their_family(cls, section: Any) -> Any:
        """Add the family `user` where it has columns, so that overlays need not list all others."""
        if not isinstance(section, dict) or not isinstance(section.get("families"), list):
            return section
        own = bool(section.get("pandas_ta") or section.get("user"))
        if own and "user" not in section["families"]:
            return {**section, "families": [*section["families"], "user"]}
        if not own and "user" in section["families"]:
            raise ValueError(
                "features.families names user, which is empty: fill features.pandas_ta or "
                "features.user, or drop it"
            )
        return section


class Labels(Section):
    horizons: list[PositiveInt] = Field(min_length=1)
    entry: Entry

    @field_validator("horizons")
    @classmethod
    def _ascend(cls, horizons: list[int]) -> list[int]:
        if horizons != sorted(set(horizons)):
            raise ValueError(f"labels.horizons {horizons} must ascend without repeats")
        if horizons[0] != 1:
            raise ValueError(
                f"labels.horizons {horizons} lacks 1, by which portfolios are valued: add it"
            )
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
    days: PositiveInt
    seed: NonNegativeInt


class Settings(Section):
    """All settings of a run."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")
    source: Literal["simulated", "jquants", "archive", "stored"]
    store: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")
    build: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")
    dates: Dates
    spans: Granularity
    clock: Clock
    decision_time: str | None = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
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
    seeds: list[Annotated[int, Field(ge=0, le=32767)]] = Field(min_length=1)
    atft: Atft
    lightgbm: Lightgbm
    ridge: Ridge
    evaluation: Evaluation
    audit: Audit

    @model_validator(mode="before")
    @classmethod
    def _a_build_is_named_by_its_store(cls, config: Any) -> Any:
        """Name the build like the store where `build` is null."""
        if isinstance(config, dict) and config.get("build", "") is None:
            return {**config, "build": config.get("store")}
        return config

    @property
    def all_spans(self) -> list[str]:
        """Every span from dates.start to dates.end."""
        return spans(self.dates.start, self.dates.end, self.spans)

    @model_validator(mode="after")
    def _embargo_covers_the_longest_label(self) -> "Settings":
        least = max(SHORTEST_EMBARGO, *self.labels.horizons)
        if self.splits.embargo < least:
            raise ValueError(
                f"splits.embargo is {self.splits.embargo} sessions, but parts must lie as far "
                f"apart as the longest label and {SHORTEST_EMBARGO} sessions at least: raise "
                f"splits.embargo to at least {least}"
            )
        return self

    @field_validator("models", "seeds")
    @classmethod
    def _each_once(cls, names: list[Any]) -> list[Any]:
        if len(set(names)) < len(names):
            raise ValueError(f"{names} names something twice: name each once")
        return names

    @model_validator(mode="after")
    def _models_have_what_they_read(self) -> "Settings":
        if "reversal" in self.models and "technical" not in self.features.families:
            raise ValueError(
                "models names reversal, which reads the technical family: add technical to "
                "features.families or drop reversal"
            )
        fewest = self.splits.valid * FEWEST_SESSIONS[self.spans]
        if self.atft.window > fewest:
            raise ValueError(
                f"atft.window {self.atft.window} looks back further than the validation spans, "
                f"which hold {fewest} sessions or more: shorten it or lengthen splits.valid"
            )
        return self

    @model_validator(mode="after")
    def _the_served_clock_has_delivered(self) -> "Settings":
        if self.clock == "served" and self.decision_time and self.decision_time < BARS_SERVED:
            raise ValueError(
                f"decision_time {self.decision_time} is before the API delivers the day's bars: "
                f"choose {BARS_SERVED} or later, or null"
            )
        return self

    @model_validator(mode="after")
    def _days_have_passed(self) -> "Settings":
        today = dt.datetime.now(JAPAN).date()
        if self.source == "jquants" and self.dates.end >= today:
            raise ValueError(
                f"dates.end {self.dates.end} has not passed in Japan: choose a day before {today}"
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
        if self.source == "archive" and set("{}") & set(str(self.archive)):
            raise ValueError(
                f"archive {self.archive} has braces, which Snakemake takes for a wildcard: rename "
                "the folder"
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
    def _quantiles_hold_stocks(self) -> "Settings":
        most = self.features.min_stocks // 2
        if self.evaluation.quantiles > most:
            raise ValueError(
                f"evaluation.quantiles is {self.evaluation.quantiles}, but a day may have "
                f"{self.features.min_stocks} stocks (features.min_stocks): at most {most}"
            )
        return self

    @model_validator(mode="after")
    def _a_part_outlasts_its_gap(self) -> "Settings":
        s, fewest = self.splits, FEWEST_SESSIONS[self.spans]
        gap = ENTRY_LAG[self.labels.entry] + max(self.labels.horizons) + s.embargo
        for part, length in (("train", s.train), ("valid", s.valid)):
            if length * fewest <= gap:
                raise ValueError(
                    f"splits.{part} is {length} spans of a {self.spans}, which may hold {fewest} "
                    f"sessions each, but labels and embargo take {gap}: raise splits.{part} to at "
                    f"least {gap // fewest + 1}"
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
        case "string_type":
            return f"config: {key} is {fault['input']!r}: it is a text, so write it in quotes"
        case "too_short":
            return f"config: {key} is empty: name at least one"
        case "model_type" | "dict_type":
            return f"config: {key} is {fault['input']!r}: it is a section of config/default.yaml"
    return f"config: {key} is {fault['input']!r}: {fault['msg'].lower()}"
