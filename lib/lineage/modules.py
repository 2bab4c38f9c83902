"""Which modules there are, where a name leads, and what counts whenever a module is imported."""

import builtins
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from .syntax import METHODS, Statement
from .text import Store, Text

# Called at import, or as decorators, these make a value and do nothing else.
HARMLESS = frozenset(
    "abc collections contextlib dataclasses datetime decimal enum fractions functools itertools"
    " importlib.resources logging.getLogger math numba operator os.path os.strerror pathlib"
    " pydantic re string textwrap types typing zoneinfo".split()
)
ACTIVE = set(
    "__import__ breakpoint delattr eval exec filter functools.reduce globals input map next open"
    " print setattr type".split()
)
ABOUT_ITSELF = {"__name__", "__file__", "__doc__", "__path__", "__spec__", "__version__"}

# In place of a statement: a module used as a value, one that counts whole, one that is imported.
VALUE, ENTIRE, RUN = -1, -2, -3


@dataclass(eq=False)
class Module:
    """A file of code, its name, and the folder beside the roots that it imports from."""

    path: Path
    name: str
    home: Path | None
    text: Text

    @cached_property
    def names(self) -> dict[str, list[int]]:
        """Give the statements that bind each name."""
        bindings: dict[str, list[int]] = {}
        for index, statement in enumerate(self.text.statements):
            for name in statement.names:
                bindings.setdefault(name, []).append(index)
        return bindings

    def binds(self, name: str) -> bool:
        """Whether a statement or an import binds `name`."""
        return name in self.names or name in self.text.imports

    def full(self, dotted: str) -> str:
        """Give the full name of what the module imports, by a relative one too."""
        level = len(dotted) - len(dotted.lstrip("."))
        if not level:
            return dotted
        parts = self.name.split(".") + ["__init__"] * (self.path.name == "__init__.py")
        return ".".join([*parts[:-level], *filter(None, [dotted[level:]])])


Node = tuple[Module, int]


class Target(NamedTuple):
    """What a name leads to: a statement of a module, VALUE, ENTIRE or RUN; no module: not ours.

    Of what is not ours, RUN says that it is imported, VALUE that nothing in the module binds it.
    """

    module: Module | None
    number: int
    name: str


class Modules:
    """The modules under `roots`, and those beside a script; see `reach.Code` for the rest."""

    def __init__(
        self, roots: Iterable[Path], harmless: Iterable[str], aside: Iterable[str], store: Store
    ) -> None:
        self.roots = [Path(root).resolve() for root in roots]
        self.harmless = HARMLESS | set(harmless)
        self.aside = frozenset(aside)
        self._store = store
        self._read: dict[tuple[Path, Path | None], Module] = {}
        self._by_name: dict[tuple[str, Path | None], Module | None] = {}
        self._targets: dict[tuple[Module, str], list[Target]] = {}
        self._effects: dict[Module, list[int]] = {}
        self._decorated: dict[Node, bool] = {}
        self._acting: dict[int, bool] = {}

    # ---- files -----------------------------------------------------------------------------------

    def read(self, path: Path, name: str, home: Path | None) -> Module:
        """Read a module, once."""
        key = path, home
        if key not in self._read:
            text = Text() if path.is_dir() else self._store.read(path)
            self._read[key] = Module(path, name, home, text)
        return self._read[key]

    def find(self, name: str, home: Path | None) -> Module | None:
        """Find a module by its full name, under the roots first, then in `home`."""
        key = name, home
        if key not in self._by_name:
            path = self._path(name, home)
            ours = path and any(path.is_relative_to(root) for root in self.roots)
            self._by_name[key] = self.read(path, name, None if ours else home) if path else None
        return self._by_name[key]

    def _path(self, name: str, home: Path | None) -> Path | None:
        if not all(name.split(".")):
            return None
        beside = [home] if home and name.split(".")[0] not in sys.stdlib_module_names else []
        for root in [*self.roots, *beside]:
            base = root / name.replace(".", "/")
            for path in (base / "__init__.py", base.with_suffix(".py")):
                if path.is_file():
                    return path
            if base.is_dir() and any(base.rglob("*.py")):
                return base
        return None

    def loaded(self, module: Module, names: Iterable[str]) -> Iterator[Module]:
        """Give the modules that an import of `names` runs: each with the packages around it."""
        for name in names:
            parts = module.full(name).split(".")
            for length in range(1, len(parts) + 1):
                if part := self.find(".".join(parts[:length]), module.home):
                    yield part

    def below(self, folder: Path) -> Iterator[Module]:
        """Give all modules in a folder under the roots."""
        for root in self.roots:
            for path in sorted(folder.rglob("*.py")) if folder.is_relative_to(root) else []:
                parts = path.relative_to(root).with_suffix("").parts
                yield self.read(path, ".".join(parts).removesuffix(".__init__"), None)

    def importable(self, homes: Iterable[Path]) -> Iterator[Module]:
        """Give all modules under the roots, and those in `homes`."""
        for root in self.roots:
            yield from self.below(root)
        for home in homes:
            for path in sorted(home.glob("*.py")):
                if neighbour := self.find(path.stem, home):
                    yield neighbour

    # ---- names -----------------------------------------------------------------------------------

    def targets(
        self, module: Module, chain: str, above: frozenset[tuple[Module, str]] = frozenset()
    ) -> list[Target]:
        """Give what a row of names leads to, as the module sees it or, after a colon, in full.

        above   rows of names that lead here: a ring of imports ends at one of them
        """
        key = module, chain
        if key in above:
            return []
        if key in self._targets:
            return self._targets[key]
        if chain.startswith(":"):
            targets = self._outside(module.full(chain[1:]), module.home, above | {key})
        else:
            targets = self._inside(module, chain, above | {key})
        if not above:  # else a ring may have cut it short
            self._targets[key] = targets
        return targets

    def _inside(self, module: Module, chain: str, above: frozenset[Any]) -> list[Target]:
        base, dot, rest = chain.partition(".")
        targets = [Target(module, index, base) for index in module.names.get(base, ())]
        for full in module.text.imports.get(base, ()):
            targets += self._outside(f"{module.full(full)}{dot}{rest}", module.home, above)
        # What a `*` may bring counts already, with the whole of the module that it is taken from.
        return targets or [Target(None, VALUE, chain)]

    def _outside(self, full: str, home: Path | None, above: frozenset[Any]) -> list[Target]:
        """Follow a full name from package to module to definition."""
        parts = full.split(".")
        module = self.find(parts[0], home)
        if module is None:
            return [Target(None, RUN, full)]
        targets = [Target(module, RUN, "")]
        for depth, part in enumerate(parts[1:], 1):
            deeper = self.find(".".join(parts[: depth + 1]), home)
            if module.binds(part):
                targets += self.targets(module, ".".join(parts[depth:]), above)
            elif not deeper:
                targets.append(Target(module, RUN if part in ABOUT_ITSELF else VALUE, part))
            if not deeper:
                return targets
            module = deeper
            targets.append(Target(module, RUN, ""))
        return [*targets, Target(module, VALUE, "")]

    # ---- statements ------------------------------------------------------------------------------

    def is_aside(self, node: Node) -> bool:
        """Whether a statement decides no value, as the caller says."""
        module, index = node
        names = module.text.statements[index].names
        return any(f"{module.name}.{name}" in self.aside for name in names)

    def is_decorated(self, node: Node) -> bool:
        """Whether a decorator may do more than wrap."""
        if node not in self._decorated:
            known = all(self._is_harmless(node[0], chain) for chain in self._decorators(node))
            self._decorated[node] = not known
        return self._decorated[node]

    def is_annotated(self, node: Node) -> bool:
        """Whether a decorator may read annotations."""
        targets = (x for chain in self._decorators(node) for x in self.targets(node[0], chain))
        return self.is_decorated(node) or any(x.name.startswith("pydantic.") for x in targets)

    def _decorators(self, node: Node) -> list[str]:
        runs = node[0].text.statements[node[1]].runs
        return [chain[1:] for chain in runs if chain.startswith("@")]

    def effects(self, module: Module) -> list[int]:
        """Give the statements that count wherever a module is imported."""
        if module not in self._effects:
            every = range(len(module.text.statements))
            rows = [index for index in every if not self.is_aside((module, index))]
            opened = any(self.is_decorated((module, index)) for index in rows)
            acts = (opened or self._acts(module, module.text.statements[index]) for index in rows)
            self._effects[module] = [index for index, each in zip(rows, acts, strict=True) if each]
        return self._effects[module]

    def _acts(self, module: Module, statement: Statement) -> bool:
        key = id(statement)
        if key not in self._acting:
            self._acting[key] = True  # of what needs itself to be made
            called = [chain for chain in statement.runs if chain[0] not in "@^"]
            harmless = all(self._is_harmless(module, chain) for chain in called)
            self._acting[key] = (
                statement.effect
                or not harmless
                or any(base is None or base.hooks for base in self._bases(module, statement))
            )
        return self._acting[key]

    def _is_harmless(self, module: Module, chain: str) -> bool:
        targets = [x for x in self.targets(module, chain) if not x.module or x.number != RUN]
        method = "." in chain and chain.rpartition(".")[2] in METHODS
        return bool(targets) and all(self._makes_a_value(target, method) for target in targets)

    def _makes_a_value(self, target: Target, method: bool) -> bool:
        if target.module is None:
            parts = target.name.split(".")
            if target.number == VALUE:
                return method or (hasattr(builtins, parts[0]) and parts[0] not in ACTIVE)
            names = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
            return bool(names & self.harmless) and target.name not in ACTIVE
        if f"{target.module.name}.{target.name}" in self.harmless:
            return True
        if target.number < 0:
            return False
        statement = target.module.text.statements[target.number]
        if method and not statement.defines:  # of a value that no class of ours made
            makers = [x for chain in statement.runs for x in self.targets(target.module, chain)]
            return not any(x.module and x.number != RUN for x in makers)
        family = [statement, *self._bases(target.module, statement)]
        plain = all(base is not None and base.plain for base in family)
        return plain and not self._acts(target.module, statement)

    def _bases(self, module: Module, statement: Statement) -> Iterator[Statement | None]:
        """Give our classes that a class is made of, None for one that the text does not show."""
        seen, waiting = {id(statement)}, [(module, statement)]
        while waiting:
            scope, own = waiting.pop()
            chains = [chain[1:] for chain in own.runs if chain.startswith("^")]
            for target in (x for chain in chains for x in self.targets(scope, chain)):
                if target.module and target.number >= 0:
                    base = target.module.text.statements[target.number]
                    yield base if base.defines else None
                    if id(base) not in seen:
                        seen.add(id(base))
                        waiting.append((target.module, base))
                elif target.number == VALUE and not hasattr(builtins, target.name):
                    yield None
