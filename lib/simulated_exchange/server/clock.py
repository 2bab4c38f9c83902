"""The simulated exchange's clock: what time it is there, and which rows have appeared by then.

Rows appear at the catalogue's time of day. Three data sets are finer: filings come in a run at
18:00 and a final one at 24:30 (on Premium one by one), dividend notices at the full hours from
12:00 to 19:00, and the issue list of the next session at 17:30. Weekly margin balances wait for
the second session after their own, daily ones for their day of publication.
"""

import datetime as dt
import time
from collections.abc import Callable

import numpy as np
import polars as pl
from gogooku import calendar
from gogooku.raw.catalogue import DATASETS

JST = dt.timezone(dt.timedelta(hours=9), "JST")
Now = Callable[[], dt.datetime]
Window = tuple[dt.date, dt.date | None]

YEARS = {"free": 2, "light": 5, "standard": 10, "premium": 20}
FREE_LAG = dt.timedelta(weeks=12)
LIST_BEFORE = dt.timedelta(hours=24) - dt.timedelta(hours=17, minutes=30)
"""How long before midnight the issue list of the next session appears."""

NIGHT_ENDS = dt.timedelta(hours=5, minutes=59)


def fixed(moment: dt.datetime) -> Now:
    """Make a clock that stands at `moment`."""
    return lambda: moment


def scaled(
    start: dt.datetime, speed: float, monotonic: Callable[[], float] = time.monotonic
) -> Now:
    """Make a clock that starts at `start` now and runs `speed` times as fast as time does."""
    origin = monotonic()
    return lambda: start + dt.timedelta(seconds=speed * (monotonic() - origin))


def end_of(day: dt.date) -> dt.datetime:
    """Give the last minute of the vendor's day, which ends at 06:00 of the next: all is out."""
    return dt.datetime.combine(day, dt.time(), JST) + dt.timedelta(days=1) + NIGHT_ENDS


def window(plan: str | None, today: dt.date) -> Window | None:
    """Give the days that a plan covers when asked on `today`; no plan covers everything."""
    if plan is None:
        return None
    end = today - FREE_LAG if plan == "free" else today
    leap = end.month == 2 and end.day == 29
    start = end.replace(year=end.year - YEARS[plan], day=28 if leap else end.day)
    return start, end if plan == "free" else None


def hours(clock: str) -> dt.timedelta:
    """Read `HH:MM` as time since midnight; hours may pass 24."""
    return dt.timedelta(seconds=int(calendar.minutes(clock).astype(int)))


class Timetable:
    """When the rows of each data set appear.

    sessions   (T,) trading days; before and after them, every weekday counts as one
    premium    whether filings appear as they are disclosed
    """

    def __init__(self, sessions: calendar.Days, premium: bool) -> None:
        weekdays = np.arange(np.datetime64("2006-01-01"), np.datetime64("2040-01-01"))
        weekdays = weekdays[np.is_busday(weekdays)]
        if len(sessions):
            outside = (weekdays < sessions[0]) | (weekdays > sessions[-1])
            weekdays = np.union1d(weekdays[outside], sessions)
        self._sessions, self._premium = weekdays, premium

    def session_from(self, day: dt.date) -> dt.date:
        """Give the first session on or after `day`."""
        return self._sessions[np.searchsorted(self._sessions, np.datetime64(day))].item()

    def session_until(self, day: dt.date) -> dt.date:
        """Give the last session on or before `day`."""
        return self._at(day, -1)

    def _at(self, day: dt.date, steps: int) -> dt.date:
        """Give a session by its place among those after `day`; -1 is the last one up to it."""
        place = np.searchsorted(self._sessions, np.datetime64(day), side="right") + steps
        return self._sessions[place].item()

    def newest(self, dataset: str, now: dt.datetime) -> dt.date:
        """Give the newest day of which all rows have appeared."""
        if dataset == "calendar":
            return dt.date(now.year + ((now.month, now.day) > (3, 30)), 12, 31)
        if dataset == "master":
            return self.session_from((now + LIST_BEFORE).date())
        entry = DATASETS[dataset]
        day = (now - hours(entry.served)).date()
        return self._at(day, -1 - entry.delay) if entry.delay else day

    def served_at(self, dataset: str, day: dt.date) -> dt.datetime:
        """Give the moment at which all rows of `day` have appeared."""
        entry = DATASETS[dataset]
        last = self._at(day, entry.delay - 1) if entry.delay else day
        return dt.datetime.combine(last, dt.time(), JST) + hours(entry.served)

    def appeared(self, dataset: str, now: dt.datetime) -> pl.Expr:
        """Say of each row whether it has appeared."""
        day, newest = pl.col(DATASETS[dataset].day), self.newest(dataset, now)
        today = now.date()
        if dataset == "margin_interest":
            published = (now - hours(DATASETS[dataset].served)).date()
            return (pl.col("PubDate") <= published).fill_null(day <= newest)
        if dataset in ("summary", "details"):
            time_of_day = pl.col("DiscTime").fill_null("99")
            if self._premium:
                clock = f"{now:%H:%M:%S}"
                return (day < today) | ((day == today) & (time_of_day <= clock))
            first_run = (now - hours("18:00")).date()
            return (day <= newest) | ((day <= first_run) & (time_of_day <= "18:00:00"))
        if dataset == "dividend":
            run = f"{min(now.hour, 19):02d}:00" if now.hour >= 12 else ""
            time_of_day = pl.col("PubTime").fill_null("99")
            at_all = (now - hours("33:00")).date()
            evening = (day < today) & (time_of_day <= "19:00")
            return (day <= at_all) | evening | ((day == today) & (time_of_day <= run))
        return day <= newest
