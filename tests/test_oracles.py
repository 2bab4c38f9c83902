"""Every column of the catalogue has its value tested against a source that is not its own code."""

import ast
from pathlib import Path

import numpy as np
import oracle_market
import oracle_technical
import pandas as pd
import polars as pl
import pytest
import sample_panel
from gogooku.features import market, relative, sector, technical
from gogooku.features.catalogue import CATALOGUE
from gogooku.panel import Panel

COUNT = 460  # sessions; of the market twice as many
BARS = ("open", "high", "low", "close", "volume", "value")
FACTORS = ("factor", "volume_factor")
LIMITS = ("limit_up", "limit_down")
PARTIAL = {"stoch_k", "stoch_d", "williams_r_14", "cci_20", "mfi_14", "bb_pct_b", "bb_width",
           "macd", "mkt_bb_pct_b", "mkt_bb_bw"}  # fmt: skip
"""Columns of windows that are not yet full, which TA-Lib leaves out."""
KINDS = {column.name: column.kind for columns in CATALOGUE.values() for column in columns}


def agree(made, expected, name):
    """Both are the same and known alike, and the expectation could have told them apart."""
    found, told = np.asarray(made, float), np.asarray(expected, float)
    known = np.isfinite(told)
    assert known.sum() > 40, name
    assert np.ptp(told[known]) > 0, f"{name} has one value alone"
    if name not in PARTIAL:
        np.testing.assert_array_equal(np.isfinite(found), known, name)
    scale = np.nanstd(told)
    np.testing.assert_allclose(found[known], told[known], 2e-5, 2e-5 * scale, err_msg=name)


def rounded(frame, tick):
    """The same rows with prices on ticks, so that some sessions tie."""
    prices = ("open", "high", "low", "close")
    return frame.with_columns((pl.col(name) / tick).round() * tick for name in prices)


# ---- technical -----------------------------------------------------------------------------------


def exchange(missing):
    """A panel of three stocks that tie and touch limits; one is split, one is listed late."""
    rng = np.random.default_rng(8)
    frame = rounded(sample_panel.rows(COUNT, 3, seed=11, missing=missing), 5.0)
    day = sample_panel.sessions(COUNT).days
    halved = (pl.col("code") == "13020") & (pl.col("date") >= day[150])
    on_the_day = halved & (pl.col("date") == day[150])
    frame = frame.with_columns(
        *(pl.when(halved).then(pl.col(x) / 2).otherwise(x).alias(x) for x in BARS[:4]),
        *(pl.when(on_the_day).then(0.5).otherwise(1.0).alias(x) for x in FACTORS),
        *(pl.Series(x, rng.random(len(frame)) < 0.3) for x in ("limit_up", "limit_down")),
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


def technical_columns(missing):
    panel, calendar = exchange(missing), sample_panel.sessions(COUNT)
    shares = np.random.default_rng(3).uniform(1e6, 1e8, panel.shape)
    return panel, shares, technical.compute(panel, calendar, shares)


def test_technical_columns_of_bars_are_those_of_pandas_scipy_and_ta_lib():
    panel, _, made = technical_columns(missing=0)
    for slot in range(3):
        bars = adjusted(panel, slot)
        expected = oracle_technical.windows(bars) | oracle_technical.smoothed(bars)
        for name, values in expected.items():
            agree(made[name][values.index, slot], values, name)


def test_technical_columns_of_windows_pass_over_sessions_without_a_trade():
    panel, _, made = technical_columns(missing=0.05)
    for slot in range(3):
        for name, values in oracle_technical.windows(adjusted(panel, slot)).items():
            agree(made[name][values.index, slot], values, name)


def test_technical_columns_of_the_listing_and_the_calendar_are_those_of_pandas():
    panel, shares, made = technical_columns(missing=0.05)
    part = {name: pd.DataFrame(panel[name]) for name in ("raw_volume", *LIMITS, "listed")}
    expected = oracle_technical.listing(
        part["raw_volume"], pd.DataFrame(shares), [part[name] for name in LIMITS], part["listed"]
    )
    expected |= oracle_technical.of_the_calendar(panel.dates, sample_panel.sessions(COUNT).days)
    for name, values in expected.items():
        agree(made[name], values, name)


# ---- market, relative, sector --------------------------------------------------------------------


def topix(count):
    """Index bars whose range differs from day to day."""
    rng = np.random.default_rng(5)
    high, low = 1 + rng.exponential(0.004, (2, count))
    rows = sample_panel.topix(count)
    return rows.with_columns(H=pl.col("C") * pl.Series(high), L=pl.col("C") / pl.Series(low))


def frames(panel, *names):
    return [pd.DataFrame(panel[name]) for name in names]


def test_market_columns_are_those_of_pandas_and_ta_lib():
    panel, index = sample_panel.panel(count=2 * COUNT), topix(2 * COUNT)
    bars = (pd.Series(index[bar].to_numpy()) for bar in "HLC")
    expected = oracle_market.market(*bars, *frames(panel, "close", "universe"))
    made = market.compute(panel, index)
    for name, values in expected.items():
        agree(made[name], values, name)


def test_relative_columns_are_those_of_pandas_scipy_and_ta_lib():
    panel, index = sample_panel.panel(count=COUNT, stocks=2, missing=0), topix(COUNT)
    made, level = relative.compute(panel, index), pd.Series(index["C"].to_numpy())
    for slot in range(2):
        expected = oracle_market.relative(pd.Series(panel["close"][:, slot]), level)
        for name, values in expected.items():
            agree(made[name][:, slot], values, name)


def test_sector_columns_are_those_of_pandas_scipy_and_ta_lib():
    """Five or six peers in one sector, two to four in another, which a stock changes."""
    frame = sample_panel.rows(300, 10, missing=0, seed=2)
    moved = (pl.col("code") == "13010") & (pl.col("date") >= frame["date"].unique().sort()[200])
    small = moved | pl.col("code").is_in(["13070", "13080", "13090", "13100"])
    panel = Panel.of(
        frame.with_columns(s33=pl.when(small).then(pl.lit("3250")).otherwise(pl.lit("0050")))
    )
    expected = oracle_market.sector(*frames(panel, "close", "volume", "s33", "universe"))
    made = sector.compute(panel)
    for name, values in expected.items():
        agree(made[name], values, name)
