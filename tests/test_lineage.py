"""A stage's code is what it means, wherever it is written."""

import pytest
from gogooku import lineage


@pytest.fixture
def script(tmp_path, monkeypatch):
    """A script that reaches `house.used` and not `house.unused`."""
    package = tmp_path / "lib" / "house"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""A house."""\n')
    (package / "used.py").write_text(
        "from house import deep\n\ndef f(x):\n    return deep.g(x) + 1\n"
    )
    (package / "deep.py").write_text("def g(x):\n    return 2 * x\n")
    (package / "unused.py").write_text("x = 1\n")
    (tmp_path / "script.py").write_text("from house import used\n\nused.f(1)\n")
    monkeypatch.setattr(lineage, "LIB", tmp_path / "lib")
    return tmp_path / "script.py"


def digest(script):
    for cached in (lineage._imports, lineage._meaning, lineage._tree):
        cached.cache_clear()
    return lineage.digest(script)


@pytest.mark.parametrize(
    "file, old, new, same",
    [
        ("lib/house/deep.py", "def g", "# a comment\ndef g", True),
        ("lib/house/deep.py", "def g(x):\n", 'def g(x):\n    """Doubles."""\n', True),
        ("lib/house/deep.py", "2 * x", "3 * x", False),
        ("lib/house/used.py", "+ 1", "+ 2", False),
        ("lib/house/unused.py", "1", "2", True),
        ("script.py", "f(1)", "f(2)", False),
        ("script.py", "used.f(1)", "used.f(\n    1\n)", True),
    ],
)
def test_only_a_change_of_meaning_within_reach_changes_the_digest(script, file, old, new, same):
    before = digest(script)
    path = script.parent / file
    path.write_text(path.read_text().replace(old, new))
    assert (digest(script) == before) is same


def test_an_import_inside_a_function_is_reached(script):
    script.write_text("def f():\n    import house.unused\n")
    assert script.parent / "lib/house/unused.py" in lineage.closure(script)
