"""The vendor's daily bars of the simulated exchange, whole days and their two sessions.

A day's volume falls on its morning and afternoon; a stock of one lot trades in one of them only.
The day's open is the morning's and its close the afternoon's, each extreme stands in one session at
least, and volumes and values add up.
"""

import numpy as np
import polars as pl
from gogooku.panel.price_limits import tick_size
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.market.listings import LOT, Flags, Floats, Listings
from simulated_exchange.market.prices import Bars

Columns = dict[str, Floats]


def table(rng: np.random.Generator, listings: Listings, bars: Bars) -> pl.DataFrame:
    """Write the daily bars of every served session, by day and code."""
    at = listings.served()
    day = {
        "O": bars.open[at], "H": bars.high[at], "L": bars.low[at], "C": bars.close[at],
        "Vo": bars.volume[at], "Va": bars.value[at],
    }  # fmt: skip
    upper, lower = bars.upper[at], bars.lower[at]
    frame = pl.DataFrame(
        {
            "Date": listings.days[at[0]],
            **day,
            "AdjFactor": np.round(listings.factor[at], 6),
            "upper": upper,
            "lower": lower,
            **_sessions(rng, day),
        },
        nan_to_null=True,
    )
    action = listings.action[at]
    kind = sum(number * (action == str(number)) for number in (1, 2, 3))
    return frame.select(
        "Date",
        listings.names(at[1]).alias("Code"),
        *"OHLC",
        *_flags("", "H", "L"),
        "Vo",
        "Va",
        "AdjFactor",
        *_session_columns("M"),
        *_session_columns("A"),
        pl.Series([None, "1", "2", "3"]).gather(pl.Series(kind).cast(pl.UInt32)).alias("ExRT"),
    ).select(*DATASETS["bars"].schema)


def _session_columns(half):
    prices = [half + name for name in "OHLC"]
    return [*prices, *_flags(half, half + "H", half + "L"), half + "Vo", half + "Va"]


def _flags(half, high, low):
    """Marks of a session that touched the day's limit: its extreme is the day's."""
    marks = {"UL": ("upper", high, "H"), "LL": ("lower", low, "L")}
    return [
        pl.when(pl.col(touched) & (pl.col(extreme) == pl.col(of_day)))
        .then(pl.lit("1"))
        .otherwise(pl.lit("0"))
        .alias(half + name)
        for name, (touched, extreme, of_day) in marks.items()
    ]


def _sessions(rng: np.random.Generator, day: Columns) -> Columns:
    """Split whole days (M,) into a morning M* and an afternoon A*; NaN where nothing trades."""
    start, high, low, end, volume, value = day.values()
    chance = rng.random((6, len(start)), dtype=np.float32)
    morning = _lots(chance[0], volume / LOT) * LOT
    afternoon = volume - morning
    noon = _quoted(start + (end - start) * chance[1] + (high - low) * (chance[2] - 0.5), low, high)
    again = _quoted(noon + (high - low) * 0.2 * (chance[3] - 0.5), low, high)
    early = _Half(start, np.where(afternoon > 0, noon, end), morning)
    late = _Half(np.where(morning > 0, again, start), end, afternoon)
    tops = _extremes(chance[4], early.top, late.top, high, low, high)
    floors = _extremes(chance[5], early.bottom, late.bottom, low, low, high)
    tops, floors = _wide_enough(tops, floors, (morning, afternoon), value, (high, low))
    least = np.maximum(morning * floors[0], value - afternoon * tops[1])
    most = np.minimum(morning * tops[0], value - afternoon * floors[1])
    spent = np.round(np.clip(value * morning / volume, least, most))
    return _columns("M", early, tops[0], floors[0], spent) | _columns(
        "A", late, tops[1], floors[1], value - spent
    )


class _Half:
    """One session's open, close and volume, (M,) each."""

    def __init__(self, start: Floats, end: Floats, volume: Floats) -> None:
        self.start, self.end, self.volume = start, end, volume
        self.top, self.bottom = np.maximum(start, end), np.minimum(start, end)


def _lots(chance, lots):
    """Lots of the morning: 30 to 70 %, one at least in each session where there are two."""
    some = np.clip(np.round(lots * (0.3 + 0.4 * chance)), 1, lots - 1)
    return np.where(lots > 1, some, lots * (chance < 0.5))


def _quoted(price, low, high):
    """Round to the tick of the day's highest price, and keep within the day's range."""
    tick = tick_size(high)
    return np.clip(np.round(np.round(price / tick) * tick, 1), low, high)


def _extremes(chance, early, late, reached, low, high):
    """(2, M) extremes of both sessions: one reaches the day's, the other goes part of the way."""
    first = chance < 0.5
    own = np.where(first, late, early)
    inner = _quoted(own * 0.5 + reached * 0.5, low, high)
    # The tick of a high price may be coarser than the session's own.
    inner = np.clip(inner, np.minimum(own, reached), np.maximum(own, reached))
    return np.stack([np.where(first, reached, inner), np.where(first, inner, reached)])


def _wide_enough(tops, floors, volumes, value, day):
    """Give both sessions the day's whole range where their own could not hold the day's value."""
    least = (volumes * floors).sum(axis=0)
    most = (volumes * tops).sum(axis=0)
    single = (volumes[0] == 0) | (volumes[1] == 0)
    whole: Flags = (value < least) | (value > most) | single
    return np.where(whole, day[0], tops), np.where(whole, day[1], floors)


def _columns(half, session, top, floor, value):
    traded = session.volume > 0
    columns = {
        "O": session.start, "H": top, "L": floor, "C": session.end,
        "Vo": session.volume, "Va": value,
    }  # fmt: skip
    return {half + name: np.where(traded, part, np.nan) for name, part in columns.items()}
