"""What a stage's code is: the definitions that its script reaches, and the libraries these name.

Snakemake sees a script's clock and nothing that the script imports. Here a stage's code is the
meaning of each statement that it can run or read: of its script, of the functions, classes and
constants that these name, across modules and however deep, and of what runs when one of these
modules is imported. A comment, a docstring, an annotation, a message that is reworded and a
function that no one calls redo nothing; all else redoes exactly the stages that reach it.

Where a text does not show what it uses, more counts rather than less:

- a class counts whole, with the classes that it is made of;
- what does more at import than bind a name counts wherever its module is imported: a loop, a
  call that may do something else, an attribute or an item that is set;
- a module counts whole, with all that it names, if it is used as a value (`getattr(module, name)`),
  takes `*` of another, looks into its own `globals()`, runs a text, decorates with a function that
  is not known to be harmless, or lacks a name that is taken from it;
- a module whose name is made at run time is any of ours, unless the import's line says
  `# lineage: declared`: then the caller of `digest` names the module, or the file;
- `sys.modules`, `inspect`, `gc`, subclasses by request and a look at docstrings or annotations
  make all imported modules count whole, the latter with docstrings and annotations;
- a library without a locked version counts with the whole lock.

The version of a library is the one that the lock file names. The digest is then the same on every
machine and in every environment of one checkout, and known before an environment is made; that the
lock is what is installed is the business of the environment.

Not seen: what is read through a path that was made up at run time, what another process that is
started runs, side effects of operators and attributes at import, the standard library's version,
the order of imports of modules that both do something when they are imported, and an error that is
raised as one class or another depending on the text of the error before it.
"""

import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .modules import ENTIRE, RUN, VALUE, Module, Modules, Node, Target
from .syntax import ANNOTATED, LOUD, MUTE, QUIET
from .text import Store

OPENS_OWN = set("compile eval exec globals locals vars dir".split())
OPENS_IMPORTED = {"sys.modules", "inspect", "gc", "typing.get_type_hints"}
LOOKS_INTO_FUNCTIONS = {"inspect", "typing.get_type_hints"}
OPENS_ALL = set(
    "__import__ builtins compile eval exec importlib.import_module importlib.reload"
    " importlib.util.spec_from_file_location importlib.abc"
    " importlib.machinery runpy pkgutil pickle dill cloudpickle joblib shelve".split()
)
READS_ERRORS = set(
    "sys.exc_info sys.exception sys.excepthook threading.excepthook traceback logging.Handler"
    " logging.StreamHandler logging.Formatter logging.Filter logging.handlers"
    " logging.setLogRecordFactory contextlib.redirect_stderr warnings.filterwarnings"
    " warnings.simplefilter warnings.catch_warnings warnings.showwarning"
    " warnings.formatwarning".split()
)
READS_OWN_FILES = {"__file__", "__path__", "__spec__"}
READS_FILES = {"importlib.resources", "pkgutil"}

# Distributions, where an import's name does not say them all.
DISTRIBUTIONS = {
    "numba": ("numba", "llvmlite"),
    "polars": ("polars", "polars-runtime-32"),
    "sklearn": ("scikit-learn",),
    "talib": ("ta-lib",),
    "yaml": ("pyyaml",),
}


@dataclass
class Reached:
    """What a stage reaches: statements and the level at which they count, libraries, data."""

    statements: dict[Node, int] = field(default_factory=dict)
    imported: set[Module] = field(default_factory=set)
    libraries: set[str] = field(default_factory=set)
    data: set[Path] = field(default_factory=set)


class Code:
    """The code under some folders, and what the scripts that use it reach.

    roots      folders of importable code; the first that has a module wins
    lock       file of `name==version` lines; without it no library has a version
    harmless   full names of functions, or of modules of such, that at import and as decorators
               make a value and do nothing else; beside those of `modules.HARMLESS`
    aside      full names of definitions that decide no value, as the caller vouches: they do not
               count, nor does what only they name
    cache      file that keeps what has been read, from one process to the next
    """

    def __init__(
        self,
        *roots: Path,
        lock: Path | None = None,
        harmless: Iterable[str] = (),
        aside: Iterable[str] = (),
        cache: Path | None = None,
    ) -> None:
        self._versions = _locked(lock) if lock else {}
        self._store = Store(cache)
        self.modules = Modules(roots, harmless, aside, self._store)
        self._steps = _Steps(self.modules)
        self._lines: dict[tuple[Node, int], str] = {}

    def digest(self, script: str | Path, *also: str | Path) -> str:
        """Name the meaning of a script, and of what its rule adds, by twelve hex digits.

        also   what the script imports by a name that is made at run time: the path of a file, the
               full name of a module, `module:definition`, or the name of a library

        Raises OSError or SyntaxError of a file that is unreadable or no Python, ValueError of a
        definition that does not exist.
        """
        reached = self.reached(script, *also)
        nodes = [(module.name, module.path, n) for module, n in reached.statements]
        rows = sorted(zip(nodes, reached.statements.items(), strict=True))
        lines = [self._line(node, level) for _, (node, level) in rows]
        lines += [self._version(name) for name in sorted(reached.libraries)]
        for path in sorted(reached.data):
            lines += [
                f"{path.parent.name}/{path.name}",
                hashlib.sha256(path.read_bytes()).hexdigest(),
            ]
        self._store.save()
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]

    def reached(self, script: str | Path, *also: str | Path) -> Reached:
        """Give all that a script, and what its rule adds, can run or read; see `digest`."""
        walk = _Walk(self._steps)
        for entry in (script, *also):
            walk.follow(self._entry(entry))
        return walk.finished()

    def _entry(self, entry: str | Path) -> list[Target]:
        if isinstance(entry, Path) or entry.endswith(".py"):
            path = Path(entry).resolve()
            if ours := next((x for x in self.modules.below(path.parent) if x.path == path), None):
                return [Target(ours, ENTIRE, "")]
            return [Target(self.modules.read(path, path.name, path.parent), ENTIRE, "")]
        name, _, definition = entry.partition(":")
        module = self.modules.find(name, None)
        if module is None and (package := self.modules.find(name.split(".")[0], None)):
            raise ValueError(f"{package.name} has no module {name}")
        if not definition:
            return [Target(module, ENTIRE, name)]
        if module is None or not module.binds(definition):
            raise ValueError(f"{name} has no {definition}")
        return [Target(module, RUN, ""), *self.modules.targets(module, definition)]

    def _version(self, library: str) -> str:
        names = [_plain(name) for name in DISTRIBUTIONS.get(library, (library,))]
        known = all(name in self._versions for name in names)
        return f"{library} {[(n, self._versions[n]) for n in (names if known else self._versions)]}"

    def _line(self, node: Node, level: int) -> str:
        """Name a statement's meaning and what its names lead to, which imports decide."""
        if (node, level) not in self._lines:
            module, index = node
            statement = module.text.statements[index]
            words = [module.name, *statement.names, statement.hashes[level]]
            for ref, _ in _refs(node, level):
                for target in self.modules.targets(module, ref):
                    owner = target.module.name if target.module else ""
                    words.append(f"{ref}={owner}:{target.name}")
            line = hashlib.sha256(" ".join(words).encode()).hexdigest()
            self._lines[node, level] = line
        return self._lines[node, level]


class _Walk:
    """Goes from a script to all that it reaches."""

    def __init__(self, steps: "_Steps") -> None:
        self.steps, self.modules = steps, steps.modules
        self.reached = Reached()
        self.waiting: list[tuple[Node, int]] = []
        self.entire: set[tuple[Module, int]] = set()
        self.marks: set[str] = set()

    def follow(self, targets: Iterable[Target]) -> None:
        """Note what names lead to."""
        self._take(self.steps.of(targets, QUIET))

    def finished(self) -> Reached:
        """Go on until nothing new is reached."""
        done: set[Module] = set()
        while self.waiting:
            while self.waiting:
                node, level = self.waiting.pop()
                if self.reached.statements.get(node, -1) < level:
                    self.reached.statements[node] = level
                    self._take(self.steps.from_node(node, level))
            opened = set(self.reached.imported) if "imported" in self.marks else set()
            if "all" in self.marks:
                homes = {module.home for module in self.reached.imported if module.home}
                opened |= set(self.modules.importable(homes))
            for module in opened - done:
                self._open(module, VALUE)
            done |= opened
            least = (
                ANNOTATED if "functions" in self.marks else LOUD if "errors" in self.marks else 0
            )
            rows = self.reached.statements.items()
            self.waiting += [(node, least) for node, level in rows if level < least]
        return self.reached

    def _take(self, step: "_Step") -> None:
        self.waiting += step.nodes
        self.reached.libraries |= step.libraries
        self.reached.data |= step.data
        self.marks |= step.marks
        for module in step.imports - self.reached.imported:
            self._run(module)
        for module, how in step.entire - self.entire:
            self._open(module, how)

    def _run(self, module: Module) -> None:
        self.reached.imported.add(module)
        self._take(self.steps.from_import(module))

    def _open(self, module: Module, how: int) -> None:
        """Count a module whole, a package with all its modules.

        With a VALUE counts what it imports, else what of this it leaves to others.
        """
        self.entire.add((module, how))
        is_package = module.path.is_dir() or module.path.name == "__init__.py"
        folder = module.path if module.path.is_dir() else module.path.parent
        for each in [module, *(self.modules.below(folder) if is_package else ())]:
            if each not in self.reached.imported:
                self._run(each)
            self._take(self.steps.from_all_of(each))
            for name in each.text.imports if how == VALUE else each.text.unused:
                self.follow(self.modules.targets(each, name))


@dataclass
class _Step:
    """What follows at once from a statement or an import.

    entire   modules that count whole, and how (VALUE, ENTIRE)
    marks    imported, all: which modules count whole; errors: texts of errors are looked at;
             functions: their docstrings and annotations are
    """

    nodes: set[tuple[Node, int]] = field(default_factory=set)
    imports: set[Module] = field(default_factory=set)
    entire: set[tuple[Module, int]] = field(default_factory=set)
    libraries: set[str] = field(default_factory=set)
    data: set[Path] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)


class _Steps:
    """The steps from each statement and module, each found once for all scripts."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self._known: dict[tuple[Node, int], _Step] = {}

    def of(self, targets: Iterable[Target], level: int) -> _Step:
        """Give the step to what names lead to."""
        step = _Step()
        for target in targets:
            self._add(step, None, target, level)
        return step

    def from_import(self, module: Module) -> _Step:
        """Give the step from a module that is imported."""
        key = (module, RUN), QUIET
        if key not in self._known:
            step = _Step(imports=set(self.modules.loaded(module, module.text.loads)))
            self._add_nodes(step, module, self.modules.effects(module), QUIET)
            for star in module.text.stars:
                for target in self.modules.targets(module, f":{star}"):
                    self._add(step, module, target, QUIET)
            for name in module.text.unused:
                for target in self.modules.targets(module, name):
                    if target.module is None:
                        self._add(step, module, target, QUIET)
            self._known[key] = step
        return self._known[key]

    def from_node(self, node: Node, level: int) -> _Step:
        """Give the step from a statement that counts at a level."""
        if (node, level) not in self._known:
            module, index = node
            statement = module.text.statements[index]
            step = _Step(imports=set(self.modules.loaded(module, statement.loads)))
            if statement.errors and level > MUTE:
                step.marks.add("errors")
            for ref, deeper in _refs(node, level):
                for target in self.modules.targets(module, ref):
                    self._add(step, module, target, deeper)
            self._known[node, level] = step
        return self._known[node, level]

    def from_all_of(self, module: Module) -> _Step:
        """Give the step from a module that counts whole."""
        step = _Step()
        self._add_nodes(step, module, range(len(module.text.statements)), QUIET)
        return step

    def _add_nodes(self, step: _Step, module: Module, indices: Iterable[int], level: int) -> None:
        for node in ((module, index) for index in indices):
            if not self.modules.is_aside(node):
                step.nodes.add((node, ANNOTATED if self.modules.is_annotated(node) else level))

    def _add(self, step: _Step, module: Module | None, target: Target, level: int) -> None:
        if target.module is None:
            self._add_strange(step, module, target, level)
            return
        step.imports.add(target.module)
        if target.number >= 0:
            self._add_nodes(step, target.module, [target.number], level)
        elif target.number != RUN:
            step.entire.add((target.module, target.number))
        if target.name in READS_OWN_FILES:
            step.data |= set(_data_below(target.module.path.parent))

    def _add_strange(self, step: _Step, module: Module | None, target: Target, level: int) -> None:
        """Note a name that none of our modules binds: of a library, or of Python itself."""
        parts = target.name.split(".")
        names = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        if target.number == VALUE and parts[0] in OPENS_OWN and module:
            step.entire.add((module, VALUE))
        if names & READS_OWN_FILES and module:
            step.data |= set(_data_below(module.path.parent))
        if names & READS_FILES:
            folders = [*self.modules.roots, *([module.path.parent] if module else [])]
            step.data |= {path for folder in folders for path in _data_below(folder)}
        marks = {"imported": OPENS_IMPORTED, "all": OPENS_ALL, "functions": LOOKS_INTO_FUNCTIONS}
        marks |= {"errors": READS_ERRORS} if level > MUTE else {}
        step.marks |= {mark for mark, known in marks.items() if names & known}
        if target.number != VALUE and parts[0] not in sys.stdlib_module_names:
            step.libraries.add(parts[0])


def _refs(node: Node, level: int) -> Iterator[tuple[str, int]]:
    """Give what a statement names when it counts at a level, and the level at which that counts."""
    for ref in node[0].text.statements[node[1]].refs:
        if ref[0] == "!":
            yield ref[1:], MUTE
        elif ref[0] != "~":
            yield ref, min(level, QUIET)
        elif level == ANNOTATED:
            yield ref[1:], QUIET


def _data_below(folder: Path) -> Iterator[Path]:
    """Give the files in a folder that are no code."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts:
            yield path


def _locked(lock: Path) -> dict[str, str]:
    pairs = (line.split("#")[0].strip().partition("==") for line in lock.read_text().splitlines())
    return {_plain(name): version for name, _, version in pairs if version}


def _plain(name: str) -> str:
    """Give a distribution's normal name, without what is added to it in brackets."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0].lower())
