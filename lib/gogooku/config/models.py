"""Settings of the models."""

from pydantic import Field, model_validator

from gogooku.section import Section


class Atft(Section):
    """The network."""

    window: int = Field(ge=4, le=1000, description="sessions that a prediction looks back on")
    hidden: int = Field(ge=1, le=4096, description="width of all blocks")
    heads: int = Field(ge=1, le=256, description="attention heads, in time and across stocks")
    frequencies: int = Field(
        ge=1,
        le=1000,
        description="Fourier components that the adaptive normalisation splits off each "
        "volume-like channel",
    )
    dropout: float = Field(ge=0, lt=1, description="share of activations left out in training")
    epochs: int = Field(ge=1, le=10000, description="passes over the drawn days at most")
    days_per_epoch: int = Field(
        ge=1,
        le=100000,
        description="training days drawn for one epoch; a batch is one day with all its stocks",
    )
    learning_rate: float = Field(gt=0, le=1, description="peak of the one-cycle schedule")
    weight_decay: float = Field(ge=0, le=10, description="of AdamW, per unit of learning rate")
    patience: int = Field(
        ge=1,
        le=10000,
        description="epochs without a better validation RankIC before training stops",
    )

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "Atft":
        if self.hidden % self.heads:
            raise ValueError(
                f"atft.hidden {self.hidden} is no multiple of atft.heads {self.heads}: change one"
            )
        return self


class Lightgbm(Section):
    """The trees."""

    rounds: int = Field(ge=1, le=1000000, description="trees at most per horizon")
    patience: int = Field(
        ge=1,
        le=1000000,
        description="rounds without a better validation score before growing stops",
    )
    learning_rate: float = Field(gt=0, le=1, description="weight of each further tree")
    leaves: int = Field(ge=2, le=131072, description="per tree at most")
    min_leaf: int = Field(ge=1, le=10**9, description="rows in a leaf at least")
    feature_share: float = Field(gt=0, le=1, description="share of the columns tried per tree")
    row_share: float = Field(gt=0, le=1, description="share of the rows drawn per tree")
    max_bins: int = Field(ge=2, le=255, description="values told apart per column")
    max_rows: int = Field(
        ge=1, le=10**10, description="training rows at most: whole days are drawn evenly [rows]"
    )


class Ridge(Section):
    """The linear model."""

    penalty: float = Field(
        ge=0,
        le=1e12,
        description="added to the diagonal of X'X, in units of one day's worth of rows",
    )
