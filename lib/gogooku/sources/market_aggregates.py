"""What the simulated exchange publishes about the whole market: calendar, TOPIX, investor flows."""

import datetime as dt

import numpy as np
import polars as pl

from gogooku.sources.catalogue import DATASETS
from gogooku.sources.market_listings import Days, Floats, Listings
from gogooku.sources.market_prices import OUTAGE, Bars

HOLIDAY_TRADING = np.datetime64("2022-09-23")
SECTIONS = {
    "0101": "TSE1st", "0102": "TSE2nd", "0104": "TSEMothers", "0106": "TSEJASDAQ",
    "0107": "TSEJASDAQ", "0111": "TSEPrime", "0112": "TSEStandard", "0113": "TSEGrowth",
}  # fmt: skip
# Share of each investor group in the value that its side of the brokers trades.
INVESTORS = {
    "Ind": 0.22, "Frgn": 0.60, "SecCo": 0.006, "InvTr": 0.02, "BusCo": 0.01, "OthCo": 0.004,
    "InsCo": 0.003, "Bank": 0.004, "TrstBnk": 0.12, "OthFin": 0.013,
}  # fmt: skip
PROPRIETARY = 0.15  # share of value that members trade on their own account
CORRECTIONS = 0.02  # share of weekly rows that are corrected
PUBLISHED = 4  # business day of the next week on which a week is published


def sessions(first: dt.date, last: dt.date) -> Days:
    """Sessions of the Tokyo Stock Exchange, the day of the 2020 outage among them."""
    # Pandas comes with it: only a simulation needs to wait for that.
    import exchange_calendars

    exchange = exchange_calendars.get_calendar("XTKS", start=str(first), end=str(last))
    days = exchange.sessions.to_numpy().astype("datetime64[D]")
    return np.union1d(days, [OUTAGE] if str(first) <= str(OUTAGE) <= str(last) else days[:0])


def calendar(days: Days, first: dt.date, last: dt.date) -> pl.DataFrame:
    """Write the vendor's calendar of every day from `first` to `last`, of which `days` are open.

    HolDiv: 1 open, 0 closed, 3 closed while derivatives trade: weekday holidays since 2022-09-23
    except New Year's Day.
    """
    every = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    weekday = np.is_busday(every)
    new_year = every == every.astype("datetime64[Y]").astype("datetime64[D]")
    derivatives = weekday & ~new_year & (every >= HOLIDAY_TRADING)
    kind = np.where(np.isin(every, days), "1", np.where(derivatives, "3", "0"))
    return pl.DataFrame({"Date": every, "HolDiv": kind.tolist()})


def topix(rng: np.random.Generator, listings: Listings, bars: Bars) -> pl.DataFrame:
    """Write the index: first-section stocks (now Prime) weighted by market value.

    On the day of the outage all four values repeat the close of the day before.
    """
    member = listings.listed & listings.common & (listings.segment == "0101")
    before = np.vstack([listings.price, bars.fair_close[:-1]]) * listings.factor
    weight = member * before * listings.shares
    weight /= weight.sum(axis=1, keepdims=True)
    opening = (weight * bars.fair_open / before).sum(axis=1)
    closing = (weight * bars.fair_close / before).sum(axis=1)
    level = 1500 * np.cumprod(closing)
    close, start = level, np.append(1500, level[:-1]) * opening
    edge = np.abs(rng.normal(0, 0.003, (2, len(level))))
    high = np.maximum(start, close) * (1 + edge[0])
    low = np.minimum(start, close) * (1 - edge[1])
    prices = np.stack([start, high, low, close])
    for out in np.flatnonzero(listings.days[1:] == OUTAGE) + 1:
        prices[:, out] = close[out - 1]
    prices = np.round(prices[:, listings.first :], 2)
    return pl.DataFrame({
        "Date": listings.days[listings.first :], **dict(zip("OHLC", prices, strict=True)),
    })  # fmt: skip


def investor_types(
    rng: np.random.Generator, bars: pl.DataFrame, master: pl.DataFrame
) -> pl.DataFrame:
    """Write the weekly trading by investor group [thousand JPY].

    A week is published on the fourth business day of the next one. Some weeks are corrected later
    by an added row; the vendor adds rows only since 2023-04-03 and has overwritten them before, but
    here corrections happen at any time.
    """
    weeks = _weekly_value(bars, master)
    days = bars["Date"].unique().sort().to_numpy()
    friday = weeks["StDate"].dt.truncate("1w").to_numpy() + np.timedelta64(4, "D")
    position = np.searchsorted(days, friday, side="right") + PUBLISHED - 1
    weeks = _groups(rng, weeks.with_columns(position=pl.Series(position)))
    rows = pl.concat([weeks, _corrections(rng, weeks)])
    rows = rows.filter(pl.col("position") < len(days))
    rows = rows.with_columns(PubDate=pl.lit(pl.Series(days)).gather(pl.col("position")))
    fields = DATASETS["investor_types"].schema
    rows = rows.select(pl.col(name).cast(kind) for name, kind in fields.items())
    return rows.sort(DATASETS["investor_types"].key)


def _weekly_value(bars, master):
    """Value traded per week and section, and in all of them together [thousand JPY]."""
    sections = master.select(
        "Date", "Code", Section=pl.col("Mkt").replace_strict(SECTIONS, default=None)
    )
    traded = bars.join(sections, on=["Date", "Code"]).drop_nulls("Section")
    every = traded.with_columns(Section=pl.lit("TokyoNagoya"))
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


def _groups(rng, weeks):
    """Sales and purchases by group: foreigners follow the market, individuals go against it."""
    value, change = weeks["value"].to_numpy(), weeks["change"].to_numpy()
    shares = np.array(list(INVESTORS.values()))
    noise = np.exp(rng.normal(0, 0.08, (len(value), len(shares))))
    size = shares * noise
    size *= (1 - PROPRIETARY) * value[:, None] / size.sum(axis=1, keepdims=True)
    lean = rng.normal(0, 0.02, size.shape)
    lean[:, 0] -= 5 * change
    lean[:, 1] += 2 * change
    sides = {"Sell": size * (1 - lean), "Buy": size * (1 + lean)}
    columns: dict[str, Floats] = {}
    for side, amount in sides.items():
        columns |= {name + side: amount[:, k] for k, name in enumerate(INVESTORS)}
        columns["Brk" + side] = amount.sum(axis=1)
        columns["Tot" + side] = value
        columns["Prop" + side] = value - amount.sum(axis=1)
    weeks = weeks.with_columns(
        pl.Series(name, np.round(column)) for name, column in columns.items()
    )
    return _totals(weeks)


def _totals(weeks):
    names = ["Prop", "Brk", "Tot", *INVESTORS]
    return weeks.with_columns(
        *((pl.col(name + "Sell") + pl.col(name + "Buy")).alias(name + "Tot") for name in names),
        *((pl.col(name + "Buy") - pl.col(name + "Sell")).alias(name + "Bal") for name in names),
    )


def _corrections(rng, weeks):
    """Later rows in which members' and individuals' amounts differ a little."""
    found = weeks.filter(pl.Series(rng.random(len(weeks)) < CORRECTIONS))
    later = pl.Series(rng.integers(5, 25, len(found)))
    moved = (pl.col("IndBuy") * 0.01).round()
    return _totals(
        found.with_columns(
            IndBuy=pl.col("IndBuy") + moved,
            BrkBuy=pl.col("BrkBuy") + moved,
            PropBuy=pl.col("PropBuy") - moved,
            position=pl.col("position") + later,
        )
    )
