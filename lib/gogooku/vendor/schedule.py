"""When the vendor delivers a day, and until when it may still correct it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np

from gogooku import calendar
from gogooku.raw.catalogue import DAILY_MARGIN
from gogooku.raw.dataset import DataSet

NEVER = np.datetime64("9999-01-01", "us")
SHORTEST_WEEK = 3  # sessions; weeks with fewer have no margin balances


def open_until(entry: DataSet, last: dt.date, end: dt.date) -> dt.date:
    """Give the day, up to `end`, whose deliveries may still change a span that ends on `last`.

    It moves with the end of a run while the vendor may correct the span or be late with it, and
    then stands still: a later end fetches the span again until it is settled, and never after.
    """
    sessions = entry.reread + entry.delay
    days = 2 * sessions + 14 if sessions else 0  # weekends, and the longest holidays
    return min(end, last + dt.timedelta(days))


def utc(moment: dt.datetime) -> np.datetime64:
    """Give a moment of a time zone as Deliveries has moments."""
    return np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "us")


@dataclass(frozen=True)
class Deliveries:
    """Moments [UTC, microseconds] of one data set on the exchange's calendar.

    sessions   (T,) trading days, as many beyond the last day of interest as are known
    """

    entry: DataSet
    sessions: calendar.Days

    def requested(self, first: dt.date, last: dt.date) -> list[dt.date]:
        """List the days from `first` to `last` that are requested one by one."""
        since = max(np.datetime64(first), np.datetime64(self.entry.since))
        days = self.sessions[(self.sessions >= since) & (self.sessions <= np.datetime64(last))]
        if self.entry.request == "week":
            daily = days >= np.datetime64(DAILY_MARGIN)
            days = days[daily | np.isin(days, _ends_of_weeks(self.sessions))]
        return [day.item() for day in days]

    def moment(self, day: dt.date, later: int = 0) -> np.datetime64:
        """Give the delivery of the day's rows, or of those of the `later`-th session after it."""
        index = int(np.searchsorted(self.sessions, np.datetime64(day), side="right")) - 1
        index += self._delay(day) + later
        if not 0 <= index < len(self.sessions):
            return NEVER
        return self._served(self.sessions[index : index + 1])[0]

    def newest(self, now: np.datetime64) -> Any:
        """Give the last delivery up to `now`; the start of the day in Japan if there was none."""
        moments = self._served(self.sessions)
        past = moments[moments <= now]
        midnight = (now + np.timedelta64(9, "h")).astype("datetime64[D]")
        return past.max() if len(past) else calendar.to_utc(midnight, np.timedelta64(0, "s"))

    def settled(self, day: dt.date) -> np.datetime64:
        """Give the delivery after which the vendor corrects the day no more."""
        return self.moment(day, self.entry.reread)

    def is_stale(self, day: dt.date, checked: np.datetime64, now: np.datetime64) -> bool:
        """Whether a day's rows that held at `checked` may have been corrected by `now`."""
        return bool(checked < min(self.newest(now), self.settled(day)))

    def _delay(self, day: dt.date) -> int:
        """Sessions until the day's rows are served; daily margin balances take one, not two."""
        return 1 if self.entry.request == "week" and day >= DAILY_MARGIN else self.entry.delay

    def _served(self, sessions: calendar.Days) -> calendar.Days:
        return calendar.to_utc(sessions, calendar.minutes(self.entry.served))


def _ends_of_weeks(sessions: calendar.Days) -> calendar.Days:
    """Give the last session of each week, Monday to Sunday, that has SHORTEST_WEEK at least."""
    monday = np.datetime64("1970-01-05")
    weeks = (sessions - monday).astype(np.int64) // 7
    last = np.r_[weeks[1:] != weeks[:-1], True] if len(weeks) else np.array([], bool)
    counts = np.unique(weeks, return_counts=True)[1]
    return sessions[last][counts >= SHORTEST_WEEK]
