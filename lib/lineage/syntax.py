"""What a module's text says: its statements, what each of them means, and what each names.

A statement's meaning is its syntax without comments, at four levels:

MUTE        without any text, for what only makes the message of an error that is raised
QUIET       without the messages of raised errors, of logs and of warnings
LOUD        with them
ANNOTATED   with docstrings and the annotations of functions, for who looks into functions
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MUTE, QUIET, LOUD, ANNOTATED = range(4)

CHECKS = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
DEFINITION = FUNCTION | ast.ClassDef

# Methods that change nothing, whatever value they are of.
METHODS = set(
    "endswith format items join keys lower resolve split splitlines startswith strip title upper"
    " values with_name with_suffix".split()
)


@dataclass
class Statement:
    """A statement at the top of a module.

    names     what it binds
    hashes    its meaning at each level
    refs      what it names: as the module sees it (`np.mean`) or, after a colon, by its full name
              (`:numpy.mean`); after a ! only to make a message, after a ~ only in an annotation
    loads     the modules that its functions import
    runs      what is called when the module is imported: decorators after an @, bases of classes
              after a ^; ? has no name
    effect    it does more than bind names to a value
    defines   it is a function or a class
    plain     it is a class whose own methods do not run when one is made
    hooks     it is a class that has a say in its subclasses
    errors    it looks into errors that others raise, and may use their text
    """

    names: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    refs: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    effect: bool = False
    defines: bool = False
    plain: bool = False
    hooks: bool = False
    errors: bool = False


# ---- what a statement binds and imports ----------------------------------------------------------


def is_silent(node: ast.AST) -> bool:
    """Whether a statement does nothing: a text, `pass`, or what is for type checkers alone."""
    if isinstance(node, ast.If) and not node.orelse:
        return ast.unparse(node.test) in CHECKS
    return isinstance(node, ast.Pass) or is_text(node)


def is_text(node: ast.AST) -> bool:
    """Whether a statement is a constant: a docstring, or what stands for one."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def run_with(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield statements and those within them that run with them, so not what functions hold."""
    for node in nodes:
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case) and not is_silent(node):
            yield node
            if not isinstance(node, FUNCTION):
                yield from run_with(ast.iter_child_nodes(node))


def imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the names that an import binds, with their full names."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.split(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name, _inside(_origin(node), alias.name)


def _origin(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def _inside(module: str, name: str) -> str:
    return module + name if module.endswith(".") else f"{module}.{name}"


def loaded(node: ast.AST) -> list[str]:
    """Name the modules that an import may load; what it takes from one may be a module itself."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [alias.name for alias in node.names if alias.name != "*"]
        return [_origin(node), *(_inside(_origin(node), name) for name in names)]
    return []


def bound(node: ast.AST) -> set[str]:
    """Name what a statement at the top of a module binds, imports apart."""
    if isinstance(node, DEFINITION):
        return {node.name}
    parts = [part for target in _targets(node) for part in ast.walk(target)]
    named = [part for part in parts if isinstance(part, DEFINITION | ast.MatchAs | ast.MatchStar)]
    names = {part.name for part in named if part.name}
    return names | {x.id for x in parts if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)}


def _targets(node: ast.AST) -> list[ast.AST]:
    """Give the parts of a statement that can bind a name: of an assignment's value each `:=`."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return [node]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [*targets, *(part for part in ast.walk(node) if isinstance(part, ast.NamedExpr))]


def makes_logger(node: ast.AST) -> bool:
    """Whether a statement is `name = logging.getLogger(...)`."""
    of_call = isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
    return of_call and chain_of(node.value.func) == "logging.getLogger"  # type: ignore[attr-defined]


def chain_of(node: ast.AST) -> str:
    """Give `a.b.c` as text, "" for an expression that is no such row of names."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def binds_names_alone(node: ast.stmt) -> bool:
    """Whether a statement defines, or gives a value to names and to no attribute or item."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return isinstance(node, DEFINITION)
    parts = [part for target in _targets(node) for part in ast.walk(target)]
    return not any(isinstance(part, ast.Attribute | ast.Subscript) for part in parts)
