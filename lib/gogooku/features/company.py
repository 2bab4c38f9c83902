"""What is known of a company after one filing and the next, as they became public.

A filing adds to what is known of its company: figures of a period, guidance for a fiscal year, or
both. Each is kept apart, so a forecast revision leaves the figures alone and a statement without
guidance leaves the guidance. A correction replaces a figure from its own publication on. Quarters
and twelve months follow from cumulated periods by subtraction.

A filing can also take back. A revision without any number withdraws the guidance that it is about
("undecided"), and a fiscal year that a filing bounds anew voids the guidance for years that overlap
it: a company that moves its year-end from March to December has no year to the next March.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isnan, nan
from typing import Any, ClassVar, NamedTuple

import numpy as np
import polars as pl

from gogooku.arrays import time_series
from gogooku.calendar import Days
from gogooku.features.filings import NO_GUIDANCE, QUARTER, YEAR, Figures, Filing, Guidance
from gogooku.features.inputs import Inputs

LONGEST = 245  # sessions from its publication for which a figure counts
NO_FIGURES: Figures = (nan,) * 4
NOTHING_FILED: Figures = (nan, nan, nan, 0.0)
"""A period before its first filing: preferred shares take nothing until one says otherwise."""
OF_YEAR, DIVIDEND, OF_HALF = {0, 1, 2}, {3}, {4, 5}  # positions in Guidance
LONGEST_YEAR = 18  # months; company law lets a year in which its end moves last so long


class State(NamedTuple):
    """What is known of a company after a filing; NaN, or None for a moment, where nothing is.

    Moments at which the newest period and the guidance were first published; money [JPY, or USD of
    a company that files in it], per-share figures [JPY] in the share basis of the filings.
    """

    statement_at: dt.datetime | None
    guidance_at: dt.datetime | None
    yoy_sales: float
    yoy_op: float
    yoy_np: float
    opm: float
    npm: float
    progress_op: float
    progress_np: float
    rev_fore_op: float
    rev_fore_np: float
    rev_fore_eps: float
    rev_div_fore: float
    roe: float
    roa: float
    change_in_est: float
    nc_flag: float
    eps: float
    bps: float
    sps: float
    dividend: float


@dataclass
class Company:
    """All that one company has published so far."""

    unknown: ClassVar[Any] = State(None, None, *[nan] * 19)
    figures: dict[bool, dict[int, dict[int, Figures]]] = field(default_factory=dict)
    preferred: dict[int, float] = field(default_factory=dict)  # equity, by month
    newest: Filing | None = None
    statement_at: dt.datetime | None = None
    guidance_at: dt.datetime | None = None
    closed: int = 0  # newest fiscal year that is reported whole or followed by filings of the next
    day: dt.date | None = None
    forecasts: dict[tuple[bool, int, int], tuple[Sequence[float], Sequence[float]]] = field(
        default_factory=dict
    )
    guidance: dict[int, Guidance] = field(default_factory=dict)
    before: dict[int, Guidance] = field(default_factory=dict)  # in force before `day`
    revision: dict[int, Guidance] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)  # month before each guided year
    dollars: bool = False

    def read(self, filing: Filing) -> None:
        """Add a filing to what is known."""
        self.dollars = filing.dollars
        if filing.day != self.day:
            self.day, self.before = filing.day, dict(self.guidance)
        if filing.end and filing.length:
            start = filing.end - filing.length
            self.closed = max(self.closed, start)
            if self.newest is None or filing.end >= self.newest.end:
                self._bound(start, filing.year)
                self._bound(filing.next_start, filing.next_year)
            if filing.statement:
                filing = self._without_old_guidance(filing)
                self._add_figures(filing)
        self._withdraw(filing)
        self._add_guidance(filing.year, filing.forecast, filing.known_at)
        self._add_guidance(filing.next_year, filing.next_forecast, filing.known_at)

    def _bound(self, start: int, end: int) -> None:
        """Void the guidance for years that overlap the one after the month `start` to `end`."""
        if not (start and 0 < end - start <= LONGEST_YEAR):
            return
        self.starts[end] = start
        for year, first in list(self.starts.items()):
            if year != end and first < end and start < year:
                for known in (self.guidance, self.revision, self.starts):
                    known.pop(year, None)

    def _withdraw(self, filing: Filing) -> None:
        """Take back the guidance that a revision withdraws."""
        if filing.year not in self.guidance:
            return
        of_half_alone = 0 < filing.end < filing.year
        void: set[int] = set()
        if filing.no_earnings:
            void |= OF_HALF if of_half_alone else OF_HALF | OF_YEAR
        if filing.no_dividend and not of_half_alone:
            void |= DIVIDEND
        for known in (self.guidance, self.revision):
            forecasts = known[filing.year]
            known[filing.year] = tuple(nan if i in void else x for i, x in enumerate(forecasts))

    def _without_old_guidance(self, filing: Filing) -> Filing:
        """Take out forecasts of a period before the newest, and what a correction only repeats.

        What it repeats of the statement it corrects may have been revised since.
        """
        period = filing.single, filing.end, filing.length
        corrected = self.forecasts.get(period)
        self.forecasts[period] = filing.forecast, filing.next_forecast
        if self.newest is not None and filing.end < self.newest.end:
            return filing._replace(forecast=NO_GUIDANCE, next_forecast=NO_GUIDANCE)
        if corrected is None:
            return filing
        own = (filing.year, filing.forecast), (filing.next_year, filing.next_forecast)
        forecast, next_forecast = (
            [
                nan if new == was != now else new
                for new, was, now in zip(
                    numbers, forecasts, self.guidance.get(year, NO_GUIDANCE), strict=True
                )
            ]
            for (year, numbers), forecasts in zip(own, corrected, strict=True)
        )
        return filing._replace(forecast=forecast, next_forecast=next_forecast)

    def _add_figures(self, filing: Filing) -> None:
        periods = self.figures.setdefault(filing.single, {}).setdefault(filing.end, {})
        own = (filing.sales, filing.operating, filing.profit, filing.due)
        periods[filing.length] = tuple(
            map(first_known, own, periods.get(filing.length, NOTHING_FILED))
        )
        if filing.preferred == filing.preferred:
            self.preferred[filing.end] = filing.preferred
        if filing.end == filing.year:
            self.closed = max(self.closed, filing.end)
        old = self.newest
        if old is None or filing.end > old.end:
            self.newest, self.statement_at = _carried(filing, old), filing.known_at
        elif filing.end == old.end and filing.single <= old.single:
            self.newest = _carried(filing, old)

    def _add_guidance(self, year: int, forecast: Sequence[float], known_at: dt.datetime) -> None:
        if not year or all(map(isnan, forecast)):
            return
        old = self.before.get(year, NO_GUIDANCE)
        guidance = list(self.guidance.get(year, NO_GUIDANCE))
        revision = list(self.revision.get(year, NO_GUIDANCE))
        for i, new in enumerate(forecast):
            if new == new:
                guidance[i], revision[i] = new, change(new, old[i])
        self.guidance[year], self.revision[year] = tuple(guidance), tuple(revision)
        self.guidance_at = known_at

    def state(self) -> tuple[dt.datetime | float | None, ...]:
        """Give what is known after the filings that were read."""
        running = min((year for year in self.guidance if year > self.closed), default=0)
        operating, profit, eps, dividend, *_ = self.revision.get(running, NO_GUIDANCE)
        state = self.unknown._replace(
            guidance_at=self.guidance_at,
            rev_fore_op=operating,
            rev_fore_np=profit,
            rev_fore_eps=eps,
            rev_div_fore=dividend,
            dividend=self.guidance.get(running, NO_GUIDANCE)[3],
        )
        state = self._with_actuals(state, self.newest) if self.newest else state
        return state._replace(eps=nan, bps=nan, sps=nan, dividend=nan) if self.dollars else state

    def _with_actuals(self, state: State, newest: Filing) -> State:
        periods = self.figures[newest.single]
        sales, operating, profit, _ = periods[newest.end][newest.length]
        quarter = _last(periods, newest.end, QUARTER)
        year_before = _last(periods, newest.end - YEAR, QUARTER)
        yoy = tuple(change(new, was) for new, was in zip(quarter, year_before, strict=True))
        year_sales, _, year_profit, year_due = _last(periods, newest.end, YEAR)
        guided_op, guided_np, *_ = self.guidance.get(newest.year, NO_GUIDANCE)
        return state._replace(
            statement_at=self.statement_at,
            yoy_sales=yoy[0],
            yoy_op=yoy[1],
            yoy_np=yoy[2],
            opm=_share(operating, sales),
            npm=_share(profit, sales),
            progress_op=_share(operating, guided_op),
            progress_np=_share(profit, guided_np),
            roe=_share(year_profit, newest.equity),
            roa=_share(year_profit, newest.assets),
            change_in_est=newest.changed_estimates,
            nc_flag=float(newest.single),
            eps=_share(year_profit - year_due, newest.shares),
            bps=first_known(newest.book, self._book(newest)),
            sps=_share(year_sales, newest.shares),
        )

    def _book(self, newest: Filing) -> float:
        """Give the common shareholders' equity per share.

        What the preferred shares hold is that of the last period within a year in which a filing
        says so. It is an amount, not a share of the equity: they were issued at a price and gain no
        more than their dividend.
        """
        months = range(newest.end, newest.end - YEAR - 1, -1)
        preferred = next((self.preferred[end] for end in months if end in self.preferred), 0.0)
        return _share(newest.equity - preferred, newest.shares)


class CompanyStates:
    """What each stock's newest filing leaves known, on each of the span's D sessions.

    rows    filings of the panel's companies, as `filings.prepare` gives them
    kind    what a company's filings are read into; `unknown` has the fields of its state
    """

    def __init__(self, inputs: Inputs, rows: pl.DataFrame, kind: type[Company] = Company) -> None:
        self.newest = _newest(inputs, rows)
        states = _states(rows, np.isin(np.arange(len(rows)), self.newest), kind)
        schema = {
            name: pl.Datetime("us", "UTC") if name.endswith("_at") else pl.Float64()
            for name in kind.unknown._fields
        }
        self.table = pl.DataFrame(list(states), schema=schema, orient="row")

    def sessions_since(self, name: str, moments: Days) -> np.ndarray:
        """Give the sessions since the first that could know it, (D, N) float32.

        moments   (T,) of which the span's are the last D
        """
        known_at = self.table[name].dt.replace_time_zone(None).to_numpy()
        first = np.searchsorted(moments, known_at).astype(np.float32)
        first[np.isnat(known_at)] = np.nan
        day = np.arange(len(moments) - len(self.newest), len(moments), dtype=np.float32)
        return day[:, None] - np.append(first, np.float32(np.nan))[self.newest]

    def figure(self, name: str, age: np.ndarray) -> np.ndarray:
        """Give each cell its filing's figure while that has not expired, (D, N) float32."""
        values = time_series.known(np.append(self.table[name].to_numpy(), np.nan), np.float32)
        return np.where(age < LONGEST, values[self.newest], np.float32(np.nan))


def _newest(inputs: Inputs, rows: pl.DataFrame) -> np.ndarray:
    """Give each stock's newest filing as a position in `rows`, (D, N); −1 for none."""
    moments, panel = inputs.moments[inputs.start :], inputs.panel
    first = np.searchsorted(moments, rows["known_at"].dt.replace_time_zone(None).to_numpy())
    known = np.flatnonzero(first < len(moments))
    newest = np.full((len(moments), len(panel.codes)), -1)
    np.maximum.at(newest, (first[known], panel.grid.slots(rows["Code"])[known]), known)
    return np.maximum.accumulate(newest)


def _states(
    rows: pl.DataFrame, mask: np.ndarray, kind: type[Company]
) -> Iterator[tuple[dt.datetime | float | None, ...]]:
    """Give each filing's state, in the order of the rows: by company, then as they became public.

    mask    (rows,) whose state is needed: that of others is empty, which saves most of the work
    """
    company, whose = kind(), None
    for filing, wanted in zip(map(Filing.of, rows.iter_rows()), mask, strict=True):
        if filing.whose != whose:
            company, whose = kind(), filing.whose
        company.read(filing)
        yield company.state() if wanted else kind.unknown


def _last(periods: dict[int, dict[int, Figures]], end: int, months: int) -> Figures:
    """Give the figures of the last `months` months up to `end`, from cumulated periods."""
    for length, total in periods.get(end, {}).items():
        if length == months:
            return total
        if length > months:
            start = periods.get(end - months, {}).get(length - months)
            if start is not None:
                return tuple(a - b for a, b in zip(total, start, strict=True))
        elif length > 0:
            rest = _last(periods, end - length, months - length)
            return tuple(a + b for a, b in zip(total, rest, strict=True))
    return NO_FIGURES


def _carried(filing: Filing, old: Filing | None) -> Filing:
    """Keep the balance sheet of the filing before where this one has none.

    Book value per share is kept by a correction alone: a later period's is made from its equity.
    """
    if old is None:
        return filing
    corrects = (filing.end, filing.single) == (old.end, old.single)
    return filing._replace(
        assets=first_known(filing.assets, old.assets),
        equity=first_known(filing.equity, old.equity),
        shares=first_known(filing.shares, old.shares),
        book=first_known(filing.book, old.book) if corrects else filing.book,
    )


def first_known(a: float, b: float) -> float:
    """Give `a`, or `b` where that is NaN."""
    return a if a == a else b


def change(new: float, old: float) -> float:
    """Give the relative change; NaN against nothing."""
    return (new - old) / abs(old) if old else nan


def _share(part: float, total: float) -> float:
    """Divide; NaN where the total is no positive number."""
    return part / total if total > 0 else nan
