"""Files, written whole or not at all: Parquet, JSON and text."""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from gogooku import locks
from gogooku.errors import UserError, unwritable

Paths = str | Path | Sequence[str | Path]


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary neighbour of `path` that takes its name once it is whole.

    A killed job or a full disk leaves the old file or none, never a half one.
    Raises UserError if the disk is full or the path cannot be written.
    """
    target, draft = Path(path), None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        draft.touch(exist_ok=False)  # with the rights that the user's mask leaves
        yield draft
        with open(draft, "rb+") as file:
            os.fsync(file.fileno())
        if folder := locks.lost():
            raise UserError(f"{target} is not written: another run has taken over {folder}")
        draft.replace(target)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unwritable(target, error) from error
    finally:
        if draft:
            draft.unlink(missing_ok=True)


def write_parquet(
    frame: pl.DataFrame, path: str | Path, metadata: Mapping[str, str] | None = None
) -> None:
    """Write `frame` as Parquet whose bytes depend on its content alone."""
    table = frame.to_arrow()
    table = table.replace_schema_metadata(dict(metadata or {}))
    # Features hardly repeat: their dictionaries would cost three times the writing, and space.
    # zstd would save a little space, and cost more in writing and above all in reading.
    repeating = [name for name, dtype in frame.schema.items() if dtype != pl.Float32]
    with atomic(path) as draft:
        pq.write_table(table, draft, compression="lz4", use_dictionary=repeating)


def write_parquets(frames: Mapping[str, pl.DataFrame], paths: Mapping[str, str | Path]) -> None:
    """Write each frame to the path of its name; both must have the same names."""
    for name in sorted(frames.keys() | paths.keys()):
        write_parquet(frames[name], paths[name])


def read_parquet(
    paths: Paths, columns: Sequence[str] | None = None, *, required: Sequence[str] = ()
) -> pl.DataFrame:
    """Read one Parquet file or several, one below the other.

    columns    all to read; None: whatever there is
    required   columns that must be among them

    Raises UserError naming the file that is missing, unreadable or lacks a column.
    """
    files = [paths] if isinstance(paths, str | Path) else list(paths)
    frames = [_read_one(file, columns) for file in files]
    for file, frame in zip(files, frames, strict=True):
        if missing := [name for name in required if name not in frame.columns]:
            raise UserError(f"{file} lacks the columns {missing}: delete it and run again")
        if frame.schema != frames[0].schema:
            raise UserError(
                f"{file} and {files[0]} differ in columns or types: delete both and run again"
            )
    return pl.concat(frames, how="vertical")


@contextlib.contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Say in one sentence that `path` is damaged, whatever its reader makes of it.

    Polars may panic, which is no Exception. Raises UserError naming the file.
    """
    try:
        yield
    except UserError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path} cannot be read ({reason}): delete it and run again") from error


def _read_one(
    file: str | Path, columns: Sequence[str] | None = None, rows: int | None = None
) -> pl.DataFrame:
    names = list(columns) if columns is not None else None
    with reading(file):
        return pl.read_parquet(file, columns=names, n_rows=rows, glob=False)


def column_names(paths: Paths) -> list[str]:
    """Give the names of a Parquet file's columns, or of the first of several."""
    return _read_one(paths if isinstance(paths, str | Path) else next(iter(paths)), rows=0).columns


def table_size(paths: Iterable[str | Path]) -> tuple[int, int]:
    """Give the rows of all Parquet files and the columns of one, without reading either.

    A damaged file counts as empty: it is refused where it is read. Raises FileNotFoundError.
    """
    sizes = [_table_size(str(path)) for path in paths]
    return sum(rows for rows, _ in sizes), max((columns for _, columns in sizes), default=0)


def _table_size(path: str) -> tuple[int, int]:
    with open(path, "rb") as file:
        try:
            footer = pq.read_metadata(file)
        except (OSError, pa.ArrowException):
            return 0, 0
    return footer.num_rows, footer.num_columns


class Entries(dict[str, Any]):
    """What a file says by key; one that it lacks raises a UserError that names the file."""

    def __init__(self, content: Mapping[str, Any], path: str | Path) -> None:
        super().__init__(content)
        self.path = path

    def __missing__(self, key: str) -> Any:
        """Say that the file is not what it should be."""
        raise UserError(f"{self.path} lacks {key!r}: delete it and run again")


def read_metadata(path: str | Path) -> Entries:
    """Give the metadata that `write_parquet` stored in `path`."""
    with reading(path):
        stored = pq.read_schema(path).metadata or {}
        return Entries({key.decode(): value.decode() for key, value in stored.items()}, path)


def write_json(content: Any, path: str | Path) -> None:
    """Write `content` as JSON with sorted keys; NaN is refused."""
    with atomic(path) as draft:
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        draft.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read JSON; raises UserError naming a file that is missing or broken."""
    with reading(path):
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    return Entries(content, path) if isinstance(content, dict) else content


def write_text(text: str, path: str | Path) -> None:
    """Write `text` as UTF-8."""
    with atomic(path) as draft:
        draft.write_text(text, encoding="utf-8")


def fingerprint(*settings: Any, files: Iterable[str | Path]) -> str:
    """Name settings and the content of files by twelve hex digits."""
    digest = hashlib.sha256(repr(settings).encode())
    for path in files:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]


def write_lines(entries: Iterable[Mapping[str, Any]], path: str | Path) -> None:
    """Write one JSON object a line."""
    write_text("".join(json.dumps(entry, sort_keys=True) + "\n" for entry in entries), path)
