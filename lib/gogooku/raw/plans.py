"""What a subscription serves: which plan it is, and which days it covers.

The vendor states neither outright. A plan shows in what it refuses; the days covered stand in the
refusal of a day outside them. Both are remembered for the day, beside the ledger of requests.
"""

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from gogooku import errors, files
from gogooku.raw.dataset import PLANS, DataSet

JAPAN = dt.timezone(dt.timedelta(hours=9))

LONG_AGO = "1990-01-01"
"""A day that no plan covers: asking for it costs no rows and shows plan and window alike."""

COVERED = re.compile(r"(?:dates: |^)(\d{4}-\d\d-\d\d) (?:~|to) (\d{4}-\d\d-\d\d)?")


@dataclass(frozen=True)
class Window:
    """The days that a subscription covers, from `start` to `end`; None is the newest."""

    start: dt.date
    end: dt.date | None

    @classmethod
    def parse(cls, message: str) -> "Window | None":
        """Read the window in the text of a refusal, or its own; None if there is none in it."""
        match = COVERED.search(message)
        if not match:
            return None
        end = dt.date.fromisoformat(match[2]) if match[2] else None
        return cls(dt.date.fromisoformat(match[1]), end)

    def __contains__(self, day: dt.date) -> bool:
        return self.start <= day and (self.end is None or day <= self.end)

    def __str__(self) -> str:
        return f"{self.start} to {self.end or 'now'}"

    def clamp(self, first: dt.date, last: dt.date) -> tuple[dt.date, dt.date] | None:
        """Give the part of a period that is covered; None if there is none."""
        start, end = max(first, self.start), min(last, self.end or last)
        return (start, end) if start <= end else None


def serves(plan: str | None, entry: DataSet) -> bool:
    """Whether `plan` includes the data set; add-ons and unknown plans are found out by asking."""
    if plan not in PLANS or entry.plan not in PLANS:
        return True
    return PLANS.index(entry.plan) <= PLANS.index(plan)


class Memory:
    """What is known of an account today: plan and window. It forgets at midnight in Japan.

    path   file to keep it in, shared by all processes with the account; None keeps it in this
           process alone
    """

    def __init__(self, path: Path | None, today: dt.date) -> None:
        self._path, self._today = path, today
        self._known: dict[str, Any] = self._stored()

    @property
    def plan(self) -> str | None:
        """The plan found by probing."""
        return self._known.get("plan")

    @property
    def window(self) -> Window | None:
        """The days covered, as far as the vendor has stated them."""
        return Window.parse(self._known.get("window", ""))

    def covers(self, day: dt.date) -> bool:
        """Whether the subscription covers a day, as far as the vendor has stated it."""
        return self.window is None or day in self.window

    def keep(self, *, plan: str | None = None, window: Window | None = None) -> None:
        """Remember a plan or a window, beside what other processes have found out since."""
        news = {name: str(it) for name, it in (("plan", plan), ("window", window)) if it}
        if self._path is None:
            self._known |= news
            return
        try:
            with FileLock(f"{self._path}.lock", thread_local=False):
                self._known = self._stored() | news
                files.write_json({**self._known, "day": str(self._today)}, self._path)
        except OSError as error:
            raise errors.unwritable(self._path, error) from error

    def _stored(self) -> dict[str, Any]:
        if self._path is None or not self._path.exists():
            return {}
        stored: dict[str, Any] = files.read_json(self._path)
        return stored if stored["day"] == str(self._today) else {}
