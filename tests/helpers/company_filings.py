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
    frame = pl.DataFrame(numbered, schema=KINDS)
    return point_in_time.visible(point_in_time.stamp(frame, RULES, CLOSES), "published")


def quarters(year=2021, first=dt.date(2021, 8, 10), scale=1.0, **fields):
    """Four statements of a fiscal year: cumulated sales 100, 220, 360, 520; a tenth is profit."""
    days = [first + dt.timedelta(days=91 * i) for i in range(4)]
    totals = [100.0, 220.0, 360.0, 520.0]
    return [
        filing(day, period, year, Sales=scale * total, OP=scale * total / 5, NP=scale * total / 10,
               **fields)
        for day, period, total in zip(days, MONTH_ENDS, totals, strict=True)
    ]  # fmt: skip
