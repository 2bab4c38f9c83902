"""Small panels for tests, made as the panel files make them."""

import datetime as dt

import numpy as np
import polars as pl
from gogooku.panel.panel import Panel

START = dt.date(2021, 1, 4)


def weekdays(number, start=START):
    """`number` days from `start` on that are neither Saturday nor Sunday."""
    return np.busday_offset(np.datetime64(start), np.arange(number), roll="forward")


DEFAULTS = {
    "factor": 1.0, "volume_factor": 1.0, "universe": True, "limit_up": False, "limit_down": False,
    "new_level": False, "s33": "0050", "s17": "1", "market": "0111",
}  # fmt: skip


def rows(days, codes, **fields):
    """Panel rows of every day and code; a field is an array (T, N) or what all rows have."""
    shape = (len(days), len(codes))
    values = {name: np.broadcast_to(value, shape) for name, value in (DEFAULTS | fields).items()}
    keys = {"date": np.repeat(days, shape[1]), "code": np.tile(codes, shape[0])}
    return pl.DataFrame(keys | {name: array.ravel() for name, array in values.items()})


def of(frame):
    """The panel of such rows, in which NaN is absent."""
    frame = frame.with_columns(pl.col(pl.Float64).fill_nan(None))
    return Panel.of(frame.sort("date", "code"))


def make(close, *, days=None, codes=None, factor=1.0, **fields):
    """A panel of raw closes (T, N), NaN where absent; opens are 1 % lower unless told."""
    close = np.asarray(close, float)
    days = weekdays(len(close)) if days is None else days
    codes = [f"{1301 + i}0" for i in range(close.shape[1])] if codes is None else codes
    bars = {"open": close * 0.99, "high": close, "low": close, "close": close}
    bars |= {"volume": 1e5, "value": close * 1e5, "factor": factor, "volume_factor": factor}
    return of(rows(days, codes, **bars | fields))


def walk(sessions, stocks, seed=0, holes=0.0):
    """Random closes (T, N) that share a factor; a share `holes` of them is absent."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.01, (sessions, 2)) @ rng.normal(0.5, 1, (2, stocks))
    close = 1000 * np.exp(np.cumsum(common + rng.normal(0, 0.012, (sessions, stocks)), axis=0))
    close[rng.random(close.shape) < holes] = np.nan
    return close.round()
