"""A stage's code is the definitions that it reaches; where that cannot be read, more counts."""

# ruff: noqa: E501 - a small module in one line

import re

import pytest
from lineage.reach import Code

HOUSE = {
    "script.py": "from house import used\n\nused.f(1)\n",
    "lib/house/__init__.py": '"""A house."""\n',
    "lib/house/used.py": (
        "from house import deep\n\nSTEP = 1\nOTHER = 3\n\n"
        "def f(x):\n    return deep.g(x) + STEP\n\n"
        "def unused():\n    return OTHER\n"
    ),
    "lib/house/deep.py": "def g(x):\n    return 2 * x\n\ndef h(x):\n    return 4 * x\n",
    "lib/house/apart.py": "def k():\n    return 5\n",
    "lock.txt": "# pins\nnumpy==2.0\npolars==1.0\nPyYAML==6.0\nnumba==0.6\nllvmlite==0.5\n",
}


class House:
    """A small library and a script that uses it."""

    def __init__(self, root, **options):
        self.root, self.options = root, options

    def lay(self, files):
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self

    def digest(self, *also):
        also = [self.root / name if name.endswith(".py") else name for name in also]
        code = Code(self.root / "lib", lock=self.root / "lock.txt", **self.options)
        return code.digest(self.root / "script.py", *also)

    def counts(self, file, old, new, *also):
        """Whether an edit changes the digest."""
        path = self.root / file
        before, text = self.digest(*also), path.read_text()
        assert old in text, f"{file} does not hold {old!r}"
        path.write_text(text.replace(old, new, 1))
        changed = self.digest(*also) != before
        path.write_text(text)
        return changed


@pytest.fixture
def house(tmp_path):
    return House(tmp_path).lay(HOUSE)


@pytest.mark.parametrize(
    "file, old, new, counts",
    [
        ("lib/house/deep.py", "def g", "# a comment\ndef g", False),
        ("lib/house/deep.py", "def g(x):\n", 'def g(x):\n    """Doubles."""\n', False),
        ("lib/house/deep.py", "2 * x", "3 * x", True),
        ("lib/house/deep.py", "4 * x", "3 * x", False),
        ("lib/house/used.py", "STEP = 1", "STEP = 2", True),
        ("lib/house/used.py", "OTHER = 3", "OTHER = 4", False),
        ("lib/house/used.py", "STEP = 1", "NEW = 7\nSTEP = 1", False),
        ("lib/house/used.py", "deep.g(x)", "deep.h(x)", True),
        ("lib/house/apart.py", "5", "6", False),
        ("script.py", "f(1)", "f(2)", True),
        ("script.py", "used.f(1)", "used.f(\n    1\n)", False),
    ],
)
def test_only_a_change_of_what_is_reached_changes_the_digest(house, file, old, new, counts):
    assert house.counts(file, old, new) is counts


def test_a_digest_does_not_depend_on_where_the_files_lie(house, tmp_path):
    elsewhere = House(tmp_path / "elsewhere").lay(HOUSE)
    assert elsewhere.digest() == house.digest()


# ---- ways to reach a definition: the first 1 of a.py is edited ------------------------------------


def reaches(tmp_path, a, b, script="from house import b\nb.go()\n", **options):
    """Whether the 1 in `a` counts for a script that uses `b`."""
    files = {"script.py": script, "lib/house/__init__.py": "", "lock.txt": "numpy==2.0\n"}
    files |= {"lib/house/a.py": a, "lib/house/b.py": b}
    return House(tmp_path, **options).lay(files).counts("lib/house/a.py", "1", "2")


A = "def f():\n    return 1\n\ndef g():\n    return 7\n"
REACHING = {
    "a module's attribute": "from house import a\ndef go(): a.f()\n",
    "a name of a module": "from house.a import f\ndef go(): f()\n",
    "an alias": "from house import a as x\ndef go(): x.f()\n",
    "an alias of a name": "from house.a import f as x\ndef go(): x()\n",
    "a full name": "import house.a\ndef go(): house.a.f()\n",
    "a full name with an alias": "import house.a as x\ndef go(): x.f()\n",
    "a relative import": "from . import a\ndef go(): a.f()\n",
    "a relative import of a name": "from .a import f\ndef go(): f()\n",
    "an import inside a function": "def go():\n    from house import a\n    a.f()\n",
    "a name imported inside a function": "def go():\n    from house.a import f\n    f()\n",
    "a nested function": "from house import a\ndef go():\n    def h(): a.f()\n    h()\n",
    "a lambda": "from house import a\ngo = lambda: a.f()\n",
    "a comprehension": "from house import a\ndef go(): return [a.f() for _ in range(2)]\n",
    "the source of a comprehension": "from house.a import f\ndef go(): return [f for f in f()]\n",
    "a default": "from house import a\ndef go(x=a.f): x()\n",
    "a constant": "from house import a\nX = a.f\ndef go(): X()\n",
    "a table": "from house import a\nX = {'f': a.f}\ndef go(): X['f']()\n",
    "a method": "from house import a\nclass X:\n    def m(self): a.f()\ndef go(): X().m()\n",
    "a base": "from house import a\nclass Y(a.f): 0\ndef go(): Y\n",
    "a class attribute": "from house import a\nclass X:\n    m = a.f\ndef go(): X.m()\n",
    "a handler": "from house import a\ndef go():\n    try: pass\n    except a.f: pass\n",
    "a match": "from house import a\ndef go(x=0):\n    match x:\n        case a.f: pass\n",
    "a global that is set": "from house import a\nX = None\ndef go():\n    global X\n    X = a.f\n",
    "a conditional import": "try:\n    from house.a import f\nexcept ImportError:\n    f = None\ndef go(): f()\n",
    "a name bound twice": "from house import a\ndef go(): pass\nold = go\ndef go(): old(); a.f()\n",
    "an attribute that is set": "from house import a\nclass X: pass\nX.m = a.f\ndef go(): X.m()\n",
    "an attribute that is set from outside": "from house import a\nimport house\nhouse.m = a.f\ndef go(): 0\n",
    "a loop at import": "from house import a\nfor _ in '1': a.f()\ndef go(): 0\n",
    "a call at import": "from house import a\na.f()\ndef go(): 0\n",
    "a value that is called for at import": "from house import a\nX = a.f()\ndef go(): 0\n",
    "a default that is called for at import": "from house import a\ndef x(y=a.f()): 0\ndef go(): 0\n",
    "a decorator": "from house import a\n@a.f\ndef go(): 0\n",
    "a decorator elsewhere in the module": "from house import a\n@a.g\ndef x(): a.f()\ndef go(): 0\n",
    "getattr of a module": "from house import a\ndef go(x='f'): getattr(a, x)()\n",
    "a module as an argument": "from house import a\ndef go(): [m.f() for m in [a]]\n",
    "a module under another name": "from house import a\ndef go():\n    x = a\n    x.f()\n",
    "vars of a module": "from house import a\ndef go(): vars(a)['f']()\n",
    "a module's __dict__": "from house import a\ndef go(): a.__dict__['f']()\n",
    "globals": "from house.a import f\ndef go(x='f'): globals()[x]()\n",
    "eval": "from house.a import f\ndef go(x='f()'): eval(x)\n",
    "a star": "from house.a import *\ndef go(): f()\n",
    "a star, otherwise unused": "from house.a import *\ndef go(): 0\n",
    "an unknown name of a module": "from house import a\ndef go(): a.unknown()\n",
    "import_module of a text": "import importlib\ndef go(): importlib.import_module('house.a').f()\n",
    "import_module of a name": "import importlib\ndef go(x): importlib.import_module(x).f()\n",
    "import_module under its own name": "from importlib import import_module as i\ndef go(x): i(x).f()\n",
    "__import__": "def go(x): __import__(x)\n",
    "sys.modules of a text": "import sys\nfrom house import a\ndef go(): sys.modules['house.a'].f()\n",
    "sys.modules": "import sys\nfrom house import a\ndef go(x): sys.modules[x].f()\n",
    "pickle": "import pickle\ndef go(x): pickle.loads(x)\n",
}  # fmt: skip


@pytest.mark.parametrize("way", REACHING)
def test_a_definition_is_reached_by(tmp_path, way):
    assert reaches(tmp_path, A, REACHING[way])


@pytest.mark.parametrize(
    "text",
    [
        "from house import a\ndef go(): a.g()\n",
        "from house import a\ndef go(a): a.f()\n",
        "from house import a\ndef go():\n    a = 0\n    a.f()\n",
        "from house import a\ndef go(x): return [a.f for a in x]\n",
        "from house import a\ngo = lambda a: a.f()\n",
        "from house import a\ndef go(): 0\ndef unused(): a.f()\n",
        "from house import a\ndef go(x: a.f) -> a.f: 0\n",
        "from house import a\ndef go():\n    x: a.f = 0\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.a import f\ndef go(): 0\n",
        "from house import a\nimport functools\n@functools.cache\ndef unused(): a.f()\ndef go(): 0\n",
        "import importlib\ndef go(x): importlib.import_module(x)  # lineage: declared\n",
    ],
)  # fmt: skip
def test_a_definition_is_not_reached_by_a_name_that_is_not_its_own(tmp_path, text):
    assert not reaches(tmp_path, A, text)


@pytest.mark.parametrize(
    "a, b",
    [  # a dynamic attribute, a class with a say in its subclasses, subclasses by request
        ("def __getattr__(name):\n    return 1\n", "from house import a\ndef go(): a.anything\n"),
        ("class X:\n    def __init_subclass__(cls): print(1)\n", "from house import a\nclass Y(a.X): 0\ndef go(): 0\n"),
        (
            "class X: 0\nclass Y(X):\n    y = 1\n",
            "from house import a\ndef go():\n    for each in a.X.__subclasses__(): each()\n",
        ),
        ("from dataclasses import dataclass\n@dataclass\nclass X:\n    y: 'Y'\nclass Y:\n    z = 1\n",
         "from house import a\ndef go(): a.X\n"),
        ("from validating import check\nclass X:\n    y = 1\n@check\ndef f(x: X): 0\n",
         "from house import a\ndef go(): a.f(0)\n"),
        ("class X:\n    def m(self): return 1\nclass Y(X):\n    def k(self): 0\n",
         "from house import a\ndef go(): a.Y().m()\n"),
        ("x = []\nx.append(1)\n", "from house import a\ndef go(): a.x\n"),
        ("x = {}\nx['y'] = 1\n", "from house import a\ndef go(): 0\n"),
        ("x = 0\nx += 1\n", "from house import a\ndef go(): a.x\n"),
        ("def f(): return g()\ndef g(): return f() or 1\n", "from house import a\ndef go(): a.f()\n"),
        ("from house import b\ndef f(): b.go()\nx = 1\ndef h(): x\n", "from house import a\ndef go(): a.h()\n"),
    ],
)  # fmt: skip
def test_what_a_definition_rests_on_counts(tmp_path, a, b):
    assert reaches(tmp_path, a, b)


def test_a_package_hands_on_what_it_imports(tmp_path):
    files = {"lib/house/__init__.py": "from house.a import f as shown\n", "lib/house/a.py": A}
    script = {"script.py": "from house import shown\nshown()\n", "lock.txt": ""}
    assert House(tmp_path).lay(files | script).counts("lib/house/a.py", "1", "2")


def test_what_a_package_does_when_it_is_imported_counts(tmp_path):
    files = {"lib/house/__init__.py": "import os\nos.environ['X'] = '1'\n", "lib/house/a.py": A}
    script = {"script.py": "from house.a import g\ng()\n", "lock.txt": ""}
    assert House(tmp_path).lay(files | script).counts("lib/house/__init__.py", "1", "2")


def test_an_import_that_binds_another_thing_to_the_same_name_counts(house):
    house.lay({"script.py": "from house.deep import g as x, h as y\nx(1), y(2)\n"})
    assert house.counts("script.py", "g as x, h as y", "h as x, g as y")
    house.lay({"script.py": "from math import floor as x\nx(1)\n"})
    assert house.counts("script.py", "floor", "ceil")


def test_code_in_a_ring_of_imports_is_reached(tmp_path):
    a = "from house.b import go as x\nfrom house.b import f\n"
    b = "from house.a import f\ndef go(): f()\n"
    assert reaches(tmp_path, a + "def g(): 1\n", b) is False
    assert reaches(tmp_path, "from house import b\ndef f(): return b.h(), 1\n", b + "def h(): 0\n")


# ---- messages ------------------------------------------------------------------------------------

WORDS = """
import logging
import warnings

log = logging.getLogger(__name__)

def describe(x):
    return f"text {x}"

def f(x):
    log.info("text %s", x)
    logging.warning("text %s", describe(x))
    warnings.warn("text", stacklevel=2)
    if x < 0:
        raise ValueError(f"text {x} of {len(str(x))}: text")
    if x > 9:
        raise ValueError(describe(x))
    try:
        return 1 / x
    except ZeroDivisionError as error:
        reason = str(error)
        raise ValueError(f"text {reason}") from error
"""


def worded(tmp_path, text, use="from house import a\ndef go(): a.f(1)\n"):
    """The positions of `text` in the module at which another word changes the digest."""
    house = House(tmp_path).lay({
        "script.py": "from house import b\nb.go()\n", "lock.txt": "",
        "lib/house/__init__.py": "", "lib/house/a.py": text, "lib/house/b.py": use,
    })  # fmt: skip
    before, found = house.digest(), []
    for number, place in enumerate(re.finditer("text", text)):
        house.lay({"lib/house/a.py": text[: place.start()] + "word" + text[place.end() :]})
        if house.digest() != before:
            found.append(number)
    return found


def test_a_reworded_message_redoes_nothing(tmp_path):
    assert worded(tmp_path, WORDS) == [0]  # which a log takes from a function


def test_a_text_that_only_makes_an_error_redoes_nothing(tmp_path):
    assert worded(tmp_path, WORDS.replace('logging.warning("text %s", describe(x))', "")) == []


@pytest.mark.parametrize(
    "use",
    [
        "from house import a\ndef go():\n    try: a.f(1)\n    except ValueError as e: return str(e)\n",
        "import sys\nfrom house import a\ndef go(): a.f(1), sys.exc_info()\n",
        "import traceback\nfrom house import a\ndef go(): a.f(1), traceback.format_exc()\n",
        "from house import a\nclass C:\n    def __exit__(self, k, e, t): print(e)\ndef go(): a.f(1), C\n",
        "import warnings\nfrom house import a\ndef go(): warnings.filterwarnings('error', 'x'), a.f(1)\n",
        "from house import a\ndef go(future): a.f(1), future.exception()\n",
    ],
)  # fmt: skip
def test_messages_count_where_something_reads_them(tmp_path, use):
    assert len(worded(tmp_path, WORDS, use)) == len(re.findall("text", WORDS))


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    y = 'text'\n    raise ValueError(y)\n",
        "def f(log):\n    log.info('text')\n",
        "def f(x):\n    return ValueError('text')\n",
        "X = 'text'\ndef f(x):\n    if x != X: raise ValueError(X)\n",
    ],
)
def test_a_text_that_may_be_more_than_a_message_counts(tmp_path, text):
    assert worded(tmp_path, text) == [0]


def test_what_a_message_calls_on_its_way_counts(tmp_path):
    text = "import logging\ndef f(x):\n    logging.info('%s', x.pop())\n"
    house = House(tmp_path).lay({"script.py": text + "f([])\n", "lock.txt": "", "lib/x.py": ""})
    assert house.counts("script.py", "x.pop()", "x.clear()")


def test_docstrings_count_where_they_are_read(tmp_path):
    text = '"""text"""\ndef f(x):\n    print(__doc__)\n'
    assert worded(tmp_path, text.replace("print(__doc__)", "return 0")) == []
    house = House(tmp_path / "b").lay({"script.py": text, "lock.txt": "", "lib/x.py": ""})
    assert house.counts("script.py", "text", "word")


# ---- what a rule adds, files, libraries, what is set aside ---------------------------------------


def test_a_rule_adds_what_is_imported_by_name(house):
    assert not house.counts("lib/house/apart.py", "5", "6")
    assert house.counts("lib/house/apart.py", "5", "6", "house.apart:k")
    assert house.counts("lib/house/apart.py", "5", "6", "house.apart")
    assert not house.counts("lib/house/deep.py", "4", "6", "house.deep:g")
    assert house.counts("lib/house/deep.py", "4", "6", "house.deep")
    with pytest.raises(ValueError, match="house.deep has no z"):
        house.digest("house.deep:z")


def test_a_users_file_counts_whole_with_its_neighbours(house):
    house.lay({
        "own/mine.py": "import beside\nfrom house import deep\ndef columns(x): return beside.b() + deep.h(x)\n",
        "own/beside.py": "def b(): return 1\ndef c(): return 1\n",
    })  # fmt: skip
    assert house.digest("own/mine.py") != house.digest()
    assert house.counts("own/mine.py", "+", "-", "own/mine.py")
    assert not house.counts("own/mine.py", "def", "# a comment\ndef", "own/mine.py")
    assert house.counts("own/beside.py", "b(): return 1", "b(): return 2", "own/mine.py")
    assert not house.counts("own/beside.py", "c(): return 1", "c(): return 2", "own/mine.py")
    assert house.counts("lib/house/deep.py", "4", "6", "own/mine.py")


def test_our_code_comes_before_a_neighbour_of_its_name(house):
    house.lay({"house.py": "used = 1\n", "numpy.py": "x = 1\n"})
    assert not house.counts("house.py", "1", "2")


def test_a_library_that_is_named_counts_with_its_locked_version(house):
    house.lay({
        "script.py": "from house import used\nused.f(1)\n",
        "lib/house/used.py": "import numpy as np\nimport polars as pl\nimport yaml\nimport numba\nimport re\n"
        "def f(x):\n    return np.sum(x), numba.njit, re\n\ndef g(x):\n    return pl.col(x), yaml\n",
    })  # fmt: skip
    assert house.counts("lock.txt", "numpy==2.0", "numpy==2.1")
    assert house.counts("lock.txt", "llvmlite==0.5", "llvmlite==0.6")
    assert not house.counts("lock.txt", "polars==1.0", "polars==1.1")
    assert not house.counts("lock.txt", "PyYAML==6.0", "PyYAML==6.1")
    assert house.counts("lock.txt", "polars==1.0", "polars==1.1", "polars")


@pytest.mark.parametrize(
    "text",
    [
        "from pathlib import Path\nPAGE = Path(__file__).with_name('page.html')\n",
        "from importlib import resources\nPAGE = resources.files(__package__) / 'page.html'\n",
    ],
)
def test_files_beside_a_module_count_where_a_definition_asks_for_them(house, text):
    house.lay({
        "lib/house/page.html": "<p>1</p>", "lib/house/pages/a.html": "<p>1</p>",
        "lib/house/used.py": text + "def f(x): return PAGE\ndef g(x): return 1\n",
    })  # fmt: skip
    assert house.counts("lib/house/page.html", "1", "2")
    assert house.counts("lib/house/pages/a.html", "1", "2")
    house.lay({"script.py": "from house import used\nused.g(1)\n"})
    assert not house.counts("lib/house/page.html", "1", "2")


def test_what_is_set_aside_does_not_count(tmp_path):
    house = House(tmp_path, aside=["house.used.f"]).lay(HOUSE)
    assert not house.counts("lib/house/used.py", "STEP = 1", "STEP = 2")
    assert not house.counts("lib/house/deep.py", "2 * x", "3 * x")
    assert house.counts("script.py", "f(1)", "f(2)")


def test_a_decorator_counts_as_code_and_opens_its_module_unless_it_is_known(tmp_path):
    a = "def wrap(f):\n    print(1)\n    return f\n"
    b = "from house.a import wrap\n@wrap\ndef x(): return 7\ndef go(): 0\n"
    assert reaches(tmp_path, a, b)
    assert not reaches(tmp_path, a, b, harmless=["house.a.wrap"])
    assert reaches(tmp_path, a, b.replace("go(): 0", "go(): x()"), harmless=["house.a.wrap"])


# ---- the cache -----------------------------------------------------------------------------------


def test_a_cache_changes_no_digest(tmp_path):
    plain, cached = House(tmp_path).lay(HOUSE), House(tmp_path, cache=tmp_path / "c" / "cache")
    assert [cached.digest(), cached.digest()] == [plain.digest()] * 2
    assert (tmp_path / "c" / "cache").is_file()
    assert cached.counts("lib/house/deep.py", "2 * x", "3 * x")


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"edition": 1}', b"\xff"])
def test_a_damaged_cache_is_read_anew(tmp_path, damage):
    house = House(tmp_path, cache=tmp_path / "cache").lay(HOUSE)
    before = house.digest()
    (tmp_path / "cache").write_bytes(damage)
    assert house.digest() == before


def test_a_cache_that_cannot_be_written_is_none(tmp_path):
    house = House(tmp_path, cache=tmp_path / "script.py" / "cache").lay(HOUSE)
    assert house.digest() == House(tmp_path).digest()
