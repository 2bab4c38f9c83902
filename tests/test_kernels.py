"""Kernels are compiled before any job runs."""

import pytest
from gogooku import kernels, ops, rolling


def test_the_made_up_panel_reaches_every_kernel():
    assert kernels.compile_all() > 25


def _lost(x, out):
    out[0] = x[0]


@pytest.mark.parametrize("make", [rolling.kernel, ops.Cells])
def test_a_kernel_that_nothing_reaches_is_told(monkeypatch, make):
    monkeypatch.setattr(_lost, "__module__", "gogooku.rolling")
    monkeypatch.setattr(rolling, "_lost", make(_lost), raising=False)
    with pytest.raises(ValueError, match="gogooku.rolling._lost"):
        kernels.compile_all()
