"""Editors, config/default.yaml and the code tell the same of every setting."""

import json

import config_schema
import jsonschema
import pytest
import yaml
from gogooku.config import sentences, settings
from helpers.configs import CONFIG

OVERLAYS = sorted(set(CONFIG.glob("*.yaml")) - {CONFIG / "availability.yaml"})


def names(section, above=""):
    """Give the dotted key of every setting."""
    for name, field in section.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            yield from names(field.annotation, f"{above}{name}.")
        else:
            yield above + name


def test_every_default_has_a_comment_and_stands_in_the_order_of_the_settings():
    commented = {".".join(keys): comment for keys, comment in sentences.comments().items()}
    assert list(commented) == list(names(settings.with_sections([])))
    assert all(commented.values())


def test_the_schema_describes_every_setting():
    def leaves(part):
        for inner in part["properties"].values():
            yield from [] if "$ref" in inner else [inner]

    schema = config_schema.schema()
    parts = [schema, *(part for part in schema["$defs"].values() if "properties" in part)]
    assert [leaf for part in parts for leaf in leaves(part) if not leaf.get("description")] == []


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
