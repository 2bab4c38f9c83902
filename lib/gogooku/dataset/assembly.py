"""From families to one table of the universe's members, normalised day by day."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from gogooku import files
from gogooku.dataset import normalize
from gogooku.errors import UserError

KEYS = ["date", "code"]
Family = tuple[pl.DataFrame, dict[str, str]]


def read_families(paths: Sequence[str]) -> Iterator[Family]:
    """Read one span of each family, one after the other: its rows and its columns' kinds."""
    for path in paths:
        yield files.read_parquet(path), read_kinds(path)


def read_kinds(path: str) -> dict[str, str]:
    """Give the kind (stock, market, flag) of each column of a features or dataset file."""
    kinds: dict[str, str] = json.loads(files.read_metadata(path)["kinds"])
    return kinds


def read_about(paths: Sequence[str]) -> dict[str, str]:
    """Say of each column of some features files what it is."""
    texts = [json.loads(files.read_metadata(path)["about"]) for path in paths]
    return {name: text for about in texts for name, text in about.items()}


def assemble(
    panel: pl.DataFrame,
    families: Iterable[Family],
    *,
    clip: float,
    method: normalize.Method,
    within_sector: bool,
    min_stocks: int,
) -> tuple[pl.DataFrame, dict[str, str], dict[str, str]]:
    """Join the families' columns for the members of each day's universe.

    panel      rows of one span: date, code, universe, s33
    families   (rows, kinds) each; exactly the panel's rows

    Stock columns are normalised across the day's members (`normalize.same_day`), within the day's
    sector if asked to. On a day with fewer than `min_stocks` members all of them are null, and one
    of which fewer have a value (10 are always enough) is. Market columns and flags stay as they
    are. Days before the span's first with members have no row.

    Returns the frame (date, code, columns Float32, `is_*_valid` Boolean), by day the reason why
    its stock columns are null and by column on how many other days it is, and all columns' kinds.

    Raises UserError if rows differ, a column comes twice, or every day has too few members.
    """
    _require_a_full_day(panel, min_stocks)
    rows, kinds = _joined(panel, families)
    sectors = panel.filter("universe")["s33"] if within_sector else None
    stock = [name for name, kind in kinds.items() if kind == "stock"]
    fewest = normalize.fewest_known(min_stocks)
    scaled = normalize.same_day(
        rows, stock, clip=clip, method=method, fewest=fewest, sectors=sectors
    )
    thin = thin_days(panel, min_stocks)
    full, reasons = _without_thin_days(scaled, stock, thin, min_stocks)
    of_columns = _thin_columns(rows, thin, stock, fewest)
    return full, {**reasons, **of_columns}, kinds


def _joined(panel: pl.DataFrame, families: Iterable[Family]) -> tuple[pl.DataFrame, dict[str, str]]:
    """Put the members' rows of all families side by side; no family is held whole beside others."""
    parts, kinds = [panel.filter("universe").select(KEYS)], []
    for frame, of_family in families:
        _require_same_rows(panel, frame, of_family)
        parts.append(frame.drop(KEYS).filter(panel["universe"]))
        kinds.append(of_family)
    merged = _merge(kinds)
    return pl.concat(parts, how="horizontal").select(*KEYS, *merged), merged


def _without_thin_days(
    rows: pl.DataFrame, columns: Sequence[str], thin: pl.DataFrame, min_stocks: int
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Null `columns` on the thin days, and give the reason of each, which is logged."""
    reasons = {str(day): reason(size, min_stocks) for day, size in thin.iter_rows()}
    for day, text in reasons.items():
        logging.warning("%s: stock columns are null: %s", day, text)
    full = ~pl.col("date").is_in(thin["date"].implode())
    return rows.with_columns(pl.when(full).then(pl.col(columns)).name.keep()), reasons


def _thin_columns(
    rows: pl.DataFrame, thin: pl.DataFrame, columns: Sequence[str], fewest: int
) -> dict[str, str]:
    """Give the columns that days other than `thin` lack for want of values, and log them."""
    known = rows.group_by("date").agg(pl.col(columns).count()).join(thin, on="date", how="anti")
    days = known.select(pl.col(columns).is_between(1, fewest - 1).sum())
    reasons = {
        name: f"null on {number} of {len(known)} days, on which fewer than {fewest} stocks have it"
        for name, number in (days.row(0, named=True) if columns else {}).items()
        if number
    }
    for name, text in reasons.items():
        logging.info("%s: %s", name, text)
    return reasons


def thin_days(panel: pl.DataFrame, min_stocks: int) -> pl.DataFrame:
    """Give the days with fewer members than `min_stocks`: date, stocks.

    panel   date, code, universe, sorted by date; days before its first with members are left out
    """
    sizes = panel.group_by("date", maintain_order=True).agg(stocks=pl.col("universe").sum())
    begun = pl.col("stocks").cum_sum() > 0
    return sizes.filter(begun, pl.col("stocks") < min_stocks)


def reason(stocks: int, min_stocks: int) -> str:
    """Say why a day with so many stocks has no normalised value."""
    return f"{stocks} stocks in the universe, fewer than features.min_stocks {min_stocks}"


def _require_same_rows(panel: pl.DataFrame, frame: pl.DataFrame, kinds: Mapping[str, str]) -> None:
    if not frame.select(KEYS).equals(panel.select(KEYS)):
        raise UserError(
            f"the rows of the family with {next(iter(kinds))} are not those of the panel: "
            "delete its files and run again"
        )


def _require_a_full_day(panel: pl.DataFrame, min_stocks: int) -> None:
    """Refuse a span that has members, but on no day enough of them."""
    sizes = panel.filter("universe").group_by("date", maintain_order=True).len()
    if len(sizes) and sizes.filter(pl.col("len") >= min_stocks).is_empty():
        day, size = sizes.sort("len", maintain_order=True).row(-1)
        raise UserError(
            f"no day has enough stocks: the fullest, {day}, has {reason(size, min_stocks)}: widen "
            "the universe or lower features.min_stocks"
        )


def _merge(parts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    names = [name for part in parts for name in part]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"two families make the columns {twice}: rename or drop one")
    return {name: kind for part in parts for name, kind in part.items()}
