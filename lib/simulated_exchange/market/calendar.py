"""The calendar of the simulated exchange."""

import datetime as dt

import numpy as np
import polars as pl

from simulated_exchange.market.listings import Days
from simulated_exchange.market.prices import OUTAGE

HOLIDAY_TRADING = np.datetime64("2022-09-23")


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
