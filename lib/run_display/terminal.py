"""Lines on a stream, and on a terminal an area below them that is drawn anew."""

import contextlib
import os
import shutil
from collections.abc import Sequence
from typing import TextIO

UP = "\x1b[{}F\x1b[J"  # to the start of a line further up, and nothing below it
NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"  # a line that is too long ends at the border
RED, PLAIN = "\x1b[31m", "\x1b[0m"


class Terminal:
    """Writes to `stream`; what is no terminal gets lines alone, without control characters."""

    def __init__(self, stream: TextIO, colour: bool = True) -> None:
        self.stream = stream
        self.live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.colour = self.live and colour and "NO_COLOR" not in os.environ
        self._drawn = 0

    @property
    def height(self) -> int:
        """Lines that the area may have."""
        return max(shutil.get_terminal_size().lines // 2, 2)

    def say(self, text: str, warn: bool = False) -> None:
        """Write lines that stay, above the area, which is gone until it is drawn again."""
        if warn and self.colour:
            text = f"{RED}{text}{PLAIN}"
        self._write(self._erased() + text + "\n")

    def draw(self, lines: Sequence[str]) -> None:
        """Draw the area; no lines leave none."""
        if self.live and (lines or self._drawn):
            text = self._erased() + "".join(f"{line}\n" for line in lines[: self.height])
            self._drawn = min(len(lines), self.height)
            self._write(NO_WRAP + text + WRAP)

    def _erased(self) -> str:
        drawn, self._drawn = self._drawn, 0
        return UP.format(drawn) if drawn else ""

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a terminal that is closed ends no run
            self.stream.write(text)
            self.stream.flush()
