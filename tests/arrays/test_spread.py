"""Numbers that differ by rounding alone have no spread, and so no ratio to it."""

import numpy as np
import polars as pl
import pytest
from gogooku.arrays import ordered
from gogooku.arrays.ordered import Ordered
from gogooku.arrays.spread import varies
from gogooku.dataset import scaler
from gogooku.evaluation import inference, metrics, portfolio

ALIKE = np.full(250, 0.001) + np.where(np.arange(250) % 2, 2e-19, 0)
SUMMED = np.array([np.random.default_rng(0).permutation(np.full(400, 0.1)).sum() / 400, 0.1] * 125)
REAL = 0.001 + 1e-6 * np.random.default_rng(1).normal(size=250)


def test_a_spread_below_the_resolution_of_a_float_is_none():
    assert not varies(ALIKE) and not varies(SUMMED) and not varies(np.zeros(3)) and varies(REAL)
    assert varies(np.array([ALIKE, REAL]), axis=1).tolist() == [False, True]
    assert not varies(np.full(3, np.nan)) and not varies(np.array([np.nan, 1.0]))


@pytest.mark.parametrize("returns", [ALIKE, SUMMED, -ALIKE])
def test_ratios_to_no_spread_are_undefined(returns):
    assert np.isnan(inference.sharpe(returns, 5).mean) and np.isnan(inference.icir(returns))
    known = inference.mean_estimate(returns, 5)
    assert known.mean == pytest.approx(returns[0]) and np.isnan(known.error)
    book = portfolio.Book(returns, *np.zeros((4, 250)), capacity=np.nan)
    assert np.isnan(portfolio.statistics(book, "next_close", 0.95)["gross"]["sharpe"].mean)


def test_a_ratio_to_a_mean_of_nothing_but_rounding_is_undefined():
    cancelling = np.where(np.arange(250) % 2, 1.0, -1.0 + 1e-16)
    assert np.isnan(inference.ratio(REAL, cancelling, 5).mean)


def test_small_but_real_spreads_keep_their_ratios():
    assert inference.icir(REAL) == pytest.approx(REAL.mean() / REAL.std(ddof=1))
    assert np.isfinite(inference.sharpe(REAL, 5).mean)


def test_predictions_that_are_all_alike_order_nothing():
    label = np.random.default_rng(2).normal(size=(1, 250))
    alike = Ordered.of(ALIKE[None])
    for values in metrics.daily(alike, Ordered.of(label), 5).values():
        assert np.isnan(values).all()
    assert not np.any(ordered.legs(alike, 5))
    np.testing.assert_allclose(metrics.mean_of_standardised([ALIKE[None]]), 0, atol=1e-15)


def test_a_market_column_that_never_changes_has_no_deviation():
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 30), eager=True)
    rows = pl.DataFrame({"date": days, "constant": [0.1] * 30, "real": REAL[:30]})
    fitted = scaler.fit(rows, ["constant", "real"], "2024-01-01", "2024-01-30")
    assert np.std(np.full(30, 0.1)) > 0  # what rounding alone would give
    assert fitted["constant"]["sd"] == 0 and fitted["real"]["sd"] == pytest.approx(REAL[:30].std())
