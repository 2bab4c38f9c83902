"""Edits that can change what a script does, in ways that a reader of its text overlooks."""

# ruff: noqa: E501 - a small module in one line

import pytest
from lineage.reach import Code

A, B = "lib/own/a.py", "lib/own/b.py"
F = "def f():\n    return 1\n"


def case(a, b, old="1", new="2", file=A, also=(), more=None):
    """Give the files of a small library, and an edit of one of them."""
    script = {"script.py": "from own import b\nb.go()\n", "lock.txt": "numpy==2.0\n"}
    files = {"lib/own/__init__.py": "", A: a, B: b}
    return script | files | (more or {}), file, old, new, also


CASES = {
    "exit with *args": case("def f(): raise ValueError('text')\n", "from own import a\nclass C:\n    def __exit__(self, *e): print(e[1])\ndef go(): a.f(), C\n", "text", "word"),
    "exception() of an unnamed future": case("def f(): raise ValueError('text')\n", "from own import a\ndef go(x): a.f(), x[0].exception()\n", "text", "word"),
    "error kept on an object, then raised": case("def f(): raise ValueError('text')\n", "from own import a\ndef go(x):\n    try: a.f()\n    except ValueError as e:\n        x.y = e.args\n        raise KeyError from None\n", "text", "word"),
    "global in a nested function with local of same name": case(F, "from own.a import f as x\ndef go():\n    x = 0\n    def g():\n        global x\n        return x()\n    return g()\n"),
    "walrus in an assignment": case("X = (y := 1)\n", "from own import a\ndef go(): a.y\n"),
    "walrus in an assignment, same module": case("X = (y := 1)\ndef f(): return y\n", "from own import a\ndef go(): a.f()\n"),
    "import then def swapped": case(F, "from own.a import f\ndef f(): return 3\ndef go(): f()\n", "from own.a import f\ndef f(): return 3\n", "def f(): return 3\nfrom own.a import f\n", file=B),
    "value between two imports of a name": case(F, "from own.a import f\nX = f\nfrom math import floor as f\ndef go(): X()\n", "X = f\nfrom math import floor as f\n", "from math import floor as f\nX = f\n", file=B),
    "docstring read by another module": case('def f():\n    """text"""\n', "from own import a\ndef go(): return a.f.__doc__\n", "text", "word"),
    "module docstring read by another": case('"""text"""\n', "from own import a\ndef go(): return a.__doc__\n", "text", "word"),
    "docstring by inspect": case('def f():\n    """text"""\n', "import inspect\nfrom own import a\ndef go(): return inspect.getdoc(a.f)\n", "text", "word"),
    "annotation moves to another argument": case("from v import check\n@check\ndef f(x: int, y): 0\n", "from own import a\ndef go(): a.f()\n", "x: int, y", "x, y: int"),
    "pydantic.validate_call": case("import pydantic\n@pydantic.validate_call\ndef f(x: int): 0\n", "from own import a\ndef go(): a.f()\n", "int", "float"),
    "string annotation under a decorator": case("class X:\n    y = 1\n", "from v import check\nfrom own.a import X\n@check\ndef go(x: 'X'): 0\n"),
    "type alias with a text": case("class Y:\n    z = 1\n", "from own.a import Y\nfrom pydantic import BaseModel\nItem = list['Y']\nclass X(BaseModel):\n    y: Item\ndef go(): X\n"),
    "typevar bound text": case("class Y:\n    z = 1\n", "from own.a import Y\nfrom typing import ForwardRef\nfrom pydantic import BaseModel\nItem = ForwardRef('Y')\nclass X(BaseModel):\n    y: Item\ndef go(): X\n"),
    "__annotations__": case("def f(x: 1): 0\n", "from own import a\ndef go(): return a.f.__annotations__\n"),
    "get_type_hints": case("def f(x: 1): 0\n", "import typing\nfrom own import a\ndef go(): return typing.get_type_hints(a.f)\n"),
    "inspect.signature": case("def f(x: 1): 0\n", "import inspect\nfrom own import a\ndef go(): return inspect.signature(a.f)\n"),
    "map at import": case("S = []\ndef add(x): S.append(x + 1)\nX = list(map(add, '3'))\n", "from own import a\ndef go(): a.S\n"),
    "next of a count": case("import itertools\nC = itertools.count()\nX = next(C), 1\nY = next(C)\n", "from own import a\ndef go(): a.Y\n", "X = next(C), 1\n", ""),
    "type() with hooks": case("S = []\nclass X:\n    def __init_subclass__(cls): S.append(cls)\nY = type('Y', (X,), {'z': 1})\n", "from own import a\ndef go(): a.S\n"),
    "plain class of a base with __init__": case("S = []\nclass X:\n    def __init__(self): S.append(1)\nclass Y(X): 0\ny = Y()\n", "from own import a\ndef go(): a.S\n"),
    "metaclass": case("S = []\nclass M(type):\n    def __new__(c, n, b, d):\n        S.append(1)\n        return type.__new__(c, n, b, d)\nclass Y(metaclass=M): 0\n", "from own import a\ndef go(): a.S\n"),
    "set_name": case("S = []\nclass D:\n    def __set_name__(self, o, n): S.append(1)\nclass Y:\n    d = D()\n", "from own import a\ndef go(): a.S\n"),
    "hooks through an alias": case("S = []\nclass X:\n    def __init_subclass__(cls): S.append(cls)\n", "from own import a\nBase = a.X\nclass Y(Base):\n    z = 1\ndef go(): a.S\n", file=B),
    "hooks through a star": case("S = []\nclass X:\n    def __init_subclass__(cls): S.append(cls)\n", "from own.a import *\nclass Y(X):\n    z = 1\ndef go(): S\n", file=B),
    "hooks through starred bases": case("S = []\nclass X:\n    def __init_subclass__(cls): S.append(cls)\nB = [X]\n", "from own import a\nclass Y(*a.B):\n    z = 1\ndef go(): a.S\n", file=B),
    "locals of a module": case("def f(): return 1\nT = locals()\n", "from own import a\ndef go(): a.T['f']()\n"),
    "builtins.eval": case(F, "import builtins\nfrom own.a import f\ndef go(): builtins.eval('f()')\n"),
    "exec of an import": case(F, "def go(): exec('from own.a import f; f()')\n"),
    "resources of another package": case("", "", file="lib/own/page.html", more={"lib/own/page.html": "1", "lib/own/sub/__init__.py": "", "lib/own/sub/c.py": "from importlib import resources\ndef go(): return resources.files('own') / 'page.html'\n", "script.py": "from own.sub import c\nc.go()\n"}),
    "__file__ of another module": case("", "", file="lib/own/sub/page.html", more={"lib/own/sub/page.html": "1", "lib/own/sub/__init__.py": "", "lib/own/sub/c.py": "", "script.py": "from own import b\nb.go()\n", "lib/own/b.py": "from pathlib import Path\nfrom own.sub import c\ndef go(): return Path(c.__file__).with_name('page.html')\n"}),
    "data in a folder with code": case("", "", file="lib/own/sub/page.html", more={"lib/own/sub/page.html": "1", "lib/own/sub/__init__.py": "", "lib/own/b.py": "from pathlib import Path\ndef go(): return Path(__file__).with_name('sub') / 'page.html'\n"}),
    "__path__": case("", "", file="lib/own/page.html", more={"lib/own/page.html": "1", "lib/own/__init__.py": "def go(): return __path__[0]\n", "script.py": "import own\nown.go()\n"}),
    "namespace of folders alone": case("", "", file="lib/ns/sub/m.py", more={"lib/ns/sub/m.py": F, "script.py": "from ns.sub.m import f\nf()\n"}),
    "library imported for what it does": case("", "import numpy\ndef go(): 0\n", "import numpy\n", "", file=B),
    "library imported for what it does, version": case("", "import numpy\ndef go(): 0\n", "2.0", "2.1", file="lock.txt"),
    "global import in a function": case(F, "def load():\n    global a\n    from own import a\ndef go():\n    load()\n    a.f()\n"),
    "package binds a name over its submodule": case("", "", file="lib/own/c.py", more={"lib/own/__init__.py": "from own.c import f as b\n", "lib/own/c.py": F, "script.py": "from own import b\nb()\n"}),
    "ring with a definition": case("from own.b import x\ndef x(): return 1\n", "from own.a import x\ndef go(): x()\n"),
    "relative import_module with package": case("", "", file=A, more={A: F, "lib/own/sub/__init__.py": "", "lib/own/sub/c.py": "import importlib\ndef go(): importlib.import_module('.a', 'own').f()\n", "script.py": "from own.sub import c\nc.go()\n"}),
    "in and not in sys.modules": case("", "import sys\ndef go(): return 'x' in sys.modules\n", " in ", " not in ", file=B),
    "raise of the other error": case("", "def go(x):\n    try: x()\n    except KeyError as e:\n        try: x()\n        except ValueError as d:\n            raise e\n", "raise e", "raise d", file=B),
    "decorator or base": case("class M: 0\n", "from own.a import M\n@M\nclass go: 0\n", "@M\nclass go", "class go(M)", file=B),
    "None key or unpacking": case("", "def go(x): return {**x}\n", "**x", "None: x", file=B),
    "extras in the lock": case("", "import numpy\ndef go(): numpy.x\n", "2.0", "2.1", file="lock.txt", more={"lock.txt": "numpy[fast]==2.0\n"}),
    "library by a name that is not its import's": case("", "import PIL\ndef go(): PIL.x\n", "2.0", "2.1", file="lock.txt", more={"lock.txt": "pillow==2.0\n"}),
    "dots in the lock": case("", "import ruamel_yaml\ndef go(): ruamel_yaml.x\n", "2.0", "2.1", file="lock.txt", more={"lock.txt": "ruamel.yaml==2.0\nnumpy==7\n"}),
    "also: a module that hands on": case(F, "from own.a import f as columns\n", also=["own.b"], more={"script.py": "1\n"}),
    "also: a file that hands on": case("", "", file="own/beside.py", also=["own/mine.py"], more={"script.py": "1\n", "own/mine.py": "from beside import columns\n", "own/beside.py": "def columns(): return 1\n"}),
    "package as a value": case("", "", file="lib/other.py", more={"lib/other.py": F, "lib/own/b.py": "from other import f\n", "script.py": "import own\nx = 0\ngetattr(getattr(own, x), x)()\n"}),
    "import_module beside a user's file": case("", "", file="own/beside.py", also=["own/mine.py"], more={"script.py": "1\n", "own/mine.py": "import importlib\ndef columns(x): return importlib.import_module(x)\n", "own/beside.py": "def columns(): return 1\n"}),
    "text of a call within a log": case("", "import logging\ndef go(x): logging.info('x %s', x.save('text'))\n", "text", "word", file=B),
    "log by a comprehension's name": case("", "import logging as log\ndef go(x): return [log.info('text') for log in x]\n", "text", "word", file=B),
    "category of a warning": case("class W(UserWarning): 0\nclass V(UserWarning): 0\n", "import warnings\nfrom own import a\ndef go():\n    warnings.simplefilter('error', a.W)\n    warnings.warn('x', a.V)\n", "warn('x', a.V", "warn('x', a.W", file=B),
    "warnings.showwarning": case("import warnings\ndef f(): warnings.warn('text')\n", "import warnings\nfrom own import a\ndef go(x):\n    warnings.showwarning = x\n    a.f()\n", "text", "word"),
    "stream handler": case("import logging\ndef f(): logging.info('text')\n", "import io, logging\nfrom own import a\ndef go(x):\n    logging.StreamHandler(x)\n    a.f()\n", "text", "word"),
    "redirect_stderr": case("import logging\ndef f(): logging.info('text')\n", "import contextlib\nfrom own import a\ndef go(x):\n    with contextlib.redirect_stderr(x): a.f()\n", "text", "word"),
    "dataclass default": case("from dataclasses import dataclass\n@dataclass\nclass X:\n    y: int = 1\n", "from own import a\ndef go(): a.X()\n"),
    "default factory": case("from dataclasses import dataclass, field\ndef m(): return 1\n@dataclass\nclass X:\n    y: int = field(default_factory=m)\n", "from own import a\ndef go(): a.X()\n"),
    "type alias": case("from typing import Annotated\nX = Annotated[int, 1]\n", "from own.a import X\nfrom pydantic import BaseModel\nclass Y(BaseModel):\n    x: X\ndef go(): Y\n"),
    "class keyword": case("class X: 0\n", "from own import a\nclass Y(a.X, k=1): 0\ndef go(): Y\n", file=B),
    "form feed and declared": case(F, "x = '''\x0c'''\nimport importlib\ndef go(x):\n    importlib.import_module(x)\n    # lineage: declared\n"),
    "reduce at import": case("import functools\nS = []\ndef add(x, y): S.append(x + y + '1')\nX = functools.reduce(add, 'ab')\n", "from own import a\ndef go(): a.S\n"),
    "non-ascii in a text annotation": case("class Ä:\n    z = 1\n", "from own.a import Ä\nclass X:\n    y: 'Ä'\ndef go(): X\n"),
    "method name of our own class at import": case("S = []\nclass T:\n    def resolve(self): S.append(1)\nt = T()\nK = t.resolve()\n", "from own import a\ndef go(): a.S\n"),
    "attrgetter": case(F, "import operator\nfrom own import a\ndef go(): operator.attrgetter('f')(a)()\n"),
    "conditional def": case("import sys\nif sys.platform == 'x':\n    def f(): return 1\nelse:\n    def f(): return 3\n", "from own import a\ndef go(): a.f()\n"),
    "class attribute set from another module": case("class X: 0\n", "from own import a, c\ndef go(): a.X.m\n", file="lib/own/c.py", more={"lib/own/c.py": "from own import a\na.X.m = 1\n"}),
    "match rest": case("", "def go(x):\n    match x:\n        case {**a}: return 1\n", file=B),
    "del of a name": case("", "x = 1\ny = x\ndel x\ndef go(): y\n", "x = 1", "x = 2", file=B),
}  # fmt: skip


def lay(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def digest(root, also):
    also = [root / name if name.endswith(".py") else name for name in also]
    return Code(root / "lib", lock=root / "lock.txt").digest(root / "script.py", *also)


@pytest.mark.parametrize("name", CASES)
def test_an_edit_counts(tmp_path, name):
    files, edited, old, new, also = CASES[name]
    lay(tmp_path, files)
    before, text = digest(tmp_path, also), files[edited]
    assert old in text
    (tmp_path / edited).write_text(text.replace(old, new, 1))
    assert digest(tmp_path, also) != before


def test_a_module_that_does_not_exist_is_no_library(tmp_path):
    lay(tmp_path, case("", "def go(): 0\n")[0])
    with pytest.raises(ValueError, match="own has no module own.nothing"):
        digest(tmp_path, ["own.nothing"])


@pytest.mark.parametrize(
    "old, new",
    [
        ("x):\n    return", "x: int) -> int:\n    return"),
        ("x):\n    return", "x):\n    'A docstring.'\n    return"),
        ("import math", "'A docstring.'\nimport math"),
    ],
)
def test_what_no_one_reads_does_not_count(tmp_path, old, new):
    files, *_ = case("import math\ndef f(x):\n    return math.pi\n", "from own.a import f as go\n")
    lay(tmp_path, files)
    before, text = digest(tmp_path, ()), files[A]
    assert old in text
    (tmp_path / A).write_text(text.replace(old, new))
    assert digest(tmp_path, ()) == before
