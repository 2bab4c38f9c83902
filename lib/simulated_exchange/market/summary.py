"""The vendor's table of the simulated filings: all 111 fields, null where a filing has none.

Per-share values and share counts stand on the share basis of the filing's day. Corrections repeat
a period under a new number some days later with slightly other amounts and carry no news.
"""

import datetime as dt

import numpy as np
import polars as pl
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.market.listings import Listings

CORRECTIONS = 0.03  # share of statements that are corrected
TREASURY = 0.02  # share of issued shares
PAYOUT = 0.3  # dividends, share of net profit
SCOPE_NOTE = dt.date(2024, 7, 22)  # SigChgInC takes the place of MatChgSub

FINAL = pl.col("quarter") == 4
STATEMENT = pl.col("kind") == "statement"
# IFRS and US accounts know no ordinary profit.
LOCAL = pl.col("standard").str.ends_with("JP")
OUTSTANDING = pl.col("shares") * (1 - TREASURY)


def table(rng: np.random.Generator, events: pl.DataFrame, listings: Listings) -> pl.DataFrame:
    """Write filings (market_filings.draw) as rows of DATASETS["summary"].schema."""
    rows = _served(events, listings)
    rows = rows.with_columns(error=pl.Series(rng.normal(0, 0.01, len(rows))))
    rows = _served(pl.concat([rows, _corrections(rng, rows, listings)]), listings)
    rows = _numbered(rng, rows.sort("day", "minute", "issue", maintain_order=True), listings)
    rows = rows.with_columns(**_identity(listings), **_amounts(), **_forecasts(), **_notes())
    rows = rows.with_columns(**_derived()).with_columns(**_dividends(), **_parent_only())
    fields = DATASETS["summary"].schema
    absent = [pl.lit(None).alias(name) for name in fields if name not in rows.columns]
    rows = rows.with_columns(absent).select(
        pl.col(name).cast(kind) for name, kind in fields.items()
    )
    return rows.sort(DATASETS["summary"].key)


def _served(events, listings):
    """Keep filings of stocks that are listed, on the days that are served."""
    session = np.searchsorted(listings.days, events["day"].to_numpy())
    inside = (session >= listings.first) & (session < len(listings.days))
    issue = events["issue"].to_numpy()
    inside[inside] = listings.listed[session[inside], issue[inside]]
    return events.filter(pl.Series(inside & listings.common[issue]))


def _corrections(rng, rows, listings):
    found = rows.filter((pl.Series(rng.random(len(rows))) < CORRECTIONS) & STATEMENT)
    later = found["day"].to_numpy() + rng.integers(3, 20, len(found))
    session = np.searchsorted(listings.days, later).clip(max=len(listings.days) - 1)
    return found.with_columns(
        pl.Series("day", listings.days[session]).cast(found["day"].dtype),
        pl.Series("shares", listings.shares[session, found["issue"].to_numpy()]),
        minute=pl.lit(960, found["minute"].dtype),
        error=pl.col("error") + 0.004,
    )


def _numbered(rng, rows, listings):
    """Add DiscNo: its first eight digits may be those of the session before the disclosure."""
    day = rows["day"].to_numpy()
    before = listings.days[(np.searchsorted(listings.days, day) - 1).clip(min=0)]
    prepared = pl.Series("prepared", np.where(rng.random(len(day)) < 0.1, before, day))
    number = pl.int_range(pl.len()).over("prepared") + 400_001
    return rows.with_columns(prepared.cast(pl.Date)).with_columns(
        DiscNo=pl.col("prepared").dt.strftime("%Y%m%d") + number.cast(pl.String)
    )


def _identity(listings):
    quarter = pl.when(FINAL).then(pl.lit("FY")).otherwise(pl.format("{}Q", "quarter"))
    clock = pl.time(pl.col("minute") // 60, pl.col("minute") % 60)
    document = pl.format("{}FinancialStatements_{}", quarter, "standard")
    next_year = pl.col("end").dt.offset_by("1y").dt.month_end()
    return {
        "DiscDate": pl.col("day"),
        "DiscTime": clock.dt.strftime("%H:%M:%S"),
        "Code": pl.lit(pl.Series(listings.codes)).gather(pl.col("issue")),
        "DocType": pl.when(STATEMENT).then(document).otherwise(pl.lit("EarnForecastRevision")),
        "CurPerType": quarter,
        "CurPerSt": pl.col("start"),
        "CurPerEn": pl.col("month_end"),
        "CurFYSt": pl.col("start"),
        "CurFYEn": pl.col("end"),
        "NxtFYSt": pl.when(STATEMENT & FINAL).then(pl.col("end").dt.offset_by("1d")),
        "NxtFYEn": pl.when(STATEMENT & FINAL).then(next_year),
    }


def _amounts():
    """Results of a statement [JPY, to the million]."""
    revenue = pl.col("before").abs() / pl.col("margin")
    done = pl.col("quarter") / 4 * (1 + 0.03 * pl.col("z") + pl.col("error"))
    assets = revenue * pl.col("assets") * (1 + pl.col("error"))
    found = {
        "Sales": revenue * done,
        "OP": pl.col("actual"),
        "OdP": pl.when(LOCAL).then(pl.col("actual") * 1.02),
        "NP": _net(pl.col("actual")) * (1 + pl.col("error")),
        "TA": assets,
        "Eq": assets * pl.col("equity"),
        "ShEq": assets * pl.col("equity") * 0.97,
        "CashEq": assets * 0.15,
    }
    return {name: pl.when(STATEMENT).then(_million(value)) for name, value in found.items()} | {
        "ShOutFY": pl.when(STATEMENT).then(pl.col("shares").round()),
        "TrShFY": pl.when(STATEMENT).then((pl.col("shares") * TREASURY).round()),
        "AvgSh": pl.when(STATEMENT).then(OUTSTANDING.round()),
    }


def _million(amount):
    """Amount [JPY] as companies write it: to the million."""
    return (amount / 1e6).round() * 1e6


def _net(operating):
    """Profit after tax; a loss is not made smaller by it."""
    return pl.when(operating > 0).then(operating * 0.66).otherwise(operating * 1.05)


def _forecasts():
    """Guidance: for the running year (F), or after the fourth quarter for the next (NxF)."""
    found: dict[str, pl.Expr] = {}
    next_year = STATEMENT & FINAL
    for prefix, wanted in (("F", ~next_year), ("NxF", next_year)):
        first_half = wanted & (next_year | (pl.col("quarter") == 1) | (~STATEMENT & FINAL))
        found |= {
            f"{prefix}{name}": pl.when(wanted).then(value) for name, value in _guided(prefix, 1)
        }
        found |= {
            f"{prefix}{name}2Q": pl.when(first_half).then(value)
            for name, value in _guided(prefix, 0.5)
        }
    return found


def _guided(prefix, share):
    profit = pl.col("guidance") * share
    net = _net(profit)
    return [
        ("Sales", _million(profit.abs() / pl.col("margin"))),
        ("OP", _million(profit)),
        ("OdP", pl.when(LOCAL).then(_million(profit * 1.02))),
        # The vendor spells next year's net profit its own way.
        ("Np" if prefix == "NxF" else "NP", _million(net)),
        ("EPS", (net / OUTSTANDING).round(2)),
    ]


def _notes():
    none = pl.when(STATEMENT).then(pl.lit(False))
    early = pl.col("day") < SCOPE_NOTE
    return dict.fromkeys(("ChgByASRev", "ChgNoASRev", "ChgAcEst", "RetroRst"), none) | {
        "MatChgSub": pl.when(STATEMENT & early).then(pl.lit(False)),
        "SigChgInC": pl.when(STATEMENT & ~early).then(pl.lit(False)),
    }


def _derived():
    """Ratios and per-share values of a statement, and the half-yearly cash flows."""
    half = pl.when(pl.col("quarter") % 2 == 0)
    year = pl.when(FINAL)
    return {
        "EPS": (pl.col("NP") / OUTSTANDING).round(2),
        "EqAR": (pl.col("ShEq") / pl.col("TA")).round(3),
        "BPS": year.then((pl.col("ShEq") / OUTSTANDING).round(2)),
        "ROE": year.then((pl.col("NP") / pl.col("ShEq")).round(4)),
        "CFO": half.then(_million(pl.col("NP") * 1.4)),
        "CFI": half.then(_million(pl.col("NP").abs() * -0.8)),
        "CFF": half.then(_million(pl.col("NP").abs() * -0.3)),
    }


def _dividends():
    """Dividends [JPY a share]: half after the second quarter, half at the year's end."""
    paid = (_net(pl.col("before")).clip(0) * PAYOUT / OUTSTANDING / 2).round(1)
    hoped = (_net(pl.col("guidance")).clip(0) * PAYOUT / OUTSTANDING / 2).round(1)
    year = pl.when(STATEMENT & FINAL)
    running = pl.when(STATEMENT & ~FINAL)
    return {
        "Div2Q": pl.when(STATEMENT & (pl.col("quarter") >= 2)).then(paid),
        "DivFY": year.then(paid),
        "DivAnn": year.then(2 * paid),
        "DivTotalAnn": year.then(_million(2 * paid * OUTSTANDING)),
        "PayoutRatioAnn": year.then((2 * paid * OUTSTANDING / pl.col("NP")).round(3)),
        "FDivFY": running.then(hoped),
        "FDivAnn": running.then(2 * hoped),
        "NxFDiv2Q": year.then(hoped),
        "NxFDivFY": year.then(hoped),
        "NxFDivAnn": year.then(2 * hoped),
    }


def _parent_only():
    """The parent company's own year, which consolidated filers under local rules report too."""
    reported = pl.when(FINAL & (pl.col("standard") == "Consolidated_JP"))
    shares = {"Sales": 0.6, "OP": 0.5, "OdP": 0.55, "NP": 0.55, "TA": 0.7, "Eq": 0.7, "ShEq": 0.7}
    parent = {
        f"NC{name}": reported.then(_million(pl.col(name) * share)) for name, share in shares.items()
    }
    return parent | {
        "NCEPS": reported.then((pl.col("EPS") * shares["NP"]).round(2)),
        "NCEqAR": reported.then(pl.col("EqAR")),
        "NCBPS": reported.then((pl.col("BPS") * shares["Eq"]).round(2)),
        "NCROE": reported.then((pl.col("ROE") * shares["NP"] / shares["ShEq"]).round(4)),
    }
