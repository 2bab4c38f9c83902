"""Ranks and quantiles agree with scipy and numpy, whatever the bits of the numbers."""

import numpy as np
import pytest
from gogooku.arrays.ranks import mean_ranks, quantile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

TYPES = [np.float32, np.float64]


def rows(dtype):
    width = 8 * np.dtype(dtype).itemsize
    wide = st.floats(width=width, allow_infinity=False, allow_nan=True)
    return hnp.arrays(dtype, (2, 17), elements=wide | st.sampled_from([0.0, -0.0, 1.0]))


@pytest.mark.parametrize("dtype", TYPES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_ranks_are_scipys(dtype, data):
    x = data.draw(rows(dtype))
    ranks, known = mean_ranks(x)
    np.testing.assert_array_equal(ranks, stats.rankdata(x, axis=1, nan_policy="omit"))
    np.testing.assert_array_equal(known[:, 0], np.isfinite(x).sum(axis=1))


@pytest.mark.parametrize("dtype", TYPES)
def test_ranks_of_many_values_are_scipys(dtype):
    rng = np.random.default_rng(0)
    x = np.stack([rng.standard_cauchy(5000), rng.integers(0, 9, 5000)]).astype(dtype)
    np.testing.assert_array_equal(mean_ranks(x)[0], stats.rankdata(x, axis=1))


def test_what_is_not_finite_has_no_rank():
    ranks, known = mean_ranks(np.array([[np.inf, 2.0, np.nan, 1.0]]))
    np.testing.assert_array_equal(ranks, [[np.nan, 2, np.nan, 1]])
    assert known.tolist() == [[2]]
    assert mean_ranks(np.empty((3, 0)))[0].shape == (3, 0)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 2500])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.77, 1])
@pytest.mark.parametrize("draw", ["standard_normal", "standard_cauchy", "random", "ties"])
def test_quantiles_are_numpys(size, share, draw):
    rng = np.random.default_rng(size)
    x = rng.integers(-2, 2, size) if draw == "ties" else getattr(rng, draw)(size)
    x = x.astype(np.float32)
    found = quantile(np.sort(x), share)
    assert found == pytest.approx(np.quantile(x.astype(float), share), rel=1e-6, abs=1e-6)
