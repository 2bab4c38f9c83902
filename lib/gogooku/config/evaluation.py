"""How predictions are judged, and how the laws of time are audited."""

import datetime as dt

from pydantic import Field

from gogooku.section import Section


class Evaluation(Section):
    """How predictions are judged."""

    quantiles: int = Field(
        ge=2, le=1000, description="portfolios by prediction; long the highest, short the lowest"
    )
    cost: float = Field(ge=0, le=1000, description="of one side of a trade [bp of traded value]")
    confidence: float = Field(gt=0, lt=1, description="of the intervals in the report")


class Audit(Section):
    """How the laws of time are audited."""

    day: dt.date | None = Field(
        description="of the first fold's test part, whose models are audited too [date]; null: its "
        "middle"
    )
    days: int = Field(
        ge=1,
        le=10000,
        description="random days of which all stages up to the data set are audited",
    )
    seed: int = Field(ge=0, le=2**31 - 1, description="draws the days and the other futures")
