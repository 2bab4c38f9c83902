"""What every job does alike: write a log, draw from seeds, show progress."""

import logging
import os
import random
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import numpy as np

from gogooku.errors import UserError, unwritable

SHORTEST_PAUSE = 5.0
"""Seconds between two messages on a job's progress, at least."""


class _Words(logging.StreamHandler):
    """Writes messages to a log; one that a full disk cannot take goes to `spare`."""

    spare: TextIO | None = None

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Leave the system's failures alone; all else is a message that was put together wrong."""
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)
        elif self.spare:
            print(self.format(record), file=self.spare, flush=True)


def log_to(path: str | Path) -> None:
    """Send messages, warnings, stderr and the one-sentence text of a UserError to `path`.

    The terminal is Snakemake's, which shows what the log says last. Raises UserError if `path`
    cannot be opened.
    """
    sys.excepthook = _report
    try:
        stream = open(path, "w", buffering=1, encoding="utf-8")  # noqa: SIM115 - lives as long as the job
    except OSError as error:
        raise unwritable(path, error) from error
    log = _Words(stream)
    log.spare = os.fdopen(os.dup(2), "w")
    os.dup2(stream.fileno(), 2)  # compiled libraries write there too
    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, handlers=[log], force=True)
    logging.captureWarnings(True)


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, UserError):
        logging.error("%s", error)
    else:
        logging.critical("the job failed", exc_info=(kind, error, trace))


def seed_everything(seed: int) -> None:
    """Seed Python's and numpy's global random numbers."""
    random.seed(seed)
    np.random.seed(seed)


def progress(items: Iterable[Any], label: str, total: int | None = None) -> Iterator[Any]:
    """Yield `items` and log at growing intervals how many are done and how long the rest takes."""
    count = len(items) if total is None and isinstance(items, Sized) else total
    began = spoke = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - spoke >= max(SHORTEST_PAUSE, (now - began) / 50):
            spoke = now
            logging.info("%s: %s", label, _share(done, count, now - began))


def _share(done: int, total: int | None, spent: float) -> str:
    if not total:
        return f"{done:,} done"
    minutes = spent * (total - done) / done / 60
    return f"{done:,} of {total:,}, {minutes:.1f} minutes left"
