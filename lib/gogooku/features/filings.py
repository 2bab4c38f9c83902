"""Companies' filings: rows of fins/summary as numbers that are compared with each other.

Periods are counted in months: a figure is cumulated over `length` months up to the month `end`
(year × 12 + month), whatever the fiscal year.
"""

import datetime as dt
from collections.abc import Sequence
from math import nan
from typing import Any, NamedTuple

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
FORECASTS = [
    f"F{parent}{figure}{half}"
    for parent in ("", "NC")
    for figure in ("Sales", "OP", "OdP", "NP", "EPS")
    for half in ("", "2Q")
]
"""Numbers of earnings that a revision may hold, the parent company's own among them."""
DIVIDENDS = [*(f"FDiv{part}" for part in ("1Q", "2Q", "3Q", "FY", "Ann", "TotalAnn")),
             "FPayoutRatioAnn"]  # fmt: skip
"""Numbers of dividends that it may hold."""
DOLLARS = {"62690": dt.date(2022, 2, 1)}
"""Code → day from which the company files in US dollars, which no field says. Source: the vendor's
page on fins/summary, of MODEC."""
UNITS = (100, 1000)
"""What a figure per share may be wrong by, either way, if it is in another unit."""
SPLITS = (1.1, 1.2, 1.3, 1.5, 2, 3, 4, 5, 6, 8, 10, 20)
"""What it may be wrong by for a split, unless the filing's other figure per share denies it: then
it is preferred shares that look like one."""
CLOSE = 0.005  # as near to a slip as rounding leaves it
NO_GUIDANCE: Guidance = (nan,) * 6


class Filing(NamedTuple):
    """One row of fins/summary; NaN where there is no number, month 0 where there is no date."""

    code: str
    known_at: dt.datetime
    published_at: dt.datetime  # when the market could read it, on any clock
    day: dt.date
    dollars: bool  # all money is in US dollars
    statement: bool
    single: bool  # figures of the company without its subsidiaries
    end: int
    length: int
    year: int  # month in which the fiscal year of figures and forecast ends
    next_start: int  # month before the next fiscal year, where the filing bounds that
    next_year: int
    no_earnings: bool  # it withdraws the guidance of earnings
    no_dividend: bool  # it withdraws that of dividends
    changed_estimates: float
    assets: float
    equity: float
    shares: float
    sales: float
    operating: float
    profit: float
    due: float  # profit that belongs to preferred shares
    book: float  # per common share, as filed
    preferred: float  # equity that belongs to preferred shares
    forecast: Sequence[float]
    next_forecast: Sequence[float]

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> "Filing":
        """Read a row of `prepare`, at whose end the forecasts' numbers stand one by one."""
        number = len(RUNNING)
        forecasts = row[-2 * number : -number], row[-number:]
        return cls._make((*row[: -2 * number], *forecasts))

    @property
    def whose(self) -> tuple[str, bool]:
        """Company and currency: what was filed in another one is not compared."""
        return self.code, self.dollars


def prepare(summary: pl.DataFrame, basis: pl.Expr) -> pl.DataFrame:
    """Turn rows of fins/summary into fields of `Filing`, sorted by code, known_at and DiscNo.

    The numbers of its forecasts stand in columns of their own.

    summary   with `known_at` and `published_at`
    basis    product of the share factors up to the filing's day: per-share figures are divided by
              it and share counts multiplied, which puts all of them on one basis

    Shareholders' equity is `ShEq`, or assets × equity ratio where the company gave none: never
    `Eq`, which holds the minorities. Shares are those issued less those in treasury, or else the
    period's average. `BPS` is read from documents under Japanese rules alone: beside the group's
    figures under others it is that of the parent.
    """
    prepared = (
        summary.lazy()
        .sort(ORDER, maintain_order=True)
        .select(
            "Code",
            "known_at",
            "published_at",
            "DiscDate",
            *_kind(),
            *_periods(),
            *_withdrawn(),
            pl.col("ChgAcEst").cast(pl.Float64).fill_null(nan),
            *_figures(basis),
            *_guidance(RUNNING, basis),
            *_guidance(FOLLOWING, basis),
        )
    )
    return prepared.collect()  # lazily: what several figures share is computed once


def _kind() -> list[pl.Expr]:
    """Say of a filing: in dollars, a statement, of the parent alone."""
    document = pl.col("DocType")
    dollars = [
        (pl.col("Code") == code) & (pl.col("DiscDate") >= day) for code, day in DOLLARS.items()
    ]
    return [
        pl.any_horizontal(dollars).alias("dollars"),
        document.str.contains("FinancialStatements").alias("statement"),
        document.str.contains("_NonConsolidated_").alias("single"),
    ]


def _periods() -> list[pl.Expr]:
    """Count the months of a filing's period and fiscal years; 0 where it names none."""
    year = _month("CurFYEn")
    next_start = pl.when(pl.col("NxtFYEn").is_not_null()).then(_month("NxtFYSt"))
    months = {
        "end": _month("CurPerEn"),
        "length": _months(),
        "year": year,
        "next_start": next_start,
        "next_year": pl.coalesce(_month("NxtFYEn"), year + YEAR),
    }
    return [month.fill_null(0).alias(name) for name, month in months.items()]


def _figures(basis: pl.Expr) -> list[pl.Expr]:
    """Give the balance sheet, the results and what preferred shares take of either."""
    equity = pl.coalesce("ShEq", pl.col("EqAR") * pl.col("TA"))
    shares = pl.coalesce(pl.col("ShOutFY") - pl.col("TrShFY").fill_null(0), "AvgSh")
    average = pl.col("AvgSh")
    # Companies without a figure per share may file 0.
    japanese = pl.col("DocType").str.ends_with("_JP")
    per_share = pl.when(japanese, pl.col("BPS") != 0).then("BPS")
    earned = pl.when(pl.col("EPS") != 0).then("EPS")
    books = _times(equity, per_share, (shares, average))
    book = pl.when(~_near(books, *UNITS)).then(per_share)
    profits = _times(pl.col("NP"), earned, (average, shares))
    # EqAR comes to a thousandth, EPS to 0.01 and NP to the million.
    preferred = _claim(equity - per_share * shares, pl.col("TA") * 0.0005, books, profits)
    due = _claim(pl.col("NP") - earned * average, average * 0.01 + 1e6, profits, books)
    figures = {
        "TA": pl.col("TA"),
        "equity": equity,
        "shares": shares * basis,
        "Sales": pl.col("Sales"),
        "OP": pl.col("OP"),
        "NP": pl.col("NP"),
        "due": due,
        "book": book / basis,
        "preferred": preferred,
    }
    return [figure.fill_null(nan).alias(name) for name, figure in figures.items()]


def _times(figure: pl.Expr, per_share: pl.Expr, counts: tuple[pl.Expr, pl.Expr]) -> list[pl.Expr]:
    """Give how many times a figure is the same per share × either count, or the inverse."""
    ratios = [(figure / (per_share * count)).abs() for count in counts]
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
    alone = pl.all_horizontal(ratio.is_null() for ratio in others)
    splits = [_near(times, split) & (_near(others, split) | alone) for split in SPLITS]
    claim = (left > rounding) & ~_near(times, 1, *UNITS) & ~pl.any_horizontal(splits)
    return pl.when(left.is_not_null()).then(pl.when(claim).then(left).otherwise(0.0))


def _withdrawn() -> tuple[pl.Expr, pl.Expr]:
    """Say of a revision without any number whether it withdraws earnings, and dividends."""
    kind = pl.col("DocType").fill_null("")
    silent = pl.all_horizontal(pl.col(*FORECASTS, *FOLLOWING, *DIVIDENDS).is_null())
    return (
        (silent & kind.str.contains("EarnForecastRevision")).alias("no_earnings"),
        (silent & kind.str.contains("ForecastRevision")).alias("no_dividend"),
    )


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
