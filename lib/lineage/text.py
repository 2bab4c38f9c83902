"""A module's text, read once for all processes."""

import ast
import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .reader import Reader
from .syntax import (
    Statement,
    bound,
    imported,
    is_silent,
    loaded,
    makes_logger,
    run_with,
)

MOST = 1000  # texts in the cache


@dataclass
class Text:
    """A module's statements, and its imports.

    imports   the full names that each name is bound to
    loads     the modules that are imported
    stars     of them, those of which `*` is taken
    unused    the names in `imports` that no statement names: they are for others, or the import
              is there for what it does
    """

    statements: list[Statement] = field(default_factory=list)
    imports: dict[str, list[str]] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, source: bytes, path: Path) -> "Text":
        """Read a module's source. Raises SyntaxError naming `path` if it is no Python."""
        text = cls()
        tree = ast.parse(source, str(path))
        body = [node for node in tree.body if not is_silent(node)]
        for node in run_with(body):
            text._note_imports(node)
        loggers = {name for node in body if makes_logger(node) for name in bound(node)}
        pairs = {pair for node in body for pair in imported(node)}
        times = Counter([name for name, _ in pairs] + [n for node in body for n in bound(node)])
        docstring = ast.Expr(ast.Constant(ast.get_docstring(tree, clean=False) or ""))
        for node in [docstring, *body]:
            names = [name for name, _ in imported(node)]
            # An import only binds names, unless its order among others of the name decides.
            if not isinstance(node, ast.Import | ast.ImportFrom) or any(
                times[n] > 1 for n in names
            ):
                reader = Reader(text.imports, loggers, source.splitlines())
                text.statements.append(reader.read(node))
        refs = (ref.lstrip("!~") for statement in text.statements for ref in statement.refs)
        text.unused = sorted(set(text.imports) - {ref.partition(".")[0] for ref in refs})
        return text

    def _note_imports(self, node: ast.AST) -> None:
        for name, full in imported(node):
            self.imports.setdefault(name, []).append(full)
        self.loads += loaded(node)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            self.stars += loaded(node)

    @classmethod
    def stored(cls, values: dict[str, Any]) -> "Text":
        """Make it of what `values` gave."""
        return cls(**{**values, "statements": [Statement(*row) for row in values["statements"]]})

    def values(self) -> dict[str, Any]:
        """Give it as lists, numbers and text."""
        return {**vars(self), "statements": [list(vars(s).values()) for s in self.statements]}


class Store:
    """Texts of files by their content, kept in a file; without one, for this process."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.new = False
        self.texts: dict[str, Any] = {}
        readers = sorted(Path(__file__).parent.glob("*.py"))  # which decide what is stored
        own = hashlib.sha256(b"".join(reader.read_bytes() for reader in readers)).hexdigest()
        self.edition = f"{own} {sys.version_info[:2]}"
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            stored = json.loads(path.read_bytes()) if path else {}
            self.texts = stored["texts"] if stored["edition"] == self.edition else {}

    def read(self, path: Path) -> Text:
        """Read a file, if it is not known by its content."""
        source = path.read_bytes()
        key = hashlib.sha256(source).hexdigest()
        if key not in self.texts:
            self.texts[key] = Text.read(source, path).values()
            self.new = True
        return Text.stored(self.texts[key])

    def save(self) -> None:
        """Keep what is new; where that is not possible it is read again next time."""
        if not self.new or self.path is None:
            return
        self.new = False
        newest = dict(list(self.texts.items())[-MOST:])
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.path.parent)
            with os.fdopen(handle, "w") as file:
                json.dump({"edition": self.edition, "texts": newest}, file)
            os.replace(draft, self.path)
