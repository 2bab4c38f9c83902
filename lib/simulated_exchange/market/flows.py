"""What groups of investors buy and sell each week on the simulated exchange.

Foreigners follow the market, individuals go against it, and each group leans to one side for
reasons of its own. The foreigners' own lean is what the planted part `flow` knows.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.market.listings import REFORM, Floats, Listings
from simulated_exchange.market.prices import Bars

SECTIONS = {
    "0101": "TSE1st", "0102": "TSE2nd", "0104": "TSEMothers", "0106": "TSEJASDAQ",
    "0107": "TSEJASDAQ", "0111": "TSEPrime", "0112": "TSEStandard", "0113": "TSEGrowth",
}  # fmt: skip
EVERYWHERE = "TokyoNagoya"
# Share of each investor group in the value that its side of the brokers trades.
INVESTORS = {
    "Ind": 0.22, "Frgn": 0.60, "SecCo": 0.006, "InvTr": 0.02, "BusCo": 0.01, "OthCo": 0.004,
    "InsCo": 0.003, "Bank": 0.004, "TrstBnk": 0.12, "OthFin": 0.013,
}  # fmt: skip
FOREIGN = list(INVESTORS).index("Frgn")
LEAN = 0.02  # sd of what a group buys and sells for reasons of its own, share of its trading
PROPRIETARY = 0.15  # share of value that members trade on their own account
CORRECTIONS = 0.02  # share of weekly rows that are corrected
PUBLISHED = 4  # business day of the next week on which a week is published


@dataclass(frozen=True)
class Flows:
    """Weeks and sections of the served days, by week and section, and what is drawn for each.

    rows      week (its Monday), Section, position (of the session of publication; past the last
              one for a week that is not published any more)
    size      (M, groups) noise of a group's trading; lean  (M, groups) of its net buying
    corrected (M,) whether the row is corrected later; later  sessions until then, of those
    """

    rows: pl.DataFrame
    size: Floats
    lean: Floats
    corrected: pl.Series
    later: pl.Series


def draw(rng: np.random.Generator, listings: Listings) -> Flows:
    """Draw the leanings of all groups, before anything is traded."""
    rows = _weeks(listings)
    shape = len(rows), len(INVESTORS)
    size = np.exp(rng.normal(0, 0.08, shape))
    lean = rng.normal(0, LEAN, shape)
    corrected = pl.Series(rng.random(len(rows)) < CORRECTIONS)
    later = pl.Series(rng.integers(5, 25, int(corrected.sum())))
    return Flows(rows, size, lean, corrected, later)


def _weeks(listings):
    """All weeks and sections with a listed issue, and when they are published."""
    days = listings.days[listings.first :]
    names = np.array([[SECTIONS.get(code, "") for code in era] for era in listings.segments])
    reformed = (days >= REFORM).astype(np.int64)
    listed = listings.listed[listings.first :]
    present = {EVERYWHERE: days}
    for section in sorted(set(names.ravel()) - {""}):
        present[section] = days[(listed & (names == section)[reformed]).any(axis=1)]
    rows = pl.concat([
        pl.DataFrame({"week": found}).with_columns(Section=pl.lit(section))
        for section, found in present.items()
    ])  # fmt: skip
    rows = rows.with_columns(pl.col("week").dt.truncate("1w")).unique().sort("week", "Section")
    friday = rows["week"].to_numpy() + np.timedelta64(4, "D")
    position = np.searchsorted(days, friday, side="right") + PUBLISHED - 1
    return rows.with_columns(position=pl.Series(position))


def news(flows: Flows, listings: Listings) -> Floats:
    """Foreigners' own lean (T, N) for each stock's section, in the session that first knows it.

    A week is published after the close [16:30], so the next session's close is the first.
    """
    known = np.zeros(listings.listed.shape)
    session = flows.rows["position"].to_numpy() + listings.first + 1
    before = flows.rows["week"].to_numpy() < REFORM
    for section in sorted(set(SECTIONS.values())):
        mine = (flows.rows["Section"] == section).to_numpy() & (session < len(known))
        for era, rows in enumerate((mine & before, mine & ~before)):
            names = np.array([SECTIONS.get(code, "") for code in listings.segments[era]])
            lean = flows.lean[rows, FOREIGN, None] / LEAN
            known[session[rows]] += np.where(names == section, lean, 0.0)
    return known


def investor_types(flows: Flows, listings: Listings, bars: Bars) -> pl.DataFrame:
    """Write the weekly trading by investor group [thousand JPY].

    A week is published on the fourth business day of the next one. Some weeks are corrected later
    by an added row; the vendor adds rows only since 2023-04-03 and has overwritten them before, but
    here corrections happen at any time.
    """
    weeks = _groups(flows, _weekly_value(listings, bars))
    days = pl.Series(listings.days[listings.first :])
    rows = pl.concat([weeks, _corrections(flows, weeks)])
    rows = rows.filter(pl.col("position") < len(days))
    rows = rows.with_columns(PubDate=pl.lit(days).gather(pl.col("position")))
    fields = DATASETS["investor_types"].schema
    rows = rows.select(pl.col(name).cast(kind) for name, kind in fields.items())
    return rows.sort(DATASETS["investor_types"].key)


def _weekly_value(listings, bars):
    """Value traded per week and section, and in all of them together [thousand JPY]."""
    session, issue = at = listings.served()
    names = [SECTIONS.get(code) for code in listings.segments.ravel()]
    reformed = (listings.days[session] >= REFORM).astype(np.int64)
    section = pl.Series(names).gather(pl.Series(reformed * len(listings.codes) + issue))
    traded = pl.DataFrame(
        {
            "Date": listings.days[session],
            "Section": section,
            "O": bars.open[at],
            "C": bars.close[at],
            "Va": bars.value[at],
        },
        nan_to_null=True,
    ).drop_nulls("Section")
    every = traded.with_columns(Section=pl.lit(EVERYWHERE))
    week = pl.col("Date").dt.truncate("1w").alias("week")
    return (
        pl.concat([traded, every])
        .group_by(week, "Section")
        .agg(
            StDate=pl.col("Date").min(),
            EnDate=pl.col("Date").max(),
            value=pl.col("Va").sum() / 1000,
            change=(pl.col("C") / pl.col("O") - 1).mean().fill_null(0.0),
        )
        .sort("week", "Section")
    )


def _groups(flows, weeks):
    """Sales and purchases by group."""
    value, change = weeks["value"].to_numpy(), weeks["change"].to_numpy()
    size = np.array(list(INVESTORS.values())) * flows.size
    size *= (1 - PROPRIETARY) * value[:, None] / size.sum(axis=1, keepdims=True)
    lean = flows.lean.copy()
    lean[:, 0] -= 5 * change
    lean[:, FOREIGN] += 2 * change
    sides = {"Sell": size * (1 - lean), "Buy": size * (1 + lean)}
    columns: dict[str, Floats] = {}
    for side, amount in sides.items():
        columns |= {name + side: amount[:, k] for k, name in enumerate(INVESTORS)}
        columns["Brk" + side] = amount.sum(axis=1)
        columns["Tot" + side] = value
        columns["Prop" + side] = value - amount.sum(axis=1)
    return _totals(
        weeks.with_columns(
            flows.rows["position"],
            *(pl.Series(name, np.round(column)) for name, column in columns.items()),
        )
    )


def _totals(weeks):
    names = ["Prop", "Brk", "Tot", *INVESTORS]
    return weeks.with_columns(
        *((pl.col(name + "Sell") + pl.col(name + "Buy")).alias(name + "Tot") for name in names),
        *((pl.col(name + "Buy") - pl.col(name + "Sell")).alias(name + "Bal") for name in names),
    )


def _corrections(flows, weeks):
    """Later rows in which members' and individuals' amounts differ a little."""
    moved = (pl.col("IndBuy") * 0.01).round()
    return _totals(
        weeks.filter(flows.corrected).with_columns(
            IndBuy=pl.col("IndBuy") + moved,
            BrkBuy=pl.col("BrkBuy") + moved,
            PropBuy=pl.col("PropBuy") - moved,
            position=pl.col("position") + flows.later,
        )
    )
