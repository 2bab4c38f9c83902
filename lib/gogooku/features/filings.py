"""Companies' filings, read one after another as they became public.

A filing adds to what is known of its company: figures of a period, guidance for a fiscal year, or
both. Each is kept apart, so a forecast revision leaves the figures alone and a statement without
guidance leaves the guidance. A correction replaces a figure from its own publication on.

Periods are counted in months: a figure is cumulated over `length` months up to the month `end`
(year × 12 + month). Quarters and twelve months follow by subtraction, whatever the fiscal year.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import isnan, nan
from typing import NamedTuple

import polars as pl

Figures = tuple[float, ...]
"""Sales, operating profit, profit, what preferred shares take of it [JPY]; NaN where unknown."""
Guidance = tuple[float, ...]
"""Operating profit, profit [JPY], EPS, dividend [JPY per share] of a fiscal year; operating profit
and profit of its first half."""

YEAR, HALF, QUARTER = 12, 6, 3  # months
MONTHS_OF_TYPE = {"1Q": 3, "2Q": 6, "3Q": 9, "4Q": 12, "5Q": 15, "FY": 12}
ORDER = ["Code", "known_at", "DiscNo"]  # in which filings are read
RUNNING = ["FOP", "FNP", "FEPS", "FDivAnn", "FOP2Q", "FNP2Q"]  # fiscal year's guidance
FOLLOWING = ["NxFOP", "NxFNp", "NxFEPS", "NxFDivAnn", "NxFOP2Q", "NxFNp2Q"]  # the next one's
DOLLARS = {"62690": dt.date(2022, 2, 1)}
"""Code → day from which the company files in US dollars, which no field says. Source: the vendor's
page on fins/summary, of MODEC."""
UNITS = (100, 1000)
"""What a figure per share may be wrong by, either way, if it is in another unit."""
SPLITS = (1.1, 1.2, 1.3, 1.5, 2, 3, 4, 5, 6, 8, 10, 20)
"""What it may be wrong by for a split, unless the filing's other figure per share denies it: then
it is preferred shares that look like one."""
CLOSE = 0.005  # as near to a slip as rounding leaves it
NO_FIGURES: Figures = (nan,) * 4
UNTOLD: Figures = (nan, nan, nan, 0.0)
"""A period before its first filing: preferred shares take nothing until one tells."""
NO_GUIDANCE: Guidance = (nan,) * 6


class Filing(NamedTuple):
    """One row of fins/summary as the walk needs it; NaN where there is no number, month 0."""

    code: str
    known_at: dt.datetime
    day: dt.date
    dollars: bool  # all money is in US dollars
    statement: bool
    single: bool  # figures of the company without its subsidiaries
    end: int
    length: int
    year: int  # month in which the fiscal year of figures and forecast ends
    next_year: int
    changed_estimates: float
    assets: float
    equity: float
    shares: float
    sales: float
    operating: float
    profit: float
    due: float  # profit that belongs to preferred shares; NaN where it is not told
    book: float  # per common share, as filed
    preferred: float  # equity that belongs to preferred shares; NaN where it is not told
    forecast: Sequence[float]
    next_forecast: Sequence[float]

    @property
    def whose(self) -> tuple[str, bool]:
        """Company and currency: what was filed in another one is not compared."""
        return self.code, self.dollars


class State(NamedTuple):
    """What is known of a company after a filing; NaN where nothing is.

    Money [JPY, or USD of a company that files in it], per-share figures [JPY] in the share basis of
    the frame that was walked.
    """

    statement_at: dt.datetime | None = None  # when the newest period was first published
    guidance_at: dt.datetime | None = None
    yoy_sales: float = nan
    yoy_op: float = nan
    yoy_np: float = nan
    opm: float = nan
    npm: float = nan
    progress_op: float = nan
    progress_np: float = nan
    rev_fore_op: float = nan
    rev_fore_np: float = nan
    rev_fore_eps: float = nan
    rev_div_fore: float = nan
    roe: float = nan
    roa: float = nan
    change_in_est: float = nan
    nc_flag: float = nan
    eps: float = nan
    bps: float = nan
    sps: float = nan
    dividend: float = nan


UNKNOWN = State()


@dataclass
class Company:
    """All that one company has published so far."""

    figures: dict[bool, dict[int, dict[int, Figures]]] = field(default_factory=dict)
    preferred: dict[int, float] = field(default_factory=dict)  # equity, by month
    newest: Filing | None = None
    published: dt.datetime | None = None
    closed: int = 0  # newest fiscal year that is reported whole or followed by filings of the next
    day: dt.date | None = None
    told: dict[tuple[bool, int, int], tuple[Sequence[float], Sequence[float]]] = field(
        default_factory=dict
    )
    guidance: dict[int, Guidance] = field(default_factory=dict)
    before: dict[int, Guidance] = field(default_factory=dict)  # in force before `day`
    revision: dict[int, Guidance] = field(default_factory=dict)
    guided: dt.datetime | None = None
    dollars: bool = False

    def read(self, filing: Filing) -> None:
        """Add a filing to what is known."""
        self.dollars = filing.dollars
        if filing.day != self.day:
            self.day, self.before = filing.day, dict(self.guidance)
        if filing.end and filing.length:
            self.closed = max(self.closed, filing.end - filing.length)
            if filing.statement:
                filing = self._without_old_guidance(filing)
                self._add_figures(filing)
        self._add_guidance(filing.year, filing.forecast, filing.known_at)
        self._add_guidance(filing.next_year, filing.next_forecast, filing.known_at)

    def _without_old_guidance(self, filing: Filing) -> Filing:
        """Take out forecasts of a period before the newest, and what a correction only repeats.

        What it repeats of the statement it corrects may have been revised since.
        """
        period = filing.single, filing.end, filing.length
        corrected = self.told.get(period)
        self.told[period] = filing.forecast, filing.next_forecast
        if self.newest is not None and filing.end < self.newest.end:
            return filing._replace(forecast=NO_GUIDANCE, next_forecast=NO_GUIDANCE)
        if corrected is None:
            return filing
        given = (filing.year, filing.forecast), (filing.next_year, filing.next_forecast)
        forecast, next_forecast = (
            [
                nan if new == was != now else new
                for new, was, now in zip(
                    numbers, told, self.guidance.get(year, NO_GUIDANCE), strict=True
                )
            ]
            for (year, numbers), told in zip(given, corrected, strict=True)
        )
        return filing._replace(forecast=forecast, next_forecast=next_forecast)

    def _add_figures(self, filing: Filing) -> None:
        periods = self.figures.setdefault(filing.single, {}).setdefault(filing.end, {})
        given = (filing.sales, filing.operating, filing.profit, filing.due)
        periods[filing.length] = _overlay(given, periods.get(filing.length, UNTOLD))
        if filing.preferred == filing.preferred:
            self.preferred[filing.end] = filing.preferred
        if filing.end == filing.year:
            self.closed = max(self.closed, filing.end)
        old = self.newest
        if old is None or filing.end > old.end:
            self.newest, self.published = _carried(filing, old), filing.known_at
        elif filing.end == old.end and filing.single <= old.single:
            self.newest = _carried(filing, old)

    def _add_guidance(self, year: int, given: Sequence[float], known_at: dt.datetime) -> None:
        if not year or all(map(isnan, given)):
            return
        old = self.before.get(year, NO_GUIDANCE)
        guidance = list(self.guidance.get(year, NO_GUIDANCE))
        revision = list(self.revision.get(year, NO_GUIDANCE))
        for i, new in enumerate(given):
            if new == new:
                guidance[i], revision[i] = new, change(new, old[i])
        self.guidance[year], self.revision[year] = tuple(guidance), tuple(revision)
        self.guided = known_at

    def state(self) -> State:
        """Give what is known after the filings that were read."""
        state = State(guidance_at=self.guided)
        running = min((year for year in self.guidance if year > self.closed), default=None)
        if running:
            rev_op, rev_np, rev_eps, rev_dividend, *_ = self.revision[running]
            state = state._replace(
                rev_fore_op=rev_op,
                rev_fore_np=rev_np,
                rev_fore_eps=rev_eps,
                rev_div_fore=rev_dividend,
                dividend=self.guidance[running][3],
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
            statement_at=self.published,
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
            bps=first_known(newest.book, self._made_book(newest)),
            sps=_share(year_sales, newest.shares),
        )

    def _made_book(self, newest: Filing) -> float:
        """Give the common shareholders' equity per share.

        What the preferred shares hold is taken from the last period within a year that told it. It
        is an amount, not a share of the equity: they were issued at a price and gain no more than
        their dividend.
        """
        months = range(newest.end, newest.end - YEAR - 1, -1)
        preferred = next((self.preferred[end] for end in months if end in self.preferred), 0.0)
        return _share(newest.equity - preferred, newest.shares)


def walk(rows: pl.DataFrame, asked: Iterable[bool]) -> Iterator[State]:
    """Give each filing's state, in the order of the rows: by company, then as they became public.

    rows    as `prepare` gives them
    asked   (rows,) whose state is wanted: that of others is empty, which saves most of the work
    """
    company, whose = Company(), None
    for filing, wanted in zip(each(rows), asked, strict=True):
        if filing.whose != whose:
            company, whose = Company(), filing.whose
        company.read(filing)
        yield company.state() if wanted else UNKNOWN


def each(rows: pl.DataFrame) -> Iterator[Filing]:
    """Give the filings in rows of `prepare`."""
    numbers = len(RUNNING)
    for row in rows.iter_rows():
        yield Filing._make((*row[: -2 * numbers], row[-2 * numbers : -numbers], row[-numbers:]))


def prepare(summary: pl.DataFrame, basis: pl.Expr) -> pl.DataFrame:
    """Turn rows of fins/summary into fields of `Filing`, sorted by code, known_at and DiscNo.

    The numbers of its forecasts stand in columns of their own.

    basis   product of the share factors up to the filing's day: per-share figures are divided by
            it and share counts multiplied, which puts all of them on one basis

    Shareholders' equity is `ShEq`, or assets × equity ratio where the company gave none: never
    `Eq`, which holds the minorities. Shares are those issued less those in treasury, or else the
    period's average. `BPS` is read from documents under Japanese rules alone: beside the group's
    figures under others it is that of the parent.
    """
    document = pl.col("DocType")
    equity = pl.coalesce("ShEq", pl.col("EqAR") * pl.col("TA"))
    shares = pl.coalesce(pl.col("ShOutFY") - pl.col("TrShFY").fill_null(0), "AvgSh")
    average = pl.col("AvgSh")
    # Companies that tell no figure per share may file 0.
    told = pl.when(document.str.ends_with("_JP"), pl.col("BPS") != 0).then("BPS")
    earned = pl.when(pl.col("EPS") != 0).then("EPS")
    books = _times(equity, told, (shares, average))
    book = pl.when(~_near(books, *UNITS)).then(told)
    profits = _times(pl.col("NP"), earned, (average, shares))
    # EqAR comes to a thousandth, EPS to 0.01 and NP to the million.
    preferred = _claim(equity - told * shares, pl.col("TA") * 0.0005, books, profits)
    due = _claim(pl.col("NP") - earned * average, average * 0.01 + 1e6, profits, books)
    year = _month("CurFYEn")
    made = (
        summary.lazy()
        .sort(ORDER, maintain_order=True)
        .select(
            pl.col("Code"),
            pl.col("known_at"),
            pl.col("DiscDate"),
            pl.any_horizontal(
                (pl.col("Code") == code) & (pl.col("DiscDate") >= day)
                for code, day in DOLLARS.items()
            ).alias("dollars"),
            document.str.contains("FinancialStatements").alias("statement"),
            document.str.contains("_NonConsolidated_").alias("single"),
            _month("CurPerEn").fill_null(0).alias("end"),
            _months().fill_null(0).alias("length"),
            year.fill_null(0).alias("year"),
            pl.coalesce(_month("NxtFYEn"), year + YEAR).fill_null(0).alias("next_year"),
            pl.col("ChgAcEst").cast(pl.Float64).fill_null(nan),
            pl.col("TA").fill_null(nan),
            equity.fill_null(nan).alias("equity"),
            (shares * basis).fill_null(nan).alias("shares"),
            pl.col("Sales", "OP", "NP").fill_null(nan),
            due.fill_null(nan).alias("due"),
            (book / basis).fill_null(nan).alias("book"),
            preferred.fill_null(nan).alias("preferred"),
            *_guidance(RUNNING, basis),
            *_guidance(FOLLOWING, basis),
        )
    )
    return made.collect()  # lazily: what several figures share is made once


def _times(whole: pl.Expr, per_share: pl.Expr, counts: tuple[pl.Expr, pl.Expr]) -> list[pl.Expr]:
    """Give how many times a figure is the same per share × either count, or the inverse."""
    ratios = [(whole / (per_share * count)).abs() for count in counts]
    return [pl.max_horizontal(ratio, 1 / ratio) for ratio in ratios]


def _near(times: list[pl.Expr], *slips: float) -> pl.Expr:
    near = [(ratio / slip - 1).abs() < CLOSE for ratio in times for slip in slips]
    return pl.any_horizontal(near).fill_null(False)


def _claim(
    left: pl.Expr, rounding: pl.Expr, times: list[pl.Expr], others: list[pl.Expr]
) -> pl.Expr:
    """Give what preferred shares take of a company's figure: what the common ones leave of it.

    left       the company's figure less the filed figure per common share × shares [JPY]
    rounding   what the figures are not exact to [JPY]
    times      the ratios of the two (`_times`)
    others     those of the filing's other figure

    0 where no more than rounding is left, and where a slip explains it: a split after the period's
    end may be in the figure and not in the count, or a count may be wrong. Null without numbers.
    """
    untold = pl.all_horizontal(ratio.is_null() for ratio in others)
    splits = [_near(times, split) & (_near(others, split) | untold) for split in SPLITS]
    claimed = (left > rounding) & ~_near(times, 1, *UNITS) & ~pl.any_horizontal(splits)
    return pl.when(left.is_not_null()).then(pl.when(claimed).then(left).otherwise(0.0))


def _guidance(names: Sequence[str], basis: pl.Expr) -> list[pl.Expr]:
    operating, profit, eps, dividend, *half = (pl.col(name) for name in names)
    numbers = [operating, profit, eps / basis, dividend / basis, *half]
    return [number.fill_null(nan) for number in numbers]


def _month(date: str) -> pl.Expr:
    """Count the month in which a period ends; one that ends within a week of it counts too."""
    end = pl.col(date).dt.offset_by("-7d")
    return end.dt.year().cast(pl.Int64) * 12 + end.dt.month()


def _months() -> pl.Expr:
    """Count the months from the start of the fiscal year to the end of the period."""
    start = pl.coalesce("CurFYSt", "CurPerSt")
    days = (pl.col("CurPerEn") - start).dt.total_days() + 1
    by_type = pl.col("CurPerType").replace_strict(
        MONTHS_OF_TYPE, default=None, return_dtype=pl.Int64
    )
    return pl.coalesce((days / 30.4375).round().cast(pl.Int64), by_type)


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


def _overlay(new: Figures, old: Figures) -> Figures:
    return tuple([a if a == a else b for a, b in zip(new, old, strict=True)])


def first_known(a: float, b: float) -> float:
    """Give `a`, or `b` where that is NaN."""
    return a if a == a else b


def change(new: float, old: float) -> float:
    """Give the relative change; NaN against nothing."""
    return (new - old) / abs(old) if old else nan


def _share(part: float, whole: float) -> float:
    """Divide; NaN where the whole is no positive number."""
    return part / whole if whole > 0 else nan
