"""What is predicted, from which days, and which stocks are neighbours."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gogooku.calendar import Entry
from gogooku.section import Section


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
                f"labels.horizons {horizons} lacks 1, by which portfolios are valued: add it"
            )
        return horizons


class Splits(Section):
    """Walk-forward folds, lengths in spans."""

    mode: Literal["expanding", "rolling"]
    train: int = Field(ge=1, le=1000)
    valid: int = Field(ge=1, le=1000)
    test: int = Field(ge=1, le=1000)
    step: int = Field(ge=1, le=1000)
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
