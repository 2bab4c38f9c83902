"""Margin trading on the simulated exchange, and who sold and bought each day.

Individuals buy on margin what has fallen, and what they have reasons of their own to buy; balances
drift back to the usual. A day's change of a balance is limited by what was traded, so that new and
closed positions of the day's breakdown add up to it. The buyers' own reasons are what the planted
part `margin` knows.
"""

import json
from dataclasses import dataclass

import numpy as np
import polars as pl
from gogooku.raw.catalogue import DAILY_MARGIN, DATASETS

from simulated_exchange.market.listings import LOT, SECTORS, Days, Flags, Floats, Ints, Listings
from simulated_exchange.market.prices import OUTAGE, Bars, Noise

LONG, SHORT = 0.008, 0.0012  # usual balances, share of issued shares
RETURN, MOVE = 0.99, 0.03  # persistence and daily sd of the log balance
DIPS = 0.3  # share of the variance of moves that answers prices
LIMIT = {"long": 0.25, "short": 0.1}  # change of a balance, share of the day's volume
CHURN = {"long": 0.1, "short": 0.05}  # most that is opened and closed the same day, likewise
WEEKLY_PLACE = 2  # session of a later week in which a weekly balance is published [16:30]
DAILY_LAG = 1  # sessions from a daily balance to its publication [16:30]
FEW = 2  # a week of so many sessions has no balance
STANDARD_LONG, STANDARD_SHORT = 0.6, 0.8  # share of standardized margin trading
CORRECTED = 0.002  # share of daily rows that are corrected later
UNUSUAL, BLOCK = 2.0, 20  # log balance in its sd that brings an alert, looked at every 20 sessions
ALERTS = ("Restricted", "DailyPublication", "Monitoring", "RestrictedByJSF", "PrecautionByJSF",
          "UnclearOrSecOnAlert")  # fmt: skip


@dataclass(frozen=True)
class Margin:
    """Balances [shares], (T, N) each, on the share basis of the session.

    opened and closed: what the day opened and closed, of longs and of shorts
    usual  (N,) long balance to which the issue returns, share of issued shares
    """

    usual: Floats
    long: Floats
    short: Floats
    long_opened: Floats
    long_closed: Floats
    short_opened: Floats
    short_closed: Floats


def draw_reasons(rng: np.random.Generator, listings: Listings) -> Floats:
    """(T, N) what margin buyers do for reasons of their own, unit variance."""
    return rng.standard_normal(listings.listed.shape)


def news(reasons: Floats, listings: Listings) -> Floats:
    """Reasons (T, N) summed up over each balance, in the session that first knows it."""
    total = np.vstack([np.zeros(reasons.shape[1]), np.cumsum(reasons, axis=0)])
    known = np.zeros_like(reasons)
    balances, published = prints(listings.days)
    for since, until, session in zip(
        np.append(-1, balances[:-1]), balances, published + 1, strict=True
    ):
        if session < len(known):
            known[session] += total[until + 1] - total[since + 1]
    return known


def prints(days: Days) -> tuple[Ints, Ints]:
    """Sessions whose balances are published, and the session of publication of each.

    One a week, its last session, until 2026-09-24, and none of weeks of one or two sessions; from
    2026-09-25 on each session. Publication may lie past the last session.
    """
    week = (days.astype("datetime64[D]").astype(np.int64) + 3) // 7
    weeks, first, held = np.unique(week, return_index=True, return_counts=True)
    daily = days >= np.datetime64(DAILY_MARGIN)
    last = np.append(week[1:] != week[:-1], False)
    balances = np.flatnonzero(daily | (last & (held[np.searchsorted(weeks, week)] > FEW)))
    fits = held >= WEEKLY_PLACE
    later = np.searchsorted(weeks[fits], week[balances], "right")
    weekly = np.append(first[fits], len(days))[later] + WEEKLY_PLACE - 1
    return balances, np.where(daily[balances], balances + DAILY_LAG, weekly)


def keep(
    rng: np.random.Generator, listings: Listings, bars: Bars, noise: Noise, reasons: Floats
) -> Margin:
    """Let the balances follow prices, reasons and volumes."""
    sessions, issues = reasons.shape
    may = {"long": listings.loanable != "3", "short": listings.loanable == "2"}
    usual = {
        "long": LONG * np.exp(rng.normal(0, 0.5, issues)),
        "short": SHORT * np.exp(rng.normal(0, 0.5, issues)),
    }
    own = np.sqrt(1 - DIPS)
    moves = {
        "long": own * reasons - np.sqrt(DIPS) * noise.own,
        "short": np.sqrt(DIPS) * noise.own + own * rng.standard_normal(reasons.shape),
    }
    volume = np.nan_to_num(bars.volume)
    basis = np.vstack([np.ones(issues), listings.shares[1:] / listings.shares[:-1]])
    found = []
    for side in ("long", "short"):
        share = usual[side] * may[side]
        churn = _lots(rng.random(reasons.shape, dtype=np.float32) * CHURN[side] * volume, np.floor)
        room = _lots(LIMIT[side] * volume, np.floor)
        balance = _follow(listings, share, moves[side], basis, room)
        change = balance - _lots(np.vstack([balance[:1], balance[:-1]]) * basis)
        churn *= may[side]
        found += [balance, churn + change.clip(min=0), churn - change.clip(max=0)]
    long, opened, closed, short, short_opened, short_closed = found
    return Margin(usual["long"], long, short, opened, closed, short_opened, short_closed)


def _lots(shares, rounding=np.round):
    return rounding(shares / LOT) * LOT


def _follow(listings, share, moves, basis, room):
    """Balance (T, N): goes to the wanted one as far as the day's volume lets it."""
    balances = np.empty_like(moves)
    level = np.zeros(moves.shape[1])
    balance = _lots(share * listings.shares[0])
    for session, move in enumerate(moves):
        level = RETURN * level + MOVE * move
        wanted = share * listings.shares[session] * np.exp(level)
        balance = _lots(balance * basis[session])
        change = _lots(np.clip(wanted - balance, -room[session], room[session]))
        balances[session] = balance = balance + np.maximum(change, -balance)
    return balances


def breakdown(
    rng: np.random.Generator, listings: Listings, bars: Bars, margin: Margin
) -> pl.DataFrame:
    """Write who sold and bought, per traded issue: volumes and values add up on either side."""
    session, issue = at = _traded(listings, bars)
    parts = _volumes(rng, bars, margin, at)
    volume, value = bars.volume[at], bars.value[at]
    worth = {
        name: np.round(value * part / volume)
        for name, part in parts.items()
        if name not in ("LongSell", "LongBuy")
    }
    sold = worth["ShrtNoMrgn"] + worth["MrgnSellNew"] + worth["MrgnSellClose"]
    worth["LongSell"] = value - sold
    worth["LongBuy"] = value - worth["MrgnBuyNew"] - worth["MrgnBuyClose"]
    rows = pl.DataFrame({
        "Date": listings.days[session],
        "Code": listings.names(issue),
        **{f"{name}Va": part for name, part in worth.items()},
        **{f"{name}Vo": part for name, part in parts.items()},
    })  # fmt: skip
    return rows.select(*DATASETS["breakdown"].schema)


def _traded(listings, bars):
    session, issue = np.nonzero(~np.isnan(bars.volume[listings.first :]))
    return session + listings.first, issue


def _volumes(rng, bars, margin, at):
    """Volumes of the breakdown (M,): shorts without margin grow on a falling day."""
    volume = bars.volume[at]
    opened, closed = margin.long_opened[at], margin.long_closed[at]
    sold, covered = margin.short_opened[at], margin.short_closed[at]
    fall = 1 - bars.close[at] / bars.open[at]
    share = 0.35 + 1.5 * np.clip(fall, -0.1, 0.1) + rng.normal(0, 0.05, len(volume))
    short = _lots((volume - closed - sold) * share.clip(0.05, 0.8))
    return {
        "LongSell": volume - short - sold - closed,
        "ShrtNoMrgn": short,
        "MrgnSellNew": sold,
        "MrgnSellClose": closed,
        "LongBuy": volume - opened - covered,
        "MrgnBuyNew": opened,
        "MrgnBuyClose": covered,
    }


def short_ratio(rows: pl.DataFrame, listings: Listings) -> pl.DataFrame:
    """Sum up the breakdown's rows by day and sector [JPY]; every sector every day but the outage.

    Shorts without price restriction are a sixth of all, more or less by sector.
    """
    sector = pl.Series([SECTORS[number][0] for number in listings.sector])
    home = pl.DataFrame({"Code": listings.names(np.arange(len(sector))), "S33": sector})
    every = pl.DataFrame({"Date": listings.days[listings.first :]}).join(
        pl.DataFrame({"S33": [row[0] for row in SECTORS]}), how="cross"
    )
    short = pl.col("ShrtNoMrgnVa") + pl.col("MrgnSellNewVa")
    free = (short / (5 + pl.col("S33").cast(pl.Int64) % 300 / 100)).round()
    found = (
        rows.join(home, on="Code")
        .with_columns(
            ShrtNoResVa=free,
            ShrtWithResVa=short - free,
            SellExShortVa=pl.col("LongSellVa") + pl.col("MrgnSellCloseVa"),
        )
        .group_by("Date", "S33")
        .agg(pl.col("SellExShortVa", "ShrtWithResVa", "ShrtNoResVa").sum())
    )
    sums = every.join(found, on=["Date", "S33"], how="left").fill_null(0)
    sums = sums.filter(pl.col("Date") != pl.lit(OUTAGE.item()))
    return sums.select(*DATASETS["short_ratio"].schema).sort(DATASETS["short_ratio"].key)


def margin_interest(
    rng: np.random.Generator, listings: Listings, bars: Bars, margin: Margin
) -> pl.DataFrame:
    """Write the balances of all issues, weekly and from 2026-09-25 on daily, as published."""
    balances, published = prints(listings.days)
    served = (balances >= listings.first) & (published < len(listings.days))
    balances, published = balances[served], published[served]
    listed = listings.listed[balances] & (listings.loanable != "3")
    which, issue = np.nonzero(listed)
    session, public = balances[which], published[which]
    daily = listings.days[session] >= np.datetime64(DAILY_MARGIN)
    long, short = margin.long[session, issue], margin.short[session, issue]
    mark = last_price(bars, listings)[session, issue]
    rows = pl.DataFrame({
        "PubDate": pl.Series(
            np.where(daily, listings.days[public], np.datetime64("NaT"))
        ).cast(pl.Date),
        "Date": listings.days[session],
        "Code": listings.names(issue),
        "IssType": pl.Series(listings.loanable[issue].tolist()),
        **_parts("Vol", long, short),
        **_parts("Val", long, short, np.where(daily, mark, np.nan)),
    }, nan_to_null=True)  # fmt: skip
    wrong = rng.random(len(rows)) < CORRECTED
    later = public + rng.integers(1, 6, len(rows))
    wrong &= daily & (later < len(listings.days))
    fixed = rows.filter(pl.Series(wrong)).with_columns(
        pl.Series("PubDate", listings.days[later[wrong]]).cast(pl.Date),
        pl.col("LongVol", "LongNegVol") + LOT,
    )
    fields = DATASETS["margin_interest"]
    return pl.concat([rows, fixed]).select(*fields.schema).sort(fields.key)


def _parts(ending, long, short, price=1.0):
    """Totals and their negotiable and standardized parts; where only longs exist, shorts are 0."""
    whole = np.isnan(price) | (np.asarray(price) > 0)
    standard_long, standard_short = _lots(STANDARD_LONG * long), _lots(STANDARD_SHORT * short)
    volumes = {
        "Shrt": short, "Long": long, "ShrtNeg": short - standard_short,
        "LongNeg": long - standard_long, "ShrtStd": standard_short, "LongStd": standard_long,
    }  # fmt: skip
    return {
        name + ending: np.where(whole, np.round(part * price), np.nan)
        for name, part in volumes.items()
    }


def last_price(bars: Bars, listings: Listings) -> Floats:
    """Close (T, N), or the last one before it on the share basis of the day [JPY]."""
    factor = np.cumprod(listings.factor, axis=0)
    price = bars.close / factor
    row = np.maximum.accumulate(
        np.where(np.isnan(price), 0, np.arange(len(price))[:, None]), axis=0
    )
    return np.take_along_axis(price, row, axis=0) * factor


def margin_alert(rng: np.random.Generator, listings: Listings, margin: Margin) -> pl.DataFrame:
    """Write the daily balances of issues under watch, published the session after.

    A change is null where the day before was not published, a ratio to listed shares where the
    issue is a fund.
    """
    level = np.log(np.maximum(margin.long, LOT) / listings.shares / margin.usual)
    strain = level * np.sqrt(1 - RETURN**2) / MOVE
    block = np.arange(len(level)) // BLOCK * BLOCK
    grade = np.where(listings.loanable != "3", np.floor(strain[block] / UNUSUAL), 0)
    grade = np.where(listings.listed, grade.clip(0, 2), 0).astype(np.int64)
    session, issue = np.nonzero(grade[:-1])
    served = session + 1 >= listings.first
    session, issue = session[served], issue[served]
    rows = _alerts(listings, margin, grade, session, issue)
    wrong = rng.random(len(rows)) < CORRECTED * 2
    later = session + 1 + rng.integers(1, 6, len(rows))
    wrong &= later < len(listings.days)
    fixed = rows.filter(pl.Series(wrong)).with_columns(
        pl.Series("PubDate", listings.days[later[wrong]]).cast(pl.Date),
        pl.col("LongOut", "LongNegOut") + LOT,
    )
    fields = DATASETS["margin_alert"]
    return pl.concat([rows, fixed]).select(*fields.schema).sort(fields.key)


def _alerts(listings, margin, grade, session, issue):
    before = np.maximum(session - 1, 0)
    followed: Flags = grade[before, issue] > 0
    basis = listings.shares[session, issue] / listings.shares[before, issue]
    now = _parts("Out", margin.long[session, issue], margin.short[session, issue])
    then = _parts("Out", margin.long[before, issue], margin.short[before, issue])
    shares = np.where(
        listings.category[issue] == "014", np.nan, listings.shares[session, issue] / 100
    )
    long = np.where(now["LongOut"] > 0, now["LongOut"], np.nan)
    reason = np.array([_reason(), _reason("DailyPublication"),
                       _reason("Restricted", "DailyPublication")])  # fmt: skip
    level = grade[session, issue]
    return pl.DataFrame({
        "PubDate": listings.days[session + 1],
        "Code": listings.names(issue),
        "AppDate": listings.days[session],
        "PubReason": pl.Series(reason.tolist()).gather(pl.Series(level)),
        **now,
        **{
            f"{name}Chg": np.where(followed, part - _lots(then[name] * basis), np.nan)
            for name, part in now.items()
        },
        "ShrtOutRatio": np.round(now["ShrtOut"] / shares, 1),
        "LongOutRatio": np.round(now["LongOut"] / shares, 1),
        "SLRatio": np.round(now["ShrtOut"] / long * 100, 1),
        "TSEMrgnRegCls": pl.Series(["", "002", "003"]).gather(pl.Series(level)),
    }, nan_to_null=True)  # fmt: skip


def _reason(*named):
    return json.dumps({name: str(int(name in named)) for name in ALERTS})
