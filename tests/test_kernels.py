"""Kernels are compiled before any job runs."""

import pytest
from gogooku import kernels, rolling


def test_the_made_up_panel_reaches_every_kernel():
    assert kernels.compile_all() > 25


def test_a_kernel_that_nothing_reaches_is_told(monkeypatch):
    lost = rolling.kernel(rolling._add.py_func)
    monkeypatch.setattr(rolling, "_lost", lost, raising=False)
    with pytest.raises(ValueError, match="gogooku.rolling._lost"):
        kernels.compile_all()
