"""Which prices are believed, and which stocks are in the universe of a day."""

from pydantic import Field

from gogooku.section import Section


class Quality(Section):
    """What a price may be."""

    limit_tolerance: float = Field(ge=0, lt=1)
    limit_relief_days: int = Field(ge=1, le=1000)


class Universe(Section):
    """Who is in, judged each day with what was known that day."""

    min_price: float = Field(ge=0, le=1e9)
    min_value: float = Field(ge=0, le=1e15)
    min_sessions: int = Field(ge=0, le=60)
