"""What every job does alike: run the code that was planned, log, draw from seeds, show progress."""

import functools
import json
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
from lineage.reach import Code

from gogooku.errors import UserError, unwritable

LIB = Path(__file__).resolve().parents[1]
# Holds the digests of the run that a job belongs to, since a job on another machine reads the rules
# for itself, and may read them later.
PLANNED = "GOGOOKU_CODE"

# Decorators that compile, or that limit threads, and add nothing to what the text says.
WRAPPERS = ("gogooku.arrays.jit.kernel", "threadpoolctl.threadpool_limits.wrap")
# What says how a job goes, or why it failed, and gives back what it is given: it decides no value.
# A line in the ledger likewise.
ASIDE = (
    "gogooku.jobs.start", "gogooku.jobs.log_to", "gogooku.jobs.progress",
    "gogooku.errors.unwritable", "gogooku.evaluation.ledger.fitted",
    "gogooku.evaluation.ledger.evaluated",
)  # fmt: skip

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


@functools.cache
def code() -> Code:
    """Give the workflow's code as it is on disk when it is first asked for."""
    lock, cache = LIB.parent / "envs" / "lock.txt", Path(".snakemake", "lineage.json")
    return Code(LIB, lock=lock, harmless=WRAPPERS, aside=ASIDE, cache=cache.resolve())


@functools.cache
def code_of(script: Path, *also: str, planning: bool = True) -> list[str]:
    """Name what a job runs: the digest of its script's code, then `also`.

    also       what the script imports by name: `gogooku.features.sector:compute`, a user's file
    planning   a run is planned, whose jobs will stop if the code is another by then; else a job of
               that run reads the rules, and is given the digest that was planned

    Raises UserError naming a file of `also` that cannot be read or is no Python.
    """
    key = " ".join([script.stem, *also])
    planned = json.loads(os.environ.get(PLANNED, "{}"))
    if planning or key not in planned:
        planned[key] = _digest(script, *also)
        os.environ[PLANNED] = json.dumps(planned)
    return [planned[key], *also]


def _digest(script: Path, *also: str) -> str:
    try:
        return code().digest(script, *also)
    except SyntaxError as error:
        line = f"{error.filename}, line {error.lineno}"
        raise UserError(f"{line} is no Python ({error.msg}): mend it") from error
    except OSError as error:
        raise UserError(f"{error.filename} cannot be read ({error.strerror})") from error


def start(snakemake: Any) -> None:
    """Begin a job: open its log, and stop it if its code is not the code that was planned.

    Raises UserError if gogooku is not the workflow's own, or if a definition that the job's script
    reaches has changed since `params.code` was made (`code_of`).
    """
    log_to(snakemake.log[0])
    script = Path(str(sys.modules["__main__"].__file__))
    own = Path(script.parents[1], "lib").resolve()
    if own != LIB:
        raise UserError(
            f"gogooku is imported from {LIB} and not from the workflow's own {own}: take the other "
            "out of PYTHONPATH or uninstall it"
        )
    digest, *also = snakemake.params.code
    if _digest(script, *also) != digest:
        raise UserError(
            f"the code of {snakemake.rule} changed after the run was planned: start it again"
        )


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
    start = last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= max(SHORTEST_PAUSE, (now - start) / 50):
            last = now
            logging.info("%s: %s", label, _share(done, count, now - start))


def _share(done: int, total: int | None, spent: float) -> str:
    if not total:
        return f"{done:,} done"
    minutes = spent * (total - done) / done / 60
    return f"{done:,} of {total:,}, {minutes:.1f} minutes left"
