"""Examples in docstrings give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

LIB = Path(__file__).parents[1] / "lib"
WITH_EXAMPLES = [path for path in sorted(LIB.rglob("*.py")) if ">>> " in path.read_text()]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.stem)
def test_an_example_gives_what_it_says(path):
    name = ".".join(path.relative_to(LIB).with_suffix("").parts)
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried and not failed
