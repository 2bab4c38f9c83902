"""Every column of the catalogue has its value tested against a source that is not its own code."""

import functools
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from gogooku.features import market, relative, sector, technical
from gogooku.features.catalogue import CATALOGUE
from gogooku.panel.panel import Panel
from helpers import by_hand, oracle_market, oracle_technical, sample_panel
from helpers.family_inputs import inputs_of

COUNT = 460  # sessions; of the market twice as many
BARS = ("open", "high", "low", "close", "volume", "value")
FACTORS = ("factor", "volume_factor")
LIMITS = ("limit_up", "limit_down")
PARTIAL = {"stoch_k", "stoch_d", "williams_r_14", "cci_20", "mfi_14", "bb_pct_b", "bb_width"}
"""Columns of windows that are not yet full, which TA-Lib leaves out and pandas does not."""


def agree(made, expected, name, partial=()):
    """Both are the same and known alike, and the expectation could have told them apart."""
    found, told = np.asarray(made, float), np.asarray(expected, float)
    known = np.isfinite(told)
    assert known.sum() > 40, name
    assert np.ptp(told[known]) > 0, f"{name} has one value alone"
    if name not in partial:
        np.testing.assert_array_equal(np.isfinite(found), known, name)
    scale = np.nanstd(told)
    np.testing.assert_allclose(found[known], told[known], 2e-5, 2e-5 * scale, err_msg=name)


def frames(panel, *names):
    return [pd.DataFrame(panel[name]) for name in names]


def rounded(frame, tick):
    """The same rows with prices on ticks, so that some sessions tie."""
    prices = ("open", "high", "low", "close")
    return frame.with_columns((pl.col(name) / tick).round() * tick for name in prices)


# ---- technical -----------------------------------------------------------------------------------


def exchange(missing):
    """A panel of three stocks that tie and touch limits; one is split, one is listed late."""
    rng, told = np.random.default_rng(8), pl.Series([None, False, True])
    frame = rounded(sample_panel.rows(COUNT, 3, seed=11, missing=missing), 5.0)
    day = sample_panel.sessions(COUNT).days
    halved = (pl.col("code") == "13020") & (pl.col("date") >= day[150])
    on_the_day = halved & (pl.col("date") == day[150])
    frame = frame.with_columns(
        *(pl.when(halved).then(pl.col(x) / 2).otherwise(x).alias(x) for x in BARS[:4]),
        *(pl.when(on_the_day).then(0.5).otherwise(1.0).alias(x) for x in FACTORS),
        *(pl.Series(x, told[rng.integers(3, size=len(frame))].to_list()) for x in LIMITS),
        pl.when(halved).then(pl.col("volume") * 2).otherwise("volume").alias("volume"),
    )
    return Panel.of(frame.filter((pl.col("code") != "13030") | (pl.col("date") >= day[30])))


def adjusted(panel, slot):
    """Bars of one stock in the basis of the first session, from its listing on."""
    factor = pd.Series(panel["factor"][:, slot]).fillna(1.0).cumprod()
    made = {name: pd.Series(panel[f"raw_{name}"][:, slot]) / factor for name in BARS[:4]}
    made["volume"] = pd.Series(panel["raw_volume"][:, slot]) * factor
    made["value"] = pd.Series(panel["value"][:, slot])
    return {name: x[panel["listed"][:, slot]] for name, x in made.items()}


def by_stock(panel, *oracles):
    """What oracles of one stock's bars make of every stock, name → (T, N)."""
    made = [{} for _ in panel.codes]
    for slot, oracle in itertools.product(range(len(panel.codes)), oracles):
        made[slot] |= oracle(adjusted(panel, slot))
    sessions = range(len(panel.dates))
    return {name: pd.DataFrame([own[name] for own in made], columns=sessions).T for name in made[0]}


def technical_columns(panel):
    """Shares outstanding, and the columns that are made of them and of the panel."""
    shares = np.random.default_rng(3).uniform(1e6, 1e8, panel.shape)
    return shares, technical.measured(panel, sample_panel.sessions(COUNT), shares)


@functools.cache
def of_technical():
    panel = exchange(missing=0)
    shares, made = technical_columns(panel)
    expected = by_stock(panel, oracle_technical.windows, oracle_technical.smoothed)
    volume, up, down, listed = frames(panel, "raw_volume", *LIMITS, "listed")
    expected |= oracle_technical.listing(volume, pd.DataFrame(shares), (up, down), listed)
    calendar = sample_panel.sessions(COUNT).days
    return made, expected | oracle_technical.of_the_calendar(panel.dates, calendar)


def test_windows_of_technical_pass_over_sessions_without_a_trade():
    panel = exchange(missing=0.05)
    _, made = technical_columns(panel)
    for name, expected in by_stock(panel, oracle_technical.windows).items():
        agree(made[name], expected, name)


# ---- market, relative, sector --------------------------------------------------------------------


def topix(count):
    """Index bars whose range differs from day to day."""
    rng = np.random.default_rng(5)
    high, low = 1 + rng.exponential(0.004, (2, count))
    rows = sample_panel.topix(count)
    return rows.with_columns(H=pl.col("C") * pl.Series(high), L=pl.col("C") / pl.Series(low))


@functools.cache
def of_market():
    panel, index = sample_panel.panel(count=2 * COUNT), topix(2 * COUNT)
    bars = (pd.Series(index[bar].to_numpy()) for bar in "HLC")
    expected = oracle_market.market(*bars, *frames(panel, "close", "universe"))
    return market.compute(inputs_of(panel, topix=index)), expected


@functools.cache
def of_relative():
    panel, index = sample_panel.panel(count=COUNT, stocks=2, missing=0), topix(COUNT)
    level = pd.Series(index["C"].to_numpy())
    expected = by_stock(panel, lambda bars: oracle_market.relative(bars["close"], level))
    return relative.compute(inputs_of(panel, topix=index)), expected


@functools.cache
def of_sector():
    """Five or six peers in one sector, two to five in another, into which a stock moves."""
    frame = sample_panel.rows(300, 10, missing=0, seed=2)
    moved = (pl.col("code") == "13010") & (pl.col("date") >= frame["date"].unique().sort()[200])
    small = moved | pl.col("code").is_in(["13070", "13080", "13090", "13100"])
    panel = Panel.of(
        frame.with_columns(s33=pl.when(small).then(pl.lit("3250")).otherwise(pl.lit("0050")))
    )
    expected = oracle_market.sector(*frames(panel, "close", "volume", "s33", "universe"))
    return sector.compute(inputs_of(panel)), expected


# ---- all of the catalogue ------------------------------------------------------------------------

CASES = {
    "technical": of_technical,
    "market": of_market,
    "relative": of_relative,
    "sector": of_sector,
}


@pytest.mark.parametrize("family", CASES)
def test_a_familys_columns_are_those_of_pandas_scipy_and_ta_lib(family):
    made, expected = CASES[family]()
    assert set(made) == set(expected)
    for name, values in expected.items():
        agree(made[name], values, name, PARTIAL)


@pytest.mark.parametrize("family", CATALOGUE)
def test_every_columns_value_is_asserted(family):
    asserted = {name for names in by_hand.TESTS.values() for name in names.split()}
    if family in CASES:
        _, asserted = CASES[family]()
    assert not {column.name for column in CATALOGUE[family]} - set(asserted)


def test_the_tests_that_are_said_to_assert_a_value_exist():
    for test in by_hand.TESTS:
        file, name = test.split("::")
        path = next(Path(__file__).parents[1].rglob(f"{file}.py"))
        assert f"\ndef {name}(" in path.read_text(), test
