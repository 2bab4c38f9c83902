"""How predictions are judged, and how the laws of time are audited."""

import datetime as dt

from pydantic import Field

from gogooku.section import Section


class Evaluation(Section):
    """How predictions are judged."""

    quantiles: int = Field(ge=2, le=1000)
    cost: float = Field(ge=0, le=1000)
    confidence: float = Field(gt=0, lt=1)


class Audit(Section):
    """How the laws of time are audited."""

    day: dt.date | None
    days: int = Field(ge=1, le=10000)
    seed: int = Field(ge=0, le=2**31 - 1)
