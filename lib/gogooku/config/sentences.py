"""What is wrong with a setting, in one sentence that says what to write instead."""

import difflib
import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from gogooku.section import FIRST, LAST

LONGEST = 60  # characters of a value that a sentence repeats

DEFAULTS = Path(__file__).parents[3] / "config" / "default.yaml"
COMMENTED = re.compile(r"^( *)(\w+):(?: +([^\s#].*?))?(?: +# (.*))?$", re.MULTILINE)

LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def of(error: ValidationError, section: type[BaseModel]) -> list[str]:
    """Give a sentence for each fault of a `section`: the key, its value, and what to write."""
    return [f"config: {_sentence(fault, schema(section))}" for fault in error.errors()]


@functools.cache
def schema(section: type[BaseModel]) -> dict[str, Any]:
    """Give the JSON schema of the settings, each described as config/default.yaml does."""
    described = section.model_json_schema()
    for key, comment in comments().items():
        _at(key, described).setdefault("description", comment)
    return described


def comments() -> dict[tuple[str, ...], str]:
    """Give the comment of every value in config/default.yaml by its keys."""
    above: tuple[str, ...] = ()
    texts = {}
    for indent, name, value, comment in COMMENTED.findall(DEFAULTS.read_text(encoding="utf-8")):
        above = (*above[: len(indent) // 2], name)
        if value:
            texts[above] = comment
    return texts


def _sentence(fault: Mapping[str, Any], schema: dict[str, Any]) -> str:
    key = re.sub(r"\.(\d+)", r"[\1]", ".".join(map(str, fault["loc"])))
    match fault["type"]:
        case "value_error":
            return str(fault["ctx"]["error"])
        case "extra_forbidden" | "invalid_key":
            return f"{key} is no setting: {_meant(fault['loc'], schema)}"
        case "missing":
            return f"{key} is missing: config/default.yaml has its default"
    value = json.dumps(fault["input"], default=str, ensure_ascii=False)
    value = value if len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"
    due = _at(fault["loc"], schema)
    hint = _hint(fault["input"], due)
    about = f" ({due['description']})" if "description" in due else ""
    return f"{key} is {value}: {hint}write {_needed(due)}{about}"


def _meant(keys: tuple[str | int, ...], schema: dict[str, Any]) -> str:
    """Ask whether a setting of a similar name was meant, beside the unknown one or elsewhere."""
    *above, name = map(str, keys)
    beside = {other: ".".join([*above, other]) for other in _at(keys[:-1], schema)["properties"]}
    elsewhere = {key.split(".")[-1]: key for key in _keys(schema, schema)}
    for others, likeness in ((beside, 0.6), (elsewhere, 0.75)):
        if similar := difflib.get_close_matches(name, others, 1, likeness):
            return f"did you mean {others[similar[0]]}?"
    return "see config/default.yaml for the names"


def _at(keys: tuple[str | int, ...], schema: dict[str, Any]) -> dict[str, Any]:
    """Give the part of `schema` that describes the setting of these keys; empty if none does."""
    part = schema
    for step in keys:
        inner = part.get("items", {}) if isinstance(step, int) else part.get("properties", {})
        part = inner if isinstance(step, int) else inner.get(step, {})
        part = _resolved(part, schema)
    return part


def _resolved(part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return schema["$defs"][part["$ref"].split("/")[-1]] if "$ref" in part else part


def _keys(part: dict[str, Any], schema: dict[str, Any], above: str = "") -> Iterator[str]:
    """Give the dotted keys of all settings."""
    for name, inner in part.get("properties", {}).items():
        deeper = _resolved(inner, schema)
        if "properties" in deeper:
            yield from _keys(deeper, schema, f"{above}{name}.")
        else:
            yield above + name


def _hint(value: Any, due: dict[str, Any]) -> str:
    """Say what a value that is nearly right should be."""
    due = due.get("anyOf", [due])[0]
    if due.get("format") == "date" and (day := re.fullmatch(r"(\d{4})(\d\d)(\d\d)", str(value))):
        return f"did you mean {'-'.join(day.groups())}? "
    choices = [choice for choice in due.get("enum", []) if isinstance(choice, str)]
    similar = difflib.get_close_matches(str(value), choices, 1)
    return f"did you mean {similar[0]}? " if similar else ""


def _needed(due: dict[str, Any]) -> str:
    """Say in words which values a part of the schema allows."""
    match due:
        case {"form": form}:
            return str(form)
        case {"properties": _}:
            return "its settings indented under it, or leave the line out"
        case {"enum": choices}:
            return f"one of {', '.join(map(str, choices))}"
        case {"anyOf": [inner, {"type": "null"}]}:
            return f"{_needed(inner)}, or null"
        case {"type": "array", "items": items}:
            fewest = " of one or more" if "minItems" in due else ""
            return f"a list{fewest} in brackets, each {_needed(items)}"
        case {"type": "boolean"}:
            return "true or false"
        case {"type": "integer" | "number" as kind}:
            word = "a whole number" if kind == "integer" else "a number"
            limits = [f"{words} {due[limit]:g}" for limit, words in LIMITS.items() if limit in due]
            return " ".join([word, " and ".join(limits)]).strip()
        case {"format": "date"}:
            return f"a day from {FIRST} to {LAST}, as 2020-01-31"
    return f"a text in quotes, of {due.get('maxLength', 1000)} letters at most"
