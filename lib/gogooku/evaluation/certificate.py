"""What an audit has certified, and when: the report tells its own from one of other code."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gogooku import files

SETTINGS = ("clock", "decision_time", "quality", "universe", "features", "labels", "graph")
"""Sections that decide what a row is made of, from the panel to the data set."""


def subject(codes: Iterable[Sequence[str]], settings: Mapping[str, Any]) -> str:
    """Name what is certified by twelve hex digits.

    codes      digests of the stages from the panel to the predictions, each first in its list
    settings   of the run, as JSON has them
    """
    sections = [settings[name] for name in SETTINGS]
    return files.fingerprint(sorted({digest for digest, *_ in codes}), sections, files=[])


def issue(subject: str, raw: Iterable[str | Path]) -> dict[str, Any]:
    """Give the part of an audit's file that says what it is about: code, data (raw files), when."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return {"code": subject, "data": data(raw), "when": now}


def data(raw: Iterable[str | Path]) -> str:
    """Name the content of raw files by twelve hex digits."""
    return files.fingerprint(files=sorted(map(str, raw)))
