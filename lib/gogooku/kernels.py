"""Compile every kernel once, so that no job pays for it.

PYTHONPATH=lib python -m gogooku.kernels

The families are computed on a made-up panel of a few stocks, with no rows of other data sets; numba
keeps what it compiles beside the modules, or in NUMBA_CACHE_DIR.
"""

import sys

import numpy as np
import polars as pl
from numba.core.dispatcher import Dispatcher

from gogooku import graphs, known
from gogooku.calendar import Sessions, to_utc
from gogooku.features import (
    earnings,
    flow,
    graph,
    index,
    listed,
    margin,
    market,
    option,
    relative,
    sector,
    short,
    statement,
    technical,
)
from gogooku.panel import Panel
from gogooku.sources.catalogue import DATASETS

SESSIONS, STOCKS = 60, 4


def compile_all() -> int:
    """Compute all families and a graph, and give the number of kernels; ValueError if one is left.

    A kernel that no family of a made-up panel reaches would be compiled by the first job.
    """
    panel = _panel()
    at_close = np.timedelta64(15, "h").astype("timedelta64[s]")
    moments = to_utc(panel.dates, np.full(SESSIONS, at_close))
    months = np.arange(panel.dates[0], panel.dates[-1] + 40, dtype="datetime64[D]")
    sessions = Sessions(months[np.is_busday(months)])
    rows = {
        name: pl.DataFrame(schema={**dataset.schema, "known_at": known.MOMENT})
        for name, dataset in DATASETS.items()
    }
    nothing = np.full(panel.shape, np.nan)
    technical.compute(panel, sessions, nothing)
    market.compute(panel, rows["topix"])
    relative.compute(panel, rows["topix"])
    sector.compute(panel)
    flow.compute(panel, rows["investor_types"], moments)
    statement.compute(panel, rows["summary"], moments)
    scheduled = rows["earnings_date"], rows["earnings_calendar"]
    filed = rows["summary"].with_columns(published_at="known_at")
    earnings.compute(panel, filed, *scheduled, sessions, moments, moments)
    short.compute(panel, rows["short_sale"], rows["short_ratio"], moments)
    listed.compute(panel, rows["master"], rows["summary"], moments)
    balances = rows["margin_interest"], rows["margin_alert"]
    margin.compute(panel, *balances, rows["summary"], moments)
    option.compute(panel, rows["options_225"], moments)
    index.compute(panel, rows["indices"])
    edges = graphs.edges(
        panel, "2020-01-01", window=20, half_life=10, shrinkage=0.1, neighbours=2,
        min_correlation=0.0, min_observations=5,
    )  # fmt: skip
    graph.compute(panel, edges)
    found = _kernels()
    if left := [name for name, compiled in found.items() if not compiled.signatures]:
        raise ValueError(f"{left} are compiled by no family of the made-up panel")
    return len(found)


def _panel() -> Panel:
    days = np.busday_offset("2020-01-06", np.arange(SESSIONS), roll="forward")
    rng = np.random.default_rng(0)
    close = 1000 * np.exp(np.cumsum(rng.normal(0, 0.02, (SESSIONS, STOCKS)), axis=0)).ravel()
    cells = {
        "date": np.repeat(days, STOCKS),
        "code": np.tile([f"{1301 + i}0" for i in range(STOCKS)], SESSIONS),
    }
    prices = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    constant: dict[str, float | str] = {
        "volume": 1e5,
        "value": 1e8,
        "factor": 1.0,
        "volume_factor": 1.0,
    }
    constant |= {"limit_up": False, "limit_down": False, "universe": True}
    constant |= {"s33": "0050", "s17": "1", "market": "0111"}
    rows = pl.DataFrame(cells | prices)
    return Panel.of(
        rows.with_columns(pl.lit(value).alias(name) for name, value in constant.items())
    )


def _kernels() -> dict[str, Dispatcher]:
    """Give the compiled functions that our loaded modules call from Python, by name.

    Those that only other kernels call are compiled, and kept, within these.
    """
    ours = [module for name, module in sys.modules.items() if name.startswith("gogooku.")]
    found, within = {}, set()
    for module in ours:
        for name, value in vars(module).items():
            if isinstance(value, Dispatcher) and value.py_func.__module__ == module.__name__:
                found[f"{module.__name__}.{name}"] = value
                called = value.py_func.__code__.co_names
                within |= {f"{module.__name__}.{other}" for other in called}
    return {name: value for name, value in found.items() if name not in within}


if __name__ == "__main__":
    print(f"{compile_all()} kernels are compiled")
