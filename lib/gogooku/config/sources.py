"""Where rows come from: the days of a run, the J-Quants API, the simulated exchange."""

import datetime as dt
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from gogooku.section import Section


class Dates(Section):
    """The days that a run covers."""

    start: dt.date = Field(description="first day, inclusive [date]")
    end: dt.date = Field(
        description="last day, inclusive [date]; a later end adds spans and folds and redoes none"
    )

    @model_validator(mode="after")
    def _in_order(self) -> "Dates":
        if self.end < self.start:
            raise ValueError(f"dates.end {self.end} is before dates.start {self.start}: swap them")
        return self


class Jquants(Section):
    """How the J-Quants API is asked; its key is in JQUANTS_API_KEY or in .env."""

    url: str = Field(max_length=500, description="address of the API")
    plan: Literal["auto", "free", "light", "standard", "premium"] = Field(
        description="free | light | standard | premium: sets the rate and what is asked for; "
        "auto: found out by two or three requests a day"
    )
    share: float = Field(
        gt=0, le=1, description="of the plan's rate of requests that is used [share]"
    )
    ledger: str = Field(
        min_length=1,
        max_length=500,
        description="folder that all runs with one key share, on all machines: keeps the rate "
        "[path]",
    )
    bulk: bool = Field(
        description="read whole months from the vendor's files where the plan has them, newer days "
        "from the API"
    )
    timeout: float = Field(
        gt=0,
        le=3600,
        description="of one answer as a whole; of a file of a month, between its bytes [s]",
    )
    attempts: int = Field(ge=1, le=100, description="tries of one request before the job fails")

    @field_validator("url")
    @classmethod
    def _hides_the_key(cls, url: str) -> str:
        host = urlsplit(url).hostname
        if not host or not url.startswith(("https://", "http://")):
            raise ValueError(f"jquants.url {url!r} is no address: write https://host/path")
        if url.startswith("http://") and host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(f"{url} would show the key to the network: write https://{host}…")
        return url


def _strength(description: str) -> Any:
    return Field(ge=0, le=1000, description=f"{description} [bp]")


class Parts(Section):
    """Planted predictability: the expected one-day return of each part; 0 switches it off."""

    reversal: float = _strength("recent losers gain")
    drift: float = _strength("prices follow a surprise in a filing")
    lead_lag: float = _strength(
        "small companies follow large ones; harder to see: it takes the neighbours"
    )
    cycle: float = _strength("volume swings in a rhythm that tells the next return")
    short: float = _strength("reported short positions precede low returns")
    margin: float = _strength("growth of margin buying precedes low returns")
    flow: float = _strength("a section that foreigners bought last week gains")
    option: float = _strength(
        "fear in option prices precedes the market's returns, by beta: 1 across stocks is 6 of the "
        "market"
    )
    sector: float = _strength("sectors go on as they went")
    size: float = _strength("small companies gain")
    schedule: float = _strength("the sessions before an announced earnings date gain")


class Market(Section):
    """The simulated exchange."""

    seed: int = Field(
        ge=0, le=2**31 - 1, description="of all its draws: another number, another market"
    )
    start: dt.date = Field(description="first day it can serve [date]")
    end: dt.date = Field(
        description="last day it can serve [date]; fixed, so that a later dates.end changes no "
        "earlier row"
    )
    stocks: int = Field(ge=40, le=10000, description="listed at one time, about")
    parts: Parts
