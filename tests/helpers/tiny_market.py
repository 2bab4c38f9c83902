"""Two weeks of three stocks, of all data sets: with a split, a rights issue, a day without trade,
revisions, a first trading day of an option, and two holders who do not tell their names."""

import datetime as dt
import json
from pathlib import Path

import polars as pl
from gogooku.raw import schema
from gogooku.raw.catalogue import DATASETS

ANSWERS = json.loads((Path(__file__).parent / "answers.json").read_text(encoding="utf-8"))
KEY = "a-key-that-nobody-may-see"
FIRST, LAST = dt.date(2024, 9, 25), dt.date(2024, 10, 8)
DAYS = [FIRST + dt.timedelta(n) for n in range((LAST - FIRST).days + 1)]
SESSIONS = [day for day in DAYS if day.weekday() < 5 and day != dt.date(2024, 10, 4)]
CODES = ["130A0", "86010", "86015"]
SPLIT, RIGHTS = dt.date(2024, 9, 30), dt.date(2024, 10, 2)
UNTRADED = "O H L C Vo Va MO MH ML MC MVo MVa AO AH AL AC AVo AVa".split()


def frame(dataset, changes):
    """Rows of the answer on file, each with its own changes."""
    return typed(dataset, [stored(dataset, ANSWERS[dataset] | change) for change in changes])


def stored(dataset, row):
    """A row as our tables hold it: nothing for the marks of missing numbers, objects as text."""
    texts = {f.name for f in DATASETS[dataset].fields if f.unit == "text"}
    marked = {name for name, value in row.items() if value in ("-", "*") and name not in texts}
    row = row | dict.fromkeys(marked)
    return row | {n: json.dumps(v, sort_keys=True) for n, v in row.items() if isinstance(v, dict)}


def bar(day, code):
    if code == "86010" and day == SESSIONS[3]:
        return dict.fromkeys(UNTRADED)
    if code == "86010" and day == RIGHTS:
        return {"AdjFactor": 0.8, "ExRT": "3"}
    if code == "130A0" and day == SPLIT:
        return {"AdjFactor": 0.5, "ExRT": "1"}
    close, volume = 1200.0 + day.day, 100.0 * day.day
    return {"C": close, "AC": close, "Vo": volume, "MVo": 0.6 * volume, "AVo": 0.4 * volume}


def every_session(**changes):
    return [{"Date": str(day)} | changes for day in SESSIONS]


def tables():
    """A frame for each data set that has its own; one company files on a Saturday."""
    return {
        "calendar": frame(
            "calendar", [{"Date": str(d), "HolDiv": str(int(d in SESSIONS))} for d in DAYS]
        ),
        **of_stocks(),
        **of_markets(),
        **of_margin_and_shorts(),
        **of_companies(),
    }


def of_stocks():
    listed = [{"Date": str(day), "Code": code} for day in SESSIONS for code in CODES]
    none = dict.fromkeys(list(ANSWERS["valuation"])[2:])
    return {
        "master": frame("master", listed),
        "bars": frame(
            "bars", [row | bar(dt.date.fromisoformat(row["Date"]), row["Code"]) for row in listed]
        ),
        "valuation": frame(
            "valuation", [row | (none if row["Code"] == "86015" else {}) for row in listed]
        ),
        "breakdown": frame("breakdown", listed),
    }


def of_markets():
    published = [
        ("2024-09-26", "2024-09-13"),
        ("2024-10-03", "2024-09-13"),
        ("2024-10-03", "2024-09-20"),
    ]
    close_only = dict.fromkeys("OHL")
    night = dict.fromkeys(["EO", "EH", "EL", "EC"], 12.0)
    return {
        "topix": frame("topix", [{"Date": str(day), "C": 2600.0 + day.day} for day in SESSIONS]),
        "indices": frame("indices", every_session() + every_session(Code="0503", **close_only)),
        "investor_types": frame(
            "investor_types", [{"PubDate": day, "EnDate": end} for day, end in published]
        ),
        "options_225": frame(
            "options_225", every_session(Code="130120019", **night) + every_session()
        ),
        "futures": frame("futures", every_session() + every_session(Code="1", CCMFlag="0")),
        "options": frame(
            "options", every_session() + every_session(Code="2", ProdCat="EQOP", UndSSO="86010")
        ),
    }


def of_margin_and_shorts():
    weeks = [{"Date": day, "Code": code} for day in ("2024-09-27", "2024-10-03") for code in CODES]
    fund = {"Code": "86015", "ShrtOutRatio": "*", "LongOutRatio": "*"}
    return {
        "margin_interest": frame("margin_interest", weeks),
        "margin_alert": frame(
            "margin_alert", [{}, fund, {"PubDate": "2024-10-03", "ShrtOutChg": 0.0}]
        ),
        "short_ratio": frame("short_ratio", every_session() + every_session(S33="9999")),
        "short_sale": frame(
            "short_sale",
            [
                {"SSName": "Mihon Capital", "PrevRptDate": "2024-09-20", "PrevRptRatio": 0.0055},
                {},
                {"ShrtPosToSO": 0.0055, "ShrtPosShares": 52800, "ShrtPosUnits": 528},
                {"DiscDate": "2024-10-03", "CalcDate": "2024-10-01", "Code": "86010"},
            ],
        ),
    }


def of_companies():
    filed = [("2024-09-27", "11:30:00"), ("2024-09-27", "15:00:00"), ("2024-09-28", "")]
    filings = [
        {"DiscDate": day, "DiscTime": time, "DiscNo": f"2024092650000{n}"}
        for n, (day, time) in enumerate(filed)
    ]
    return {
        "summary": frame("summary", filings),
        "details": frame("details", filings[:2]),
        "dividend": frame(
            "dividend",
            [
                {"PubTime": "11:20", "RefNo": "202410011B00000", "DivRate": 26.5},
                {},
                {"PubDate": "2024-10-03", "PubTime": "20:00", "RefNo": "202410031B00001"},
            ],
        ),
        "earnings_date": frame(
            "earnings_date", [{}, {"PubDate": "2024-10-03", "SchDate": ""}, {"Code": "86010"}]
        ),
        "earnings_calendar": frame(
            "earnings_calendar",
            [{"ReadOn": "2024-10-07", "Date": "2024-10-08"}, {"ReadOn": "2024-10-08"}],
        ),
    }


def many_bars(n):
    """One session of `n` stocks."""
    changes = [{"Code": f"{1000 + i}0", "C": 100.0 + i} for i in range(n)]
    return {"bars": frame("bars", changes)}


def as_filed(dataset, rows):
    """Rows as the vendor's files hold them: those of bars lack the kind of an ex-rights day."""
    return rows.with_columns(ExRT=None).cast({"ExRT": pl.String}) if dataset == "bars" else rows


def typed(dataset, rows):
    """Rows of the vendor as an answer of one page makes a frame of them."""
    return schema.page(dataset, json.dumps({"data": list(rows)}).encode())[0]
