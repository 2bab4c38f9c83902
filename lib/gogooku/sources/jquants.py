"""A client of the J-Quants API V2, the real one and the simulated exchange alike."""

import datetime as dt
import functools
import json
import logging
import os
import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Protocol

import polars as pl
import requests
import tenacity

from gogooku import known, run
from gogooku.sources import schema
from gogooku.sources.catalogue import DATASETS

log = logging.getLogger(__name__)

KEY_VARIABLE = "JQUANTS_API_KEY"
RATES = {"free": 5, "light": 60, "standard": 120, "premium": 500}
SUMMARY_RATE = 60
SHARE = 0.8
"""Requests that a plan allows a minute, and /fins/summary on every plan; the share of them used."""

PAUSES = (60, 310)
"""All requests wait after the first and any further 429 of one request: hammering a limited
account blocks it for about five minutes [s]."""

NEEDED = {"calendar", "master", "bars"}
"""Data sets without which there is nothing to compute; a plan may lack the others."""

Query = dict[str, str]


class NotInPlan(run.UserError):
    """The subscription does not include the data set."""


class OutsideWindow(run.UserError):
    """A day asked for lies outside the days that the subscription covers, from `start` on."""

    def __init__(self, text: str, start: dt.date) -> None:
        super().__init__(text)
        self.start = start


class _TryAgain(Exception):
    """The request failed in a way that may pass."""


class _TooManyRequests(_TryAgain):
    """The account has used up its requests of this minute."""


class Clock(Protocol):
    """What `time` offers; tests bring their own."""

    def monotonic(self) -> float:
        """Give the time [s]."""

    def sleep(self, seconds: float, /) -> None:
        """Return `seconds` later."""


class _Pace:
    """Lets requests of all threads pass one by one, evenly spaced."""

    def __init__(self, interval: float, clock: Clock) -> None:
        self._interval, self._clock = interval, clock
        self._lock, self._free_at = threading.Lock(), clock.monotonic()

    def wait(self) -> None:
        while (delay := self._claim()) > 0:
            self._clock.sleep(delay)

    def pause(self, seconds: float) -> None:
        with self._lock:
            self._free_at = max(self._free_at, self._clock.monotonic() + seconds)

    def _claim(self) -> float:
        with self._lock:
            now = self._clock.monotonic()
            if now < self._free_at:
                return self._free_at - now
            self._free_at = now + self._interval
            return 0.0


class Client:
    """Asks the API at `url`, within the rate of `plan`, until an answer is whole.

    url        base with version, such as https://api.jquants.com/v2
    key        API key; sent to `url` alone, and in no message, log or repr
    plan       free | light | standard | premium; None asks without limit
    timeout    of one request [s]
    attempts   tries of one request: server errors, time-outs and broken answers are waited out
               exponentially, 429 for a minute or more; a refusal is final at once
    workers    requests in flight at one time
    """

    def __init__(
        self,
        url: str,
        key: str,
        plan: str | None,
        timeout: float,
        attempts: int,
        *,
        workers: int = 8,
        clock: Clock = time,
    ) -> None:
        self.workers = workers
        self._url, self._timeout = url.rstrip("/"), timeout
        self._session = requests.Session()
        self._session.headers["x-api-key"] = _checked(key)
        self._session.trust_env = plan is not None  # no proxy to this machine's own exchange
        self._session.mount(url, requests.adapters.HTTPAdapter(pool_maxsize=workers))
        limits = {"": RATES[plan], DATASETS["summary"].path: SUMMARY_RATE} if plan else {"": None}
        self._paces = {
            path: _Pace(60 / (SHARE * rate) if rate else 0.0, clock)
            for path, rate in limits.items()
        }
        self._persist = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_TryAgain),
            stop=tenacity.stop_after_attempt(attempts),
            wait=_patience,
            sleep=clock.sleep,
            before_sleep=self._hold,
            reraise=True,
        )

    def __enter__(self) -> "Client":
        """Keep connections open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._session.close()

    def rows(self, dataset: str, query: Query) -> list[dict]:
        """Give all rows that answer `query`, page after page, as the vendor sends them.

        Raises UserError: a refusal, an answer of another shape, a page that comes again, or a
        request that failed in every attempt.
        """
        path, rows, seen = DATASETS[dataset].path, [], {""}
        onward: str | None = None
        while onward != "":
            page = self._page(path, query | {"pagination_key": onward} if onward else query)
            rows += page["data"]
            onward = page.get("pagination_key") or ""
            if onward and onward in seen:
                raise run.UserError(f"{path} sent one page twice: run again later")
            seen.add(onward)
        return rows

    def _page(self, path: str, query: Query) -> dict:
        try:
            return self._persist(self._ask, path, query)
        except _TryAgain as reason:
            tries = self._persist.statistics["attempt_number"]
            raise run.UserError(
                f"{self._url}{path} failed {tries} times ({reason}): run again later"
            ) from None

    def _hold(self, state: tenacity.RetryCallState) -> None:
        reason, seconds = _failure(state), state.upcoming_sleep
        log.warning("%s: %s; next try in %.0f s", state.args[0], reason, seconds)
        if isinstance(reason, _TooManyRequests):
            self._paces[""].pause(seconds)

    def _ask(self, path: str, query: Query) -> dict:
        for pace in (self._paces[name] for name in (path, "") if name in self._paces):
            pace.wait()
        try:
            response = self._session.get(
                self._url + path, params=query, timeout=self._timeout, allow_redirects=False
            )
        except ValueError:
            raise run.UserError(f"jquants.url {self._url!r} is not a web address") from None
        except requests.RequestException as error:
            raise _TryAgain(type(error).__name__) from None
        return self._judged(path, query, response)

    def _judged(self, path: str, query: Query, response: requests.Response) -> dict:
        status = response.status_code
        if status == 200:
            return _page_of(path, response.content)
        if status == 210:
            return {"data": []}
        if status == 429:
            raise _TooManyRequests("status 429, too many requests")
        if status >= 500:
            raise _TryAgain(f"status {status}")
        raise _refusal(path, query, status, self._said(response))

    def _said(self, response: requests.Response) -> str:
        try:
            text = str(json.loads(response.content)["message"])
        except (ValueError, KeyError, TypeError):
            text = "no reason given"
        return " ".join(text.replace(str(self._session.headers["x-api-key"]), "***").split())


def _checked(key: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise run.UserError(
            f"the API key is empty or holds a space or a line break: set {KEY_VARIABLE} to the key"
            " alone"
        )
    return key


def _failure(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _patience(state: tenacity.RetryCallState) -> float:
    """Give the seconds to wait before the next try."""
    if isinstance(_failure(state), _TooManyRequests):
        return PAUSES[min(state.attempt_number, len(PAUSES)) - 1]
    return min(2.0 ** (state.attempt_number - 1), 60.0)


def _page_of(path: str, content: bytes) -> dict:
    try:
        page = json.loads(content)
    except ValueError:
        raise _TryAgain("broken JSON") from None
    rows = page.get("data") if isinstance(page, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise run.UserError(f"{path} answered something else than rows under 'data'")
    return page


def _refusal(path: str, query: Query, status: int, said: str) -> run.UserError:
    if "api key is required" in said or "invalid or expired" in said:
        return run.UserError(f"the API key was refused: set {KEY_VARIABLE} to a valid key")
    if "not available on your subscription" in said:
        return NotInPlan(f"{path} is not part of the subscription: a higher plan serves it")
    covered = re.search(r"dates: (\d{4}-\d\d-\d\d) ~ (\d{4}-\d\d-\d\d)?", said)
    if covered:
        start, end = covered[1], covered[2] or "now"
        return OutsideWindow(
            f"{path} was asked for {_days_in(query)} but the subscription covers {start} to {end}:"
            " change dates.start or dates.end",
            dt.date.fromisoformat(start),
        )
    return run.UserError(f"{path} refused {_days_in(query)} with status {status}: {said}")


def _days_in(query: Query) -> str:
    return " to ".join(query[name] for name in ("date", "from", "to") if name in query)


def open_client(*, url: str, plan: str | None, timeout: float, attempts: int) -> Client:
    """Open a client with the key of the environment variable JQUANTS_API_KEY.

    Raises UserError if the variable is not set.
    """
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise run.UserError(f"no API key: set the environment variable {KEY_VARIABLE}")
    return Client(url, key, plan, timeout, attempts)


def read(
    client: Client, dataset: str, first: dt.date, last: dt.date, sessions: Sequence[dt.date]
) -> pl.DataFrame:
    """Read all rows of `dataset` from day `first` to day `last`, both inclusive.

    sessions   the trading days of the period, for the data sets that are asked session by session

    Returns the catalogue's fields sorted by its key; a row that came twice is kept once. A data set
    that the plan lacks has no rows, unless it is one of NEEDED.
    Raises UserError: all that Client.rows and schema.typed refuse, rows of another day than the
    one asked for, or two different rows of one key.
    """
    try:
        answers = _answers(client, dataset, _spells(dataset, first, last, sessions))
    except NotInPlan as reason:
        if dataset in NEEDED:
            raise
        log.warning("%s; until then the data set has no rows", reason)
        answers = []
    frame = pl.concat([schema.typed(dataset, []), *answers])
    frame = frame.filter(pl.col(DATASETS[dataset].day).is_between(first, last))
    key = DATASETS[dataset].key
    return known.distinct(frame, key, DATASETS[dataset].path).sort(key)


Spell = tuple[dt.date, dt.date]


def _spells(
    dataset: str, first: dt.date, last: dt.date, sessions: Sequence[dt.date]
) -> list[Spell]:
    """List the periods that one question each covers: days, sessions, or the whole."""
    if DATASETS[dataset].asked == "range":
        margin = dt.timedelta(DATASETS[dataset].margin)
        return [(first - margin, last + margin)]
    if DATASETS[dataset].asked == "session":
        return [(day, day) for day in sessions if first <= day <= last]
    days = (first + dt.timedelta(n) for n in range((last - first).days + 1))
    return [(day, day) for day in days]


def _answers(client: Client, dataset: str, spells: Sequence[Spell]) -> list[pl.DataFrame]:
    ask = functools.partial(_answer, client, dataset)
    with ThreadPoolExecutor(client.workers) as pool:
        return list(run.progress(pool.map(ask, spells), dataset, len(spells)))


def _answer(client: Client, dataset: str, spell: Spell) -> pl.DataFrame:
    try:
        rows = client.rows(dataset, _query(dataset, spell))
    except OutsideWindow as outside:
        if not DATASETS[dataset].margin or not spell[0] < outside.start <= spell[1]:
            raise
        rows = client.rows(dataset, _query(dataset, (outside.start, spell[1])))
    frame = schema.typed(dataset, rows)
    strange = frame.filter(~pl.col(DATASETS[dataset].day).is_between(*spell))
    if len(strange) and not DATASETS[dataset].margin:
        raise run.UserError(
            f"{DATASETS[dataset].path} answered rows of {strange[DATASETS[dataset].day][0]}"
            f" when asked for {_days_in(_query(dataset, spell))}: it has changed its parameters"
        )
    return frame


def _query(dataset: str, spell: Spell) -> Query:
    if DATASETS[dataset].asked == "range":
        return {"from": spell[0].isoformat(), "to": spell[1].isoformat()}
    return {"date": spell[0].isoformat()}
