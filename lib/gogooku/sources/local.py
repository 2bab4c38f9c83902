"""The simulated exchange and a client of it, in one process: nothing outlives the job."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping

import polars as pl

from gogooku.sources.exchange import Exchange
from gogooku.sources.jquants import Client

KEY = "simulated-exchange"

PAGE_ROWS = 200
"""Rows of one page: few enough that every run reads answers of several pages."""


@contextlib.contextmanager
def connect(tables: Mapping[str, pl.DataFrame], today: dt.date) -> Iterator[Client]:
    """Serve `tables` over HTTP on a free port, and yield a client of that server.

    today   the server's day: it knows no later row
    """
    with (
        Exchange(tables, key=KEY, today=today, page_rows=PAGE_ROWS) as exchange,
        Client(exchange.url, KEY, plan=None, timeout=60, attempts=3) as client,
    ):
        yield client
