"""What lies in a store: of each data set what is there, what is missing and what is damaged."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gogooku import files
from gogooku.errors import UserError
from gogooku.raw.catalogue import DATASETS

Row = Mapping[str, Any]

MOST = 10
"""Sentences of one kind that are written out."""


class Entry(NamedTuple):
    """One data set of a store.

    rows, first, last   of all files that can be read
    missing             spans without a file
    faults              a sentence for each file that cannot be read
    """

    dataset: str
    files: int
    rows: int
    first: dt.date | None
    last: dt.date | None
    missing: list[str]
    faults: list[str]


def text(rows: Sequence[Row]) -> str:
    """Lay rows of one kind out in columns; numbers stand to the right."""
    if not rows:
        return "nothing\n"
    columns = []
    for name, value in rows[0].items():
        cells = [name, *(str(row[name]) for row in rows)]
        pad = str.rjust if isinstance(value, int | float) else str.ljust
        columns.append([pad(cell, max(map(len, cells))) for cell in cells])
    return "".join("  ".join(line).rstrip() + "\n" for line in zip(*columns, strict=True))


def look(raw: Path, dataset: str, spans: Iterable[str]) -> Entry:
    """Look at the files of one data set; only the days of their rows are read."""
    paths = {span: raw / dataset / f"{span}.parquet" for span in spans}
    missing = [span for span, path in paths.items() if not path.exists()]
    there = [path for span, path in paths.items() if span not in missing]
    days, faults = each(there, lambda path: _days(path, DATASETS[dataset].day))
    rows = sum(count for count, *_ in days.values())
    ends = [end for _, *pair in days.values() for end in pair if type(end) is dt.date]
    first, last = min(ends, default=None), max(ends, default=None)
    return Entry(dataset, len(there), rows, first, last, missing, faults)


def _days(path: Path, column: str) -> tuple[int, Any, Any]:
    """Give the number of rows, and their first and last day."""
    days = files.read_parquet(path, [column])[column]
    return len(days), days.min(), days.max()


def each(items: Iterable[Any], look: Callable[[Any], Any]) -> tuple[dict[Any, Any], list[str]]:
    """Look at each item; what a UserError says of one is its fault."""
    answers, faults = {}, []
    for item in items:
        try:
            answers[item] = look(item)
        except UserError as error:
            faults.append(str(error))
    return answers, list(dict.fromkeys(faults))


def table(entries: Iterable[Entry]) -> str:
    """Lay out what there is, one line a data set."""
    return text([
        {
            "data set": entry.dataset,
            "there": entry.files,
            "missing": len(entry.missing),
            "damaged": len(entry.faults),
            "rows": entry.rows,
            "first day": entry.first or "",
            "last day": entry.last or "",
        }
        for entry in entries
    ])  # fmt: skip


def status(raw: Path, datasets: Iterable[str], spans: Sequence[str], source: str) -> str:
    """Say of each data set what is there, what is missing and what cannot be read.

    source   what is missing people must put there if it is `stored`; else a run fetches it
    """
    entries = [look(raw, dataset, spans) for dataset in datasets]
    lines = [fault for entry in entries for fault in entry.faults]
    if missing := sum(len(entry.missing) for entry in entries):
        remedy = "see `check`" if source == "stored" else "the next run that needs them makes them"
        lines.append(f"{missing} files of spans are missing: {remedy}")
    return "\n".join([table(entries), *shortened(lines)])


def shortened(lines: Sequence[str]) -> list[str]:
    """Keep the first few of many sentences, and say how many more there are."""
    more = [f"and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return [*lines[:MOST], *more]
