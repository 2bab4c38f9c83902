"""Filings of one company, as tests of several families need them."""

import datetime as dt

import polars as pl
from gogooku import calendar, point_in_time
from gogooku.raw.catalogue import DATASETS

CLOSES = [
    calendar.Close("15:00", since=dt.date(1900, 1, 1)),
    calendar.Close("15:30", since=dt.date(2024, 11, 5)),
]
STAMP = point_in_time.TimeColumn("DiscTime")
RULES = point_in_time.Rules(
    [point_in_time.Rule("DiscDate", STAMP, missing="23:59:59", after="00:00:01")],
    [point_in_time.Rule("DiscDate", "18:00")],
)
MONTH_ENDS = {"1Q": (6, 30), "2Q": (9, 30), "3Q": (12, 31), "FY": (3, 31)}
KINDS = {**DATASETS["summary"].schema}


def filing(day, period="1Q", year=2021, *, time="14:00:00", code="13010", document=None, **fields):
    """One row of the fiscal year that ends in March of `year` + 1."""
    month, last = MONTH_ENDS[period]
    end = dt.date(year + (month < 4), month, last)
    kind = document or f"{period}FinancialStatements_Consolidated_JP"
    made = {
        "DiscDate": day, "DiscTime": time, "Code": code, "DocType": kind, "CurPerType": period,
        "CurPerSt": dt.date(year, 4, 1), "CurPerEn": end, "CurFYSt": dt.date(year, 4, 1),
        "CurFYEn": dt.date(year + 1, 3, 31), "ChgAcEst": False, **fields,
    }  # fmt: skip
    return made


def revision(day, year=2021, **fields):
    return filing(day, "FY", year, document="EarnForecastRevision", **fields)


def stamped(rows):
    """Rows of fins/summary, numbered in the order given, with `known_at`."""
    numbered = [{"DiscNo": f"{i:014d}", **row} for i, row in enumerate(rows)]
    return restamped(pl.DataFrame(numbered, schema=KINDS))


def restamped(rows):
    """Rows of fins/summary with `known_at`."""
    return point_in_time.visible(point_in_time.stamp(rows, RULES, CLOSES), "published")


def quarters(year=2021, first=dt.date(2021, 8, 10), scale=1.0, **fields):
    """Four statements of a fiscal year: cumulated sales 100, 220, 360, 520; a tenth is profit."""
    days = [first + dt.timedelta(days=91 * i) for i in range(4)]
    totals = [100.0, 220.0, 360.0, 520.0]
    return [
        filing(day, period, year, Sales=scale * total, OP=scale * total / 5, NP=scale * total / 10,
               **fields)
        for day, period, total in zip(days, MONTH_ENDS, totals, strict=True)
    ]  # fmt: skip


def of_year(day, period, end, start, year_end, **fields):
    """One statement of a fiscal year with bounds of its own."""
    return filing(day, "FY", **fields) | {
        "DocType": f"{period}FinancialStatements_Consolidated_JP", "CurPerType": period,
        "CurPerSt": start, "CurFYSt": start, "CurPerEn": end, "CurFYEn": year_end,
    }  # fmt: skip


def moved_year_end():
    """The year that would have ended in March 2022, as guided in May 2021, ends in December."""
    april, december = dt.date(2021, 4, 1), dt.date(2021, 12, 31)
    after = {"NxtFYSt": dt.date(2022, 1, 1), "NxtFYEn": dt.date(2022, 12, 31)}
    return [
        of_year(dt.date(2021, 5, 12), "FY", dt.date(2021, 3, 31), dt.date(2020, 4, 1),
                dt.date(2021, 3, 31), Sales=1000.0, OP=100.0, NP=60.0, NxtFYSt=april,
                NxtFYEn=dt.date(2022, 3, 31), NxFOP=110.0, NxFDivAnn=12.0),
        of_year(dt.date(2021, 8, 5), "1Q", dt.date(2021, 6, 30), april, december,
                Sales=260.0, OP=25.0, NP=15.0, FOP=75.0, FDivAnn=9.0),
        of_year(dt.date(2022, 2, 10), "FY", december, april, december,
                Sales=780.0, OP=77.0, NP=46.0, NxFOP=120.0, NxFDivAnn=20.0, **after),
        of_year(dt.date(2022, 8, 9), "2Q", dt.date(2022, 6, 30), after["NxtFYSt"],
                after["NxtFYEn"], Sales=600.0, OP=66.0, NP=40.0, FOP=150.0, FDivAnn=30.0),
    ]  # fmt: skip


YEAR_MOVED = {
    dt.date(2021, 8, 6): {"div_yield_fore": 0.009, "progress_op": 25 / 75},
    dt.date(2022, 2, 14): {"div_yield_fore": 0.020, "opm": 77 / 780},
    dt.date(2022, 8, 10): {
        "div_yield_fore": 0.030, "rev_fore_op": 0.25, "rev_div_fore": 0.5, "progress_op": 66 / 150,
    },
}  # fmt: skip
"""Day → the right values on it."""
