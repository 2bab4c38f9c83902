"""Reported short positions on the simulated exchange.

Up to four reporters follow a stock. Each looks at its position anew at random sessions (one in
fifteen) and then holds a short position with a probability that falls with the news of filings, as
shorts follow bad news; its size is drawn from a distribution of its own. Positions of 0.5 % of the
issued shares or more are reported, and the first time that one is below. So what will be reported
depends on nothing but the news already public, and the expectation of the sum is known exactly.

Source of the rule: Tokyo Stock Exchange, reporting and disclosure of short positions (0.5 %).
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.market.listings import LOT, Floats, Ints, Listings
from simulated_exchange.market.signals import DRIFT, Ahead, carry

FOLLOWED = 0.75  # share of stocks that reporters follow
REPORTERS = {1: 0.35, 2: 0.3, 3: 0.2, 4: 0.15}  # of a followed stock
LOOKS = 1 / 15  # probability of a look in a session
HELD, NEWS = 0.6, 0.12  # probability of a position without news, and less by a unit of news
THRESHOLD = 0.005  # of a report, share of issued shares
EXCESS = 0.004  # mean of a position beyond the threshold
DELAY = 2  # sessions from the news that a look knows to its disclosure
NAMES = 60  # reporters in all
MANAGED, FUNDS = 0.15, 0.1  # share of reporters that name a manager, and a fund


@dataclass(frozen=True)
class Shorts:
    """Reports in the order of slots and sessions, (M,) each, and the sum that is public.

    slot      of reporter and stock; issue and reporter of it
    session   of disclosure; calculated  session of the position
    position  reported, share of issued shares; previous  row of the last report or -1
    known     (T, N) sum of positions in force, known at the close; those below 0.5 % count as none
    slots     (N,) reporters of a stock; news  (T, N) of filings, carried
    """

    slot: Ints
    issue: Ints
    reporter: Ints
    session: Ints
    calculated: Ints
    position: Floats
    previous: Ints
    known: Floats
    slots: Ints
    news: Floats


def draw(rng: np.random.Generator, listings: Listings, surprise: Floats) -> Shorts:
    """Draw all reports.

    surprise  (T, N) of filings, in the session whose close first knows it
    """
    news = carry(surprise, DRIFT)
    sessions, issues = news.shape
    slots = rng.choice(list(REPORTERS), issues, p=list(REPORTERS.values()))
    slots = np.where(listings.common & (rng.random(issues) < FOLLOWED), slots, 0)
    issue = np.repeat(np.arange(issues), slots)
    reporter = _reporters(rng, slots)
    slot, session = np.nonzero((rng.random((sessions, len(issue))) < LOOKS).T)
    listed = listings.listed[session, issue[slot]] & (session > listings.entry[issue[slot]] + DELAY)
    slot, session = slot[listed], session[listed]
    known_news = news[np.maximum(session - DELAY, 0), issue[slot]]
    held = rng.random(len(slot)) < HELD - NEWS * known_news
    size = np.round(THRESHOLD + rng.exponential(EXCESS, len(slot)), 4)
    below = np.round(rng.uniform(0.002, 0.0049, len(slot)), 4)
    same = np.append(False, slot[1:] == slot[:-1])
    before = np.append(False, held[:-1]) & same
    served = held | before
    known = _sum_up(listings, issue, slot, session, np.where(held, size, 0.0))
    reports = np.flatnonzero(served)
    slot, session = slot[reports], session[reports]
    previous = np.where(np.append(False, slot[1:] == slot[:-1]), np.arange(len(slot)) - 1, -1)
    return Shorts(
        slot, issue[slot], reporter[slot], session, _calculated(rng, slot, session),
        np.where(held, size, below)[reports], previous, known, slots, news,
    )  # fmt: skip


def _reporters(rng, slots):
    """Number of the reporter of each slot; none follows a stock twice."""
    chosen = rng.random((len(slots), NAMES)).argsort(axis=1)[:, : max(REPORTERS)]
    return chosen[np.arange(max(REPORTERS)) < slots[:, None]]


def _calculated(rng, slot, session):
    """One or two sessions before the disclosure, and after the last position of the slot."""
    day = session - 1 - (rng.random(len(session)) < 0.3)
    again = np.append(False, (slot[1:] == slot[:-1]) & (day[1:] <= day[:-1]))
    return np.where(again, session - 1, day)


def _sum_up(listings, issue, slot, session, position):
    """(T, N) sum of the newest positions, each from the session after its disclosure on."""
    sessions = len(listings.days)
    step = np.zeros((sessions + 1, len(issue)))
    last = np.append(0.0, position[:-1]) * np.append(False, slot[1:] == slot[:-1])
    step[session + 1, slot] = position - last
    held = np.cumsum(step[:sessions], axis=0)
    total = np.zeros(listings.listed.shape)
    stocks, first = np.unique(issue, return_index=True)
    if len(first):
        total[:, stocks] = np.add.reduceat(held, first, axis=1)
    return total


def signal(shorts: Shorts) -> Ahead:
    """Expect stocks with large reported short positions to fall behind."""
    mean, reply = (THRESHOLD + EXCESS) * HELD, (THRESHOLD + EXCESS) * NEWS
    offset = shorts.slots.mean() * mean
    return lambda k: offset - _expected(shorts, k - 1, mean, reply)


def _expected(shorts, steps, mean, reply):
    """(T, N) sum expected `steps` sessions later: a look forgets what was, and sees the news.

    The look of the coming session knows the news of two sessions ago, and so on; the news of
    sessions still to come is expected to be that of now, fading.
    """
    stay, news = 1 - LOOKS, shorts.news
    lagged = [np.vstack([np.zeros_like(news[:lag]), news[: len(news) - lag]]) for lag in (2, 1)]
    seen = np.zeros_like(news)
    for lag, carried in zip((1, 2), lagged, strict=True):
        if steps >= lag:
            seen += LOOKS * stay ** (steps - lag) * carried
    if steps > DELAY:
        rest = steps - DELAY
        seen += LOOKS * (stay**rest - DRIFT**rest) / (stay - DRIFT) * news
    renewed = shorts.slots * ((1 - stay**steps) * mean - reply * seen)
    return stay**steps * shorts.known + renewed


def short_sale(shorts: Shorts, listings: Listings) -> pl.DataFrame:
    """Write the reports, one row a reporter, with the chain of its earlier ones."""
    served = shorts.session >= listings.first
    session, day = shorts.session[served], shorts.calculated[served]
    issue, reporter, position = (
        shorts.issue[served],
        shorts.reporter[served],
        shorts.position[served],
    )
    shares = np.round(position * listings.shares[day, issue] / LOT) * LOT
    previous = shorts.previous[served]
    first = previous < 0
    earlier = listings.days[shorts.calculated[previous]]
    names = _names()
    rows = pl.DataFrame({
        "DiscDate": listings.days[session],
        "CalcDate": listings.days[day],
        "Code": listings.names(issue),
        "ShrtPosToSO": position,
        "ShrtPosShares": shares,
        "ShrtPosUnits": shares / LOT,
        "PrevRptDate": pl.Series(np.where(first, np.datetime64("NaT"), earlier)).cast(pl.Date),
        "PrevRptRatio": np.where(first, np.nan, shorts.position[previous]),
    }, nan_to_null=True)  # fmt: skip
    rows = pl.concat([rows, names[reporter]], how="horizontal")
    fields = DATASETS["short_sale"]
    return (
        rows.with_columns(Notes=pl.lit(None, pl.String)).select(*fields.schema).sort(fields.order)
    )


def _names():
    """Who reports: companies with English and Japanese names, and a person or two."""
    number = np.arange(NAMES)
    rng = np.random.default_rng(NAMES)
    managed = (rng.random(NAMES) < MANAGED).tolist()
    funds = (rng.random(NAMES) < FUNDS).tolist()
    names = [f"Simulated Capital {n:02d} LLP" if n % 3 else f"模擬証券{n:02d}" for n in number]
    names[0] = names[1] = "個人"  # two persons, whom no field tells apart
    return pl.DataFrame({
        "SSName": names,
        "SSAddr": [None if n < 2 else f"{n} Simulated Street" for n in number],
        "DICName": [f"Simulated Advisers {n:02d}" if on else None for n, on in enumerate(managed)],
        "DICAddr": [f"{n} Advisers Street" if on else None for n, on in enumerate(managed)],
        "FundName": [f"Simulated Fund {n:02d}" if on else None for n, on in enumerate(funds)],
    })  # fmt: skip
