"""Small panels for tests, made as the panel files make them."""

import datetime as dt

import numpy as np
import polars as pl
from gogooku.panel.panel import Panel

START = dt.date(2021, 1, 4)


def weekdays(number, start=START):
    """`number` days from `start` on that are neither Saturday nor Sunday."""
    return np.busday_offset(np.datetime64(start), np.arange(number), roll="forward")


def make(
    close, *, days=None, factor=None, universe=None, market="0111", codes=None, new_level=None
):
    """A panel of raw closes (T, N), NaN where absent; opens are 1 % lower; all are listed."""
    close = np.asarray(close, float)
    days = weekdays(len(close)) if days is None else days
    codes = [f"{1301 + i}0" for i in range(close.shape[1])] if codes is None else codes
    day, slot = (index.ravel() for index in np.indices(close.shape))
    factor = np.ones(close.shape) if factor is None else factor
    universe = np.ones(close.shape, bool) if universe is None else universe
    new_level = np.zeros(close.shape, bool) if new_level is None else new_level
    price = {name: close.ravel() for name in ("high", "low", "close")}
    rows = {
        "date": days[day],
        "code": np.array(codes)[slot],
        "open": close.ravel() * 0.99,
        **price,
        "volume": np.full(close.size, 1e5),
        "value": close.ravel() * 1e5,
        "factor": factor.ravel(),
        "volume_factor": factor.ravel(),
        "universe": universe.ravel(),
        "new_level": np.asarray(new_level).ravel(),
    }
    texts = {"s33": "0050", "s17": "1", "market": market}
    frame = pl.DataFrame(rows).with_columns(
        pl.lit(False).alias("limit_up"),
        pl.lit(False).alias("limit_down"),
        *(pl.lit(value).alias(name) for name, value in texts.items()),
    )
    return Panel.of(frame.with_columns(pl.col(pl.Float64).fill_nan(None)).sort("date", "code"))


def walk(sessions, stocks, seed=0, holes=0.0):
    """Random closes (T, N) that share a factor; a share `holes` of them is absent."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.01, (sessions, 2)) @ rng.normal(0.5, 1, (2, stocks))
    close = 1000 * np.exp(np.cumsum(common + rng.normal(0, 0.012, (sessions, stocks)), axis=0))
    close[rng.random(close.shape) < holes] = np.nan
    return close.round()
