"""Which settings decide the bytes of a store and of a build, and where two of them differ."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from gogooku import calendar
from gogooku.config.settings import Settings

STORE: Mapping[str, list[str]] = {
    "simulated": ["market"],
    "jquants": ["jquants.url", "jquants.plan"],
    "archive": ["archive", "archive_factor"],
}
"""Settings of each source on which its rows depend; `stored` writes none."""

BUILD = [
    *["store", "dates.start", "spans", "clock", "decision_time"],
    *["quality", "universe", "features", "labels", "graph"],
]
"""Settings on which everything from the panel to the data set, the labels and the graphs depends;
the store's own are compared with the store."""

Difference = tuple[str, Any, Any]


def store_identity(settings: Settings) -> dict[str, Any]:
    """Give the settings that decide the raw files of a store, by dotted key, as JSON has them.

    Empty for `source: stored`, which writes none. A later dates.end adds files and is left out.
    """
    if settings.source not in STORE:
        return {}
    keys = ["source", "dates.start", "spans", *STORE[settings.source]]
    return _values(settings, keys)


def build_identity(settings: Settings) -> dict[str, Any]:
    """Give the settings that decide the files of a build, by dotted key, as JSON has them."""
    return _values(settings, BUILD)


def store_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> Difference | None:
    """Say in which key two identities would write one store differently, and the two values.

    None if each could use the other's files: spans of another length have other names, and a later
    start shares all files from its own on if it is the first day of a span. What writes nothing
    differs from nothing.
    """
    differences = {difference[0]: difference for difference in _differences(one, other)}
    spans_differ = differences.pop("spans", None)
    if "dates.start" in differences and (
        spans_differ or _begins_a_span(max(differences["dates.start"][1:]), one["spans"])
    ):
        del differences["dates.start"]
    return next(iter(differences.values()), None)


def build_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> Difference | None:
    """Say in which key two identities would write one build differently, and the two values."""
    return next(_differences(one, other), None)


def _begins_a_span(day: str, granularity: calendar.Granularity) -> bool:
    date = dt.date.fromisoformat(day)
    return calendar.bounds(calendar.span_of(date, granularity))[0] == date


def _values(settings: Settings, keys: list[str]) -> dict[str, Any]:
    """Give the values of the dotted keys, and of a section all of its values."""
    sections = tuple(f"{key}." for key in keys)
    every = leaves(settings.model_dump(mode="json"))
    return {key: value for key, value in every if f"{key}.".startswith(sections)}


def leaves(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Give each value of settings by its dotted key, below the key `above`."""
    for name, value in section.items():
        inner = isinstance(value, Mapping)
        yield from leaves(value, f"{above}{name}.") if inner else [(above + name, value)]


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Difference]:
    """Give each key that both have with two values."""
    for key in one:
        if key in other and one[key] != other[key]:
            yield key, one[key], other[key]
