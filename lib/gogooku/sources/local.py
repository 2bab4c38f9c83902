"""The simulated exchange and a client of it, in one process: nothing outlives the job."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping

import polars as pl

from gogooku.sources.exchange import Exchange
from gogooku.sources.jquants import Client

KEY = "simulated-exchange"

PAGE_ROWS = 360
"""Rows of one page: a year of the calendar takes two, so that every run reads several."""


@contextlib.contextmanager
def connect(tables: Mapping[str, pl.DataFrame], today: dt.date) -> Iterator[Client]:
    """Serve `tables` over HTTP on a free port, and yield a client of that server.

    today   the server's day: it knows no later row
    """
    with (
        Exchange(tables, key=KEY, today=today, page_rows=PAGE_ROWS) as exchange,
        Client(exchange.url, KEY, plan=None, timeout=60, attempts=3, workers=2) as client,
    ):
        yield client
