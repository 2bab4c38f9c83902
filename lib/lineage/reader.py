"""Goes through a statement once, and notes what it means and what it names."""

import ast
import builtins
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .syntax import (
    ANNOTATED,
    DEFINITION,
    FUNCTION,
    LOUD,
    METHODS,
    MUTE,
    QUIET,
    Statement,
    binds_names_alone,
    bound,
    chain_of,
    imported,
    is_text,
    loaded,
)  # fmt: skip

DECLARED = b"# lineage: declared"  # by a dynamic import whose module the caller of `digest` names
MESSAGES = set("debug info warning warn error exception critical".split())
DYNAMIC = ("importlib.import_module", "importlib.util.spec_from_file_location", "sys.modules")
LITERAL = ast.Constant | ast.JoinedStr | ast.Dict | ast.List | ast.Set | ast.Tuple
LOOKS = {"__annotations__", "__doc__", "__globals__", "__subclasses__"}  # as `inspect` does
ACTS = ast.Call | ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom


@dataclass
class _Scope:
    """A function, comprehension or class: what it binds, what lies outside, what it loads.

    outside   names that are `nonlocal` or `global`
    top       of them, those of the module
    """

    kind: str
    bound: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    top: set[str] = field(default_factory=set)
    imports: dict[str, list[str]] = field(default_factory=dict)
    loads: list[tuple[str, str]] = field(default_factory=list)


class Reader:
    """Goes once through a statement; what a node's class needs stands in the method of its name."""

    def __init__(
        self, imports: dict[str, list[str]], loggers: set[str], lines: list[bytes]
    ) -> None:
        self.imports, self.loggers, self.lines = imports, loggers, lines
        self.tokens: list[tuple[int, str]] = []
        self.scopes = [_Scope("module")]
        self.level = MUTE  # from which on counts what is read now
        self.texts = QUIET  # ... and the texts in it
        self.mark = ""
        self.message = False  # what is read now makes a message
        self.types = False  # ... may be a type, in which texts stand for names
        self.functions = 0  # around what is read now, which so does not run at import
        self.caught: list[str] = []  # errors within reach

    def read(self, node: ast.stmt) -> Statement:
        """Read a statement at the top of a module."""
        self.out = Statement(sorted(bound(node)))
        self.out.effect = not binds_names_alone(node) and not is_text(node)
        self.out.defines = isinstance(node, DEFINITION)
        self._visit(node)
        self._leave()
        for level in range(4):
            tokens = (token for rank, token in self.tokens if rank <= level)
            self.out.hashes.append(hashlib.sha256("\0".join(tokens).encode()).hexdigest()[:16])
        for name in ("refs", "loads", "runs"):
            setattr(self.out, name, sorted(set(getattr(self.out, name))))
        return self.out

    # -- what is noted

    def _emit(self, token: str, level: int = MUTE) -> None:
        """Add to the statement's meaning."""
        self.tokens.append((max(self.level, level), token))

    def _load(self, chain: str) -> None:
        """Note a name that is read; which scope binds it shows when the scopes are left."""
        if chain.split(".", 1)[0] in self.caught and not self.message:
            self.out.errors = True
        if chain in LOOKS:
            self.out.refs.append(":inspect")
        self.scopes[-1].loads.append((self.mark, chain))

    def _bind(self, name: str) -> None:
        """Note a name that is bound."""
        self.scopes[-1].bound.add(name)

    def _leave(self) -> None:
        scope = self.scopes.pop()
        own = scope.bound - scope.outside if scope.kind == "function" else set()
        for mark, chain in scope.loads:
            base, dot, rest = chain.partition(".")
            self.out.refs += [f"{mark}:{full}{dot}{rest}" for full in scope.imports.get(base, ())]
            if base in scope.top or not self.scopes:
                self.out.refs.append(mark + chain)
            elif base not in own:
                self.scopes[-1].loads.append((mark, chain))

    def _full_name(self, chain: str) -> str:
        """Give the full name of what the module itself imports, "" of all else."""
        base, dot, rest = chain.partition(".")
        local = any(base in scope.bound for scope in self.scopes)
        return "" if local else next((f"{n}{dot}{rest}" for n in self.imports.get(base, ())), "")

    def _runs(self, node: ast.AST, mark: str = "") -> None:
        """Note what is called at import."""
        if not self.functions:
            self.out.runs.append(mark + (chain_of(node) or "?"))

    # -- any node

    def _visit(self, node: ast.AST) -> None:
        """Read a node by its class."""
        getattr(self, f"_{type(node).__name__}", self._generic)(node)

    def _generic(self, node: ast.AST, *without: str) -> None:
        """Read a node's fields; absent ones leave no trace, so that versions of Python agree."""
        self._emit("(" + type(node).__name__)
        for name in node._fields:
            value = getattr(node, name, None)
            if name not in ("ctx", "kind", "type_comment", *without) and value not in (None, []):
                self._emit(name)
                self._read_all(value if isinstance(value, list) else [value])
        self._emit(")")

    def _read_all(self, parts: Iterable[Any]) -> None:
        """Read nodes and plain values."""
        for part in parts:
            if isinstance(part, ast.AST):
                self._visit(part)
            else:
                self._emit(repr(part))

    def _under(self, parts: Iterable[Any], **state: Any) -> None:
        """Read parts while some of the reader's state is another."""
        before = {name: getattr(self, name) for name in state}
        vars(self).update(state)
        self._read_all(part for part in parts if part is not None)
        vars(self).update(before)

    # -- texts and messages

    def _Constant(self, node: ast.Constant) -> None:
        self._emit(f"={node.value!r}", self.texts if isinstance(node.value, str | bytes) else MUTE)
        for chain in re.findall(r"[^\W\d][\w.]*", _text(node)) if self.types else ():
            if not hasattr(builtins, chain):
                self._load(chain)

    def _Expr(self, node: ast.Expr) -> None:
        call = node.value
        if isinstance(call, ast.Call) and self._tells(call.func):
            self._emit("(message")
            self._visit(call.func)
            self._message([*call.args, *call.keywords])
        elif is_text(node):
            self._under([call], level=ANNOTATED)
        else:
            self._generic(node)

    def _tells(self, function: ast.AST) -> bool:
        base, _, name = chain_of(function).rpartition(".")
        ours = base in self.loggers and not any(base in scope.bound for scope in self.scopes)
        return name in MESSAGES and (ours or self._full_name(base) in ("logging", "warnings"))

    def _Raise(self, node: ast.Raise) -> None:
        self._emit("(raise")
        if isinstance(node.exc, ast.Call):
            self._under([node.exc.func], mark="!")
            self._message([*node.exc.args, *node.exc.keywords], mark="!")
        elif (name := chain_of(node.exc or node)) in self.caught:
            self._emit(name)
        else:
            self._under([node.exc])
        if node.cause:
            self._message([node.cause])

    def _message(self, parts: Iterable[ast.AST], mark: str = "") -> None:
        """Read what makes a message: all but its texts where it calls something, else nothing."""
        for part in parts:
            if any(isinstance(inner, ACTS) for inner in ast.walk(part)):
                self._under([part], texts=LOUD, mark=mark, message=True)
            else:
                self._under([part], level=LOUD, mark="!", message=True)

    def _JoinedStr(self, node: ast.JoinedStr) -> None:
        if self.texts == LOUD:
            self._message(node.values, self.mark)
        else:
            self._generic(node)

    def _ExceptHandler(self, node: ast.ExceptHandler) -> None:
        *before, last = node.body
        passed_on = isinstance(last, ast.Raise) and all(map(binds_names_alone, before))
        if node.name:
            self._bind(node.name)
        caught = [node.name] if node.name and not passed_on else []
        self._emit(repr(node.name))
        self._under([node.type, *node.body], caught=self.caught + caught)

    # -- names

    def _Name(self, node: ast.Name) -> None:
        self._emit(node.id)
        if isinstance(node.ctx, ast.Load) or node.id in self.scopes[-1].outside:
            self._load(node.id)
        else:
            self._bind(node.id)

    def _Attribute(self, node: ast.Attribute) -> None:
        if node.attr in LOOKS:
            self.out.refs.append(":inspect")
        chain = chain_of(node)
        if not chain:
            self._generic(node)
            return
        self._emit(chain)
        declared = DECLARED in self.lines[node.end_lineno - 1]  # type: ignore[operator]
        if not (declared and self._full_name(chain) in DYNAMIC):
            self._load(chain)

    def _Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.scopes[-1].outside.update(node.names)
        self.scopes[-1].top.update(node.names if isinstance(node, ast.Global) else ())
        self._generic(node)

    _Nonlocal = _Global

    def _Import(self, node: ast.Import | ast.ImportFrom) -> None:
        if len(self.scopes) > 1:
            for name, full in imported(node):
                self._bind(name)
                scope = self.scopes[-1]
                imports = self.imports if name in scope.top else scope.imports
                imports.setdefault(name, []).append(full)
            self.out.loads += loaded(node)
        self._generic(node)

    _ImportFrom = _Import

    def _MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name)
        self._generic(node)

    _MatchStar = _MatchAs

    # -- calls

    def _type(self, node: ast.AST) -> None:
        """Read what may be a type."""
        before, self.types = self.types, True
        self._generic(node)
        self.types = before

    def _Call(self, node: ast.Call) -> None:
        if self.texts == LOUD and not self.mark:  # in a log, where it runs
            self._under([node], texts=QUIET)
            return
        chain = chain_of(node.func)
        if not isinstance(node.func, ast.Attribute) or not (
            isinstance(node.func.value, LITERAL) or (not chain and node.func.attr in METHODS)
        ):
            self._runs(node.func)
        if getattr(node.func, "attr", "") == "exception" and not node.args:
            self.out.errors = True
        name = _text(node.args[0]) if node.args else ""
        if self._full_name(chain) == "importlib.import_module" and name.strip(".") == name != "":
            self._module(name)
            self._generic(node, "func")
        elif chain in ("vars", "dir") and node.args:  # of an object, whose class counts
            self._emit(chain)
            self._generic(node, "func")
        elif not self.functions and self._full_name(chain).startswith("typing."):
            self._type(node)
        else:
            self._generic(node)

    def _Subscript(self, node: ast.Subscript) -> None:
        name = _text(node.slice)
        if self._full_name(chain_of(node.value)) == "sys.modules" and name:
            self._module(name)
        elif not self.functions:
            self._type(node)
        else:
            self._generic(node)

    def _module(self, name: str) -> None:
        """Note a module that a text names."""
        self._emit(f"module {name}")
        self.out.loads.append(name)
        self.out.refs.append(f"{self.mark}:{name}")

    def _Compare(self, node: ast.Compare) -> None:
        of = [self._full_name(chain_of(each)) for each in node.comparators]
        if isinstance(node.left, ast.Constant) and of == ["sys.modules"]:
            self._generic(node, "comparators")
        else:
            self._generic(node)

    # -- scopes

    def _decorated(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self._bind(node.name)
        for decorator in node.decorator_list:
            self._runs(decorator.func if isinstance(decorator, ast.Call) else decorator, "@")

    def _FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._decorated(node)
        self._emit(f"({type(node).__name__} {node.name}")
        self._read_all(node.decorator_list)
        args = [arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)]
        exits = node.name in ("__exit__", "__aexit__")
        error = [arg.arg for arg in (*node.args.args[2:3], node.args.vararg) if exits and arg]
        self._function(node.args, node.body, caught=self.caught + error)
        inner = self.functions and node.decorator_list  # whose decorators `runs` does not tell
        state = {} if inner else {"level": ANNOTATED, "mark": "~"}
        types = [(arg.arg, arg.annotation) for arg in args] + [("return", node.returns)]
        for name, kind in types:
            if kind:
                self._emit(name, ANNOTATED)
                self._under([kind], types=True, **state)
        self._emit(")")

    _AsyncFunctionDef = _FunctionDef

    def _Lambda(self, node: ast.Lambda) -> None:
        self._emit("(Lambda")
        self._function(node.args, [node.body])

    def _function(self, args: ast.arguments, body: Iterable[ast.AST], **state: Any) -> None:
        self._read_all(default for default in [*args.defaults, *args.kw_defaults] if default)
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        every += [extra for extra in (args.vararg, args.kwarg) if extra]
        kinds = [len(args.posonlyargs), len(args.args), len(args.defaults)]
        kinds += [default is None for default in args.kw_defaults]
        self._emit(repr([*kinds, args.vararg is None, args.kwarg is None]))
        for arg in every:
            self._emit(arg.arg)
        self.scopes.append(_Scope("function", {arg.arg for arg in every}))
        self._under(body, functions=self.functions + 1, **state)
        self._leave()

    def _ClassDef(self, node: ast.ClassDef) -> None:
        self._decorated(node)
        for base in node.bases:
            self._runs(base.value if isinstance(base, ast.Subscript) else base, "^")
        for word in node.keywords:
            if word.arg in (None, "metaclass"):
                self.out.hooks = True
                self._runs(word.value)
        methods = {part.name for part in node.body if isinstance(part, FUNCTION)}
        if len(self.scopes) == 1:
            self.out.plain = not any(name.startswith("__") for name in methods)
        if "__init_subclass__" in methods:
            self.out.hooks = True
        self.scopes.append(_Scope("class"))
        self._generic(node)
        self._leave()

    def _in_own_scope(self, node: Any) -> None:
        self._visit(node.generators[0].iter)  # which is read outside
        self.scopes.append(_Scope("function"))
        self._read_all(node.generators)  # which bind the names
        self._generic(node, "generators")
        self._leave()

    _ListComp = _SetComp = _DictComp = _GeneratorExp = _in_own_scope

    # -- annotations

    def _AnnAssign(self, node: ast.AnnAssign) -> None:
        if self.scopes[-1].kind == "class":
            self._emit("annotation")
            self._under([node.annotation], types=True)
        self._generic(node, "annotation")


def _text(node: ast.AST) -> str:
    """Give the text of a constant, "" of anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
