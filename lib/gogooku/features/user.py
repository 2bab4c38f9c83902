"""Columns of the user's own: studies of pandas-ta by name, and a module with one function.

A study is computed stock by stock on adjusted bars of the span and its look-back; a session without
a trade is left out and has no value. Its columns are named `<study>_<pandas-ta's own name>` in
small letters, and which they are is tried once on a made-up stock, so that every span has the same.
A study that needs later days to say something of a day is refused there.

A module has `columns(panel)`, which gives name → (T, N) or (T,) floats, NaN where unknown. It may
list them as `COLUMNS`, a list of `Column`; unlisted ones are stock columns. See
docs/features-user.md.
What they say of a day may not change with later days, nor from call to call (`look_ahead`).
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pandas as pd

from gogooku import jobs, user_code
from gogooku.arrays import time_series
from gogooku.errors import UserError
from gogooku.features import look_ahead, studies
from gogooku.features.column import Column, Described, Values
from gogooku.features.inputs import Inputs
from gogooku.panel.panel import Panel

BARS = ("open", "high", "low", "close", "volume")
LOOK_BACK = 820  # sessions before the span, as the family's row says
COLUMNS: list[Column] = []  # settings decide which there are
SAMPLE, EARLY = 600, 450  # sessions of the made-up stock, and of its part that must agree
NAME = re.compile(r"[A-Za-z]\w*")
RESERVED = {"date", "code", "universe"}
FLOATS = (np.float16, np.float32, np.float64)

log = logging.getLogger(__name__)


def compute(inputs: Inputs) -> Described:
    """Make the columns of the user's studies and of their module.

    Returns name → (T, N) or (T,) float32, and the columns' catalogue.

    Raises UserError in one sentence: a study that does not exist, looks ahead or fails; a module
    that fails, writes into the panel or makes nothing, or whose columns have a wrong name, shape,
    type or infinite values, look back further than is loaded, or are listed twice or not made.
    """
    own = inputs.user or {"pandas_ta": [], "module": None}
    studies.refuse_strangers(own["pandas_ta"])
    parts = [_of_study(inputs.panel, study) for study in own["pandas_ta"]]
    parts += [_of_module(inputs.panel, own["module"])] if own["module"] else []
    columns: list[Column] = []
    values: Values = {}
    for more, arrays in parts:
        if twice := sorted(set(values) & set(arrays)):
            raise UserError(f"features.pandas_ta and features.user both make {twice}: rename one")
        columns += more
        values |= arrays
    return Described(values, columns)


# ---- studies of pandas-ta ------------------------------------------------------------------------


class Probe(NamedTuple):
    """What a study gives: its columns, and the fewest bars from which it can be computed."""

    names: list[str]
    fewest: int


def probe(study: str) -> Probe:
    """Try a study on a made-up stock; UserError if it fails there or looks ahead."""
    bars = _sample(SAMPLE)
    full, early = (_frame(study, bars.iloc[:length], "a made-up stock") for length in (None, EARLY))
    if full.empty or early.empty:
        raise UserError(f"pandas-ta's {study} gives nothing for {EARLY} sessions: drop it")
    same = list(full) == list(early) and np.allclose(
        full.iloc[:EARLY].to_numpy(), early.to_numpy(), 1e-9, 1e-12, equal_nan=True
    )
    if not same:
        raise UserError(
            f"pandas-ta's {study} looks ahead: what it says of a day changes with later days; "
            "drop it from features.pandas_ta"
        )
    return Probe(list(full), _fewest(study, bars))


def _fewest(study: str, bars: pd.DataFrame) -> int:
    """Find the fewest bars on which a study works, by halving."""
    fails, works = 0, EARLY
    while works - fails > 1:
        middle = (fails + works) // 2
        try:
            fits = not _applied(study, bars.iloc[:middle]).empty
        except Exception:  # that is how studies refuse too few bars
            fits = False
        fails, works = (fails, middle) if fits else (middle, works)
    return works


def _of_study(panel: Panel, study: str) -> tuple[list[Column], Values]:
    names, fewest = probe(study)
    values = {name: np.full(panel.shape, np.nan, np.float32) for name in names}
    for slot, code in jobs.progress(enumerate(panel.codes), study, len(panel.codes)):
        traded = np.isfinite(np.stack([panel[bar][:, slot] for bar in BARS])).all(axis=0)
        if traded.sum() < fewest:
            continue
        bars = {bar: panel[bar][traded, slot] for bar in BARS}
        frame = _frame(study, pd.DataFrame(bars, pd.DatetimeIndex(panel.dates[traded])), code)
        with np.errstate(over="ignore"):
            for name in values.keys() & set(frame):
                values[name][traded, slot] = frame[name].to_numpy()
    for name, column in values.items():
        if infinite := int(np.isinf(column).sum()):
            log.warning("pandas-ta: %d values of %s are infinite: they are null", infinite, name)
            column[np.isinf(column)] = np.nan
    facts = "as pandas-ta gives it", f"{study} of pandas-ta", LOOK_BACK, fewest
    source = studies.library().__name__
    return [Column(name, "stock", *facts, source) for name in names], values


def _frame(study: str, bars: pd.DataFrame, stock: str) -> pd.DataFrame:
    """Apply a study to the bars of `stock`; UserError if it fails."""
    try:
        return _applied(study, bars)
    except Exception as error:
        raise UserError(f"pandas-ta's {study} fails on {stock} ({error}): drop it") from error


def _applied(study: str, bars: pd.DataFrame) -> pd.DataFrame:
    """Give a study's columns as float64; none where pandas-ta gives none, or the bars themselves.

    TA-Lib is left out, so that values do not depend on whether it is installed.
    """
    studies.library()  # which gives frames their accessor `ta`
    result = getattr(bars.ta, study)(talib=False, lookahead=False)
    result = result[0] if isinstance(result, tuple) else result
    if result is None or result is bars:
        return bars[[]]
    frame = pd.DataFrame(result)
    if not frame.index.equals(bars.index):
        raise ValueError("it does not give one row a session")
    frame.columns = [f"{study}_{str(name).lower()}" for name in frame.columns]
    return frame.astype(np.float64)


def _sample(sessions: int) -> pd.DataFrame:
    """Make up one stock's bars."""
    rng = np.random.default_rng(0)
    close = 1000 * np.exp(np.cumsum(rng.normal(0, 0.02, sessions)))
    first = close * np.exp(rng.normal(0, 0.01, sessions))
    bars = {
        "open": first,
        "high": np.maximum(first, close) * 1.005,
        "low": np.minimum(first, close) * 0.995,
        "close": close,
        "volume": rng.integers(1_000, 100_000, sessions).astype(np.float64),
    }
    return pd.DataFrame(bars, pd.bdate_range("2019-01-04", periods=sessions))


# ---- the user's module ---------------------------------------------------------------------------


def _of_module(panel: Panel, path: str) -> tuple[list[Column], Values]:
    module = user_code.load(path, "user")
    values = _call(module, path, panel)
    if not values:
        raise UserError(f"{path}: columns(panel) gave no column: return some")
    columns = _catalogue(module, path, values)
    for column in columns:
        if fault := _fault(panel, column, values[column.name]):
            raise UserError(f"{path}: the column {column.name!r} {fault}")
    values = {name: x.copy() for name, x in values.items()}  # a module may use its own again
    look_ahead.refuse(path, panel, values, lambda other: _call(module, path, other))
    return columns, {name: time_series.known(x, np.float32) for name, x in values.items()}


def _call(module: ModuleType, path: str, panel: Panel) -> Mapping[str, np.ndarray]:
    try:
        values = module.columns(panel)
    except UserError:  # of a panel file that cannot be read
        raise
    except (Exception, SystemExit) as error:
        raise user_code.failure(path, "columns(panel)", error) from error
    if not isinstance(values, Mapping):
        raise UserError(f"{path}: columns(panel) gave a {type(values).__name__}: return a dict")
    return values


def _catalogue(module: ModuleType, path: str, values: Mapping[str, np.ndarray]) -> list[Column]:
    """Give the module's COLUMNS or, without them, a stock column a name; each is made, and once."""
    facts = "as the user gives it", Path(path).name, LOOK_BACK, 1, "the user"
    columns = getattr(module, "COLUMNS", [Column(name, "stock", *facts) for name in values])
    of_columns = isinstance(columns, list | tuple) and all(isinstance(x, Column) for x in columns)
    if not of_columns:
        raise UserError(f"{path}: COLUMNS is no list of Column: make it one, or drop it")
    names = [column.name for column in columns]
    if no_text := [name for name in (*names, *values) if not isinstance(name, str)]:
        raise UserError(f"{path}: a column is named {no_text[0]!r:.60}: name it by a text")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"{path}: COLUMNS lists {twice} twice: list each once")
    for column in columns:
        if not isinstance(column.look_back, int | np.integer):
            fault = f"the column {column.name!r} looks back {column.look_back!r:.60}"
            raise UserError(f"{path}: {fault}: give a whole number of sessions")
    if unmatched := sorted(set(names) ^ set(values)):
        raise UserError(f"{path}: COLUMNS and what columns(panel) gives differ in {unmatched}")
    return list(columns)


def _fault(panel: Panel, column: Column, values: np.ndarray) -> str | None:
    """Say what is wrong with a column and how to mend it; None if nothing is."""
    sessions, stocks = panel.shape
    if column.name in RESERVED:
        return "has the name of a key: choose another"
    if not NAME.fullmatch(column.name) or column.name[:3] == "is_":
        return "has no fit name: letters, digits and _, not starting with is_"
    if column.kind not in ("stock", "market", "flag"):
        return f"is of the kind {column.kind!r}: choose stock, market or flag"
    if not 0 <= column.look_back <= LOOK_BACK:
        return f"looks back {column.look_back} sessions: {LOOK_BACK} before the span are loaded"
    plain = type(values) is np.ndarray  # a masked array's mask would be lost
    if not plain or values.dtype.type not in FLOATS:
        kind = values.dtype if plain else type(values).__name__
        return f"is {kind}: give an array of floats (of 64 bits or fewer), NaN where unknown"
    shapes: dict[str, list[tuple[int, ...]]] = {"stock": [panel.shape], "market": [(sessions,)]}
    if values.shape not in shapes.get(column.kind, [panel.shape, (sessions,)]):
        return (
            f"has the shape {values.shape}: a stock column is {panel.shape} (sessions, stocks), a "
            f"market column ({sessions},)"
        )
    with np.errstate(over="ignore"):
        infinite = int(np.isinf(values.astype(np.float32)).sum())
    if infinite:
        return f"holds {infinite} infinite values: make them NaN"
    if column.kind == "flag" and not np.isin(values[np.isfinite(values)], (0, 1)).all():
        return "is a flag with values other than 0 and 1"
    return None
