"""Compile every kernel once, so that no job pays for it.

PYTHONPATH=lib python tools/compile_kernels.py

The families are computed on a made-up panel of a few stocks, with no rows of other data sets, and
normalised; its prices are judged as if they were predictions. Numba keeps what it compiles beside
the modules, or in NUMBA_CACHE_DIR.
"""

import importlib
import logging
from typing import Any

import numpy as np
import polars as pl
from gogooku import point_in_time
from gogooku.arrays import cross_section, jit, ordered, ranks
from gogooku.arrays.ordered import Ordered
from gogooku.calendar import to_utc
from gogooku.dataset import normalize
from gogooku.evaluation import metrics, portfolio
from gogooku.evaluation.market import Market
from gogooku.families import FAMILIES, module_of
from gogooku.features.inputs import Inputs
from gogooku.graph import correlation
from gogooku.panel.panel import Panel
from gogooku.raw.catalogue import DATASETS

SESSIONS, STOCKS = 60, 4


def compile_all() -> int:
    """Compute all families and a graph, normalise, rank and trade; give the number of kernels.

    Raises ValueError if one is left: the first job would compile it.
    """
    panel = _panel()
    at_close = np.timedelta64(15, "h").astype("timedelta64[s]")
    moments = to_utc(panel.dates, np.full(SESSIONS, at_close))
    inputs = Inputs(panel, 0, moments, moments, _tables(panel).__getitem__)
    for family in FAMILIES:
        importlib.import_module(module_of(family)).compute(inputs)
    _place_across_stocks(panel)
    _judge(panel)
    state = _compiled()
    if left := [name for name, compiled in state.items() if not compiled]:
        raise ValueError(f"{left} are compiled by nothing that is made of the panel")
    return len(state)


def _tables(panel: Panel) -> dict[str, pl.DataFrame]:
    """Make the inputs of all families: of data sets no rows, but of the calendar and graphs."""
    moments = {name: point_in_time.MOMENT for name in ("known_at", "published_at")}
    tables = {
        name: pl.DataFrame(schema={**dataset.schema, **moments})
        for name, dataset in DATASETS.items()
    }
    months = np.arange(panel.dates[0], panel.dates[-1] + 40, dtype="datetime64[D]")
    sessions = pl.DataFrame({"Date": months[np.is_busday(months)]})
    tables["calendar"] = sessions.with_columns(HolDiv=pl.lit("1"))
    tables["graphs"] = correlation.edges(
        panel, "2020-01-01", window=20, half_life=10, shrinkage=0.1, neighbours=2,
        min_correlation=0.0, min_observations=5,
    )  # fmt: skip
    return tables


def _place_across_stocks(panel: Panel) -> None:
    for dtype in (np.float32, np.float64):  # of columns and of labels
        ranks.mean_ranks(panel["close"].astype(dtype))
    frame = panel.tidy({"close": panel["close"]}, panel.dates[0].item())
    for method in normalize.METHODS:
        normalize.same_day(
            frame,
            ["close"],
            clip=0.01,
            method=method,
            sectors=pl.repeat("0050", len(frame), eager=True),
        )


def _judge(panel: Panel) -> None:
    """Compare the prices with themselves, and trade by them."""
    close, sectors = Ordered.of(panel["close"]), np.zeros(panel.shape, np.int16)
    market = Market.of(panel, panel.dates, panel.codes, "next_close", 0.0)
    costs = portfolio.Costs(10, 1e8, [(0, 30)], 0.1, 1, 10)
    portfolio.trade(portfolio.neutral(close, sectors, close.values), market, 1, costs)
    metrics.daily(close, close, 2)
    metrics.mean_of_standardised([close.values])
    ordered.legs(close, 2)
    parts = ordered.parts(close, close.values, 2)
    ordered.rank_ic(close, close, 2, parts, 2)
    cross_section.group_sums(close.values, parts, 2)


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
    constant |= {"limit_up": False, "limit_down": False, "new_level": False, "universe": True}
    constant |= {"s33": "0050", "s17": "1", "market": "0111"}
    rows = pl.DataFrame(cells | prices)
    return Panel.of(
        rows.with_columns(pl.lit(value).alias(name) for name, value in constant.items())
    )


def kernels() -> list[Any]:
    """List the kernels of our loaded modules."""
    return [own for own in jit.KERNELS if own.py_func.__module__.startswith("gogooku.")]


def name_of(own: Any) -> str:
    """Name a kernel by its module and function."""
    return f"{own.py_func.__module__}.{own.py_func.__name__}"


def _compiled() -> dict[str, bool]:
    """Say of the kernels that our loaded modules call from Python if they are compiled.

    Those that only other kernels call are compiled, and kept, within these.
    """
    within = {id(inner) for outer in kernels() for inner in _called(outer)}
    return {name_of(own): bool(own.signatures) for own in kernels() if id(own) not in within}


def _called(outer: Any) -> list[Any]:
    """List what a kernel names of its own module."""
    known = outer.py_func.__globals__
    return [known[name] for name in outer.py_func.__code__.co_names if name in known]


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # what the made-up panel lacks
    print(f"{compile_all()} kernels are compiled")
