"""A value becomes its place among the stocks of its own day, and of no other day."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from gogooku.dataset.normalize import FEWEST_PEERS, METHODS, same_day, scores
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

DAY = dt.date(2024, 1, 4)
every_method = pytest.mark.parametrize("method", METHODS)


def frame(*days):
    return pl.DataFrame(
        {
            "date": [DAY + dt.timedelta(i) for i, day in enumerate(days) for _ in day],
            "code": [f"{j}0000"[:5] for day in days for j, _ in enumerate(day)],
            "f": pl.Series([v for day in days for v in day], dtype=pl.Float32),
        }
    )


def one_day(x, method, clip=0.0):
    """Scores of one day's values."""
    return scores(np.asarray(x, np.float32), np.array([0, len(x)]), clip=clip, method=method)


def robust(x):
    spread = stats.median_abs_deviation(x, scale="normal")
    return (x - np.median(x)) / spread


ORACLES = {
    "zscore": stats.zscore,
    "robust": robust,
    "rank": lambda x: 2 * (stats.rankdata(x) - 1) / (len(x) - 1) - 1,
    "rank_normal": lambda x: stats.norm.ppf(stats.rankdata(x) / (len(x) + 1)),
}


@every_method
@pytest.mark.parametrize("clip", [0, 0.01, 0.2])
@pytest.mark.parametrize("size", [40, 501, 3000])
def test_scores_are_the_textbooks_after_winsorising_like_numpy(method, clip, size):
    x = np.random.default_rng(size).standard_t(2, size).astype(np.float32)
    x[::7] = np.round(x[::7])  # ties
    x[::9] = np.nan
    known = x[~np.isnan(x)].astype(float)
    trimmed = np.clip(known, *np.quantile(known, [clip, 1 - clip]).astype(np.float32))
    made = one_day(x, method, clip)
    np.testing.assert_allclose(made[~np.isnan(x)], ORACLES[method](trimmed), rtol=3e-5, atol=3e-6)
    assert np.isnan(made[np.isnan(x)]).all()


def test_ranks_are_spread_evenly_and_ties_share_their_place():
    assert one_day([5, 1, np.nan, 5, 9], "rank").tolist()[:2] == [0, -1]
    np.testing.assert_array_equal(one_day([5, 1, np.nan, 5, 9], "rank"), [0, -1, np.nan, 0, 1])
    assert one_day([0.0, -0.0, 1.0], "rank").tolist() == [-0.5, -0.5, 1]


def test_a_robust_score_of_mostly_equal_values_falls_back_on_the_mean_deviation():
    made = one_day([0, 0, 0, 0, 8], "robust")
    np.testing.assert_allclose(made, [0, 0, 0, 0, 8 / (1.2533141 * 8 / 5)], rtol=1e-6)


VALUES = st.integers(-50, 50) | st.just(float("nan"))


@every_method
@settings(max_examples=40, deadline=None)
@given(x=hnp.arrays(np.float32, 12, elements=VALUES))
def test_scale_and_shift_of_a_day_do_not_matter(method, x):
    moved = one_day(8 * x - 16, method, 0.1)
    np.testing.assert_allclose(moved, one_day(x, method, 0.1), atol=2e-6)


@every_method
@settings(max_examples=40, deadline=None)
@given(x=hnp.arrays(np.float32, 12, elements=VALUES), order=st.permutations(range(12)))
def test_the_order_of_stocks_does_not_matter(method, x, order):
    mixed = one_day(x[order], method, 0.1)
    np.testing.assert_allclose(mixed, one_day(x, method, 0.1)[order], atol=2e-6)


@every_method
@settings(max_examples=40, deadline=None)
@given(x=hnp.arrays(np.float32, 30, elements=VALUES))
def test_a_higher_value_never_scores_lower(method, x):
    made = one_day(x, method, 0.1)
    known = np.isfinite(x)
    ascending = np.argsort(x[known], kind="stable")
    assert (np.diff(made[known][ascending]) >= -1e-6).all()


@every_method
def test_a_column_that_is_the_same_for_all_becomes_zero(method):
    assert one_day([0.1] * 7, method, 0.01).tolist() == [0] * 7
    np.testing.assert_array_equal(one_day([np.nan] * 6 + [3.0], method), [np.nan] * 6 + [0])


@every_method
def test_an_infinite_value_is_none_and_moves_no_other(method):
    x = np.random.default_rng(3).standard_normal(50).astype(np.float32)
    made = one_day(np.append(x, [np.inf, -np.inf]), method, 0.05)
    np.testing.assert_array_equal(made[:50], one_day(x, method, 0.05))
    assert np.isnan(made[50:]).all()


@every_method
def test_a_day_is_untouched_by_other_days(method):
    rng = np.random.default_rng(1)
    first, second, other = rng.standard_normal((3, 40)).tolist()
    alone = same_day(frame(first), ["f"], clip=0.01, method=method)
    assert same_day(frame(first, second), ["f"], clip=0.01, method=method)[:40].equals(alone)
    assert same_day(frame(first, other), ["f"], clip=0.01, method=method)[:40].equals(alone)
    assert same_day(frame(second, first), ["f"], clip=0.01, method=method)["f"][40:].equals(
        alone["f"]
    )


def test_null_stays_null_and_keys_stay():
    made = same_day(frame([1.0, None, 3.0]), ["f"], clip=0, method="zscore")
    assert made["f"].to_list() == pytest.approx([-1, None, 1])
    assert made.select("date", "code").equals(frame([1, 2, 3]).select("date", "code"))
    assert made["f"].dtype == pl.Float32


def test_no_column_and_no_row_are_no_trouble():
    assert same_day(frame([1.0]), [], clip=0, method="rank").equals(frame([1.0]))
    empty = frame([1.0])[:0]
    assert same_day(empty, ["f"], clip=0.1, method="rank_normal").equals(empty)


def test_rows_out_of_order_are_refused():
    with pytest.raises(ValueError, match="sorted by date"):
        same_day(frame([1.0], [2.0])[::-1], ["f"], clip=0, method="zscore")


def test_within_its_sector_a_stock_meets_its_peers_alone():
    big, small = FEWEST_PEERS, FEWEST_PEERS - 1
    values = [*range(big), *range(100, 100 + small), 500.0]
    sectors = pl.Series(["A"] * big + ["B"] * small + [None])
    made = same_day(frame(values), ["f"], clip=0, method="rank", sectors=sectors)["f"]
    assert made[:big].to_list() == pytest.approx(np.linspace(-1, 1, big).tolist(), abs=1e-6)
    market = same_day(frame(values), ["f"], clip=0, method="rank")["f"]
    assert made[big:].equals(market[big:])


def test_a_sector_is_that_of_the_day_and_needs_known_peers():
    values = [*range(12), *[1.0, None] * 6]
    made = same_day(
        frame(values[:12], values[12:]),
        ["f"],
        clip=0,
        method="rank",
        sectors=pl.Series((["A"] * 12) * 2),
    )["f"]
    assert made[0] == -1 and made[11] == 1
    assert made[12:].to_list() == [0, None] * 6
    halves = pl.Series([*["A", "B"] * 6, *["A"] * 12])
    split = same_day(frame(values[:12], values[12:]), ["f"], clip=0, method="rank", sectors=halves)
    assert split["f"].equals(made)  # six peers are too few: all members count
