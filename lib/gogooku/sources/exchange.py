"""A local HTTP server that speaks the J-Quants API V2.

It lives in threads of the calling process and ends with its `with` block. What it answers comes
from tables of the catalogue; how it answers (paths, order of checks, texts of refusals, paging,
formats of values) follows the vendor's specification and the behaviour that its users have
measured, so a client that reads this server reads the real one.
"""

import base64
import collections
import contextlib
import datetime as dt
import gzip
import json
import re
import socket
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import polars as pl

from gogooku import run
from gogooku.sources.catalogue import DATASETS

ROOT = "/v2"
ROUTES = {ROOT + entry.path: name for name, entry in DATASETS.items()}

TAKES = {
    "calendar": {"from", "to", "hol_div"},
    "master": {"date", "code"},
    "bars": {"date", "code", "from", "to"},
    "topix": {"from", "to"},
    "summary": {"date", "code"},
    "investor_types": {"from", "to", "section"},
}
NEEDS_ONE = {"bars": ("date", "code"), "summary": ("date", "code")}
EQUALS = {"code": "Code", "hol_div": "HolDiv", "section": "Section"}

PLANS = "If you want more data, please check other plans:https://jpx-jquants.com/#dataset"
NO_PATH = (
    "The requested endpoint does not exist. Please check the URL, HTTP method, and API "
    "version:https://jpx-jquants.com/spec/"
)
NO_KEY = "The api key is required."
BAD_KEY = "The incoming api key is invalid or expired."
NOT_IN_PLAN = f"This API is not available on your subscription. {PLANS}"
TOO_MANY = "Rate limit exceeded. Please try again later."

Answer = tuple[int, bytes]


class Refusal(Exception):
    """An HTTP status other than 200 and the vendor's text for it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Exchange:
    """Serves market tables at `url` for as long as its `with` block lasts.

    tables      a frame per data set, or a folder of <dataset>.parquet read when first asked for;
                a data set without a table is one that the subscription lacks
    key         the only API key it accepts
    today       the server's day: later rows do not exist yet (but the calendar shows all of its
                own, and the issue list the next session's), and adjusted prices know all
                actions up to it
    page_rows   rows of one page; None sends every answer whole
    window      first and last day of the subscription; None has no limits
    faults      how the coming requests go wrong, one each, None for a good one:
                429 | 500 | truncate | reset | repeat (a page that points to itself)

    `asked` lists the (path, parameters) of every request so far.
    """

    def __init__(
        self,
        tables: Mapping[str, pl.DataFrame] | Path,
        *,
        key: str,
        today: dt.date,
        page_rows: int | None = None,
        window: tuple[dt.date, dt.date | None] | None = None,
        faults: Iterable[str | None] = (),
    ) -> None:
        self._key, self._today, self._page_rows, self._window = key, today, page_rows, window
        self._source = tables
        self._ready: dict[str, pl.DataFrame] = {}
        self._lock = threading.Lock()
        self._faults = collections.deque(faults)
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __enter__(self) -> "Exchange":
        """Start to serve on a free port of this machine."""
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}{ROOT}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.daemon = True
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up and wait until every thread has ended."""
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, query: dict[str, str], key: str | None) -> Answer | None:
        """Give the status and the JSON body for one GET request; None hangs up."""
        self.asked.append((path, query))
        fault = self._next_fault()
        if fault == "reset":
            return None
        if fault == "429":
            return 429, _message(TOO_MANY)
        if fault == "500":
            return 500, b"<html><body>Internal Server Error</body></html>"
        try:
            body = self._data(path, query, key, repeat=fault == "repeat")
        except Refusal as refusal:
            return refusal.status, _message(str(refusal))
        return 200, body[: len(body) // 2] if fault == "truncate" else body

    def _next_fault(self) -> str | None:
        with self._lock:
            return self._faults.popleft() if self._faults else None

    def _data(self, path: str, query: dict[str, str], key: str | None, repeat: bool) -> bytes:
        dataset = ROUTES.get(path)
        if dataset is None:
            raise Refusal(403, NO_PATH)
        if key is None:
            raise Refusal(403, NO_KEY)
        if key != self._key:
            raise Refusal(403, BAD_KEY)
        if not self._serves(dataset):
            raise Refusal(403, NOT_IN_PLAN)
        first, last = self._dates(dataset, query)
        rows = _chosen(dataset, self._table(dataset), query, first, last)
        offset = _offset(query.get("pagination_key"))
        end = len(rows) if self._page_rows is None else min(offset + self._page_rows, len(rows))
        onward = offset if repeat else end if end < len(rows) else None
        return _envelope(_spoken(dataset, rows[offset:end]), onward)

    def _serves(self, dataset: str) -> bool:
        if isinstance(self._source, Path):
            return (self._source / f"{dataset}.parquet").exists()
        return dataset in self._source

    def _table(self, dataset: str) -> pl.DataFrame:
        with self._lock:
            if dataset not in self._ready:
                self._ready[dataset] = self._prepare(dataset)
            return self._ready[dataset]

    def _prepare(self, dataset: str) -> pl.DataFrame:
        if isinstance(self._source, Path):
            table = run.read_parquet(self._source / f"{dataset}.parquet")
        else:
            table = self._source[dataset]
        table = table.select(DATASETS[dataset].schema.keys())
        table = table.sort(
            ["DiscDate", "DiscNo"] if dataset == "summary" else DATASETS[dataset].key
        )
        if dataset != "calendar":
            table = table.filter(pl.col(DATASETS[dataset].day) <= self._newest(dataset, table))
        return _with_adjusted(table) if dataset == "bars" else table

    def _newest(self, dataset: str, table: pl.DataFrame) -> dt.date:
        later = table.filter(pl.col(DATASETS[dataset].day) > self._today)
        if dataset == "master" and not later.is_empty():
            return later.item(0, "Date")
        return self._today

    def _dates(self, dataset: str, query: dict[str, str]) -> tuple[dt.date, dt.date]:
        """Give the days asked for, both inclusive; what is left open ends with the window."""
        needs = NEEDS_ONE.get(dataset, ())
        if needs and not any(query.get(name) for name in needs):
            names = ",".join(f"'{name}'" for name in needs)
            raise Refusal(400, f"This API requires at least 1 parameter as follows; {names}.")
        taken = TAKES[dataset] & query.keys() & {"date", "from", "to"}
        given = {name: _day(name, query[name]) for name in sorted(taken)}
        self._check_window(given.values())
        start, end = self._window or (dt.date.min, None)
        if dataset == "master":
            given.setdefault("date", self._today)
        first = given.get("date", given.get("from", start))
        return first, given.get("date", given.get("to", end or dt.date.max))

    def _check_window(self, days: Iterable[dt.date]) -> None:
        if self._window is None:
            return
        start, end = self._window
        if any(day < start or (end and day > end) for day in days):
            covered = f"Your subscription covers the following dates: {start} ~ {end or ''}"
            raise Refusal(400, f"{covered}. {PLANS}")


def _message(text: str) -> bytes:
    return json.dumps({"message": text}).encode()


def _day(name: str, text: str) -> dt.date:
    try:
        if re.fullmatch(r"\d{8}|\d{4}-\d\d-\d\d", text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise Refusal(400, f"'{name}' is not valid.")


def _offset(key: str | None) -> int:
    """Read the row at which the page of an opaque pagination key starts."""
    if key is None:
        return 0
    try:
        return int(base64.b64decode(key, validate=True).decode().removeprefix("row "))
    except ValueError:
        raise Refusal(400, "'pagination_key' is not valid.") from None


def _chosen(
    dataset: str, table: pl.DataFrame, query: dict[str, str], first: dt.date, last: dt.date
) -> pl.DataFrame:
    days = table[DATASETS[dataset].day]
    if dataset == "master" and len(table):
        listed = min(days.search_sorted(first), len(days) - 1)
        first = last = days[int(listed)]
    rows = table[days.search_sorted(first, "left") : days.search_sorted(last, "right")]
    for name in sorted(TAKES[dataset] & query.keys() & EQUALS.keys()):
        wanted = query[name] + "0" * (name == "code" and len(query[name]) == 4)
        rows = rows.filter(pl.col(EQUALS[name]) == wanted)
    return rows


def _with_adjusted(bars: pl.DataFrame) -> pl.DataFrame:
    """Add Adj*: raw values times the factors of all later days, rounded to 0.1.

    A rights issue ("3" in ExRT) moves prices and leaves volumes as they are.
    """
    of_volume = pl.when(pl.col("ExRT") == "3").then(1.0).otherwise(pl.col("AdjFactor"))
    price, volume = (_product_of_later(factor) for factor in (pl.col("AdjFactor"), of_volume))
    return bars.with_columns(
        *((pl.col(name) * price).round(1).alias(f"Adj{name}") for name in "OHLC"),
        (pl.col("Vo") / volume).round(1).alias("AdjVo"),
        pl.lit(None, pl.Float64).alias("MktCap"),
    ).select(pl.exclude("ExRT"), "ExRT")


def _product_of_later(factor: pl.Expr) -> pl.Expr:
    return factor.shift(-1, fill_value=1.0).cum_prod(reverse=True).over("Code")


def _spoken(dataset: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Give values the form in which the vendor sends them."""
    if dataset == "investor_types":
        return rows.cast({pl.Float64: pl.Int64})
    if dataset == "summary":
        numbers = pl.col(pl.Float64).cast(pl.String).str.strip_suffix(".0")
        return rows.with_columns(numbers).select(pl.all().cast(pl.String).fill_null(""))
    return rows


def _envelope(rows: pl.DataFrame, onward: int | None) -> bytes:
    body = f'{{"data": {rows.write_json()}'
    if onward is not None:
        key = base64.b64encode(f"row {onward}".encode()).decode()
        body += f', "pagination_key": "{key}"'
    return (body + "}").encode()


class _Server(ThreadingHTTPServer):
    """Threads that answer for one exchange and end when told to."""

    daemon_threads = False  # so that server_close waits for them
    request_queue_size = 64

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close the connections that clients keep open."""
        for connection in list(self.connections):
            with contextlib.suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # status, headers and body leave together

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query, key = dict(parse_qsl(url.query)), self.headers.get("x-api-key")
        answer = self.server.exchange.answer(url.path, query, key)
        if answer is None:
            self.close_connection = True
        else:
            self._send(*answer)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        html = body.startswith(b"<")
        self.send_header("Content-Type", "text/html" if html else "application/json")
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=1, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the client reports what matters."""
