"""A small random exchange as panel rows, for the tests of the price families."""

import datetime as dt

import numpy as np
import polars as pl
from gogooku.calendar import Sessions
from gogooku.panel.panel import Panel

from helpers import panels

SECTORS = ["0050", "3250", "9050"]


def sessions(count, first=dt.date(2019, 1, 4)):
    """Weekdays, to a month's end well after `count` of them."""
    return Sessions(np.busday_offset(np.datetime64(first), np.arange(count + 45), roll="forward"))


def rows(count=300, stocks=12, seed=0, missing=0.03):
    """Panel rows of `stocks` listed throughout; a share `missing` of them without a trade."""
    rng = np.random.default_rng(seed)
    shape = (count, stocks)
    close = 1000 * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=0))
    first = close * np.exp(rng.normal(0, 0.01, shape))
    high = np.maximum(first, close) * np.exp(rng.exponential(0.01, shape))
    low = np.minimum(first, close) * np.exp(-rng.exponential(0.01, shape))
    volume = rng.integers(1_000, 100_000, shape).astype(float)
    traded = {"open": first, "high": high, "low": low, "close": close, "volume": volume}
    traded["value"] = volume * close
    absent = rng.random(shape) < missing
    return panels.rows(
        sessions(count).days[:count],
        [f"{1301 + i}0" for i in range(stocks)],
        **{name: np.where(absent, np.nan, x) for name, x in traded.items()},
        s33=[SECTORS[i % len(SECTORS)] for i in range(stocks)],
        universe=rng.random(count * stocks).reshape(shape) < 0.9,
    )


def topix(count=300, seed=1):
    """Index bars on the same sessions."""
    rng = np.random.default_rng(seed)
    close = 1500 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))
    return pl.DataFrame(
        {
            "Date": sessions(count).days[:count],
            "O": close,
            "H": close * 1.005,
            "L": close * 0.995,
            "C": close,
        }
    )


def panel(**settings):
    """The same as a panel."""
    return Panel.of(rows(**settings))


def changed(frame, day, seed):
    """Rewrite every field of the rows after `day`, and drop some of them."""
    rng = np.random.default_rng(seed)
    late = pl.col("date") > day
    scale, traded, factor = (pl.Series(rng.lognormal(0, 1, len(frame))) for _ in range(3))
    other = {name: pl.col(name) * scale for name in ("open", "high", "low", "close")}
    other |= {name: pl.col(name) * traded for name in ("volume", "value")}
    other |= {name: factor for name in ("factor", "volume_factor")}
    other |= {name: pl.Series(rng.random(len(frame)) < 0.5) for name in ("universe", "limit_up")}
    other["s33"] = pl.Series(rng.choice(SECTORS, len(frame)))
    kept = ~late | pl.Series(rng.random(len(frame)) < 0.8)
    rewritten = (pl.when(late).then(x).otherwise(name).alias(name) for name, x in other.items())
    return frame.with_columns(rewritten).filter(kept)
