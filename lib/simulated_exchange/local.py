"""The simulated exchange and a client of it, in one process: nothing outlives the job."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from gogooku import calendar
from gogooku.raw import schema
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor import fetch
from gogooku.vendor.jquants import Client

from simulated_exchange.server import clock as clocks
from simulated_exchange.server.exchange import Exchange

KEY = "simulated-exchange"

PAGE_ROWS = 360
"""Rows of one page: a year of the calendar takes two, so that every run reads several."""

WORKERS = 2  # server and client share the interpreter: more would only stand in line

EVENING = dt.timedelta(hours=23)
"""When the state of a day is read that can be asked for on that day alone."""


@contextlib.contextmanager
def connect(tables: Mapping[str, pl.DataFrame], now: clocks.Now) -> Iterator[Client]:
    """Serve `tables` over HTTP on a free port, and yield a client of that server.

    now   the server's clock: it knows nothing that is published later
    """
    with (
        Exchange(tables, key=KEY, now=now, page_rows=PAGE_ROWS) as exchange,
        Client(exchange.url, KEY, plan=None, timeout=60, attempts=3, workers=WORKERS) as client,
    ):
        yield client


def read(
    tables: Mapping[str, pl.DataFrame],
    dataset: str,
    first: dt.date,
    last: dt.date,
    sessions: calendar.Days,
    today: dt.date,
) -> pl.DataFrame:
    """Read the rows of one data set from `first` to `last` as a client does, asking on `today`.

    tables     a frame for each data set
    sessions   (T,) trading days

    What can be asked for on its own day alone is read on the evening of every session.
    Raises UserError as fetch.read does.
    """
    if DATASETS[dataset].request != "now":
        with connect(tables, clocks.fixed(clocks.end_of(today))) as client:
            return fetch.read(client, dataset, first, last, sessions).rows
    days = sessions[(sessions >= np.datetime64(first)) & (sessions <= np.datetime64(last))]
    moments = [dt.datetime.combine(day.item(), dt.time(), clocks.JST) + EVENING for day in days]
    frames, clock = [], moments[:1]
    with connect(tables, lambda: clock[0]) as client:
        for moment in moments:
            clock[0], day = moment, moment.date()
            frames.append(fetch.read(client, dataset, day, day, sessions, now=moment).rows)
    return schema.joined(dataset, frames)
