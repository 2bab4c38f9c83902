"""What a stage's code is: its script and every module of ours that the script reaches by import.

Snakemake sees a script's clock and nothing that the script imports. Here a stage's code is hashed
as syntax without comments and docstrings: a touched file redoes nothing, and a changed line redoes
exactly the stages that reach it.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

LIB = Path(__file__).resolve().parents[1]


def digest(*scripts: str | Path) -> str:
    """Name the meaning of `scripts` and their imports by twelve hex digits."""
    files = set().union(*(closure(Path(script).resolve()) for script in scripts))
    meanings = (_meaning(path) for path in sorted(files))
    return hashlib.sha256("".join(meanings).encode()).hexdigest()[:12]


def closure(script: Path) -> set[Path]:
    """Give the files of ours that `script` reaches by import, itself among them."""
    reached, waiting = set(), {script}
    while waiting:
        path = waiting.pop()
        reached.add(path)
        waiting |= _imports(path) - reached
    return reached


@functools.cache
def _imports(path: Path) -> frozenset[Path]:
    return frozenset(
        file
        for name in _imported_names(_tree(path))
        for file in (
            LIB / f"{name.replace('.', '/')}.py",
            LIB / name.replace(".", "/") / "__init__.py",
        )
        if file.is_file()
    )


def _imported_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield str(node.module)


@functools.cache
def _meaning(path: Path) -> str:
    tree = _tree(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return ast.dump(tree)


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
