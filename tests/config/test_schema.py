"""Editors, config/default.yaml and the code tell the same of every setting."""

import json
import re

import config_schema
import jsonschema
import pytest
import yaml
from gogooku.config import settings
from helpers.configs import CONFIG

OVERLAYS = sorted(set(CONFIG.glob("*.yaml")) - {CONFIG / "availability.yaml"})


def described(section, above=""):
    """Give the description of every setting by its dotted key."""
    for name, field in section.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            yield from described(field.annotation, f"{above}{name}.")
        else:
            yield above + name, field.description


def commented(text):
    """Give the comment of every value in a YAML text by its dotted key."""
    path = []
    for indent, name, value, comment in re.findall(
        r"^( *)(\w+):(?: +([^\s#].*?))?(?: +# (.*))?$", text, re.MULTILINE
    ):
        path = [*path[: len(indent) // 2], name]
        if value:
            yield ".".join(path), comment


def test_comments_of_the_defaults_are_the_descriptions_in_their_order():
    text = (CONFIG / "default.yaml").read_text()
    assert list(commented(text)) == list(described(settings.with_sections([])))


def test_the_schema_is_made_of_the_settings_as_they_are():
    assert (CONFIG / "schema.json").read_text() == config_schema.text(), (
        "run python tools/config_schema.py"
    )


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_editors_find_the_schema_and_every_overlay_fits_it(overlay):
    text = overlay.read_text()
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    jsonschema.validate(as_json(text), config_schema.schema())


@pytest.mark.parametrize(
    "text", ["spans: week", "splits: {trian: 3}", "atft: {epochs: 0}", "atft: {epochs: true}"]
)
def test_editors_mark_what_a_run_refuses(text):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_json(text), config_schema.schema())


def as_json(text):
    return json.loads(json.dumps(yaml.safe_load(text), default=str))
