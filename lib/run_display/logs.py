"""What a job's log says last, and why the job failed."""

import re
import signal
from collections.abc import Sequence
from pathlib import Path

STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ([A-Z]+) ")
"""How `jobs.log_to` begins a message; the group is its level."""

LAST, WHOLE = 2**14, 2**20
"""Bytes at a log's end in which a job's progress stands, and the text of an error, however long."""

CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
SLACK = 60.0

KILLED = re.compile(r"died with <Signals\.(SIG\w+)|non-zero exit status (1[2-9]\d)")
"""Snakemake's words for a job that a signal ended; a shell adds the signal's number to 128."""


def last(logs: Sequence[Path], since: float) -> str:
    """Give the first line of the last message; "" if there is none from after `since` [s]."""
    lines = [line for line in _lines(logs, since, LAST) if STAMP.match(line)]
    return STAMP.sub("", lines[-1]) if lines else ""


def sentence(logs: Sequence[Path], since: float) -> str:
    """Say why a job failed: a UserError's text, or a traceback's error; "" if no log tells.

    since   when the job was started [s]; older logs are those of earlier jobs
    """
    lines = _lines(logs, since, WHOLE)
    stamped = [STAMP.match(line) for line in lines]
    bad = [n for n, match in enumerate(stamped) if match and match[1] in ("ERROR", "CRITICAL")]
    if not bad:
        return ""
    end = next((n for n in range(bad[-1] + 1, len(lines)) if stamped[n]), len(lines))
    text = [line for line in lines[bad[-1] : end] if line.strip()]
    traces = [n for n, line in enumerate(text) if line.startswith("Traceback (most recent call")]
    if not traces:
        return "\n".join([STAMP.sub("", text[0]), *text[1:]])
    return next((line for line in text[traces[-1] + 1 :] if line[0] != " "), text[-1]).strip()


def killed(remark: str) -> str:
    """Say that the system ended a job, if Snakemake's `remark` on it tells so; else ""."""
    if not (match := KILLED.search(remark)):
        return ""
    names = {str(each.value + 128): each.name for each in signal.Signals}
    name = match[1] or names.get(match[2])
    if not name:
        return ""
    memory = ": perhaps memory ran out; close other programs or give fewer --cores"
    return f"the job was ended by {name}{memory if name == 'SIGKILL' else ''}"


def _lines(logs: Sequence[Path], since: float, size: int) -> list[str]:
    """Read the last `size` bytes of the first log that is there and was written after `since`."""
    for log in logs:
        try:
            if log.stat().st_mtime < since - SLACK:
                continue
            with log.open("rb") as stream:
                stream.seek(max(log.stat().st_size - size, 0))
                return CONTROL.sub("", stream.read().decode("utf-8", "replace")).splitlines()
        except OSError:
            continue
    return []
