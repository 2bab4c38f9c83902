"""The settings of a run, composed of their sections and those of its models."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, create_model, field_validator, model_validator

from gogooku.calendar import Clock, Granularity, spans
from gogooku.config import agreement, sections, sentences
from gogooku.errors import UserError
from gogooku.models import catalogue
from gogooku.section import Section

LAST_CLOSE = "15:30"  # the latest close that the exchange has had [JST]


def _folder(**schema: Any) -> Any:
    """Describe the name of a folder."""
    form = "up to 100 letters, digits, dots, dashes and underscores, no dot or dash first"
    return Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
        max_length=100,
        json_schema_extra={"form": form, **schema},
    )


class Settings(Section):
    """All settings of a run but the sections of its models, which `with_sections` adds."""

    name: str = _folder()
    source: Literal["simulated", "jquants", "archive", "stored"]
    store: str = _folder()
    build: str = _folder(type=["string", "null"])
    dates: sections.Dates
    spans: Granularity
    clock: Clock
    decision_time: str | None = Field(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        json_schema_extra={"form": 'a time of day in quotes, as "16:30", or null'},
    )
    jquants: sections.Jquants
    archive: str | None = Field(max_length=1000)
    archive_factor: Literal["ex_date", "day_before"]
    market: sections.Market
    quality: sections.Quality
    universe: sections.Universe
    features: sections.Features
    labels: sections.Labels
    splits: sections.Splits
    graph: sections.Graph
    models: list[str] = Field(
        min_length=1,
        json_schema_extra={"form": "a list of names or of paths of .py files in brackets"},
    )
    seeds: list[Annotated[int, Field(ge=0, le=32767)]] = Field(min_length=1, max_length=100)
    evaluation: sections.Evaluation
    open_sealed: bool
    audit: sections.Audit
    # Of no run: it decides nothing that a run makes, and stands in no copy of its settings.
    runs: list[Annotated[str, _folder()]] = Field([], exclude=True)

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
    def _contradicts_nothing(self) -> "Settings":
        for fault in agreement.faults(self):
            raise ValueError(fault)
        return self

    @field_validator("models", "seeds", "runs")
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

    @field_validator("decision_time")
    @classmethod
    def _prices_of_the_day_are_known(cls, time: str | None) -> str | None:
        if time and time < LAST_CLOSE:
            raise ValueError(
                f"decision_time {time} is before the close, when the day's prices are not known "
                f"yet: choose {LAST_CLOSE} or later, or null"
            )
        return time


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
