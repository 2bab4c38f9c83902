"""Two weeks of three stocks, with a split, a rights issue, a day without trade and a revision."""

import datetime as dt
import json
from pathlib import Path

from gogooku.sources.schema import typed

ANSWERS = json.loads((Path(__file__).parent / "answers.json").read_text(encoding="utf-8"))
KEY = "a-key-that-nobody-may-see"
FIRST, LAST = dt.date(2024, 9, 25), dt.date(2024, 10, 8)
DAYS = [FIRST + dt.timedelta(n) for n in range((LAST - FIRST).days + 1)]
SESSIONS = [day for day in DAYS if day.weekday() < 5 and day != dt.date(2024, 10, 4)]
CODES = ["130A0", "86010", "86015"]
SPLIT, RIGHTS = dt.date(2024, 9, 30), dt.date(2024, 10, 2)


def frame(dataset, changes):
    """Rows of the answer on file, each with its own changes."""
    return typed(dataset, [ANSWERS[dataset] | change for change in changes])


def bar(day, code):
    if code == "86010" and day == SESSIONS[3]:
        return {name: None for name in ("O", "H", "L", "C", "Vo", "Va")}
    if code == "86010" and day == RIGHTS:
        return {"AdjFactor": 0.8, "ExRT": "3"}
    if code == "130A0" and day == SPLIT:
        return {"AdjFactor": 0.5, "ExRT": "1"}
    return {"C": 1200.0 + day.day, "Vo": 100.0 * day.day}


def tables():
    """A frame for each data set; one company files on a Saturday."""
    listed = [{"Date": str(day), "Code": code} for day in SESSIONS for code in CODES]
    filed = [("2024-09-27", "11:30:00"), ("2024-09-27", "15:00:00"), ("2024-09-28", "")]
    published = [
        ("2024-09-26", "2024-09-13"),
        ("2024-10-03", "2024-09-13"),
        ("2024-10-03", "2024-09-20"),
    ]
    return {
        "calendar": frame(
            "calendar", [{"Date": str(d), "HolDiv": str(int(d in SESSIONS))} for d in DAYS]
        ),
        "master": frame("master", listed),
        "bars": frame(
            "bars", [row | bar(dt.date.fromisoformat(row["Date"]), row["Code"]) for row in listed]
        ),
        "topix": frame("topix", [{"Date": str(day), "C": 2600.0 + day.day} for day in SESSIONS]),
        "summary": frame(
            "summary",
            [
                {"DiscDate": day, "DiscTime": time, "DiscNo": f"2024092650000{n}"}
                for n, (day, time) in enumerate(filed)
            ],
        ),
        "investor_types": frame(
            "investor_types", [{"PubDate": day, "EnDate": end} for day, end in published]
        ),
    }


def many_bars(n):
    """One session of `n` stocks."""
    changes = [{"Code": f"{1000 + i}0", "C": 100.0 + i} for i in range(n)]
    return {"bars": frame("bars", changes)}
