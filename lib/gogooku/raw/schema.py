"""From the vendor's answers to typed frames: JSON pages and CSV files come to the same bits."""

import ast
import functools
import hashlib
import io
import json
import logging
from collections.abc import Iterable
from typing import Any

import polars as pl

from gogooku import errors, point_in_time
from gogooku.raw.catalogue import DATASETS

log = logging.getLogger(__name__)

NOTHING = {"dividend": ["", "-"], "margin_alert": ["", "-", "*"], "options": ["", "-"]}
"""Texts that stand for no value, beside null and an absent field; for other data sets "" alone."""

PARSER = 2
"""Raised with each change of this module after which an old answer would be read as other rows.

2: a later row's fields of other names are read, not null, and true for a number is refused, not 1.
"""


class Broken(Exception):
    """An answer that was cut off or garbled: asking again may help."""


def version(dataset: str) -> str:
    """Name by eight hex digits what makes the rows of `dataset` out of the vendor's answers.

    When they are served, corrected or part of which plan is no part of it.
    """
    entry = DATASETS[dataset]
    request = (entry.path, entry.query, entry.day, entry.order)
    parsing = (entry.fields, sorted(entry.ignored), NOTHING.get(dataset), PARSER)
    return hashlib.sha256(repr((request, parsing)).encode()).hexdigest()[:8]


def empty(dataset: str) -> pl.DataFrame:
    """Give a frame of `dataset` without rows."""
    return pl.DataFrame(schema=DATASETS[dataset].schema)


def page(dataset: str, body: bytes) -> tuple[pl.DataFrame, str]:
    """Read one JSON answer of the API: its rows, and the key of the page that follows, or "".

    The frame has the fields of DATASETS[dataset].schema in their order, and after them, as text,
    those that the catalogue does not know; rows keep their order. A value may be a number or the
    text of one; null, "", an absent field and the marks of NOTHING mean that there is none. Objects
    become JSON text with sorted keys. New fields are said once.

    Raises Broken if `body` is no whole JSON, and UserError, naming endpoint and field, where the
    answer has another shape: no rows under "data", a field that is always filled without a value,
    a field that is always there absent, a value that cannot be read as the field's type, or a key
    of the page that follows that is no text.
    """
    rows, following = _read(dataset, body)
    return (_typed(dataset, rows) if len(rows) else empty(dataset)), following


def table(dataset: str, content: bytes) -> pl.DataFrame:
    """Read one CSV file of the vendor; the frame and the errors are those of `page`.

    Raises UserError if the text is no CSV.
    """
    try:
        rows = pl.read_csv(io.BytesIO(content), infer_schema=False)
    except pl.exceptions.NoDataError:
        return empty(dataset)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise errors.UserError(f"a file of {DATASETS[dataset].path} is no CSV ({reason})") from None
    objects = [name for name in _objects(dataset) if name in rows.columns]
    rows = rows.with_columns(
        pl.Series(name, [_literal(dataset, name, text) for text in rows[name]], pl.String)
        for name in objects
    )
    return _typed(dataset, rows) if len(rows) else empty(dataset)


def joined(dataset: str, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Put frames of one data set below each other; new fields that one lacks are null there."""
    rows = pl.concat([empty(dataset), *frames], how="diagonal")
    known = DATASETS[dataset].schema
    return rows.select(*known, *sorted(set(rows.columns) - set(known)))


def distinct(dataset: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Keep rows that are equal in the known fields once; UserError if two of one key are not."""
    entry = DATASETS[dataset]
    return point_in_time.distinct(rows, entry.order, entry.path, list(entry.schema))


def next_key(path: str, key: object) -> str:
    """Give the key of the page that follows, as an answer of `path` holds it; "" for none.

    Raises UserError if it is no text.
    """
    if not isinstance(key, str | None):
        raise errors.UserError(f"{path} answered a pagination_key that is no text")
    return key or ""


def recast(dataset: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Give rows that an older entry of the catalogue read the types of the present one."""
    known = DATASETS[dataset].schema
    return rows.select(
        _column(dataset, column, known.get(column.name, pl.String())) for column in rows
    )


# ---- JSON ----------------------------------------------------------------------------------------


def _read(dataset: str, body: bytes) -> tuple[pl.DataFrame, str]:
    """Read a page, whatever fields its rows have."""
    if _objects(dataset):
        body = _flattened(dataset, body)
    try:
        answer = pl.read_json(io.BytesIO(body), infer_schema_length=None)
    except pl.exceptions.PolarsError:
        _json(body)
        answer = pl.DataFrame()
    inner = getattr(answer.schema.get("data"), "inner", None)
    path, rows = DATASETS[dataset].path, pl.DataFrame()
    if isinstance(inner, pl.Struct):
        rows = answer["data"].explode().struct.unnest()
    elif inner != pl.Null or answer["data"].list.len()[0]:
        raise errors.UserError(f"{path} answered something else than rows under 'data'")
    nested = [name for name, kind in rows.schema.items() if kind.is_nested()]
    if nested:
        return _read(dataset, _flattened(dataset, body, nested))
    key = answer["pagination_key"][0] if "pagination_key" in answer.columns else None
    return rows, next_key(path, key)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise Broken("broken JSON") from None


def _flattened(dataset: str, body: bytes, nested: Iterable[str] = ()) -> bytes:
    """Write the objects within rows as JSON text."""
    answer = _json(body)
    rows = answer.get("data") if isinstance(answer, dict) else None
    for row in rows if isinstance(rows, list) else ():
        for name in {*_objects(dataset), *nested} & row.keys() if isinstance(row, dict) else ():
            row[name] = _object_text(row[name])
    return json.dumps(answer).encode()


# ---- types ---------------------------------------------------------------------------------------


@functools.cache
def _objects(dataset: str) -> list[str]:
    return [field.name for field in DATASETS[dataset].fields if field.unit == "object"]


def _literal(dataset: str, field: str, text: str | None) -> str | None:
    """Turn an object of a CSV file, which is written as Python would, into JSON text."""
    try:
        return _object_text(ast.literal_eval(text)) if text else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise errors.UserError(
            f"a file of {DATASETS[dataset].path} holds {text!r:.80} in the field {field}, which is "
            "no object"
        ) from None


def _object_text(value: object) -> str | None:
    """Write an object as JSON with sorted keys; its numbers become text, as most of them are."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        value = {name: str(it) if isinstance(it, int | float) else it for name, it in value.items()}
    return json.dumps(value, sort_keys=True)


def _typed(dataset: str, rows: pl.DataFrame) -> pl.DataFrame:
    entry = DATASETS[dataset]
    known = entry.schema
    if absent := [name for name in entry.needed if name not in rows.columns]:
        raise errors.UserError(f"{entry.path} answered rows without the field {absent[0]}")
    new = sorted(set(rows.columns) - known.keys() - entry.ignored)
    _say_once(dataset, tuple(new))
    columns_by_name = {column.name: column for column in rows.get_columns()}
    empty_column = pl.Series([None]).new_from_index(0, len(rows))
    columns = [
        _column(dataset, columns_by_name.get(name, empty_column).alias(name), kind)
        for name, kind in known.items()
    ]
    frame = pl.DataFrame([*columns, *(_text(columns_by_name[name], [""]) for name in new)])
    for name in entry.filled:
        if frame[name].has_nulls():
            raise errors.UserError(f"{entry.path} answered a row without a value in {name}")
    return frame


@functools.cache
def _say_once(dataset: str, fields: tuple[str, ...]) -> None:
    if fields:
        path = DATASETS[dataset].path
        log.warning("%s: new fields %s, kept as text", path, ", ".join(fields))


def _column(dataset: str, values: pl.Series, kind: pl.DataType) -> pl.Series:
    """Give one field its type; series by series, since frames of a day are small and wide."""
    marks = NOTHING.get(dataset, [""])
    if kind == pl.String:
        return _text(values, marks)
    typed = _cast(values, kind)
    lost = typed.null_count() - values.null_count()
    if lost and lost != sum((values.cast(pl.String) == mark).sum() for mark in marks):
        unread = typed.is_null() & values.is_not_null()
        bad = values.filter(unread & ~values.cast(pl.String).is_in(marks))[0]
        raise errors.UserError(
            f"{DATASETS[dataset].path} answered {bad!r} in the field {values.name}, which is not a "
            f"{kind}"
        )
    return typed


def _cast(values: pl.Series, kind: pl.DataType) -> pl.Series:
    """Give values a type; what cannot have it becomes null."""
    numbers = kind.is_numeric() and values.dtype.is_numeric()
    if numbers or values.dtype in (kind, pl.Null):
        return values.cast(kind)
    text = values.cast(pl.String)
    if kind == pl.Date:
        return text.str.to_date("%Y-%m-%d", strict=False)
    if kind == pl.Boolean:
        true = text == "true"
        return true.set(~true & (text != "false"), None)
    return text.cast(kind, strict=False)


def _text(values: pl.Series, marks: Iterable[str]) -> pl.Series:
    if values.dtype != pl.String:
        return values.cast(pl.String).str.strip_suffix(".0")
    for mark in marks:
        blank = values == mark
        values = values.set(blank, None) if blank.any() else values
    return values
