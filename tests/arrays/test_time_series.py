"""Kernels agree with plain definitions, and no row knows another's business."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from gogooku.arrays import cross_section, time_series
from gogooku.arrays.windows import Rolling, path_zscore
from hypothesis import given, settings
from hypothesis import strategies as st

WINDOW, FEWEST = 13, 5

WINDOWED = {
    "sum": lambda x: time_series.ts_sum(x, WINDOW, FEWEST),
    "mean": lambda x: time_series.ts_mean(x, WINDOW, FEWEST),
    "std": lambda x: time_series.ts_std(x, WINDOW, FEWEST, ddof=1),
    "min": lambda x: time_series.ts_min(x, WINDOW, FEWEST),
    "max": lambda x: time_series.ts_max(x, WINDOW, FEWEST),
    "skew": lambda x: time_series.ts_skew_kurt(x, WINDOW, FEWEST)[0],
    "kurt": lambda x: time_series.ts_skew_kurt(x, WINDOW, FEWEST)[1],
    "zscore": lambda x: time_series.ts_zscore(x, WINDOW, FEWEST),
    "deviation": lambda x: Rolling(x, means=(WINDOW,), min_obs=FEWEST).mean_deviation(WINDOW),
    "beta": lambda x: time_series.ts_beta(x, x[:, ::-1], WINDOW, FEWEST),
    "corr": lambda x: time_series.ts_corr(x, x[:, ::-1], WINDOW, FEWEST),
    "autocorr": lambda x: time_series.ts_autocorr(x, WINDOW, FEWEST),
    "path": lambda x: path_zscore(x, WINDOW, FEWEST),
    "count": lambda x: Rolling(x).count(WINDOW),
}
STATEFUL = {
    "ema": lambda x: time_series.ts_ema(x, 5),
    "wilder": lambda x: time_series.ts_wilder(x, 5),
    "wilder from four": lambda x: time_series.ts_wilder(x, 5, seed=4),
    "run": lambda x: time_series.ts_run(x > 0, 7),
    "delay": lambda x: time_series.delay(x, 3),
}
PLAIN = {
    "sum": np.sum,
    "mean": np.mean,
    "std": lambda v: np.std(v, ddof=1),
    "min": np.min,
    "max": np.max,
    "skew": scipy.stats.skew,
    "kurt": scipy.stats.kurtosis,
    "deviation": lambda v: np.mean(np.abs(v - np.mean(v))),
}


def sample(seed=0, shape=(80, 7), missing=0.2):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < missing, np.nan, rng.normal(size=shape))


@pytest.mark.parametrize("name", PLAIN)
def test_a_window_is_its_plain_definition(name):
    x = sample()
    made = WINDOWED[name](x)
    for t, s in np.ndindex(x.shape):
        window = x[max(0, t - WINDOW + 1) : t + 1, s]
        window = window[np.isfinite(window)]
        expected = PLAIN[name](window) if len(window) >= FEWEST else np.nan
        np.testing.assert_allclose(made[t, s], expected, rtol=1e-10, atol=1e-13)


KINDS = {
    "means": np.mean,
    "variances": lambda v: np.var(v, ddof=1),
    "zscores": lambda v: (v[-1] - np.mean(v)) / np.std(v),
    "maxima": np.max,
    "minima": np.min,
}
some_windows = st.lists(st.integers(1, 70), max_size=3, unique=True).map(tuple)


@pytest.mark.parametrize("window", [2, 7, 20, 49, 60, 120])
@pytest.mark.parametrize("kind", KINDS)
def test_windows_of_any_length_are_their_plain_definition(kind, window):
    x = sample(3, shape=(150, 2), missing=0.3) + 5
    made = getattr(Rolling(x, **{kind: (window,)}), kind)[window]
    for t, s in np.ndindex(x.shape):
        seen = x[max(0, t - window + 1) : t + 1, s]
        known = seen[np.isfinite(seen)]
        told = len(known) >= time_series.enough(window) and (
            kind != "zscores" or np.isfinite(seen[-1])
        )
        expected = KINDS[kind](known) if told else np.nan
        np.testing.assert_allclose(made[t, s], expected, rtol=1e-9, atol=1e-12)


def test_extremes_of_a_window_longer_than_all_rows_are_those_of_the_rows():
    x = sample(shape=(8, 2))
    made = Rolling(x, maxima=(100,), minima=(100,), min_obs=1)
    np.testing.assert_array_equal(made.maxima[100], np.fmax.accumulate(x))
    np.testing.assert_array_equal(made.minima[100], np.fmin.accumulate(x))


def test_no_observation_at_all_can_be_enough():
    nothing = np.full((5, 1), np.nan)
    np.testing.assert_array_equal(time_series.ts_sum(nothing, 3, 0), 0)
    np.testing.assert_array_equal(time_series.ts_sum(nothing, 3, 1), np.nan)


def test_sums_of_a_series_that_is_not_centred_are_refused():
    with pytest.raises(ValueError, match="centred=True"):
        Rolling(sample(), sums=(5,))


@settings(max_examples=50, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(KINDS, some_windows)))
def test_windows_asked_together_have_the_bits_that_they_have_alone(asked):
    x = sample()
    together = Rolling(x, **asked)
    for kind, windows in asked.items():
        made = getattr(together, kind)
        assert list(made) == list(windows)
        for n in windows:
            alone = getattr(Rolling(x, **{kind: (n,)}), kind)[n]
            np.testing.assert_array_equal(made[n], alone, f"{kind} of {n}")


@settings(max_examples=25, deadline=None)
@given(some_windows, some_windows)
def test_sums_asked_with_others_have_the_bits_that_they_have_alone(windows, others):
    x = sample()
    together = Rolling(x, sums=windows, variances=others, min_obs=2, centred=True)
    for n in windows:
        np.testing.assert_array_equal(together.sums[n], time_series.ts_sum(x, n, 2))


def test_beta_and_correlation_use_the_rows_that_hold_both():
    x, y = sample(1), sample(2)
    beta, corr = time_series.ts_beta(x, y, 20, 8), time_series.ts_corr(x, y, 20, 8)
    for t, s in np.ndindex(x.shape):
        a, b = x[max(0, t - 19) : t + 1, s], y[max(0, t - 19) : t + 1, s]
        both = np.isfinite(a) & np.isfinite(b)
        if both.sum() < 8:
            assert np.isnan(beta[t, s]) and np.isnan(corr[t, s])
        else:
            np.testing.assert_allclose(beta[t, s], np.polyfit(b[both], a[both], 1)[0], rtol=1e-9)
            np.testing.assert_allclose(corr[t, s], np.corrcoef(a[both], b[both])[0, 1], rtol=1e-9)


def test_autocorrelation_is_that_of_pandas():
    x = sample(missing=0)
    expected = pd.DataFrame(x).rolling(20).apply(lambda v: v.autocorr(1), raw=False)
    np.testing.assert_allclose(time_series.ts_autocorr(x, 20, 19)[19:], expected[19:], rtol=1e-9)


def test_the_z_score_of_a_path_is_that_of_its_cumulated_steps():
    steps = sample(missing=0)
    paths = pd.DataFrame(np.cumsum(steps, axis=0)).rolling(WINDOW)
    expected = (np.cumsum(steps, axis=0) - paths.mean()) / paths.std(ddof=0)
    made = path_zscore(steps, WINDOW, WINDOW)
    np.testing.assert_allclose(made[WINDOW - 1 :], expected[WINDOW - 1 :], rtol=1e-9, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 79), st.sampled_from([np.nan, np.inf, 1e300, 3.0]))
def test_no_row_depends_on_a_later_one(seed, row, told):
    x = sample(seed)
    future = x.copy()
    future[row + 1 :] = told
    for name, kernel in (WINDOWED | STATEFUL).items():
        np.testing.assert_array_equal(kernel(x)[: row + 1], kernel(future)[: row + 1], name)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([np.nan, np.inf, -np.inf, 1e300, -1e150]))
def test_what_left_the_window_leaves_no_trace(seed, poison):
    x = sample(seed)
    poisoned = x.copy()
    poisoned[:20] = poison
    for name, kernel in WINDOWED.items():
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(kernel(x)[33:], kernel(poisoned)[33:], name)
            np.testing.assert_array_equal(kernel(x)[33:], kernel(x[20:])[13:], name)


@settings(max_examples=50, deadline=None)
@given(st.floats(-1e12, 1e12), st.integers(1, 40))
def test_constants_have_no_spread_at_all(value, window):
    x = np.full((60, 2), value)
    assert (time_series.ts_std(x, window, 1, ddof=0) == 0).all()
    assert (time_series.ts_mean(x, window, 1) == value).all()
    assert np.isnan(time_series.ts_zscore(x, window, 1)).all()
    assert np.isnan(time_series.ts_beta(x, x, window, 1)).all()


def plain_average(x, span, weight, seed):
    """One series' average: of its first `seed` sessions the mean, of later ones by their age."""
    first = np.flatnonzero(np.isfinite(x))[0]
    out = np.full(len(x), np.nan)
    for t in range(first + span - 1, len(x)):
        session = np.arange(first, t + 1)
        age = t - np.maximum(session, first + seed - 1)
        share = np.where(session < first + seed, 1 / span, weight) * (1 - weight) ** age
        held = np.isfinite(x[session])
        if np.isfinite(x[max(t - span + 1, 0) : t + 1]).sum() >= time_series.enough(span):
            out[t] = np.average(x[session][held], weights=share[held])
    return out


@pytest.mark.parametrize("missing", [0.0, 0.2, 0.4])
def test_averages_weigh_by_the_age_in_sessions_and_need_two_thirds_of_their_span(missing):
    x = sample(missing=missing)
    for name, weight, seed in (("ema", 1 / 3, 5), ("wilder", 0.2, 5), ("wilder from four", 0.2, 4)):
        made = STATEFUL[name](x)
        for s in range(x.shape[1]):
            expected = plain_average(x[:, s], 5, weight, seed)
            assert np.isfinite(expected).sum() > 10
            np.testing.assert_allclose(made[:, s], expected, rtol=1e-9, err_msg=name)


def test_an_average_stands_still_over_a_gap_and_ends_with_a_long_one():
    x = sample(missing=0)
    x[40:60] = np.nan
    for name in ("ema", "wilder", "wilder from four"):
        made = STATEFUL[name](x)
        np.testing.assert_array_equal(made[40], made[39], name)
        assert np.isnan(made[41:60]).all()


def test_an_average_of_which_nothing_is_left_starts_anew():
    x = sample(missing=0, shape=(120, 3))
    x[:50] = 1e300
    x[50:90] = np.nan
    for name in ("ema", "wilder", "wilder from four"):
        np.testing.assert_array_equal(STATEFUL[name](x)[90:], STATEFUL[name](x[90:]), name)


def test_an_average_starts_as_the_mean_of_its_first_observations():
    x = np.array([[np.nan], [1.0], [2.0], [6.0], [7.0]])
    np.testing.assert_allclose(time_series.ts_ema(x, 3)[:, 0], [np.nan, np.nan, np.nan, 3, 5])
    np.testing.assert_allclose(
        time_series.ts_ema(x, 2, skip=1)[:, 0], [np.nan, np.nan, np.nan, 4, 6]
    )


def test_a_run_ends_where_its_condition_does_and_is_capped():
    holds = np.array([1, 1, 0, 1, 1, 1, 1], bool)[:, None]
    assert time_series.ts_run(holds, 3)[:, 0].tolist() == [1, 2, 0, 1, 2, 3, 3]


def test_blocks_of_stocks_change_nothing():
    x = sample(shape=(60, 2 * time_series.BLOCK + 3))
    made = time_series.by_blocks(
        lambda part: {"mean": time_series.ts_mean(part["x"], 5, 2)}, {"x": x}
    )
    np.testing.assert_array_equal(made["mean"], time_series.ts_mean(x, 5, 2).astype(np.float32))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_group_kernels_are_their_plain_definitions(seed):
    rng = np.random.default_rng(seed)
    x = np.round(sample(seed, (4, 15)), 1) + 0.0  # with ties, without -0
    group, mask = rng.integers(-1, 3, x.shape), rng.random(x.shape) < 0.7
    median = cross_section.group_median_of_others(x, group, mask)
    score = cross_section.group_zscore(x, group, mask, 2)
    rank = cross_section.group_rank(x, group, mask, 2)
    count = cross_section.group_count(group, mask)
    for t, s in np.ndindex(x.shape):
        peer = mask[t] & (group[t] == group[t, s]) & (group[t, s] >= 0)
        other = peer & np.isfinite(x[t]) & (np.arange(15) != s)
        known = x[t][peer & np.isfinite(x[t])]
        expected = np.median(x[t][other]) if other.any() else np.nan
        np.testing.assert_equal(median[t, s], expected)
        np.testing.assert_equal(count[t, s], peer.sum() if group[t, s] >= 0 else np.nan)
        if len(known) < 2 or np.isnan(x[t, s]):
            assert np.isnan(rank[t, s]) and np.isnan(score[t, s])
            continue
        below, equal = (known < x[t, s]).sum(), (known == x[t, s]).sum()
        np.testing.assert_allclose(rank[t, s], (below + equal / 2) / len(known))
        if np.ptp(known):
            np.testing.assert_allclose(
                score[t, s], (x[t, s] - known.mean()) / known.std(), rtol=1e-9, atol=1e-12
            )
        else:
            assert np.isnan(score[t, s])
