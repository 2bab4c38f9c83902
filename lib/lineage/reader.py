"""Goes through a statement once, and notes what it means and what it names."""

import ast
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

DECLARED = "# lineage: declared"  # by a dynamic import whose module the caller of `digest` names
MESSAGES = set("debug info warning warn error exception critical".split())
DYNAMIC = ("importlib.import_module", "importlib.util.spec_from_file_location", "sys.modules")
LITERAL = ast.Constant | ast.JoinedStr | ast.Dict | ast.List | ast.Set | ast.Tuple
ACTS = ast.Call | ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom


@dataclass
class _Scope:
    """A function, comprehension or class: what it binds, what lies outside, what it loads."""

    kind: str
    bound: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    imports: dict[str, list[str]] = field(default_factory=dict)
    loads: list[tuple[str, str]] = field(default_factory=list)


class Reader:
    """Goes once through a statement; what a node's class needs stands in the method of its name."""

    def __init__(
        self, imports: dict[str, list[str]], loggers: set[str], lines: list[str], documented: bool
    ) -> None:
        self.imports, self.loggers = imports, loggers
        self.lines, self.documented = lines, documented
        self.tokens: list[tuple[int, str]] = []
        self.scopes = [_Scope("module")]
        self.level = MUTE  # from which on counts what is read now
        self.texts = QUIET  # ... and the texts in it
        self.mark = ""
        self.functions = 0  # around what is read now, which so does not run at import
        self.caught: list[str] = []  # errors within reach

    def read(self, node: ast.stmt) -> Statement:
        """Read a statement at the top of a module."""
        self.out = Statement(node.lineno, sorted(bound(node)))
        self.out.effect = not binds_names_alone(node)
        self.out.defines = isinstance(node, DEFINITION)
        self._visit(node)
        self._leave()
        for level in range(4):
            tokens = (token if rank <= level else "" for rank, token in self.tokens)
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
        quiet = self.texts == LOUD or self.level == LOUD
        if chain.split(".", 1)[0] in self.caught and not quiet:
            self.out.errors = True
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
            if base not in own and self.scopes:
                self.scopes[-1].loads.append((mark, chain))
            elif base not in own:
                self.out.refs.append(mark + chain)

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

    def _under(self, parts: Iterable[ast.AST | None], **state: Any) -> None:
        """Read parts while some of the reader's state is another."""
        before = {name: getattr(self, name) for name in state}
        vars(self).update(state)
        self._read_all(part for part in parts if part is not None)
        vars(self).update(before)

    # -- texts and messages

    def _Constant(self, node: ast.Constant) -> None:
        self._emit(repr(node.value), self.texts if isinstance(node.value, str | bytes) else MUTE)

    def _Expr(self, node: ast.Expr) -> None:
        call = node.value
        if isinstance(call, ast.Call) and self._tells(call.func):
            self._emit("(message")
            self._visit(call.func)
            self._message([*call.args, *call.keywords])
        elif self.documented or not is_text(node):
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
        elif chain_of(node.exc or node) not in self.caught:
            self._under([node.exc])
        if node.cause:
            self._message([node.cause])

    def _message(self, parts: Iterable[ast.AST], mark: str = "") -> None:
        """Read what makes a message: all but its texts where it calls something, else nothing."""
        for part in parts:
            if any(isinstance(inner, ACTS) for inner in ast.walk(part)):
                self._under([part], texts=LOUD, mark=mark)
            else:
                self._under([part], level=LOUD, mark="!")

    def _JoinedStr(self, node: ast.JoinedStr) -> None:
        if self.texts == LOUD:
            self._message(node.values, self.mark)
        else:
            self._generic(node)

    def _ExceptHandler(self, node: ast.ExceptHandler) -> None:
        *before, last = node.body
        passed_on = isinstance(last, ast.Raise) and all(isinstance(x, ast.Assign) for x in before)
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
        if node.attr in ("__subclasses__", "__globals__"):
            self.out.refs.append(f":type.{node.attr}")
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
        self._generic(node)

    _Nonlocal = _Global

    def _Import(self, node: ast.Import | ast.ImportFrom) -> None:
        if len(self.scopes) > 1:
            for name, full in imported(node):
                self._bind(name)
                self.scopes[-1].imports.setdefault(name, []).append(full)
            self.out.loads += loaded(node)
        self._generic(node)

    _ImportFrom = _Import

    def _MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name)
        self._generic(node)

    _MatchStar = _MatchAs

    # -- calls

    def _Call(self, node: ast.Call) -> None:
        chain = chain_of(node.func)
        if not isinstance(node.func, ast.Attribute) or not (
            isinstance(node.func.value, LITERAL) or (not chain and node.func.attr in METHODS)
        ):
            self._runs(node.func)
        if chain.endswith(".exception") and not node.args:
            self.out.errors = True
        name = _text(node.args[0]) if node.args else ""
        if self._full_name(chain) == "importlib.import_module" and name:
            self._module(name)
            self._generic(node, "func")
        elif chain in ("vars", "dir") and node.args:  # of an object, whose class counts
            self._emit(chain)
            self._generic(node, "func")
        else:
            self._generic(node)

    def _Subscript(self, node: ast.Subscript) -> None:
        name = _text(node.slice)
        if self._full_name(chain_of(node.value)) == "sys.modules" and name:
            self._module(name)
        else:
            self._generic(node)

    def _module(self, name: str) -> None:
        """Note a module that a text names."""
        self._emit(f"module {name}")
        self.out.loads.append(name)
        self.out.refs.append(f"{self.mark}:{name}")

    def _Compare(self, node: ast.Compare) -> None:
        of = node.comparators[0]
        if isinstance(node.left, ast.Constant) and self._full_name(chain_of(of)) == "sys.modules":
            self._emit("in sys.modules")
            self._visit(node.left)
        else:
            self._generic(node)

    # -- scopes

    def _FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name)
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            self._runs(called, "@")
        self._emit(f"({type(node).__name__} {node.name}")
        self._read_all(node.decorator_list)
        exits = node.name in ("__exit__", "__aexit__")
        error = [arg.arg for arg in node.args.args[2:3]] if exits else []
        self._function(node.args, node.body, caught=self.caught + error)
        types = [arg.annotation for arg in ast.walk(node.args) if isinstance(arg, ast.arg)]
        inner = self.functions and node.decorator_list  # whose decorators `runs` does not tell
        state = {} if inner else {"level": ANNOTATED, "mark": "~"}
        self._under([*types, node.returns], **state)
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
        self._bind(node.name)
        for decorator in node.decorator_list:
            self._runs(decorator.func if isinstance(decorator, ast.Call) else decorator, "@")
        for base in node.bases:
            self._runs(base.value if isinstance(base, ast.Subscript) else base, "^")
        made = {part.name for part in node.body if isinstance(part, FUNCTION)}
        if len(self.scopes) == 1:
            self.out.plain = not made & {"__init__", "__new__", "__post_init__"}
        if "__init_subclass__" in made or any(k.arg in (None, "metaclass") for k in node.keywords):
            self.out.hooks = True
        self._read_all([*node.decorator_list, *node.bases, *node.keywords])
        self.scopes.append(_Scope("class"))
        self._generic(node, "decorator_list", "bases", "keywords")
        self._leave()

    def _made(self, node: Any) -> None:
        self._visit(node.generators[0].iter)  # which is read outside
        self.scopes.append(_Scope("function"))
        self._generic(node)
        self._leave()

    _ListComp = _SetComp = _DictComp = _GeneratorExp = _made

    # -- annotations

    def _AnnAssign(self, node: ast.AnnAssign) -> None:
        if self.scopes[-1].kind == "class":
            self._emit("annotation")
            self._under([node.annotation])
            texts = (x.value for x in ast.walk(node.annotation) if isinstance(x, ast.Constant))
            for text in texts:
                for chain in re.findall(r"[A-Za-z_][\w.]*", text if isinstance(text, str) else ""):
                    self._load(chain)
        self._generic(node, "annotation")


def _text(node: ast.AST) -> str:
    """Give the text of a constant, "" of anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
