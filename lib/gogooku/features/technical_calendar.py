"""Columns of the technical family that tell of the listing and of the exchange's calendar."""

import numpy as np

from gogooku.arrays import indicators as ind
from gogooku.arrays import time_series
from gogooku.arrays.time_series import ratio
from gogooku.calendar import Days, Sessions
from gogooku.features.balances import SHARES_LAST
from gogooku.features.column import Column, Values
from gogooku.panel.panel import Panel

LONGEST_LISTING = 800  # sessions; the family's look-back holds as many


def _flag(
    name: str, definition: str, source: str = "calendar", inputs: tuple[str, ...] = ()
) -> Column:
    return Column(name, "flag", "0 or 1", definition, 0, 1, source, inputs=inputs)


LISTING = [
    Column("turnover_rate", "stock", "share",
           "V as traded / shares outstanding of the newest statement known", SHARES_LAST, 1,
           "J-Quants fins/summary", inputs=("volume_factor", "raw_volume", "listed", "summary")),
    _flag("limit_up", "traded at the upper daily limit", "J-Quants UL",
          inputs=("limit_up", "listed")),
    _flag("limit_down", "traded at the lower daily limit", "J-Quants LL",
          inputs=("limit_down", "listed")),
    Column("days_since_listing_log", "stock", "ln(1 + sessions)",
           f"sessions since first listed in the look-back, {LONGEST_LISTING} if listed on its "
           f"first session, at most {LONGEST_LISTING}",
           LONGEST_LISTING, 1, "J-Quants master", validates=False, inputs=("listed",)),
]  # fmt: skip


def of_the_listing(panel: Panel, outstanding: np.ndarray, start: int) -> Values:
    """Give the listing's columns, (T − start, N) float32; NaN where a stock is not listed.

    outstanding   (T − start, N) shares as known, in the basis of the day
    """
    past, late = panel["listed"], panel.since(start)
    age = np.arange(start, len(past))[:, None] - np.argmax(past, axis=0) + 1
    age = np.where(past[0], LONGEST_LISTING + 1, np.minimum(age, LONGEST_LISTING + 1))
    columns = {
        "turnover_rate": ratio(late["raw_volume"], outstanding),
        "limit_up": late["limit_up"],
        "limit_down": late["limit_down"],
        "days_since_listing_log": ind.log(age),
    }
    return {
        name: time_series.known(time_series.where(late["listed"], x), np.float32)
        for name, x in columns.items()
    }


CALENDAR = [
    *(_flag(f"weekday_{day}", f"weekday {day}, 0 Monday") for day in range(5)),
    _flag("month_start", "first session of the month", inputs=("calendar",)),
    _flag("month_end", "last session of the month", inputs=("calendar",)),
    Column("sessions_to_month_end", "market", "sessions", "sessions after this one in its month", 0,
           1, "calendar", inputs=("calendar",)),
]  # fmt: skip


def of_the_calendar(dates: Days, sessions: Sessions) -> Values:
    """Give the calendar's columns, (T,) float32; the month's from the calendar's first day on."""
    weekday = (dates.astype(np.int64) + 3) % 7  # day 0 of the epoch was a Thursday
    columns = {f"weekday_{day}": weekday == day for day in range(5)}
    covered = dates >= sessions.days[0]
    left = np.full(len(dates), np.nan)
    left[covered] = sessions.to_month_end(dates[covered])
    _, first = np.unique(sessions.days.astype("datetime64[M]"), return_index=True)
    columns["month_start"] = time_series.where(covered, np.isin(dates, sessions.days[first]))
    columns["month_end"] = time_series.where(covered, left == 0)
    return {
        name: time_series.known(x, np.float32)
        for name, x in (columns | {"sessions_to_month_end": left}).items()
    }
