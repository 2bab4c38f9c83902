"""Announcements of earnings: when the next is scheduled, and what the last one brought.

Ahead of the day there are schedules only. A company announces the day on which it will report a
period and may move it or withdraw it ("undecided"); a session takes of each period the newest
schedule that was public at its decision, for 245 sessions from its publication. The period is the
last one of the schedule's name that had ended on the scheduled day. Schedules come from
fins/earnings-date and, where that says nothing newer, from the archived lists of the next session's
announcers; what a company files later, and when, plays no part.

Behind the day there are statements, as the statement family reads them. An announcement is the
first statement of the newest period; it counts from the first session that could know it and
expires after 245. The market reacts in the first session whose close follows the publication, which
on the served clock may lie before the session that counts it, or after it. Its surprise measures
the operating profit, or profit where the company reports or guides no operating profit, against the
full-year guidance in force before the filing's day, in proportion to the months of the fiscal year
that the figure holds: three quarters of it after nine months. After six the company's own guidance
for the first half comes first. A correction of the newest period counts against the same guidance;
an older period's changes no surprise.
"""

import datetime as dt
import logging
from dataclasses import dataclass, field
from functools import partial
from math import nan
from typing import NamedTuple

import numpy as np
import polars as pl

from gogooku.arrays import time_series
from gogooku.features import filings
from gogooku.features.balances import until_next
from gogooku.features.column import Column
from gogooku.features.company import LONGEST, Company, CompanyStates, change, first_known
from gogooku.features.filings import HALF, NO_GUIDANCE, YEAR, Filing, Guidance
from gogooku.features.inputs import Inputs
from gogooku.features.statement import VENDOR

log = logging.getLogger(__name__)

FARTHEST = 90  # sessions to or since an announcement, as far as they are counted
WEEK = 5  # sessions
HALF_LIFE = 20  # of the drift after an announcement [sessions]
SURPRISES = 4  # quarters of a year

SCHEDULES = "J-Quants fins/earnings-date"
BERNARD = "Bernard and Thomas (1989), Journal of Accounting Research 27"
SCHEDULED = ("earnings_date", "earnings_calendar")
_column = partial(
    Column, kind="stock", unit="ratio", look_back=500, min_obs=1, source=VENDOR, inputs=("summary",)
)
_ahead = partial(_column, look_back=LONGEST, source=SCHEDULES, inputs=("calendar", *SCHEDULED))
_reaction = partial(
    _column, unit="share", look_back=LONGEST + 1, min_obs=2, inputs=("close", "summary")
)

COLUMNS = [
    _ahead("days_to_earnings", unit="sessions",
           definition="sessions to the next scheduled announcement, 0 on its day, at most 90"),
    _column("days_since_earnings", unit="sessions", look_back=LONGEST,
            definition="sessions since the newest announcement first counted, at most 90"),
    _ahead("is_earnings_week", kind="flag", unit="0/1", inputs=("calendar", "summary", *SCHEDULED),
           definition="days_to_earnings ≤ 5 or days_since_earnings ≤ 5"),
    _column("earnings_surprise", definition="operating profit (profit where it is not reported or "
            "guided) against its share by months of the full-year guidance known before, after six "
            "months that for the first half where there is one; / its abs"),
    _column("earnings_momentum", look_back=820, min_obs=time_series.enough(SURPRISES),
            definition="mean sign of the surprises of the 4 quarters to the newest"),
    _reaction("earnings_day_return",
              definition="return of the first session that closed after the newest announcement"),
    _reaction("pead_strength", source=BERNARD,
              definition="earnings_day_return × ½^(sessions since that one / 20)"),
]  # fmt: skip


def compute(inputs: Inputs) -> dict[str, np.ndarray]:
    """Make the family's columns, name → (T − start, N) float32; NaN where nothing was known.

    summary             rows of fins/summary with `known_at` and, on any clock, `published_at`, when
                        the market could read them
    earnings_date       schedules as published, with `known_at`; may be empty
    earnings_calendar   announcers of the next session as read, with `known_at`; may be empty
    calendar            sessions: the panel's and 90 after them, as far as they are known
    """
    ahead, columns = days_ahead(inputs)[inputs.start :], _announced(inputs)
    since = columns["days_since_earnings"]
    soon = (ahead <= WEEK) | (since <= WEEK)
    columns["days_to_earnings"] = ahead
    columns["is_earnings_week"] = time_series.where(np.isfinite(ahead) | np.isfinite(since), soon)
    return {name: time_series.known(values, np.float32) for name, values in columns.items()}


# ---- ahead ---------------------------------------------------------------------------------------

MONTHS_TO_YEAR_END = {"1Q": 9, "2Q": 6, "3Q": 3, "FY": 0}
QUARTERS = {"１": "1Q", "２": "2Q", "３": "3Q", "1": "1Q", "2": "2Q", "3": "3Q"}
KEY = ["Code", "FQName", "FYE"]
FIELDS = [*KEY, "SchDate", "known_at"]


def schedules(earnings_date: pl.DataFrame, earnings_calendar: pl.DataFrame) -> pl.DataFrame:
    """Join both sources' schedules: Code, FQName, FYE [MMDD], SchDate (null = undecided), known_at.

    Sorted by key and known_at. A list that still names the day on which it was read, or an earlier
    one, has not been renewed and says nothing. Warns if there are none.
    """
    quarter = pl.col("FQ").str.extract("第(.)四半期").replace_strict(QUARTERS, default=None)
    month, day = (
        pl.col("FY").str.extract(f"([0-9]+){unit}").str.zfill(2).fill_null("") for unit in "月日"
    )
    stale = (pl.col("Date") <= pl.col("ReadOn")).fill_null(False)
    read = earnings_calendar.filter(~stale).select(
        "Code", quarter.fill_null("FY").alias("FQName"), (month + day).alias("FYE"),
        pl.col("Date").alias("SchDate"), "known_at",
    )  # fmt: skip
    rows = pl.concat([earnings_date.select(FIELDS), read])
    if rows.is_empty():
        log.warning("no schedule of earnings is known: days_to_earnings is null")
    return rows.sort(*KEY, "known_at", maintain_order=True)


def days_ahead(inputs: Inputs) -> np.ndarray:
    """Count the sessions to each stock's next scheduled announcement, (T, N), at most 90.

    A schedule on a day without a session stands for the next one. NaN where no schedule for the
    day or later is in force, or the calendar does not reach it.
    """
    panel, sessions = inputs.panel, inputs.sessions
    out = np.full(panel.shape, np.nan)
    rows = _in_force(inputs)
    here = sessions.position(panel.dates)
    position = np.searchsorted(sessions.days, rows["SchDate"].to_numpy().astype("datetime64[D]"))
    end = np.minimum(rows["end"].to_numpy(), np.searchsorted(here, position, side="right"))
    for i, (start, slot) in enumerate(rows.select("start", "slot").iter_rows()):
        days = slice(start, end[i])
        distance = np.minimum(position[i] - here[days], FARTHEST).astype(float)
        if position[i] == len(sessions.days):
            distance[distance < FARTHEST] = np.nan
        out[days, slot] = np.fmin(out[days, slot], distance)
    return out


def _in_force(inputs: Inputs) -> pl.DataFrame:
    """Give the schedules that count, with slot, first session and the one before which they cease.

    An undecided date withdraws the one announced before for the same quarter and year end.
    """
    rows = schedules(inputs.rows("earnings_date"), inputs.rows("earnings_calendar"))
    rows = rows.filter(pl.col("Code").is_in(inputs.panel.codes.tolist()))
    known_at = rows["known_at"].dt.replace_time_zone(None).to_numpy()
    rows = rows.with_columns(
        slot=pl.Series(inputs.panel.grid.slots(rows["Code"])),
        start=pl.Series(np.searchsorted(inputs.moments, known_at)),
        period=_period().forward_fill().over(KEY),
    )
    rows = until_next(rows, pl.col("start") + LONGEST, ("FQName", "FYE", "period"))
    return rows.drop_nulls("SchDate")


def _period() -> pl.Expr:
    """Count the month (year × 12 + month) in which the scheduled period ended; null if undecided.

    The year end comes without a year: it is the last that leaves the period before the schedule.
    """
    scheduled = pl.col("SchDate")
    month, day = (
        pl.col("FYE").str.slice(start, 2).cast(pl.Int64, strict=False) for start in (0, 2)
    )
    before = pl.col("FQName").replace_strict(MONTHS_TO_YEAR_END, default=0, return_dtype=pl.Int64)
    ended = (month - before - 1) % YEAR + 1
    this_month = scheduled.dt.month().cast(pl.Int64)
    over = (this_month > ended) | ((this_month == ended) & (scheduled.dt.day() >= day))
    return scheduled.dt.year().cast(pl.Int64) * YEAR + ended - pl.when(over).then(0).otherwise(YEAR)


# ---- behind --------------------------------------------------------------------------------------


class Announced(NamedTuple):
    """What is known of a company's announcements after a filing; NaN or None where nothing is."""

    known_at: dt.datetime | None = None  # when the newest period was first known
    published_at: dt.datetime | None = None  # when the market could first read it
    surprise: float = nan
    momentum: float = nan


@dataclass
class Announcements(Company):
    """One company's surprises, by the month in which their period ended."""

    unknown = Announced()
    published_at: dict[int, dt.datetime] = field(default_factory=dict)  # the first statement
    expected: dict[int, Guidance] = field(default_factory=dict)  # before the first statement's day
    surprises: dict[int, float] = field(default_factory=dict)

    def read(self, filing: Filing) -> None:
        """Add a filing."""
        super().read(filing)
        newest = self.newest
        if newest is None:
            return
        end = newest.end
        self.published_at.setdefault(end, filing.published_at)
        guidance = self.expected.setdefault(end, self.before.get(newest.year, NO_GUIDANCE))
        figures = self.figures[newest.single][end][newest.length]
        self.surprises[end] = _surprise(newest, figures, guidance)

    def state(self) -> Announced:
        """Give what is known after the filings that were read."""
        if self.newest is None:
            return self.unknown
        end = self.newest.end
        last = [x for month, x in self.surprises.items() if end - YEAR < month and x == x]
        signs = [(x > 0) - (x < 0) for x in last]
        momentum = sum(signs) / len(signs) if len(signs) >= time_series.enough(SURPRISES) else nan
        return Announced(self.statement_at, self.published_at[end], self.surprises[end], momentum)


def _surprise(newest: Filing, figures: filings.Figures, guided: Guidance) -> float:
    months = newest.length + newest.year - newest.end  # of the fiscal year
    share = newest.length / months if months > 0 else nan
    _, operating, profit, _ = figures
    guided_operating, guided_profit, *_, half_operating, half_profit = guided
    due_operating, due_profit = share * guided_operating, share * guided_profit
    if newest.length == HALF:
        due_operating = first_known(half_operating, due_operating)
        due_profit = first_known(half_profit, due_profit)
    return first_known(change(operating, due_operating), change(profit, due_profit))


def _announced(inputs: Inputs) -> dict[str, np.ndarray]:
    panel, moments = inputs.panel, inputs.moments
    summary = inputs.rows("summary", "no statement is known: what earnings brought is null")
    own = summary.filter(pl.col("Code").is_in(panel.codes.tolist()))
    states = CompanyStates(inputs, filings.prepare(own, pl.lit(1.0)), Announcements)
    age = states.sessions_since("known_at", moments)
    age[age >= LONGEST] = np.nan
    delay = states.sessions_since("published_at", inputs.closes)
    delay[np.isnan(age) | (delay < 0)] = np.nan
    reaction = _back(panel.returns, delay)
    return {
        "days_since_earnings": np.minimum(age, FARTHEST),
        "earnings_surprise": states.figure("surprise", age),
        "earnings_momentum": states.figure("momentum", age),
        "earnings_day_return": reaction,
        "pead_strength": reaction * 0.5 ** (delay / HALF_LIFE),
    }


def _back(x: np.ndarray, sessions: np.ndarray) -> np.ndarray:
    """Give the value of x (T, N) so many sessions before its last D, (D, N); NaN where that is."""
    back = np.nan_to_num(sessions).astype(np.int64)
    day, slot = np.indices(sessions.shape)
    return time_series.where_known(sessions, x[len(x) - len(sessions) + day - back, slot])
