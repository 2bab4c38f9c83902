"""When the simulated companies say that they will report.

A date is announced weeks ahead, sometimes moved and sometimes left open for a while; what is
announced last comes true. Announcements and changes come more than 26 sessions before the date, so
that from 21 sessions before the sessions in which the planted part `schedule` works nothing about
it changes any more.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.market import filings as market_filings
from simulated_exchange.market.listings import (
    REFORM,
    SECTORS,
    SEGMENT_NAMES,
    Days,
    Flags,
    Floats,
    Ints,
    Listings,
)
from simulated_exchange.market.signals import LONGEST

WINDOW = 5  # sessions before the date in which returns are planted
SETTLED = WINDOW + LONGEST + 2  # sessions before any named date in which nothing changes
MOVED, OPEN = 0.05, 0.02  # share of dates that are moved, and left open for a while
QUARTERS = {1: "1Q", 2: "2Q", 3: "3Q", 4: "FY"}
SPOKEN = {1: "第１四半期", 2: "第２四半期", 3: "第３四半期", 4: "本決算"}


@dataclass(frozen=True)
class Schedule:
    """Every report that is ahead at some time, (M,) each.

    issue    who reports; quarter  1-4; end  of the fiscal year
    session  of the report, and announced, changed, renewed  of what is said about it: sessions
             counted from the warm-up on, past the last one of the market for later ones
    first    session named first; open  whether the change names none until it is renewed
    """

    timeline: Days
    issue: Ints
    quarter: Ints
    end: Days
    session: Ints
    announced: Ints
    changed: Ints
    renewed: Ints
    first: Ints
    open: Flags


def draw(
    rng: np.random.Generator, filings: np.random.Generator, listings: Listings, timeline: Days
) -> Schedule:
    """Draw what companies say about their next reports.

    filings   the stream that market_filings.draw takes, from its beginning
    timeline  sessions from the warm-up on, beyond the last one of the market
    """
    periods = market_filings.reports(filings, listings)
    inside = (periods["day"] >= timeline[0]) & (periods["day"] <= timeline[-1])
    periods = {name: column[inside] for name, column in periods.items()}
    session = np.searchsorted(timeline, periods["day"])
    count = len(session)
    shift = rng.integers(2, 8, count) * rng.choice([-1, 1], count)
    chance = rng.random(count)
    moved = chance < MOVED + OPEN
    first = np.where(moved, session + shift, session)
    renewed = np.minimum(first, session) - SETTLED - rng.integers(0, 3, count)
    changed = renewed - rng.integers(1, 4, count)
    return Schedule(
        timeline, periods["issue"], periods["quarter"], periods["end"], session,
        changed - rng.integers(3, 22, count), np.where(moved, changed, -1),
        np.where(chance < OPEN, renewed, -1), first, chance < OPEN,
    )  # fmt: skip


def before(schedule: Schedule, listings: Listings) -> Floats:
    """(T + 21, N) one in the sessions before a date of earnings that has been announced."""
    news = np.zeros((len(listings.days) + LONGEST, len(listings.codes)))
    common = listings.common[schedule.issue] & _announced_to_all(schedule, listings)
    for lead in range(1, WINDOW + 1):
        session = schedule.session - lead
        served = common & (session >= 0) & (session < len(news))
        news[session[served], schedule.issue[served]] = 1.0
    return news


def _announced_to_all(schedule, listings):
    """Whether the issue was listed when it first named a date, and so has one."""
    inside = (schedule.announced >= 0) & (schedule.announced < len(listings.days))
    session = np.where(inside, schedule.announced, 0)
    return inside & listings.listed[session, schedule.issue]


def earnings_date(schedule: Schedule, listings: Listings) -> pl.DataFrame:
    """Write the announced dates; changes are added rows, without a date where it is open."""
    notices = [
        (schedule.announced, schedule.first, None),
        (schedule.changed, schedule.session, schedule.open),
        (schedule.renewed, schedule.session, None),
    ]
    rows = pl.concat([_announced(schedule, listings, *part) for part in notices])
    fields = DATASETS["earnings_date"]
    return rows.select(*fields.schema).sort(fields.key)


def _announced(schedule, listings, spoken, named, undecided):
    inside = (spoken >= listings.first) & (spoken < len(listings.days))
    inside[inside] &= listings.listed[spoken[inside], schedule.issue[inside]]
    inside &= listings.common[schedule.issue]
    issue, named = schedule.issue[inside], schedule.timeline[named[inside]]
    if undecided is not None:
        named = np.where(undecided[inside], np.datetime64("NaT"), named)
    quarter = pl.Series(schedule.quarter[inside]).replace_strict(QUARTERS, return_dtype=pl.String)
    return pl.DataFrame({
        "PubDate": listings.days[spoken[inside]],
        "SchDate": pl.Series(named).cast(pl.Date),
        "FQName": quarter,
        "FYE": pl.Series(schedule.end[inside]).dt.strftime("%m%d"),
        "Code": listings.names(issue),
    }).join(_names(listings), on="Code", maintain_order="left")  # fmt: skip


def _names(listings):
    names = [
        (code, f"模擬{SECTORS[sector][1]}{code[:4]}", f"Simulated {code[:4]}")
        for code, sector in zip(listings.codes.tolist(), listings.sector, strict=True)
    ]
    return pl.DataFrame(names, schema=["Code", "CoName", "CoNameEn"], orient="row")


def earnings_calendar(schedule: Schedule, listings: Listings) -> pl.DataFrame:
    """Write who reports in the next session, as it is shown on the evening of `ReadOn`.

    Companies whose fiscal year ends in March or September alone are shown.
    """
    shown = schedule.session - 1
    month = schedule.end.astype("datetime64[M]").astype(np.int64) % 12 + 1
    inside = (shown >= listings.first) & (shown < len(listings.days)) & np.isin(month, (3, 9))
    inside[inside] &= listings.listed[shown[inside], schedule.issue[inside]]
    inside &= listings.common[schedule.issue]
    issue, end = schedule.issue[inside], schedule.end[inside]
    day = schedule.timeline[schedule.session[inside]]
    market = listings.segments[(day >= REFORM).astype(np.int64), issue]
    quarter = pl.Series(schedule.quarter[inside]).replace_strict(SPOKEN, return_dtype=pl.String)
    rows = pl.DataFrame({
        "Date": day,
        "Code": listings.names(issue),
        "FY": [f"{last.month}月{last.day}日" for last in end.tolist()],
        "SectorNm": [SECTORS[sector][1] for sector in listings.sector[issue]],
        "FQ": quarter,
        "Section": [SEGMENT_NAMES[code] for code in market.tolist()],
        "ReadOn": listings.days[shown[inside]],
    })  # fmt: skip
    fields = DATASETS["earnings_calendar"]
    rows = rows.join(_names(listings), on="Code", maintain_order="left")
    return rows.select(*fields.schema).sort(fields.key)
