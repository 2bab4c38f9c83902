"""The default configuration and changes laid over it."""

import functools
from pathlib import Path

import yaml

CONFIG = Path(__file__).parents[2] / "config"


def merged(*layers):
    """Lay mappings over each other as Snakemake does: dicts merge, all else replaces."""
    result = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else value
    return result


def default(**changes):
    """Give config/default.yaml with `changes` laid over it."""
    return merged(loaded("default"), changes)


@functools.cache
def loaded(name):
    """Load the file config/<name>.yaml, once."""
    return yaml.safe_load((CONFIG / f"{name}.yaml").read_text())
