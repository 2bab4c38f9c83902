"""A local HTTP server that speaks the J-Quants API V2.

It lives in threads of the calling process and ends with its `with` block. What it answers comes
from tables of the catalogue; how it answers (paths, order of checks, texts of refusals, paging,
formats of values, plans, limits, files) follows the vendor's specification and the behaviour that
its users have measured, so a client that reads this server reads the real one.

    python -m simulated_exchange --help

serves alone, for any client.
"""

import datetime as dt
import itertools
import json
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np
import polars as pl
from gogooku import calendar
from gogooku.raw.catalogue import DATASETS
from gogooku.raw.dataset import PLANS

from simulated_exchange.server import answers, pages
from simulated_exchange.server import clock as clocks
from simulated_exchange.server import faults as faults_of
from simulated_exchange.server.bulk import Files, Links
from simulated_exchange.server.http import Reply, Server
from simulated_exchange.server.limits import Limiter
from simulated_exchange.server.queries import Question, question
from simulated_exchange.server.refusals import (
    BAD_KEY,
    NO_KEY,
    NO_PATH,
    NOT_IN_PLAN,
    TOO_MANY,
    Refusal,
    message,
    together,
)
from simulated_exchange.server.tables import Shelf, Tables

ROOT = "/v2"
ROUTES = {entry.path: name for name, entry in DATASETS.items()}
FILES = ("/bulk/list", "/bulk/get")
OTHERS = {
    "/equities/trades", "/edinet/major-shareholders", "/edinet/cross-shareholdings",
    "/edinet/large-volume-shareholders", "/td/list", "/td/files", "/td/bulk",
}  # fmt: skip
"""Paths that the vendor has and no subscription here includes."""

DERIVED = {"bars_am": "bars", "bars_minute": "bars"}
CURSORS = ("summary", "details")
MOST_ROWS = {"bars_minute": 10_000}
"""Rows of one page of the data sets that always come in pages."""


class Exchange:
    """Serves market tables at `url` for as long as its `with` block lasts.

    tables      a frame per data set, or a folder of <dataset>.parquet read when first asked for;
                a data set without a table is one that the subscription lacks
    key         the only API key it accepts
    today       the server's day, all of whose rows are out (05:59 of the next morning)
    now         the server's clock instead: gives the moment, with its time zone, at every call
    plan        free | light | standard | premium: data sets, window, fields and rates; None serves
                everything
    minute_bars whether the plan has the add-on of minute bars
    window      first and last day of the subscription, instead of the plan's
    page_rows   rows of one page; None sends every answer whole, except minute bars
    limited     whether the plan's rate holds
    limiter     the rate limiter, if it is not the plan's of a minute of 60 s
    faults      how the coming requests go wrong, one of exchange_faults.FAULTS each, None for a
                good one; or a callable that decides by path and parameters
    slow        what the fault `slow` takes [s]
    port        0 takes a free one

    `requests` lists the (path, parameters) of all requests so far, `downloads` the keys of files;
    `limiter` knows the largest number of requests within a minute and the refusals.
    Raises UserError if a fault is unknown.
    """

    def __init__(
        self,
        tables: Tables,
        *,
        key: str,
        today: dt.date | None = None,
        now: clocks.Now | None = None,
        plan: str | None = None,
        minute_bars: bool = False,
        window: clocks.Window | None = None,
        page_rows: int | None = None,
        limited: bool = False,
        limiter: Limiter | None = None,
        faults: faults_of.Faults = (),
        slow: float = 8.0,
        port: int = 0,
    ) -> None:
        if now is None:
            if today is None:
                raise ValueError("an exchange needs a day or a clock")
            now = clocks.fixed(clocks.end_of(today))
        self._shelf, self._key, self._now = Shelf(tables), key, now
        self._plan, self._minute_bars, self._window = plan, minute_bars, window
        self._page_rows, self._slow, self._port = page_rows, slow, port
        self._premium = plan in (None, "premium")
        self._fate = faults_of.fate(faults)
        self._times = clocks.Timetable(self._sessions(), self._premium)
        self._pages = itertools.count()
        self.limiter = limiter or Limiter(plan, on=limited)
        self.requests: list[tuple[str, dict[str, str]]] = []

    def __enter__(self) -> "Exchange":
        """Start to serve on this machine."""
        self._files = Files(self._shelf, self._times, self._plan, self._serves)
        self._links = Links(self.limiter.minute, self.limiter.clock)
        self.downloads = self._links.downloads
        self._servers = [Server(self.answer, self._port), Server(self._download)]
        for server in self._servers:
            server.start()
        self.url = self._servers[0].origin + ROOT
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up and wait until every thread has ended."""
        for server in self._servers:
            server.stop()
        self._files.close()

    def correct(self, dataset: str, rows: pl.DataFrame) -> None:
        """Replace the rows with the keys of `rows`, from now on and in the files too.

        rows   with fields of the catalogue; those with new keys are added
        """
        self._shelf.correct(dataset, rows, self._now())

    def answer(self, path: str, query: dict[str, str], key: str | None) -> Reply:
        """Give the reply to one GET request."""
        self.requests.append((path, query))
        route = path.removeprefix(ROOT) if path.startswith(f"{ROOT}/") else ""
        fault = self._fate(path, query)
        admitted = key != self._key or self.limiter.admit(_bucket(route, query))
        reply = self._mishap(fault)
        if reply is None and not admitted:
            reply = Reply(429, message(TOO_MANY))
        return reply or faults_of.cut(fault, self._reply(route, query, key, fault))

    def _mishap(self, fault: str | None) -> Reply | None:
        """Let happen what keeps an answer from being given, or delays it."""
        if fault == "slow":
            time.sleep(self._slow)
        if fault == "429-block":
            self.limiter.block()
        return faults_of.instead(fault)

    def _download(self, path: str, query: dict[str, str], key: str | None) -> Reply:
        """Serve a file; a fault that only an answer in rows can have does nothing here."""
        fault = self._fate(path, query)
        return self._mishap(fault) or faults_of.cut(fault, self._links.answer(path, query, key))

    def _reply(
        self, route: str, query: dict[str, str], key: str | None, fault: str | None
    ) -> Reply:
        try:
            if route not in ROUTES and route not in FILES and route not in OTHERS:
                raise Refusal(403, NO_PATH)
            if key is None:
                raise Refusal(403, NO_KEY)
            if key != self._key:
                raise Refusal(403, BAD_KEY)
            now = self._now()
            if route in FILES:
                return Reply(200, faults_of.encoded(self._file(route, query, now)))
            if route in OTHERS or not self._serves(ROUTES[route]):
                raise Refusal(403, NOT_IN_PLAN)
            return self._rows(ROUTES[route], query, now, fault)
        except Refusal as refusal:
            return Reply(refusal.status, message(str(refusal)))

    def _serves(self, dataset: str) -> bool:
        if DERIVED.get(dataset, dataset) not in self._shelf:
            return False
        wanted = DATASETS[dataset].plan
        if self._plan is None:
            return True
        if wanted == "minute":
            return self._minute_bars and self._plan != "free"
        return PLANS.index(self._plan) >= PLANS.index(wanted)

    def _covered(self, now: dt.datetime) -> clocks.Window | None:
        return self._window or clocks.window(self._plan, now.date())

    def _sessions(self) -> calendar.Days:
        if "calendar" not in self._shelf:
            return np.array([], "datetime64[D]")
        days = self._shelf.rows("calendar", dt.date.min, dt.date.max)
        return calendar.Sessions.of(days["Date"].to_numpy(), days["HolDiv"].to_list()).days

    def _file(self, route: str, query: dict[str, str], now: dt.datetime) -> dict[str, Any]:
        if route == "/bulk/list":
            return {"data": self._files.listed(query, now, self._covered(now))}
        file = self._files.one(query, now, self._covered(now))
        return {"url": self._servers[1].origin + self._links.sign(file, self._files.path(file))}

    def _rows(
        self, dataset: str, query: dict[str, str], now: dt.datetime, fault: str | None
    ) -> Reply:
        request = question(dataset, query, self._covered(now))
        start = self._start(dataset, query, now)
        answer = self._matching(request, start.time)
        if dataset == "bars_am" and answer.is_empty():
            return Reply(210, b'{"data": []}')
        if start.since:
            answer = answer.filter(~self._times.appeared(dataset, start.since))
        rows, end = self._page(dataset, answer, start.row, fault)
        known = self._times.newest("bars", now)
        if fault == "split" and dataset == "bars":
            self._shelf.announce(rows["Code"], known)
        rows = answers.spoken(dataset, rows, self._shelf, known, self._premium)
        tail: dict[str, str] = {}
        if fault == "repeat":
            tail["pagination_key"] = query.get("pagination_key") or start.key(start.row, 0)
        elif end < len(answer) or fault == "empty-page":
            tail["pagination_key"] = start.key(end, next(self._pages))
        elif self._has_cursor(request, start.time):
            tail["cursor"] = pages.cursor(start.time)
        return Reply(200, _envelope(dataset, answers.written(dataset, rows), tail, fault))

    def _page(
        self, dataset: str, answer: pl.DataFrame, row: int, fault: str | None
    ) -> tuple[pl.DataFrame, int]:
        """Give the rows of the page that starts at `row`, and where the next one starts."""
        step = min(MOST_ROWS.get(dataset, len(answer)), self._page_rows or len(answer))
        end = min(row + step, len(answer)) if fault != "empty-page" else row
        rows = answer[row:end]
        if fault == "duplicate":
            rows = pl.concat([answer[max(row - 1, 0) :][:1], rows])
        return rows, end

    def _start(self, dataset: str, query: dict[str, str], now: dt.datetime) -> pages.Start:
        """Find where to start to read: at a page, after a cursor, or at the beginning."""
        with_cursor = dataset in CURSORS and self._premium and "cursor" in query
        if "pagination_key" in query:
            if with_cursor:
                raise together("cursor", "pagination_key")
            return pages.start(query["pagination_key"])
        return pages.Start(0, now, pages.moment(query["cursor"]) if with_cursor else None)

    def _has_cursor(self, request: Question, now: dt.datetime) -> bool:
        ours = request.dataset in CURSORS and self._premium
        return (
            ours
            and "code" not in request.parameters
            and request.first == now.date() == request.last
        )

    def _matching(self, request: Question, now: dt.datetime) -> pl.DataFrame:
        """Give the rows of the catalogue that answer a question at `now`."""
        dataset, times = request.dataset, self._times
        if dataset == "bars_am":
            noon = now - dt.timedelta(hours=12)
            day = noon.date() if noon.hour < 18 else dt.date.min
            return self._shelf.rows("bars", day, day, request.equals)
        if dataset == "bars_minute":
            bars = self._shelf.rows("bars", request.first, request.last, request.equals)
            return answers.minutes(bars.filter(times.appeared("bars", now)))
        first, last = request.first, request.last
        if dataset == "master":
            first = last = self._list_of(request, now)
        if dataset == "earnings_calendar":
            evening = now - clocks.hours(DATASETS[dataset].served)
            first = last = times.session_until(evening.date())
        rows = self._shelf.rows(dataset, first, last, request.equals)
        return rows.filter(times.appeared(dataset, now))

    def _list_of(self, request: Question, now: dt.datetime) -> dt.date:
        """Give the session whose issue list answers for a day: itself, or the next that there is.

        No day is today; on Free, the last day of the window.
        """
        end = (self._covered(now) or (None, None))[1]
        day = request.first if "date" in request.parameters else end or now.date()
        days = self._shelf.days("master")
        days = days.filter(days <= self._times.newest("master", now))
        index = min(int(days.search_sorted(day)), len(days) - 1)
        return days[index] if len(days) else day


def _bucket(route: str, query: Mapping[str, str]) -> str:
    """Name the rate limit that a request counts for beside, or instead of, the plan's."""
    minute = DATASETS["bars_minute"].path
    if route in FILES:
        of_file = f"/{query.get('key', '')}".startswith(f"{minute}/")
        return "minute" if of_file or query.get("endpoint") == minute else ""
    return DATASETS[ROUTES[route]].bucket if route in ROUTES else ""


def _envelope(dataset: str, rows: str, tail: dict[str, str], fault: str | None) -> bytes:
    body = f'{{"data": {rows}{"".join(f", {json.dumps({k: v})[1:-1]}" for k, v in tail.items())}}}'
    if fault in faults_of.CHANGES_PAGES:
        return faults_of.encoded(faults_of.spoiled(fault, dataset, json.loads(body)))
    return body.encode()
