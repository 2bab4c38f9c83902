"""The days that are audited, and the moments at which they were decided."""

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np

from gogooku.calendar import Close, Days, decision_moments
from gogooku.errors import UserError
from gogooku.panel.universe import CLOSE_WINDOW


def test_day(test: Mapping[str, str], day: dt.date | None) -> dt.date:
    """Give `day`, or by default the middle of the test part; UserError if it lies outside it."""
    first, last = (dt.date.fromisoformat(test[end]) for end in ("first", "last"))
    if day and not first <= day <= last:
        raise UserError(f"audit.day {day} is outside the first fold's test part {first}…{last}")
    middle = first + (last - first) / 2
    return day or middle - dt.timedelta(max(0, middle.weekday() - 4))  # markets rest at weekends


def random_day(sessions: Days, draw: int, seed: int) -> dt.date:
    """Give the `draw`-th (from 0) of the random days of `seed`; no two draws are the same day.

    sessions   of the run: neither its first CLOSE_WINDOW, when no universe has formed, nor its
               last, after which nothing is known, are drawn

    Raises UserError if there are too few.
    """
    eligible = sessions[CLOSE_WINDOW:-1]
    if draw >= len(eligible):
        raise UserError(
            f"audit.days asks for more days than the {len(eligible)} that can be audited: lower it"
        )
    day: dt.date = np.random.default_rng(seed).permutation(eligible)[draw].item()
    return day


def moment(day: dt.date, decision: str, closes: Sequence[Close]) -> dt.datetime:
    """Give the moment of decision of `day` as an aware datetime in UTC."""
    decided = decision_moments(np.array([day], "datetime64[D]"), decision, closes)[0]
    return decided.astype(dt.datetime).replace(tzinfo=dt.UTC)
