"""Write config/schema.json, from which editors complete and check config/*.yaml.

python tools/config_schema.py
"""

import copy
import json
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from gogooku.config import sentences, settings  # noqa: E402 - lib/ is never installed


def schema():
    """Give the JSON schema of an overlay: any of the settings, with the defaults' values."""
    whole = copy.deepcopy(sentences.schema(settings.with_sections([])))
    default = yaml.safe_load((ROOT / "config" / "default.yaml").read_text(encoding="utf-8"))
    described(whole, json.loads(json.dumps(default, default=str)), whole["$defs"])
    whole["additionalProperties"] = {"type": "object"}  # the section of a user's model
    whole["$schema"] = "http://json-schema.org/draft-07/schema#"
    return whole


def described(section, values, definitions):
    """Ask for no key, and add each one's default."""
    section.pop("required", None)
    for name, part in section["properties"].items():
        part.pop("title", None)
        if "$ref" in part:
            described(definitions[part["$ref"].split("/")[-1]], values[name], definitions)
        else:
            part["default"] = values[name]


def text():
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (ROOT / "config" / "schema.json").write_text(text(), encoding="utf-8")
