"""Kernels are compiled before any job runs, and again when what they are made of changes."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import compile_kernels
import numpy as np
import pytest
from gogooku.arrays import cross_section, indicators, jit, time_series, windows


def test_the_made_up_panel_reaches_every_kernel():
    assert compile_kernels.compile_all() > 15


def test_every_file_with_kernels_is_among_those_that_are_compiled():
    with_kernels = {
        path.stem for path in Path(jit.__file__).parents[1].rglob("*.py")
        if "\n@kernel\n" in path.read_text()
    }  # fmt: skip
    compile_kernels.compile_all()
    known = {kernel.py_func.__module__.split(".")[-1] for kernel in compile_kernels.kernels()}
    assert with_kernels <= known, with_kernels - known


def _lost(x):
    return x[0]


def test_a_kernel_that_nothing_reaches_is_named(monkeypatch):
    monkeypatch.setattr(_lost, "__module__", "gogooku.arrays.windows")
    monkeypatch.setattr(jit, "KERNELS", [*jit.KERNELS])
    jit.kernel(_lost)
    with pytest.raises(ValueError, match="gogooku.arrays.windows._lost"):
        compile_kernels.compile_all()


def test_a_kernel_is_made_of_its_own_file_alone():
    """Numba keeps what it compiled until that file changes, whatever becomes of others."""
    assert len(compile_kernels.kernels()) > 40
    for kernel in compile_kernels.kernels():
        ours = _imported_of_ours(ast.parse(inspect.getsource(inspect.getmodule(kernel.py_func))))
        names = set(kernel.py_func.__code__.co_names)
        assert not ours & names, compile_kernels.name_of(kernel)


def _imported_of_ours(tree):
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if node.module.startswith("gogooku")]
    return {alias.asname or alias.name for node in ours for alias in node.names}


def test_what_a_kernel_takes_from_other_files_is_found():
    tree = ast.parse(
        "from gogooku.arrays.windows import enough as few\nfrom gogooku.arrays import ranks\n"
    )
    assert _imported_of_ours(tree) == {"few", "ranks"}


def test_arrays_that_are_read_only_need_no_code_of_their_own():
    compile_kernels.compile_all()
    before = _codes()
    x = np.random.default_rng(0).random((80, 4))
    x.flags.writeable = False
    members = np.ones(x.shape, bool)
    for made in (time_series.ts_ema, time_series.ts_wilder):
        made(x, 5)
    for name in "sum mean max skew_kurt zscore".split():
        getattr(time_series, f"ts_{name}")(x, 5, 4)
    time_series.ts_std(x, 5, 4, 1)
    time_series.ts_corr(x, x, 5, 4)
    windows.Rolling(x, means=(5,), minima=(5,)).mean_deviation(5)
    windows.path_zscore(x, 5, 4)
    indicators.rsi(x, 5)
    indicators.directional(x, x, x, 5)
    indicators.mfi(x, x, x, x, 5)
    cross_section.group_zscore(x, members.astype(int), members, 2)
    assert _codes() == before


def _codes():
    """Count what is compiled of each kernel; several modules have one of the same name."""
    made = compile_kernels.kernels()
    return {compile_kernels.name_of(kernel): len(kernel.signatures) for kernel in made}


def _in_a_new_python(text):
    done = subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, "PYTHONPATH": str(Path(jit.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


CALL = (
    "import sys, numpy as np; from gogooku.arrays import time_series; "
    "one = time_series.ts_mean(np.eye(2), 1, 1); "
)


def test_a_job_loads_no_linear_algebra_to_call_a_kernel():
    assert _in_a_new_python(CALL + "print('scipy.linalg' in sys.modules)") == "False"


def test_what_users_compile_can_still_multiply_matrices():
    dot = "from numba import njit; print(njit(lambda x: x @ x)(one).tolist())"
    assert _in_a_new_python(CALL + dot) == "[[1.0, 0.0], [0.0, 1.0]]"
