"""From families to one table of the universe's members, normalised day by day."""

import json
from collections.abc import Mapping, Sequence

import polars as pl

from gogooku import normalize, run
from gogooku.run import UserError

KEYS = ["date", "code"]
Family = tuple[pl.DataFrame, dict[str, str]]


def read_families(paths: Sequence[str]) -> list[Family]:
    """Read one span of each family: its rows and its columns' kinds."""
    return [(run.read_parquet(path), read_kinds(path)) for path in paths]


def read_kinds(path: str) -> dict[str, str]:
    """Give the kind (stock, market, flag) of each column of a features or dataset file."""
    kinds: dict[str, str] = json.loads(run.read_metadata(path)["kinds"])
    return kinds


def assemble(
    panel: pl.DataFrame,
    families: Sequence[Family],
    *,
    clip: float,
    method: normalize.Method,
    min_stocks: int,
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Join the families' columns for the members of each day's universe.

    panel      rows of one span: date, code, universe
    families   (rows, kinds) each; exactly the panel's rows

    Stock columns are normalised across the day's members (`normalize.same_day`); market columns
    and flags stay as they are. Days before the span's first with members have no row.

    Returns the frame (date, code, columns Float32, `is_*_valid` Boolean) and all columns' kinds.

    Raises UserError if rows differ, a column comes twice, or a day has too few members.
    """
    for frame, kinds in families:
        _require_same_rows(panel, frame, kinds)
    _require_members(panel, min_stocks)
    kinds = _merge([kinds for _, kinds in families])
    wide = pl.concat(
        [panel.select(*KEYS, "universe"), *(f.drop(KEYS) for f, _ in families)], how="horizontal"
    )
    members = wide.filter("universe").select(*KEYS, *kinds)
    stock = [name for name, kind in kinds.items() if kind == "stock"]
    scaled = normalize.same_day(members, stock, clip=clip, method=method)
    return scaled, kinds


def _require_same_rows(panel: pl.DataFrame, frame: pl.DataFrame, kinds: Mapping[str, str]) -> None:
    if not frame.select(KEYS).equals(panel.select(KEYS)):
        raise UserError(
            f"the rows of the family with {next(iter(kinds))} are not those of the panel: "
            "delete its files and run again"
        )


def _require_members(panel: pl.DataFrame, min_stocks: int) -> None:
    """Refuse a day with too few members; one without any too, once the span has had some."""
    sizes = panel.group_by("date", maintain_order=True).agg(pl.col("universe").sum())
    begun = pl.col("universe").cum_sum() > 0
    few = sizes.filter(begun, pl.col("universe") < min_stocks)
    if len(few):
        day, size = few.row(0)
        raise UserError(
            f"{day} has {size} stocks in the universe, fewer than features.min_stocks "
            f"{min_stocks}: widen the universe or lower features.min_stocks"
        )


def _merge(parts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    names = [name for part in parts for name in part]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"two families make the columns {twice}: rename or drop one")
    return {name: kind for part in parts for name, kind in part.items()}
