"""What is predicted, from which days, and which stocks are neighbours."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gogooku.calendar import Entry
from gogooku.section import Section


class Labels(Section):
    """What is predicted."""

    horizons: list[Annotated[int, Field(ge=1, le=250)]] = Field(
        min_length=1, description="sessions from entry to exit"
    )
    entry: Entry = Field(
        description="next_close | next_open | close (not tradable: for comparison only)"
    )

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

    mode: Literal["expanding", "rolling"] = Field(
        description="expanding | rolling: whether the training part keeps its first span"
    )
    train: int = Field(ge=1, le=1000, description="training length of the first fold [spans]")
    valid: int = Field(ge=1, le=1000, description="validation length [spans]")
    test: int = Field(ge=1, le=1000, description="test length [spans]")
    step: int = Field(
        ge=1, le=1000, description="spans from one fold's test part to the next one's"
    )
    embargo: int = Field(
        ge=0,
        le=1000,
        description="sessions left out between the last label of a part and the next part; at "
        "least 20 and the longest horizon",
    )


class Graph(Section):
    """Who moves with whom, from returns up to the day."""

    window: int = Field(ge=1, le=1000, description="sessions over which returns are correlated")
    half_life: float = Field(gt=0, le=1e6, description="of the exponential weights [sessions]")
    shrinkage: float = Field(ge=0, le=1, description="of the correlation towards 0 [share]")
    neighbours: int = Field(ge=1, le=1000, description="per stock, by absolute correlation")
    min_correlation: float = Field(ge=0, le=1, description="weaker edges are left out")
    min_observations: int = Field(
        ge=1,
        le=1000,
        description="sessions with a return in the window; a stock with fewer has no edges",
    )

    @model_validator(mode="after")
    def _window_can_hold_observations(self) -> "Graph":
        if self.min_observations > self.window:
            raise ValueError(
                f"graph.min_observations {self.min_observations} exceeds graph.window "
                f"{self.window}: no stock could have an edge; lower the first"
            )
        return self
