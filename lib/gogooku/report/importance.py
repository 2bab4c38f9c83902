"""What each model listens to: the columns with the largest shares, mean of its folds and seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

from gogooku import layout
from gogooku.models import dispatch, modules
from gogooku.report import tables
from gogooku.report.tables import NONE, Cell, Table

SHOWN = 20


def of(entries: Mapping[str, str], paths: Sequence[str]) -> dict[str, dict[str, dict[str, float]]]:
    """Give, as `importance`, model → column → share.

    entries   by model, as the settings name its module;  paths   of all fitted models

    A model whose module has no function `importance` is left out.
    """
    shares: dict[str, list[dict[str, float]]] = {}
    for path in paths:
        name = layout.fit(path).model
        module = modules.load(entries[name])
        if hasattr(module, "importance"):
            shares.setdefault(name, []).append(module.importance(dispatch.load(module, path)))
    return {"importance": {name: _mean(own) for name, own in shares.items()}}


def _mean(shares: list[dict[str, float]]) -> dict[str, float]:
    columns = dict.fromkeys(column for own in shares for column in own)
    return {column: sum(own.get(column, 0) for own in shares) / len(shares) for column in columns}


def table(importance: Mapping[str, Mapping[str, float]]) -> Table | None:
    """Name the largest columns of each model, the largest first; None if no model says."""
    if not importance:
        return None
    columns = [_largest(own) for own in importance.values()]
    rows: list[list[Any]] = []
    for place in range(max(map(len, columns))):
        cells = [own[place] if place < len(own) else Cell(NONE, look="text") for own in columns]
        rows.append([Cell(str(place + 1)), *cells])
    return Table(["<Place", *(f"<{name}" for name in importance)], [("", rows)])


def _largest(shares: Mapping[str, float]) -> list[Cell]:
    largest = sorted(shares.items(), key=lambda own: (-own[1], own[0]))[:SHOWN]
    return [Cell(name, tables.number(share, "{:.1%}"), "text") for name, share in largest if share]
