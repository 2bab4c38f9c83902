"""The sections of the settings; config/default.yaml gives the value and meaning of each."""

import ast
import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from gogooku.calendar import Entry
from gogooku.errors import UserError
from gogooku.families import FAMILIES
from gogooku.features import studies
from gogooku.section import Section


class Dates(Section):
    """The days that a run covers."""

    start: dt.date
    end: dt.date

    @model_validator(mode="after")
    def _in_order(self) -> "Dates":
        if self.end < self.start:
            raise ValueError(f"dates.end {self.end} is before dates.start {self.start}: swap them")
        return self


class Jquants(Section):
    """How the J-Quants API is asked; its key is in JQUANTS_API_KEY or in .env."""

    url: str = Field(max_length=500)
    plan: Literal["auto", "free", "light", "standard", "premium"]
    share: float = Field(gt=0, le=1)
    ledger: str = Field(min_length=1, max_length=500)
    bulk: bool
    timeout: float = Field(gt=0, le=3600)
    attempts: int = Field(ge=1, le=100)

    @field_validator("url")
    @classmethod
    def _hides_the_key(cls, url: str) -> str:
        host = urlsplit(url).hostname
        if not host or not url.startswith(("https://", "http://")):
            raise ValueError(f"jquants.url {url!r} is no address: write https://host/path")
        if url.startswith("http://") and host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(f"{url} would show the key to the network: write https://{host}…")
        return url


Strength = Annotated[float, Field(ge=0, le=1000)]


class Parts(Section):
    """Planted predictability: the expected one-day return of each part; 0 switches it off."""

    reversal: Strength
    drift: Strength
    lead_lag: Strength
    cycle: Strength
    short: Strength
    margin: Strength
    flow: Strength
    option: Strength
    sector: Strength
    size: Strength
    schedule: Strength


class Market(Section):
    """The simulated exchange."""

    seed: int = Field(ge=0, le=2**31 - 1)
    start: dt.date
    end: dt.date
    stocks: int = Field(ge=40, le=10000)
    parts: Parts


class Quality(Section):
    """What a price may be."""

    limit_tolerance: float = Field(ge=0, lt=1)
    limit_relief_days: int = Field(ge=1, le=1000)


class Universe(Section):
    """Who is in, judged each day with what was known that day."""

    min_price: float = Field(ge=0, le=1e9)
    min_value: float = Field(ge=0, le=1e15)
    min_sessions: int = Field(ge=0, le=60)


class Features(Section):
    """Which columns a day has, and in which scale."""

    families: list[str] = Field(
        min_length=1, json_schema_extra={"items": {"type": "string", "enum": list(FAMILIES)}}
    )
    pandas_ta: list[str]
    user: str | None = Field(max_length=1000)
    clip: float = Field(ge=0, lt=0.5)
    method: Literal["zscore", "robust", "rank", "rank_normal"]
    within_sector: bool
    min_stocks: int = Field(ge=1, le=10000)

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
    """What is predicted."""

    horizons: list[Annotated[int, Field(ge=1, le=250)]] = Field(min_length=1)
    entry: Entry

    @field_validator("horizons")
    @classmethod
    def _ascend(cls, horizons: list[int]) -> list[int]:
        if horizons != sorted(set(horizons)):
            raise ValueError(f"labels.horizons {horizons} must ascend without repeats")
        if horizons[0] != 1:
            raise ValueError(
                f"labels.horizons {horizons} lacks 1, which breakdowns by the age of a forecast "
                "need: add it"
            )
        return horizons


class Splits(Section):
    """Walk-forward folds, lengths in spans."""

    mode: Literal["expanding", "rolling"]
    train: int = Field(ge=1, le=1000)
    valid: int = Field(ge=1, le=1000)
    test: int = Field(ge=1, le=1000)
    step: int = Field(ge=1, le=1000)
    refit: bool
    embargo: int = Field(ge=0, le=1000)


class Graph(Section):
    """Who moves with whom, from returns up to the day."""

    window: int = Field(ge=1, le=1000)
    half_life: float = Field(gt=0, le=1e6)
    shrinkage: float = Field(ge=0, le=1)
    neighbours: int = Field(ge=1, le=1000)
    min_correlation: float = Field(ge=0, le=1)
    min_observations: int = Field(ge=1, le=1000)

    @model_validator(mode="after")
    def _window_can_hold_observations(self) -> "Graph":
        if self.min_observations > self.window:
            raise ValueError(
                f"graph.min_observations {self.min_observations} exceeds graph.window "
                f"{self.window}: no stock could have an edge; lower the first"
            )
        return self


class Evaluation(Section):
    """How predictions are judged."""

    quantiles: int = Field(ge=2, le=1000)
    confidence: float = Field(gt=0, lt=1)
    yardstick: str = Field(max_length=200)
    sealed: dt.date | None
    cost: float = Field(ge=0, le=1000)
    capital: float = Field(gt=0, le=1e15)
    half_spread: list[tuple[float, float]] = Field(min_length=1)
    impact: float = Field(ge=0, le=100)
    borrow: float = Field(ge=0, le=1000)
    participation: float = Field(gt=0, le=100)
    delisting: float = Field(ge=-1, le=10)

    @field_validator("half_spread")
    @classmethod
    def _ascends_from_0(cls, steps: list[tuple[float, float]]) -> list[tuple[float, float]]:
        floors = [floor for floor, _ in steps]
        if floors[0] != 0 or floors != sorted(set(floors)) or min(bp for _, bp in steps) < 0:
            raise ValueError(
                f"evaluation.half_spread {steps} must begin with a value of 0 and ascend, and no "
                "spread may be negative"
            )
        return steps


class Audit(Section):
    """How the laws of time are audited."""

    day: dt.date | None
    days: int = Field(ge=1, le=10000)
    seed: int = Field(ge=0, le=2**31 - 1)
