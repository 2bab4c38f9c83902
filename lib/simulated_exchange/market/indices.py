"""Indices of the simulated exchange: markets, sizes, sectors, styles and real estate trusts.

Each is weighted by market value among members that never change. Source of the codes: the vendor's
list of indices; which ones have a close alone, and since when, is that list's too.
"""

from typing import NamedTuple

import numpy as np
import polars as pl
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.market.listings import OTHER, SECTORS, Flags, Floats, Listings, scales
from simulated_exchange.market.prices import OUTAGE, Bars

FOREVER = ("0001-01-01", "9999-12-31")
SIZES = {
    "0028": ("Core30",), "0029": ("Large70",), "002A": ("Core30", "Large70"), "002B": ("Mid400",),
    "002C": ("Core30", "Large70", "Mid400"), "002D": ("Small 1", "Small 2"),
    "002E": ("Core30", "Large70", "Mid400", "Small 1"), "002F": ("Small 1",),
}  # fmt: skip
MARKETS = {
    "0001": ("0102",), "0070": ("0104", "0107"), "0091": ("0106", "0107"), "0500": ("0101",),
    "0501": ("0102", "0106"), "0502": ("0104", "0107"),
}  # fmt: skip
STYLES = {
    "8": ("Core30", "Large70", "Mid400", "Small 1", "Small 2"),
    "8C": ("Core30", "Large70", "Mid400"),
    "8D": ("Small 1", "Small 2"),
}
TRUSTS = {"0075": (0, 1), "8501": (0,), "8502": (1,), "8503": (0, 1)}
LIVES = {  # first and last day
    "0001": ("0001-01-01", "2022-04-01"), "0091": ("0001-01-01", "2022-04-01"),
    "0500": ("2022-06-27", "9999-12-31"), "0501": ("2022-06-27", "9999-12-31"),
    "0502": ("2022-06-27", "9999-12-31"), "0503": ("2023-05-29", "9999-12-31"),
    "002F": ("2018-09-03", "9999-12-31"),
}  # fmt: skip
CLOSE_ONLY_UNTIL = {"0091": "9999-12-31", "002F": "2018-10-08", "0503": "2023-07-02"}
LARGEST, PRIME = 225, 150  # members of the price index behind derivatives, and of 0503
TOPIX, AVERAGE, BASE = 1500, 20000, 1000  # where indices begin [points]
EDGE = 0.003  # sd of what highs and lows exceed open and close by


class Path(NamedTuple):
    """An index from the warm-up on, (T,) each [points, to the cent]."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats


def topix(rng: np.random.Generator, listings: Listings, bars: Bars) -> Path:
    """Follow TOPIX: first-section stocks (now Prime) weighted by market value.

    On the day of the outage all four values repeat the close of the day before.
    """
    member = listings.listed & listings.common & (listings.segment == "0101")
    before = np.vstack([listings.price, bars.fair_close[:-1]]) * listings.factor
    weight = member * before * listings.shares
    weight /= weight.sum(axis=1, keepdims=True)
    opening = (weight * bars.fair_open / before).sum(axis=1)
    closing = (weight * bars.fair_close / before).sum(axis=1)
    return Path(*_path(rng, listings.days, opening, closing, TOPIX))


def topix_table(path: Path, listings: Listings) -> pl.DataFrame:
    """Write TOPIX of every served session."""
    prices = {name: part[listings.first :] for name, part in zip("OHLC", path, strict=True)}
    return pl.DataFrame({"Date": listings.days[listings.first :], **prices})


def average(rng: np.random.Generator, listings: Listings, bars: Bars) -> Path:
    """Follow an index of the largest companies with equal weights, as derivatives do."""
    candidates = np.where(_ordinary(listings) & (listings.segment == "0101"), listings.size, 0)
    member = candidates >= np.sort(candidates)[-LARGEST:][0]
    opening, closing = _moves(listings, bars, (member & (candidates > 0))[:, None], even=True)
    return Path(*_path(rng, listings.days, opening, closing, AVERAGE)[:, :, 0])


def table(
    rng: np.random.Generator, listings: Listings, bars: Bars, topix: pl.DataFrame, book: Floats
) -> pl.DataFrame:
    """Write all indices that have a member, by day and code; 0000 is `topix`.

    book  (N,) book value over market value at the beginning, for the styles
    """
    members = _members(listings, book)
    codes = sorted(code for code, member in members.items() if member.any())
    member = np.stack([members[code] for code in codes], axis=1)
    opening, closing = _moves(listings, bars, member)
    found = _path(rng, listings.days, opening, closing, BASE)[:, listings.first :]
    days = listings.days[listings.first :]
    rows = pl.DataFrame({
        "Date": np.repeat(days, len(codes)),
        "Code": pl.Series(codes * len(days)),
        **{name: part.ravel() for name, part in zip("OHLC", found, strict=True)},
    })  # fmt: skip
    rows = pl.concat([_alive(rows), topix.select("Date", pl.lit("0000").alias("Code"), *"OHLC")])
    return rows.select(*DATASETS["indices"].schema).sort(DATASETS["indices"].key)


def _alive(rows):
    """Keep each index on the days of its life, its open, high and low where it has them."""
    first, last, until = (
        pl.col("Code").replace_strict(dates, default=default, return_dtype=pl.String).str.to_date()
        for dates, default in (
            ({code: life[0] for code, life in LIVES.items()}, FOREVER[0]),
            ({code: life[1] for code, life in LIVES.items()}, FOREVER[1]),
            (CLOSE_ONLY_UNTIL, FOREVER[0]),
        )
    )
    day = pl.col("Date")
    return rows.filter((day >= first) & (day <= last)).with_columns(
        pl.when(day > until).then(pl.col(*"OHL"))
    )


def _ordinary(listings):
    return listings.common & (listings.sector != OTHER)


def _members(listings: Listings, book: Floats) -> dict[str, Flags]:
    """(N,) members of each index by its code."""
    common, scale = listings.common, np.array([name[6:] for name in scales(listings)])
    groups = np.array([int(SECTORS[number][2]) for number in listings.sector])
    found = {f"{0x40 + k:04X}": common & (listings.sector == k) for k in range(OTHER)}
    found |= {f"{0x7F + k:04X}": common & (groups == k) for k in range(1, 18)}
    found |= {code: common & np.isin(scale, names) for code, names in SIZES.items()}
    found |= {code: common & np.isin(listings.segment, names) for code, names in MARKETS.items()}
    large = np.where(found["0500"], listings.size, 0)
    found["0503"] = found["0500"] & (large >= np.sort(large)[-PRIME:][0])
    cheap = book > np.median(book[found["0500"]])
    for style, mine in (("1", cheap), ("2", ~cheap)):
        for kind, names in STYLES.items():
            code = f"8{style}00" if kind == "8" else f"8{style}2{kind[1]}"
            found[code] = mine & np.isin(scale, names)
    trusts = np.flatnonzero(listings.category == "013")
    of_trusts = {code: trusts[list(which)] for code, which in TRUSTS.items()}
    return found | {
        code: np.isin(np.arange(len(common)), which) for code, which in of_trusts.items()
    }


def _moves(listings, bars, members, even=False):
    """Open and close (T, K) over the close before of indices with members (N, K)."""
    before = np.vstack([listings.price, bars.fair_close[:-1]]) * listings.factor
    weight = listings.listed * (1.0 if even else before * listings.shares)
    total = weight @ members
    return [
        np.divide(
            (weight * price / before) @ members, total, out=np.ones_like(total), where=total > 0
        )
        for price in (bars.fair_open, bars.fair_close)
    ]


def _path(rng, days, opening, closing, base):
    """(4, T, ...) open, high, low and close; nothing moves on the day of the outage."""
    close = base * np.cumprod(closing, axis=0)
    start = np.concatenate([np.full_like(close[:1], base), close[:-1]]) * opening
    edge = np.abs(rng.normal(0, EDGE, (2, *close.shape)))
    high = np.maximum(start, close) * (1 + edge[0])
    low = np.minimum(start, close) * (1 - edge[1])
    prices = np.stack([start, high, low, close])
    for out in np.flatnonzero(days[1:] == OUTAGE) + 1:
        prices[:, out] = close[out - 1]
    return np.round(prices, 2)
