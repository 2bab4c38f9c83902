"""Which prices are believed, and which stocks are in the universe of a day."""

from pydantic import Field

from gogooku.section import Section


class Quality(Section):
    """What a price may be."""

    limit_tolerance: float = Field(
        ge=0,
        lt=1,
        description="a price may exceed the exchange's daily limit by this share of it before "
        "it is rejected",
    )
    limit_relief_days: int = Field(
        ge=1,
        le=1000,
        description="sessions without a good close after which the limit is doubled for each "
        "further session",
    )


class Universe(Section):
    """Who is in, judged each day with what was known that day."""

    min_price: float = Field(ge=0, le=1e9, description="raw close [JPY]")
    min_value: float = Field(
        ge=0, le=1e15, description="mean yen value of the last 20 sessions [JPY per session]"
    )
    min_sessions: int = Field(ge=0, le=60, description="sessions with a close among the last 60")
