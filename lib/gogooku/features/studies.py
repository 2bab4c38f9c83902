"""Studies of pandas-ta by name: the one module that knows which edition is installed.

pandas-ta-classic runs on every Python here; pandas-ta, which it continues, from 3.12 on. Names are
read from the package's folders, since importing it takes seconds.
"""

import difflib
import functools
import importlib
import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from gogooku.errors import UserError

EDITIONS = ("pandas_ta_classic", "pandas_ta")
CATEGORIES = (
    "candles", "cycles", "momentum", "overlap", "statistics", "trend", "volatility", "volume"
)  # fmt: skip
CANDLES = {"cdl_doji", "cdl_inside", "cdl_pattern", "cdl_z"}  # cdl_pattern calls all other cdl_*
UNFED = {
    "beta", "correl", "long_run", "ma", "mavp", "short_run", "tsignals", "xsignals",  # need more
    "tos_stdevall", "vp",  # say something of the whole series, not of a day
}  # fmt: skip


@functools.cache
def names() -> list[str]:
    """Give the names of all studies that bars alone feed; none if no edition is installed."""
    edition = _edition()
    spec = importlib.util.find_spec(edition) if edition else None
    folders = spec.submodule_search_locations or [] if spec else []
    stems = {
        file.stem
        for folder in folders
        for category in CATEGORIES
        for file in Path(folder).glob(f"{category}/[!_]*.py")
    }
    candles = {name for name in stems if name.startswith("cdl_")}
    return sorted(stems - UNFED - (candles - CANDLES))


def refuse_strangers(studies: Sequence[str]) -> None:
    """Raise UserError with close matches if a study does not exist or is named twice."""
    if len(set(studies)) < len(studies):
        raise UserError(f"features.pandas_ta {list(studies)} names a study twice: name each once")
    if studies and not names():
        raise UserError("features.pandas_ta needs pandas-ta-classic: pip install pandas-ta-classic")
    for study in studies:
        if study not in names():
            raise UserError(
                f"features.pandas_ta names {study!r}, which pandas-ta does not make of bars alone: "
                f"did you mean {' or '.join(_close_to(study))}?"
            )


def _close_to(study: str) -> list[str]:
    if study.lower().startswith("cdl_") and study.lower() not in CANDLES:
        return ["cdl_pattern, which makes all candle patterns"]
    close = difflib.get_close_matches(study.lower(), names())
    return close or ["a name in its documentation"]


@functools.cache
def library() -> ModuleType:
    """Import the edition that is installed, without its warnings of stocks with too few bars."""
    edition = str(_edition())
    logging.getLogger(edition).setLevel(logging.ERROR)
    return importlib.import_module(edition)  # lineage: declared


def _edition() -> str | None:
    return next((name for name in EDITIONS if importlib.util.find_spec(name)), None)
