"""A terminal small enough to read: what a program writes to one, and what then stands on it."""

import os
import pty
import re
import subprocess
from pathlib import Path

CONTROL = re.compile(r"\x1b\[\??([0-9;]*)([A-Za-z])")


def shown(text: str) -> list[str]:
    """Lines that stand on a terminal of any height after `text` was written to it."""
    lines, row, column, at = [""], 0, 0, 0
    while at < len(text):
        if match := CONTROL.match(text, at):
            count, kind = match[1], match[2]
            if kind == "F":
                row, column = max(row - int(count or 1), 0), 0
            elif kind == "J":
                lines[row:] = [lines[row][:column]]
            at = match.end()
            continue
        letter, at = text[at], at + 1
        if letter == "\n":
            row += 1
            lines += [""] * (row - len(lines) + 1)
        elif letter == "\r":
            column = 0
        else:
            lines[row] = lines[row][:column] + letter + lines[row][column + 1 :]
            column += 1
    return lines


def on_a_terminal(command: list[str], folder: Path, env: dict[str, str]) -> tuple[int, list[str]]:
    """Run `command` on a pseudo-terminal: its exit status, and its output piece by piece."""
    ours, theirs = pty.openpty()
    pieces = []
    with subprocess.Popen(
        command, cwd=folder, env={**env, "TERM": "xterm"}, stdout=theirs, stderr=theirs,
        stdin=subprocess.DEVNULL,
    ) as run:  # fmt: skip
        os.close(theirs)
        while piece := _read(ours):
            pieces.append(piece)
        os.close(ours)
    return run.returncode, pieces


def _read(stream: int) -> str:
    try:
        return os.read(stream, 65536).decode()
    except OSError:  # the other end is closed
        return ""
