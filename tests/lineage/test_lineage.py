"""A stage's code is the definitions that it reaches; where that cannot be read, more counts."""

# ruff: noqa: E501 - a small module in one line

import re

import pytest
from lineage.reach import Code

LAID = {
    "script.py": "from checkout import used\n\nused.f(1)\n",
    "lib/checkout/__init__.py": '"""A checkout."""\n',
    "lib/checkout/used.py": (
        "from checkout import deep\n\nSTEP = 1\nOTHER = 3\n\n"
        "def f(x):\n    return deep.g(x) + STEP\n\n"
        "def unused():\n    return OTHER\n"
    ),
    "lib/checkout/deep.py": "def g(x):\n    return 2 * x\n\ndef h(x):\n    return 4 * x\n",
    "lib/checkout/apart.py": "def k():\n    return 5\n",
    "lock.txt": "# pins\nnumpy==2.0\npolars==1.0\nPyYAML==6.0\nnumba==0.6\nllvmlite==0.5\n",
}


class Checkout:
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
def checkout(tmp_path):
    return Checkout(tmp_path).lay(LAID)


@pytest.mark.parametrize(
    "file, old, new, counts",
    [
        ("lib/checkout/deep.py", "def g", "# a comment\ndef g", False),
        ("lib/checkout/deep.py", "def g(x):\n", 'def g(x):\n    """Doubles."""\n', False),
        ("lib/checkout/deep.py", "2 * x", "3 * x", True),
        ("lib/checkout/deep.py", "4 * x", "3 * x", False),
        ("lib/checkout/used.py", "STEP = 1", "STEP = 2", True),
        ("lib/checkout/used.py", "OTHER = 3", "OTHER = 4", False),
        ("lib/checkout/used.py", "STEP = 1", "NEW = 7\nSTEP = 1", False),
        ("lib/checkout/used.py", "deep.g(x)", "deep.h(x)", True),
        ("lib/checkout/apart.py", "5", "6", False),
        ("script.py", "f(1)", "f(2)", True),
        ("script.py", "used.f(1)", "used.f(\n    1\n)", False),
    ],
)
def test_only_a_change_of_what_is_reached_changes_the_digest(checkout, file, old, new, counts):
    assert checkout.counts(file, old, new) is counts


def test_a_digest_does_not_depend_on_where_the_files_lie(checkout, tmp_path):
    elsewhere = Checkout(tmp_path / "elsewhere").lay(LAID)
    assert elsewhere.digest() == checkout.digest()


# ---- ways to reach a definition: the first 1 of a.py is edited ------------------------------------


def reaches(tmp_path, a, b, script="from checkout import b\nb.go()\n", **options):
    """Whether the 1 in `a` counts for a script that uses `b`."""
    files = {"script.py": script, "lib/checkout/__init__.py": "", "lock.txt": "numpy==2.0\n"}
    files |= {"lib/checkout/a.py": a, "lib/checkout/b.py": b}
    return Checkout(tmp_path, **options).lay(files).counts("lib/checkout/a.py", "1", "2")


A = "def f():\n    return 1\n\ndef g():\n    return 7\n"
REACHING = {
    "a module's attribute": "from checkout import a\ndef go(): a.f()\n",
    "a name of a module": "from checkout.a import f\ndef go(): f()\n",
    "an alias": "from checkout import a as x\ndef go(): x.f()\n",
    "an alias of a name": "from checkout.a import f as x\ndef go(): x()\n",
    "a full name": "import checkout.a\ndef go(): checkout.a.f()\n",
    "a full name with an alias": "import checkout.a as x\ndef go(): x.f()\n",
    "a relative import": "from . import a\ndef go(): a.f()\n",
    "a relative import of a name": "from .a import f\ndef go(): f()\n",
    "an import inside a function": "def go():\n    from checkout import a\n    a.f()\n",
    "a name imported inside a function": "def go():\n    from checkout.a import f\n    f()\n",
    "a nested function": "from checkout import a\ndef go():\n    def h(): a.f()\n    h()\n",
    "a lambda": "from checkout import a\ngo = lambda: a.f()\n",
    "a comprehension": "from checkout import a\ndef go(): return [a.f() for _ in range(2)]\n",
    "the source of a comprehension": "from checkout.a import f\ndef go(): return [f for f in f()]\n",
    "a default": "from checkout import a\ndef go(x=a.f): x()\n",
    "a constant": "from checkout import a\nX = a.f\ndef go(): X()\n",
    "a table": "from checkout import a\nX = {'f': a.f}\ndef go(): X['f']()\n",
    "a method": "from checkout import a\nclass X:\n    def m(self): a.f()\ndef go(): X().m()\n",
    "a base": "from checkout import a\nclass Y(a.f): 0\ndef go(): Y\n",
    "a class attribute": "from checkout import a\nclass X:\n    m = a.f\ndef go(): X.m()\n",
    "a handler": "from checkout import a\ndef go():\n    try: pass\n    except a.f: pass\n",
    "a match": "from checkout import a\ndef go(x=0):\n    match x:\n        case a.f: pass\n",
    "a global that is set": "from checkout import a\nX = None\ndef go():\n    global X\n    X = a.f\n",
    "a conditional import": "try:\n    from checkout.a import f\nexcept ImportError:\n    f = None\ndef go(): f()\n",
    "a name bound twice": "from checkout import a\ndef go(): pass\nold = go\ndef go(): old(); a.f()\n",
    "an attribute that is set": "from checkout import a\nclass X: pass\nX.m = a.f\ndef go(): X.m()\n",
    "an attribute that is set from outside": "from checkout import a\nimport checkout\ncheckout.m = a.f\ndef go(): 0\n",
    "a loop at import": "from checkout import a\nfor _ in '1': a.f()\ndef go(): 0\n",
    "a call at import": "from checkout import a\na.f()\ndef go(): 0\n",
    "a value that is called for at import": "from checkout import a\nX = a.f()\ndef go(): 0\n",
    "a default that is called for at import": "from checkout import a\ndef x(y=a.f()): 0\ndef go(): 0\n",
    "a decorator": "from checkout import a\n@a.f\ndef go(): 0\n",
    "a decorator elsewhere in the module": "from checkout import a\n@a.g\ndef x(): a.f()\ndef go(): 0\n",
    "getattr of a module": "from checkout import a\ndef go(x='f'): getattr(a, x)()\n",
    "a module as an argument": "from checkout import a\ndef go(): [m.f() for m in [a]]\n",
    "a module under another name": "from checkout import a\ndef go():\n    x = a\n    x.f()\n",
    "vars of a module": "from checkout import a\ndef go(): vars(a)['f']()\n",
    "a module's __dict__": "from checkout import a\ndef go(): a.__dict__['f']()\n",
    "globals": "from checkout.a import f\ndef go(x='f'): globals()[x]()\n",
    "eval": "from checkout.a import f\ndef go(x='f()'): eval(x)\n",
    "a star": "from checkout.a import *\ndef go(): f()\n",
    "a star, otherwise unused": "from checkout.a import *\ndef go(): 0\n",
    "an unknown name of a module": "from checkout import a\ndef go(): a.unknown()\n",
    "import_module of a text": "import importlib\ndef go(): importlib.import_module('checkout.a').f()\n",
    "import_module of a name": "import importlib\ndef go(x): importlib.import_module(x).f()\n",
    "import_module under its own name": "from importlib import import_module as i\ndef go(x): i(x).f()\n",
    "__import__": "def go(x): __import__(x)\n",
    "sys.modules of a text": "import sys\nfrom checkout import a\ndef go(): sys.modules['checkout.a'].f()\n",
    "sys.modules": "import sys\nfrom checkout import a\ndef go(x): sys.modules[x].f()\n",
    "pickle": "import pickle\ndef go(x): pickle.loads(x)\n",
}  # fmt: skip


@pytest.mark.parametrize("way", REACHING)
def test_a_definition_is_reached_by(tmp_path, way):
    assert reaches(tmp_path, A, REACHING[way])


@pytest.mark.parametrize(
    "text",
    [
        "from checkout import a\ndef go(): a.g()\n",
        "from checkout import a\ndef go(a): a.f()\n",
        "from checkout import a\ndef go():\n    a = 0\n    a.f()\n",
        "from checkout import a\ndef go(x): return [a.f for a in x]\n",
        "from checkout import a\ngo = lambda a: a.f()\n",
        "from checkout import a\ndef go(): 0\ndef unused(): a.f()\n",
        "from checkout import a\ndef go(x: a.f) -> a.f: 0\n",
        "from checkout import a\ndef go():\n    x: a.f = 0\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from checkout.a import f\ndef go(): 0\n",
        "from checkout import a\nimport functools\n@functools.cache\ndef unused(): a.f()\ndef go(): 0\n",
        "import importlib\ndef go(x): importlib.import_module(x)  # lineage: declared\n",
    ],
)  # fmt: skip
def test_a_definition_is_not_reached_by_a_name_that_is_not_its_own(tmp_path, text):
    assert not reaches(tmp_path, A, text)


@pytest.mark.parametrize(
    "a, b",
    [  # a dynamic attribute, a class with a say in its subclasses, subclasses by request
        ("def __getattr__(name):\n    return 1\n", "from checkout import a\ndef go(): a.anything\n"),
        ("class X:\n    def __init_subclass__(cls): print(1)\n", "from checkout import a\nclass Y(a.X): 0\ndef go(): 0\n"),
        (
            "class X: 0\nclass Y(X):\n    y = 1\n",
            "from checkout import a\ndef go():\n    for each in a.X.__subclasses__(): each()\n",
        ),
        ("from dataclasses import dataclass\n@dataclass\nclass X:\n    y: 'Y'\nclass Y:\n    z = 1\n",
         "from checkout import a\ndef go(): a.X\n"),
        ("from validating import check\nclass X:\n    y = 1\n@check\ndef f(x: X): 0\n",
         "from checkout import a\ndef go(): a.f(0)\n"),
        ("class X:\n    def m(self): return 1\nclass Y(X):\n    def k(self): 0\n",
         "from checkout import a\ndef go(): a.Y().m()\n"),
        ("x = []\nx.append(1)\n", "from checkout import a\ndef go(): a.x\n"),
        ("x = {}\nx['y'] = 1\n", "from checkout import a\ndef go(): 0\n"),
        ("x = 0\nx += 1\n", "from checkout import a\ndef go(): a.x\n"),
        ("def f(): return g()\ndef g(): return f() or 1\n", "from checkout import a\ndef go(): a.f()\n"),
        ("from checkout import b\ndef f(): b.go()\nx = 1\ndef h(): x\n", "from checkout import a\ndef go(): a.h()\n"),
    ],
)  # fmt: skip
def test_what_a_definition_rests_on_counts(tmp_path, a, b):
    assert reaches(tmp_path, a, b)


def test_a_package_hands_on_what_it_imports(tmp_path):
    files = {
        "lib/checkout/__init__.py": "from checkout.a import f as shown\n",
        "lib/checkout/a.py": A,
    }
    script = {"script.py": "from checkout import shown\nshown()\n", "lock.txt": ""}
    assert Checkout(tmp_path).lay(files | script).counts("lib/checkout/a.py", "1", "2")


def test_what_a_package_does_when_it_is_imported_counts(tmp_path):
    files = {
        "lib/checkout/__init__.py": "import os\nos.environ['X'] = '1'\n",
        "lib/checkout/a.py": A,
    }
    script = {"script.py": "from checkout.a import g\ng()\n", "lock.txt": ""}
    assert Checkout(tmp_path).lay(files | script).counts("lib/checkout/__init__.py", "1", "2")


def test_an_import_that_binds_another_thing_to_the_same_name_counts(checkout):
    checkout.lay({"script.py": "from checkout.deep import g as x, h as y\nx(1), y(2)\n"})
    assert checkout.counts("script.py", "g as x, h as y", "h as x, g as y")
    checkout.lay({"script.py": "from math import floor as x\nx(1)\n"})
    assert checkout.counts("script.py", "floor", "ceil")


def test_code_in_a_ring_of_imports_is_reached(tmp_path):
    a = "from checkout.b import go as x\nfrom checkout.b import f\n"
    b = "from checkout.a import f\ndef go(): f()\n"
    assert reaches(tmp_path, a + "def g(): 1\n", b) is False
    assert reaches(
        tmp_path, "from checkout import b\ndef f(): return b.h(), 1\n", b + "def h(): 0\n"
    )


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


def worded(tmp_path, text, use="from checkout import a\ndef go(): a.f(1)\n"):
    """The positions of `text` in the module at which another word changes the digest."""
    checkout = Checkout(tmp_path).lay({
        "script.py": "from checkout import b\nb.go()\n", "lock.txt": "",
        "lib/checkout/__init__.py": "", "lib/checkout/a.py": text, "lib/checkout/b.py": use,
    })  # fmt: skip
    before, found = checkout.digest(), []
    for number, place in enumerate(re.finditer("text", text)):
        checkout.lay({"lib/checkout/a.py": text[: place.start()] + "word" + text[place.end() :]})
        if checkout.digest() != before:
            found.append(number)
    return found


def test_a_reworded_message_redoes_nothing(tmp_path):
    assert worded(tmp_path, WORDS) == [0]  # which a log takes from a function


def test_a_text_that_only_makes_an_error_redoes_nothing(tmp_path):
    assert worded(tmp_path, WORDS.replace('logging.warning("text %s", describe(x))', "")) == []


@pytest.mark.parametrize(
    "use",
    [
        "from checkout import a\ndef go():\n    try: a.f(1)\n    except ValueError as e: return str(e)\n",
        "import sys\nfrom checkout import a\ndef go(): a.f(1), sys.exc_info()\n",
        "import traceback\nfrom checkout import a\ndef go(): a.f(1), traceback.format_exc()\n",
        "from checkout import a\nclass C:\n    def __exit__(self, k, e, t): print(e)\ndef go(): a.f(1), C\n",
        "import warnings\nfrom checkout import a\ndef go(): warnings.filterwarnings('error', 'x'), a.f(1)\n",
        "from checkout import a\ndef go(future): a.f(1), future.exception()\n",
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
    checkout = Checkout(tmp_path).lay(
        {"script.py": text + "f([])\n", "lock.txt": "", "lib/x.py": ""}
    )
    assert checkout.counts("script.py", "x.pop()", "x.clear()")


def test_docstrings_count_where_they_are_read(tmp_path):
    text = '"""text"""\ndef f(x):\n    print(__doc__)\n'
    assert worded(tmp_path, text.replace("print(__doc__)", "return 0")) == []
    checkout = Checkout(tmp_path / "b").lay({"script.py": text, "lock.txt": "", "lib/x.py": ""})
    assert checkout.counts("script.py", "text", "word")


# ---- what a rule adds, files, libraries, what is set aside ---------------------------------------


def test_a_rule_adds_what_is_imported_by_name(checkout):
    assert not checkout.counts("lib/checkout/apart.py", "5", "6")
    assert checkout.counts("lib/checkout/apart.py", "5", "6", "checkout.apart:k")
    assert checkout.counts("lib/checkout/apart.py", "5", "6", "checkout.apart")
    assert not checkout.counts("lib/checkout/deep.py", "4", "6", "checkout.deep:g")
    assert checkout.counts("lib/checkout/deep.py", "4", "6", "checkout.deep")
    with pytest.raises(ValueError, match="checkout.deep has no z"):
        checkout.digest("checkout.deep:z")


def test_a_users_file_counts_whole_with_its_neighbours(checkout):
    checkout.lay({
        "own/mine.py": "import beside\nfrom checkout import deep\ndef columns(x): return beside.b() + deep.h(x)\n",
        "own/beside.py": "def b(): return 1\ndef c(): return 1\n",
    })  # fmt: skip
    assert checkout.digest("own/mine.py") != checkout.digest()
    assert checkout.counts("own/mine.py", "+", "-", "own/mine.py")
    assert not checkout.counts("own/mine.py", "def", "# a comment\ndef", "own/mine.py")
    assert checkout.counts("own/beside.py", "b(): return 1", "b(): return 2", "own/mine.py")
    assert not checkout.counts("own/beside.py", "c(): return 1", "c(): return 2", "own/mine.py")
    assert checkout.counts("lib/checkout/deep.py", "4", "6", "own/mine.py")


def test_our_code_comes_before_a_neighbour_of_its_name(checkout):
    checkout.lay({"checkout.py": "used = 1\n", "numpy.py": "x = 1\n"})
    assert not checkout.counts("checkout.py", "1", "2")


def test_a_library_that_is_named_counts_with_its_locked_version(checkout):
    checkout.lay({
        "script.py": "from checkout import used\nused.f(1)\n",
        "lib/checkout/used.py": "import numpy as np\nimport polars as pl\nimport yaml\nimport numba\nimport re\n"
        "def f(x):\n    return np.sum(x), numba.njit, re\n\ndef g(x):\n    return pl.col(x), yaml\n",
    })  # fmt: skip
    assert checkout.counts("lock.txt", "numpy==2.0", "numpy==2.1")
    assert checkout.counts("lock.txt", "llvmlite==0.5", "llvmlite==0.6")
    assert not checkout.counts("lock.txt", "polars==1.0", "polars==1.1")
    assert not checkout.counts("lock.txt", "PyYAML==6.0", "PyYAML==6.1")
    assert checkout.counts("lock.txt", "polars==1.0", "polars==1.1", "polars")


@pytest.mark.parametrize(
    "text",
    [
        "from pathlib import Path\nPAGE = Path(__file__).with_name('page.html')\n",
        "from importlib import resources\nPAGE = resources.files(__package__) / 'page.html'\n",
    ],
)
def test_files_beside_a_module_count_where_a_definition_asks_for_them(checkout, text):
    checkout.lay({
        "lib/checkout/page.html": "<p>1</p>", "lib/checkout/pages/a.html": "<p>1</p>",
        "lib/checkout/used.py": text + "def f(x): return PAGE\ndef g(x): return 1\n",
    })  # fmt: skip
    assert checkout.counts("lib/checkout/page.html", "1", "2")
    assert checkout.counts("lib/checkout/pages/a.html", "1", "2")
    checkout.lay({"script.py": "from checkout import used\nused.g(1)\n"})
    assert not checkout.counts("lib/checkout/page.html", "1", "2")


def test_what_is_set_aside_does_not_count(tmp_path):
    checkout = Checkout(tmp_path, aside=["checkout.used.f"]).lay(LAID)
    assert not checkout.counts("lib/checkout/used.py", "STEP = 1", "STEP = 2")
    assert not checkout.counts("lib/checkout/deep.py", "2 * x", "3 * x")
    assert checkout.counts("script.py", "f(1)", "f(2)")


def test_a_decorator_counts_as_code_and_opens_its_module_unless_it_is_known(tmp_path):
    a = "def wrap(f):\n    print(1)\n    return f\n"
    b = "from checkout.a import wrap\n@wrap\ndef x(): return 7\ndef go(): 0\n"
    assert reaches(tmp_path, a, b)
    assert not reaches(tmp_path, a, b, harmless=["checkout.a.wrap"])
    assert reaches(tmp_path, a, b.replace("go(): 0", "go(): x()"), harmless=["checkout.a.wrap"])


# ---- the cache -----------------------------------------------------------------------------------


def test_a_cache_changes_no_digest(tmp_path):
    plain, cached = Checkout(tmp_path).lay(LAID), Checkout(tmp_path, cache=tmp_path / "c" / "cache")
    assert [cached.digest(), cached.digest()] == [plain.digest()] * 2
    assert (tmp_path / "c" / "cache").is_file()
    assert cached.counts("lib/checkout/deep.py", "2 * x", "3 * x")


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"edition": 1}', b"\xff"])
def test_a_damaged_cache_is_read_anew(tmp_path, damage):
    checkout = Checkout(tmp_path, cache=tmp_path / "cache").lay(LAID)
    before = checkout.digest()
    (tmp_path / "cache").write_bytes(damage)
    assert checkout.digest() == before


def test_a_cache_that_cannot_be_written_is_none(tmp_path):
    checkout = Checkout(tmp_path, cache=tmp_path / "script.py" / "cache").lay(LAID)
    assert checkout.digest() == Checkout(tmp_path).digest()
