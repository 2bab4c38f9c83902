"""A small market with known expected returns, and predictions of known skill, for the tests."""

import datetime as dt

import numpy as np
import polars as pl
from gogooku.arrays import ordered
from gogooku.arrays.ordered import Ordered
from gogooku.evaluation.trading import Rules, Surroundings

from helpers import panels

COSTS = {
    "cost": 10, "capital": 1e8, "half_spread": [(0, 5)], "impact": 0, "borrow": 0,
    "participation": 1,
}  # fmt: skip
RULES = {"quantiles": 5, "confidence": 0.95, "delisting": 0, **COSTS}


def long_short(prediction, quantiles):
    """Weights that are long the top quantile and short the bottom one."""
    top, bottom = ordered.legs(Ordered.of(np.asarray(prediction, float)), quantiles)
    return top - bottom


def rules(entry="next_close", **changes):
    return Rules.of(entry, RULES | changes)


def surroundings(labels):
    """A panel whose prices give the one-day labels, from close to close of the sessions after."""
    days, codes = labels["date"].unique().sort(), labels["code"].unique().sort()
    gains = labels.filter(horizon=1).sort("date", "code")["label"].to_numpy()
    growth = np.cumprod(1 + gains.reshape(len(days), len(codes)), axis=0)
    close = 1000 * np.vstack([np.ones((2, len(codes))), growth])
    every = np.array(sessions(len(close)), dtype="datetime64[D]")
    return Surroundings(panels.make(close, days=every, codes=codes.to_list()))


def sessions(count):
    days = (dt.date(2021, 11, 1) + dt.timedelta(days) for days in range(2 * count))
    return [day for day in days if day.weekday() < 5][:count]


def market(days=120, stocks=40, horizons=(1, 5), seed=0):
    """Labels and truth: two parts, one fresh each day and one that lasts."""
    random = np.random.default_rng(seed)
    shape = (days + max(horizons), stocks)
    parts = {"reversal": random.normal(0, 0.01, shape), "drift": np.zeros(shape)}
    parts["drift"] += random.normal(0, 0.004, stocks)
    returns = sum(parts.values()) + random.normal(0, 0.02, shape)
    labels, truth = [], {name: {} for name in (*parts, "total")}
    for horizon in horizons:
        wealth = np.cumprod(np.vstack([np.ones(stocks), 1 + returns]), axis=0)
        labels.append(
            tidy(wealth[horizon:][:days] / wealth[:days] - 1, "label").with_columns(
                horizon=pl.lit(horizon, pl.Int16)
            )
        )
        truth["reversal"][horizon] = parts["reversal"][:days]
        truth["drift"][horizon] = parts["drift"][:days] * horizon
        truth["total"][horizon] = truth["reversal"][horizon] + truth["drift"][horizon]
    return pl.concat(labels), pl.concat(_truth_rows(truth))


def _truth_rows(truth):
    for part, expected in truth.items():
        columns = [tidy(table, f"expected_{horizon}d") for horizon, table in expected.items()]
        rows = columns[0].hstack([column[:, -1].to_frame().to_series() for column in columns[1:]])
        yield rows.with_columns(part=pl.lit(part))


def tidy(table, name):
    """Rows date, code, `name` of a table of days by stocks."""
    days, stocks = table.shape
    return pl.DataFrame({
        "date": np.repeat(np.array(sessions(days), dtype="datetime64[D]"), stocks),
        "code": [f"{1300 + stock}0" for stock in range(stocks)] * days,
        name: table.ravel(),
    })  # fmt: skip


def forecast(truth, part="total", *, noise=0.0, horizons=(1, 5), folds=2, seed=0):
    """Predictions of one seed: a planted part and noise, in units of its deviation."""
    random = np.random.default_rng([1, seed])
    rows = truth.filter(pl.col("part") == part).sort("date", "code")
    days = rows["date"].rank("dense").to_numpy() - 1
    return rows.select(
        "date",
        "code",
        pl.Series("fold", days * folds // (days.max() + 1), dtype=pl.Int16),
        *(
            (pl.col(f"expected_{h}d") + noise * 0.01 * random.normal(size=len(rows)))
            .cast(pl.Float32)
            .alias(f"prediction_{h}d")
            for h in horizons
        ),
    )
