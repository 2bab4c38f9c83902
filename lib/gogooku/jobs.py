"""What every job does alike: write a log, draw from seeds, show progress."""

import logging
import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from gogooku.errors import UserError, unwritable


class _Words(logging.StreamHandler):
    """Writes messages; one that a full disk cannot take is lost, and nothing more said of it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Leave the system's failures alone; all else is a message that was put together wrong."""
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)


def log_to(path: str | Path) -> None:
    """Send messages, warnings and the one-sentence text of a UserError to `path` and stderr.

    Raises UserError if `path` cannot be opened.
    """
    sys.excepthook = _report
    try:
        stream = open(path, "w", buffering=1, encoding="utf-8")  # noqa: SIM115 - lives as long as the job
    except OSError as error:
        raise unwritable(path, error) from error
    handlers: list[logging.Handler] = [_Words(stream), _Words()]
    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, handlers=handlers, force=True)
    logging.captureWarnings(True)


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, UserError):
        logging.error("%s", error)
    else:
        logging.critical("the job failed", exc_info=(kind, error, trace))


def seed_everything(seed: int, threads: int) -> None:
    """Make Python, numpy and torch repeat themselves bit for bit on `threads` CPU threads."""
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)


def progress(items: Iterable[Any], label: str, total: int | None = None) -> Iterator[Any]:
    """Yield `items` behind a bar on stderr that shows rate and remaining time."""
    from tqdm import tqdm  # most jobs show none

    yield from tqdm(items, desc=label, total=total, mininterval=1.0, leave=False)
