"""Where rows come from: the days of a run, the J-Quants API, the simulated exchange."""

import datetime as dt
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

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
