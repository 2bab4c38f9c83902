"""From the vendor's rows to typed frames."""

import functools
import logging

import polars as pl

from gogooku import run
from gogooku.sources.catalogue import DATASETS

log = logging.getLogger(__name__)


def typed(dataset: str, rows: list[dict]) -> pl.DataFrame:
    """Turn the vendor's rows into a frame of DATASETS[dataset].schema, in their own order.

    rows   one dict a row; a value may be a number or a string of one, and "", null and an
           absent field all mean that there is none

    Unknown fields are ignored and absent ones become null columns; either is said once.
    Raises UserError, naming endpoint and field, where a field that is always filled has no
    value, a field that is always there is absent, or a value cannot be read as the field's type.
    """
    _check_fields(dataset, rows)
    columns = [
        _column(dataset, name, kind, rows) for name, kind in DATASETS[dataset].schema.items()
    ]
    frame = pl.DataFrame(columns)
    for name in DATASETS[dataset].filled:
        if frame[name].has_nulls():
            raise run.UserError(
                f"{DATASETS[dataset].path} answered a row without a value in {name}"
            )
    return frame


def _check_fields(dataset: str, rows: list[dict]) -> None:
    if not rows:
        return
    got = set().union(*rows)
    for name in DATASETS[dataset].needed:
        if name not in got:
            raise run.UserError(f"{DATASETS[dataset].path} answered rows without the field {name}")
    known = DATASETS[dataset].schema.keys()
    _say_once(dataset, "ignored unknown", frozenset(got - known - DATASETS[dataset].ignored))
    _say_once(dataset, "left null the absent", frozenset(known - got - {"ReadOn"}))


@functools.cache
def _say_once(dataset: str, what: str, fields: frozenset[str]) -> None:
    if fields:
        log.warning("%s: %s fields %s", DATASETS[dataset].path, what, ", ".join(sorted(fields)))


def _column(dataset: str, name: str, kind: pl.DataType, rows: list[dict]) -> pl.Series:
    values = [row.get(name) for row in rows]
    if kind == pl.Float64 and all(type(value) is float or value is None for value in values):
        return pl.Series(name, values, dtype=kind)
    texts = pl.Series(name, [_text(value) for value in values], dtype=pl.String)
    try:
        return _cast(texts, kind)
    except pl.exceptions.PolarsError:
        bad = next(text for text in texts.unique(maintain_order=True) if not _fits(text, kind))
        raise run.UserError(
            f"{DATASETS[dataset].path} answered {bad!r} in the field {name}, which is not a {kind}"
        ) from None


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _cast(texts: pl.Series, kind: pl.DataType) -> pl.Series:
    if kind == pl.Date:
        return texts.str.to_date("%Y-%m-%d")
    if kind == pl.Boolean:
        return texts.replace_strict({"true": True, "false": False}, return_dtype=kind)
    return texts.cast(kind)


def _fits(text: str | None, kind: pl.DataType) -> bool:
    try:
        _cast(pl.Series([text], dtype=pl.String), kind)
    except pl.exceptions.PolarsError:
        return False
    return True
