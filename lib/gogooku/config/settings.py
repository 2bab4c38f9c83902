"""The settings that a run may have; config/default.yaml documents each and gives its value."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from gogooku import splits
from gogooku.calendar import ENTRY_LAG, FEWEST_SESSIONS, Clock, Granularity, spans
from gogooku.config import sentences
from gogooku.config.evaluation import Audit, Evaluation
from gogooku.config.features import Features
from gogooku.config.learning import Graph, Labels, Splits
from gogooku.config.models import Atft, Lightgbm, Ridge
from gogooku.config.panel import Quality, Universe
from gogooku.config.sources import Dates, Jquants, Market
from gogooku.errors import UserError
from gogooku.raw.plans import JAPAN
from gogooku.section import Section

Model = Literal["atft", "lightgbm", "ridge", "reversal"]

LAST_CLOSE = "15:30"  # the latest close that the exchange has had [JST]
BARS_SERVED = "16:30"  # when the API delivers daily bars [JST]
SHORTEST_EMBARGO = 20  # sessions


def _folder(description: str, **schema: Any) -> Any:
    """Describe the name of a folder."""
    form = "up to 100 letters, digits, dots, dashes and underscores, no dot or dash first"
    return Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
        max_length=100,
        description=description,
        json_schema_extra={"form": form, **schema},
    )


class Settings(Section):
    """All settings of a run."""

    name: str = _folder("runs/<name>/ holds folds, models, predictions, evaluation and report")
    source: Literal["simulated", "jquants", "archive", "stored"] = Field(
        description="simulated (no account needed) | jquants (the J-Quants API) | "
        "archive (a folder) | stored (raw files as they stand)"
    )
    store: str = _folder(
        "data/raw/<store>/ holds the source's rows; runs may share one if source, dates.start and "
        "market or API are the same"
    )
    build: str = _folder(
        "builds/<build>/ holds panel, features, data sets, labels and graphs; runs may share one "
        "if all that these are made of is the same; null: the store's name",
        type=["string", "null"],
    )
    dates: Dates
    spans: Granularity = Field(
        description="the one granularity of all files: month | quarter | year"
    )
    clock: Clock = Field(
        description="what a row may know: published (market time) | served (what the API has "
        "delivered by then)"
    )
    decision_time: str | None = Field(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description='pins the moment of decision ["HH:MM" JST, in quotes]; null: the close of the '
        "session, 19:00 on the served clock",
        json_schema_extra={"form": 'a time of day in quotes, as "16:30", or null'},
    )
    jquants: Jquants
    archive: str | None = Field(
        max_length=1000,
        description="folder of the vendor's bulk files, or in the layout of the public JPX Kaggle "
        "data set [path]",
    )
    archive_factor: Literal["ex_date", "day_before"] = Field(
        description="the session on which that folder's AdjustmentFactor stands: ex_date | "
        "day_before"
    )
    market: Market
    quality: Quality
    universe: Universe
    features: Features
    labels: Labels
    splits: Splits
    graph: Graph
    models: list[Model] = Field(min_length=1, description="that are fitted and compared")
    seeds: list[Annotated[int, Field(ge=0, le=32767)]] = Field(
        min_length=1,
        max_length=100,
        description="fits of each seeded model; the mean of their predictions is judged, each is "
        "reported beside it",
    )
    atft: Atft
    lightgbm: Lightgbm
    ridge: Ridge
    evaluation: Evaluation
    audit: Audit

    @model_validator(mode="before")
    @classmethod
    def _a_build_is_named_by_its_store(cls, config: Any) -> Any:
        """Name the build like the store where `build` is null."""
        if isinstance(config, dict) and config.get("build", "") is None:
            return {**config, "build": config.get("store")}
        return config

    @property
    def all_spans(self) -> list[str]:
        """Every span from dates.start to dates.end."""
        return spans(self.dates.start, self.dates.end, self.spans)

    @model_validator(mode="after")
    def _embargo_covers_the_longest_label(self) -> "Settings":
        least = max(SHORTEST_EMBARGO, *self.labels.horizons)
        if self.splits.embargo < least:
            raise ValueError(
                f"splits.embargo is {self.splits.embargo} sessions, but parts must lie as far "
                f"apart as the longest label and {SHORTEST_EMBARGO} sessions at least: raise "
                f"splits.embargo to at least {least}"
            )
        return self

    @field_validator("models", "seeds")
    @classmethod
    def _each_once(cls, names: list[Any]) -> list[Any]:
        if len(set(names)) < len(names):
            raise ValueError(f"{names} names something twice: name each once")
        return names

    @model_validator(mode="after")
    def _models_have_what_they_read(self) -> "Settings":
        if "reversal" in self.models and "technical" not in self.features.families:
            raise ValueError(
                "models names reversal, which reads the technical family: add technical to "
                "features.families or drop reversal"
            )
        fewest = self.splits.valid * FEWEST_SESSIONS[self.spans]
        if self.atft.window > fewest:
            raise ValueError(
                f"atft.window {self.atft.window} looks back further than the validation spans, "
                f"which hold {fewest} sessions or more: shorten it or lengthen splits.valid"
            )
        return self

    @model_validator(mode="after")
    def _the_served_clock_has_delivered(self) -> "Settings":
        if self.clock == "served" and self.decision_time and self.decision_time < BARS_SERVED:
            raise ValueError(
                f"decision_time {self.decision_time} is before the API delivers the day's bars: "
                f"choose {BARS_SERVED} or later, or null"
            )
        return self

    @model_validator(mode="after")
    def _days_have_passed(self) -> "Settings":
        today = dt.datetime.now(JAPAN).date()
        if self.source == "jquants" and self.dates.end >= today:
            raise ValueError(
                f"dates.end {self.dates.end} has not passed in Japan: choose a day before {today}"
            )
        return self

    @field_validator("decision_time")
    @classmethod
    def _prices_of_the_day_are_known(cls, time: str | None) -> str | None:
        if time and time < LAST_CLOSE:
            raise ValueError(
                f"decision_time {time} is before the close, when the day's prices are not known "
                f"yet: choose {LAST_CLOSE} or later, or null"
            )
        return time

    @model_validator(mode="after")
    def _source_is_complete(self) -> "Settings":
        if self.source == "archive" and not self.archive:
            raise ValueError(
                "source is archive but no folder is named: add --config archive=FOLDER"
            )
        if self.source == "archive" and set("{}") & set(str(self.archive)):
            raise ValueError(
                f"archive {self.archive} has braces, which Snakemake takes for a wildcard: rename "
                "the folder"
            )
        if self.source == "archive" and not Path(str(self.archive)).is_dir():
            raise ValueError(f"archive {self.archive} is no folder: name one that exists")
        served = self.market.start <= self.dates.start and self.dates.end <= self.market.end
        if self.source == "simulated" and not served:
            raise ValueError(
                f"dates {self.dates.start}…{self.dates.end} leave the simulated market's "
                f"{self.market.start}…{self.market.end}: narrow dates or widen market"
            )
        return self

    @model_validator(mode="after")
    def _quantiles_hold_stocks(self) -> "Settings":
        most = self.features.min_stocks // 2
        if self.evaluation.quantiles > most:
            raise ValueError(
                f"evaluation.quantiles is {self.evaluation.quantiles}, but a day may have "
                f"{self.features.min_stocks} stocks (features.min_stocks): at most {most}"
            )
        return self

    @model_validator(mode="after")
    def _a_part_outlasts_its_gap(self) -> "Settings":
        s, fewest = self.splits, FEWEST_SESSIONS[self.spans]
        gap = ENTRY_LAG[self.labels.entry] + max(self.labels.horizons) + s.embargo
        for part, length in (("train", s.train), ("valid", s.valid)):
            if length * fewest <= gap:
                raise ValueError(
                    f"splits.{part} is {length} spans of a {self.spans}, which may hold {fewest} "
                    f"sessions each, but labels and embargo take {gap}: raise splits.{part} to at "
                    f"least {gap // fewest + 1}"
                )
        return self

    @model_validator(mode="after")
    def _a_fold_fits(self) -> "Settings":
        s = self.splits
        if not splits.count(
            len(self.all_spans), train=s.train, valid=s.valid, test=s.test, step=s.step
        ):
            raise ValueError(
                f"{len(self.all_spans)} spans hold no fold of splits.train {s.train} + valid "
                f"{s.valid} + test {s.test}: shorten them or widen dates"
            )
        return self


def read(config: Mapping[str, Any]) -> Settings:
    """Check `config` and give it as settings.

    Raises UserError with one line per fault: the key, what is wrong, and what to change.
    """
    try:
        return Settings.model_validate(dict(config))
    except ValidationError as error:
        raise UserError("\n".join(sentences.of(error, Settings))) from None
