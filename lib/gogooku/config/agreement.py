"""Settings that are right one by one, and contradict each other."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gogooku import splits
from gogooku.calendar import ENTRY_LAG, FEWEST_SESSIONS
from gogooku.models import catalogue
from gogooku.raw.plans import JAPAN

BARS_SERVED = "16:30"  # when the API delivers daily bars [JST]
SHORTEST_EMBARGO = 20  # sessions


def faults(settings: Any) -> Iterator[str]:
    """Say of each contradiction between `settings` (config.settings.Settings) what to change."""
    yield from _of_models(settings)
    yield from _of_time(settings)
    yield from _of_source(settings)
    yield from _of_splits(settings)
    yield from _of_blend(settings)


def _of_models(s: Any) -> Iterator[str]:
    least = max(SHORTEST_EMBARGO, *s.labels.horizons)
    if s.splits.embargo < least:
        yield (
            f"splits.embargo is {s.splits.embargo} sessions, but parts must lie as far apart as "
            f"the longest label and {SHORTEST_EMBARGO} sessions at least: raise splits.embargo to "
            f"at least {least}"
        )
    fewest = s.splits.valid * FEWEST_SESSIONS[s.spans]
    for model in map(catalogue.find, s.models):
        for family in set(model.needs.families) - set(s.features.families):
            yield (
                f"models names {model.name}, which reads the {family} family: add {family} to "
                f"features.families or drop {model.name}"
            )
        window = model.needs.window(getattr(s, model.name, None))
        if window > fewest:
            yield (
                f"{model.name} looks back {window} sessions, further than the validation spans, "
                f"which hold {fewest} sessions or more: shorten its window or lengthen splits.valid"
            )


def _of_time(s: Any) -> Iterator[str]:
    if s.clock == "served" and s.decision_time and s.decision_time < BARS_SERVED:
        yield (
            f"decision_time {s.decision_time} is before the API delivers the day's bars: choose "
            f"{BARS_SERVED} or later, or null"
        )
    today = dt.datetime.now(JAPAN).date()
    if s.source == "jquants" and s.dates.end >= today:
        yield f"dates.end {s.dates.end} has not passed in Japan: choose a day before {today}"


def _of_source(s: Any) -> Iterator[str]:
    if s.source == "archive" and not s.archive:
        yield "source is archive but no folder is named: add --config archive=FOLDER"
    if s.source == "archive" and set("{}") & set(str(s.archive)):
        yield (
            f"archive {s.archive} has braces, which Snakemake takes for a wildcard: rename the "
            "folder"
        )
    if s.source == "archive" and not Path(str(s.archive)).is_dir():
        yield f"archive {s.archive} is no folder: name one that exists"
    served = s.market.start <= s.dates.start and s.dates.end <= s.market.end
    if s.source == "simulated" and not served:
        yield (
            f"dates {s.dates.start}…{s.dates.end} leave the simulated market's "
            f"{s.market.start}…{s.market.end}: narrow dates or widen market"
        )


def _of_blend(s: Any) -> Iterator[str]:
    named = {catalogue.find(entry).name for entry in s.models}
    weighed = {name for name, weight in s.blend.weights.items() if weight}
    absent = sorted(weighed - (named - {"blend"}))
    if "blend" in named and absent:
        yield (
            f"blend.weights names {', '.join(absent)}, which the blend cannot be made of: weigh "
            "models that are in models (0 leaves one out), or drop blend there"
        )


def _of_splits(s: Any) -> Iterator[str]:
    if s.open_sealed and not s.evaluation.sealed:
        yield "open_sealed opens nothing: set evaluation.sealed, or drop open_sealed"
    most = s.features.min_stocks // 2
    if s.evaluation.quantiles > most:
        yield (
            f"evaluation.quantiles is {s.evaluation.quantiles}, but a day may have "
            f"{s.features.min_stocks} stocks (features.min_stocks): at most {most}"
        )
    parts, fewest = s.splits, FEWEST_SESSIONS[s.spans]
    gap = ENTRY_LAG[s.labels.entry] + max(s.labels.horizons) + parts.embargo
    for part, length in (("train", parts.train), ("valid", parts.valid)):
        if length * fewest <= gap:
            yield (
                f"splits.{part} is {length} spans of a {s.spans}, which may hold {fewest} "
                f"sessions each, but labels and embargo take {gap}: raise splits.{part} to at "
                f"least {gap // fewest + 1}"
            )
    lengths = {name: getattr(parts, name) for name in ("train", "valid", "step")}
    if not splits.count(len(s.all_spans), **lengths):
        yield (
            f"{len(s.all_spans)} spans hold no fold of splits.train {parts.train} + valid "
            f"{parts.valid} and a span to test: shorten them or widen dates"
        )
