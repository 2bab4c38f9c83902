"""The settings that a run may have; config/default.yaml documents each and gives its value."""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, create_model, field_validator, model_validator

from gogooku import splits
from gogooku.calendar import ENTRY_LAG, FEWEST_SESSIONS, Clock, Granularity, spans
from gogooku.config import sentences
from gogooku.config.evaluation import Audit, Evaluation
from gogooku.config.features import Features
from gogooku.config.learning import Graph, Labels, Splits
from gogooku.config.panel import Quality, Universe
from gogooku.config.sources import Dates, Jquants, Market
from gogooku.errors import UserError
from gogooku.models import catalogue
from gogooku.raw.plans import JAPAN
from gogooku.section import Section

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
    """All settings of a run but the sections of its models, which `with_sections` adds."""

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
    models: list[str] = Field(
        min_length=1,
        description="that are fitted and compared, by name or, of your own, by path: my_model.py",
        json_schema_extra={"form": "a list of names or of paths of .py files in brackets"},
    )
    seeds: list[Annotated[int, Field(ge=0, le=32767)]] = Field(
        min_length=1,
        max_length=100,
        description="fits of each seeded model; the mean of their predictions is judged, each is "
        "reported beside it",
    )
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

    @field_validator("models")
    @classmethod
    def _exist(cls, entries: list[str]) -> list[str]:
        """Give each as the model's own name or the whole path of a user's, wherever a job runs."""
        try:
            models = [catalogue.find(entry) for entry in entries]
        except UserError as error:
            raise ValueError(str(error)) from None
        if len({model.name for model in models}) < len(models):
            raise ValueError(f"models {entries} has two of one name: rename a file or drop one")
        return [model.entry for model in models]

    @model_validator(mode="after")
    def _models_have_what_they_read(self) -> "Settings":
        fewest = self.splits.valid * FEWEST_SESSIONS[self.spans]
        for model in map(catalogue.find, self.models):
            for family in set(model.needs.families) - set(self.features.families):
                raise ValueError(
                    f"models names {model.name}, which reads the {family} family: add {family} to "
                    f"features.families or drop {model.name}"
                )
            window = model.needs.window(getattr(self, model.name, None))
            if window > fewest:
                raise ValueError(
                    f"{model.name} looks back {window} sessions, further than the validation "
                    f"spans, which hold {fewest} sessions or more: shorten its window or lengthen "
                    "splits.valid"
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


def with_sections(models: Iterable[catalogue.Model]) -> type[Settings]:
    """Compose the settings with the sections of gogooku's own models and of some users' `models`.

    A user's section may be left out where its settings have defaults. Raises UserError if one has
    the name of another setting.
    """
    sections: dict[str, Any] = {}
    for model in [*map(catalogue.find, catalogue.MODELS), *models]:
        if hasattr(Settings, model.name) or model.name in Settings.model_fields:
            raise UserError(
                f"models names {model.path}, but {model.name} is a setting: rename the file"
            )
        if model.settings and model.name in catalogue.MODELS:
            sections[model.name] = (model.settings, ...)
        elif model.settings:
            sections[model.name] = (model.settings, Field({}, validate_default=True))
    return create_model("Settings", __base__=Settings, **sections)


def read(config: Mapping[str, Any]) -> Settings:
    """Check `config` and give it as settings.

    Raises UserError with one line per fault: the key, what is wrong, and what to change.
    """
    entries = config.get("models")
    listed = entries if isinstance(entries, list) else []
    own = [entry for entry in listed if isinstance(entry, str) and entry.endswith(".py")]
    composed = with_sections(map(catalogue.find, own))
    try:
        return composed.model_validate(dict(config))
    except ValidationError as error:
        raise UserError("\n".join(sentences.of(error, composed))) from None
