"""One run at a time in a folder, by a lock that ends with its process; jobs do not outlive theirs.

Snakemake's own lock is a file that a killed run leaves behind. Here a run holds its folders by the
system's locks, which nobody has to remove. What a killed run's jobs are still doing is ended before
the next run starts; one on another machine, which cannot be ended from here, writes nothing more
(`lost`).
"""

import fcntl
import json
import logging
import os
import socket
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from gogooku.errors import UserError, unwritable

LOCK = ".lock"
HELD = "GOGOOKU_HELD"
"""Environment variable that jobs inherit: folders that their run writes to, each with its token."""

log = logging.getLogger(__name__)
_open: list[TextIO] = []  # for as long as the process lives


def take(written: Iterable[Path], read: Iterable[Path]) -> None:
    """Lock folders until this process ends, and end what killed runs have left at work there.

    written   folders that no other run may read or write meanwhile; made if they are missing
    read      folders that others may read, but not write

    Raises UserError naming a folder in which another run is at work.
    """
    files = {folder: _locked(folder, fcntl.LOCK_EX) for folder in written}
    _open.extend(file for folder in read if (file := _locked(folder, fcntl.LOCK_SH)))
    _end_jobs_left_in({str(folder.resolve()) for folder in [*files, *read]})
    token = uuid.uuid4().hex
    for folder, file in files.items():
        if file:
            _sign(file, token)
            _open.append(file)
            held = f"{folder.resolve()}={token}"
            os.environ[HELD] = os.pathsep.join(filter(None, [os.environ.get(HELD), held]))


def lost() -> str | None:
    """Name a folder that another run has taken over since this job's run began; None if none."""
    for held in filter(None, os.environ.get(HELD, "").split(os.pathsep)):
        folder, _, token = held.rpartition("=")
        try:
            owner = json.loads(Path(folder, LOCK).read_text(encoding="utf-8"))["token"]
        except (OSError, ValueError, KeyError):
            continue  # deleted with its folder, or being signed
        if owner != token:
            return folder
    return None


def _locked(folder: Path, kind: int) -> TextIO | None:
    """Open and lock the folder's lock file; None where nothing can write or nothing can lock."""
    try:
        if kind == fcntl.LOCK_EX:
            folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / LOCK, "a+", encoding="utf-8")  # noqa: SIM115 - closed with the process
    except OSError as error:
        if kind == fcntl.LOCK_SH:
            return None
        raise unwritable(folder / LOCK, error) from error
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = _owner(file) if kind == fcntl.LOCK_SH else ""
        raise UserError(
            f"another run is at work in {folder}{owner}: wait for its end, or stop it"
        ) from None
    except OSError as error:
        log.warning("%s cannot be locked (%s): start no second run there", folder, error.strerror)
    return file


def _sign(file: TextIO, token: str) -> None:
    file.truncate(0)
    json.dump({"token": token, "process": os.getpid(), "host": socket.gethostname()}, file)
    file.flush()
    os.fsync(file.fileno())  # jobs on other machines read it


def _owner(file: TextIO) -> str:
    file.seek(0)
    try:
        signed = json.load(file)
    except ValueError:
        return ""
    return f" (process {signed['process']} on {signed['host']})"


def _end_jobs_left_in(folders: set[str]) -> None:
    """Kill the processes that a run which no longer lives started to write into `folders`."""
    import psutil  # Snakemake's process alone has need of it

    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    left = []
    for process in psutil.process_iter():
        try:
            held = process.environ().get(HELD, "") if process.pid not in mine else ""
        except (psutil.Error, OSError):
            continue  # another user's, or just ended
        if folders & {part.rpartition("=")[0] for part in held.split(os.pathsep)}:
            process.kill()
            left.append(process)
    if left:
        psutil.wait_procs(left, timeout=30)
        log.warning("%d processes that a killed run had left are ended", len(left))
