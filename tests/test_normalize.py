import datetime as dt

import numpy as np
import polars as pl
import pytest
from gogooku.normalize import cross_section, same_day
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

DAY = dt.date(2024, 1, 4)


def frame(*days):
    return pl.DataFrame(
        {
            "date": [DAY + dt.timedelta(i) for i, day in enumerate(days) for _ in day],
            "code": [f"{j}0000"[:5] for day in days for j, _ in enumerate(day)],
            "f": pl.Series([v for day in days for v in day], dtype=pl.Float32),
        }
    )


def test_zscore_is_the_textbooks_after_winsorising_like_numpy():
    x = np.random.default_rng(0).standard_t(2, (3, 501))
    x[1, :100] = np.nan
    made = cross_section(x, clip=0.01, method="zscore")
    for row, out in zip(x, made, strict=True):
        known = row[~np.isnan(row)]
        trimmed = np.clip(known, *np.quantile(known, [0.01, 0.99]))
        np.testing.assert_allclose(out[~np.isnan(row)], stats.zscore(trimmed), atol=1e-12)
        assert np.isnan(out[np.isnan(row)]).all()


def test_ranks_are_spread_evenly_and_ties_share_their_place():
    made = cross_section(np.array([[5.0, 1.0, np.nan, 5.0, 9.0]]), clip=0, method="rank")
    np.testing.assert_allclose(made, [[0, -1, np.nan, 0, 1]])


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(float, (1, 12), elements=st.integers(-50, 50) | st.just(float("nan"))),
    st.sampled_from(["zscore", "rank"]),
)
def test_scale_and_shift_of_a_day_do_not_matter(x, method):
    np.testing.assert_allclose(
        cross_section(8 * x - 16, clip=0.1, method=method),
        cross_section(x, clip=0.1, method=method),
        atol=1e-9,
    )


@pytest.mark.parametrize("method", ["zscore", "rank"])
def test_a_column_that_is_the_same_for_all_becomes_zero(method):
    made = cross_section(np.array([[0.1] * 7, [np.nan] * 6 + [3.0]]), clip=0.01, method=method)
    np.testing.assert_array_equal(made[0], np.zeros(7))
    np.testing.assert_array_equal(made[1], [np.nan] * 6 + [0])


@pytest.mark.parametrize("method", ["zscore", "rank"])
def test_a_day_is_untouched_by_other_days(method):
    rng = np.random.default_rng(1)
    first, second, other = rng.standard_normal((3, 40)).tolist()
    alone = same_day(frame(first), ["f"], clip=0.01, method=method)
    assert same_day(frame(first, second), ["f"], clip=0.01, method=method)[:40].equals(alone)
    assert same_day(frame(first, other), ["f"], clip=0.01, method=method)[:40].equals(alone)


def test_null_stays_null_and_keys_stay():
    made = same_day(frame([1.0, None, 3.0]), ["f"], clip=0, method="zscore")
    assert made["f"].to_list() == pytest.approx([-1, None, 1])
    assert made.select("date", "code").equals(frame([1, 2, 3]).select("date", "code"))
    assert made["f"].dtype == pl.Float32
