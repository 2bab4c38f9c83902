"""A client of the J-Quants API V2, the real one and the simulated exchange alike.

One request, its pages and its retries; what to ask for is decided in fetch.py.
"""

import datetime as dt
import functools
import gzip
import json
import logging
import math
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import polars as pl
import requests
import tenacity

from gogooku import errors
from gogooku.raw import plans, schema
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor import pace, wire

log = logging.getLogger(__name__)

KEY_VARIABLE = "JQUANTS_API_KEY"

CONNECT = 10.0  # patience for a connection [s]

LATENCY = 8.0
"""Time that a full answer may take [s]; so many requests are in flight as leave within it."""

MOST_IN_FLIGHT = 75

MORNING = DATASETS["bars_am"].path

Query = dict[str, str]
Page = TypeVar("Page")
Read = TypeVar("Read")


class File(NamedTuple):
    """A file of the vendor's: when it was last written, and how large it is [bytes]."""

    key: str
    modified: dt.datetime
    size: int


class NotInPlan(errors.UserError):
    """The subscription does not include the data set."""


class OutsideWindow(errors.UserError):
    """A day asked for lies outside the days that the subscription covers, `window`."""

    def __init__(self, text: str, window: plans.Window) -> None:
        super().__init__(text)
        self.window = window


class _TryAgain(Exception):
    """The request failed in a way that may pass."""


class _TooManyRequests(_TryAgain):
    """The account has used up its requests of this minute: all wait `seconds` more."""

    def __init__(self, seconds: float) -> None:
        super().__init__("status 429, too many requests")
        self.seconds = seconds


class Client:
    """Asks the API at `url`, within the rate of `plan`, until an answer is whole.

    url        base with version, such as https://api.jquants.com/v2
    key        API key; sent to `url` alone, and in no message, log or repr
    plan       free | light | standard | premium; None is unknown and asks without limit
    timeout    of one answer as a whole; of a file, between its bytes [s]
    attempts   tries of one request: server errors, time-outs and broken answers are waited out
               exponentially, a refusal for too many requests holds all clients of the key for a
               minute or more; any other refusal is final at once
    share      of the plan's rate that is used
    ledger     folder that all clients of the key share, for the rate and for what is known of the
               account; None shares nothing
    minute     length of the server's minute [s]
    workers    requests in flight at one time; None takes as many as the rate can use
    """

    def __init__(
        self,
        url: str,
        key: str,
        plan: str | None,
        timeout: float,
        attempts: int,
        *,
        share: float = 0.95,
        ledger: Path | None = None,
        minute: float = 60.0,
        workers: int | None = None,
        clock: pace.Clock = time,
    ) -> None:
        self.plan = plan
        self.workers = workers or _in_flight(plan, share, minute)
        self._url, self._clock = url.rstrip("/"), clock
        self._timeout = (min(CONNECT, timeout), timeout)
        self._session, self._bare = requests.Session(), requests.Session()
        self._session.headers["x-api-key"] = _checked(key)
        for session in (self._session, self._bare):
            session.trust_env = not _is_here(url)  # no proxy to this machine's own exchange
            session.mount(url, requests.adapters.HTTPAdapter(pool_maxsize=self.workers))
        account = f"{self._url} {key}"
        self._pace = pace.Pace(account, ledger, plan, share, minute, clock)
        path = None if ledger is None else ledger / f"{pace.digest(account)}.json"
        self.memory = plans.Memory(
            path, dt.datetime.fromtimestamp(clock.time(), plans.JAPAN).date()
        )
        self._lock = threading.Lock()
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

    def __exit__(self, *error: object) -> None:
        """Close the connections."""
        self._session.close()
        self._bare.close()

    def rows(self, dataset: str, query: Query) -> pl.DataFrame:
        """Give all rows that answer `query`, page after page, in the types of the catalogue.

        A row that came twice is kept once, if only with a field that no specification names.
        Raises UserError: a data set or a code that does not exist, a refusal, an answer of another
        shape, a page that comes again, two different rows of one key, or a request that failed in
        every attempt.
        """
        _check_question(dataset, query)
        ask = functools.partial(self._page, dataset)
        frames = list(self._pages(ask, DATASETS[dataset].path, query))
        rows = frames[0] if len(frames) == 1 else schema.joined(dataset, frames)
        return schema.distinct(dataset, rows)

    def files(self, dataset: str, first: str, last: str) -> list[File]:
        """List the files of a data set.

        first, last   months [YYYY-MM], both included

        Raises UserError as `rows` does, and if the list says too little of a file.
        """
        query = {"endpoint": DATASETS[dataset].path, "from": first, "to": last}
        return [file for page in self._pages(self._list, "/bulk/list", query) for file in page]

    def download(self, file: File) -> bytes:
        """Download and unpack one file.

        The address is signed and good for one download; it sees no API key.
        """
        return self._patiently(self._content, file.key, file.size)

    def _pages(
        self, ask: Callable[..., tuple[Page, str]], path: str, query: Query
    ) -> Iterator[Page]:
        """Ask for page after page: each answer has the key of the next one, or ""."""
        keys, key = {""}, ""
        while True:
            page, key = self._patiently(
                ask, path, query | {"pagination_key": key} if key else query
            )
            yield page
            if not key:
                return
            if key in keys:
                raise errors.UserError(f"{path} sent one page twice: run again later")
            keys.add(key)

    def _patiently(self, ask: Callable[..., Read], *arguments: Any) -> Read:
        try:
            return self._persist(ask, *arguments)
        except _TryAgain as reason:
            tries = self._persist.statistics["attempt_number"]
            raise errors.UserError(
                f"{arguments[0]} failed {tries} times ({reason}): run again later"
            ) from None

    def _hold(self, state: tenacity.RetryCallState) -> None:
        reason, seconds = _failure(state), state.upcoming_sleep
        if isinstance(reason, _TooManyRequests):
            seconds = reason.seconds
        if seconds:
            log.warning("%s: %s; next try in %.0f s", state.args[0], reason, seconds)

    def _page(self, dataset: str, path: str, query: Query) -> tuple[pl.DataFrame, str]:
        body = self._answer(path, query, DATASETS[dataset].bucket)
        try:
            return schema.page(dataset, body)
        except schema.Broken as reason:
            raise _TryAgain(str(reason)) from None

    def _list(self, path: str, query: Query) -> tuple[list[File], str]:
        answer = self._document(path, query)
        files = answer.get("data")
        if not isinstance(files, list):
            raise errors.UserError(f"{path} answered something else than files under 'data'")
        return [*map(_file, files)], schema.next_key(path, answer.get("pagination_key"))

    def _document(self, path: str, query: Query) -> dict[str, Any]:
        try:
            answer = json.loads(self._answer(path, query, ""))
        except ValueError:
            raise _TryAgain("broken JSON") from None
        if not isinstance(answer, dict):
            raise errors.UserError(f"{path} answered something else than an object")
        return answer

    def _content(self, key: str, size: int) -> bytes:
        address = self._document("/bulk/get", {"key": key}).get("url")
        if not isinstance(address, str):
            raise errors.UserError("/bulk/get answered without the field url")
        try:
            with self._bare.get(
                address, timeout=self._timeout, headers={"Accept-Encoding": "identity"}, stream=True
            ) as answer:
                content = wire.body(answer, unpack=False)
        except requests.RequestException as error:
            raise _TryAgain(type(error).__name__) from None
        if answer.status_code != 200:
            raise _TryAgain(f"the download ended with status {answer.status_code}")
        if len(content) != size:
            raise _TryAgain(f"{len(content)} bytes came instead of {size}")
        try:
            return gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            raise _TryAgain("the file is no whole gzip") from None

    def _answer(self, path: str, query: Query, bucket: str) -> bytes:
        """Send one request and give the body of a good answer.

        No content is an answer of the morning session alone, which has hours without rows, and to
        the question for its first page: elsewhere it would end a day before its last row.
        """
        sent = self._pace.wait(bucket)
        until = time.monotonic() + self._timeout[1]
        try:
            with self._session.get(
                self._url + path, params=query, timeout=self._timeout, allow_redirects=False,
                stream=True,
            ) as response:  # fmt: skip
                body = wire.body(response, until)
        except ValueError:
            raise errors.UserError(f"jquants.url {self._url!r} is not a web address") from None
        except requests.RequestException as error:
            raise _TryAgain(type(error).__name__) from None
        status = response.status_code
        if status == 200:
            return body
        if status == 210 and path == MORNING and "pagination_key" not in query:
            return b'{"data": []}'
        if status == 429:
            raise _TooManyRequests(self._pace.pause(sent))
        if status == 210 or status >= 500:
            raise _TryAgain(f"status {status}")
        raise self._refusal(path, query, status, self._message(body))

    def _message(self, body: bytes) -> str:
        try:
            text = str(json.loads(body)["message"])
        except (ValueError, KeyError, TypeError):
            text = "no reason given"
        return " ".join(text.replace(str(self._session.headers["x-api-key"]), "***").split())

    def _refusal(self, path: str, query: Query, status: int, message: str) -> errors.UserError:
        if "api key is required" in message or "invalid or expired" in message:
            return errors.UserError(f"the API key was refused: set {KEY_VARIABLE} to a valid key")
        if "no active subscription" in message:
            return errors.UserError(
                "the subscription has ended: renew it, or choose another source"
            )
        if "not available on your subscription" in message:
            return NotInPlan(f"{path} is not part of the subscription: a higher plan serves it")
        if window := plans.Window.parse(message):
            with self._lock:
                self.memory.keep(window=window)
            return OutsideWindow(
                f"{path} was asked for {_days_in(query)} but the subscription covers {window}:"
                " change dates.start or dates.end",
                window,
            )
        return errors.UserError(f"{path} refused {_days_in(query)} with status {status}: {message}")


def _in_flight(plan: str | None, share: float, minute: float) -> int:
    """Count the requests that leave while a slow answer comes."""
    if plan is None:
        return 8
    return min(MOST_IN_FLIGHT, math.ceil(LATENCY * minute / 60 / pace.spacing(plan, share, minute)))


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def _checked(key: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise errors.UserError(
            f"the API key is empty or holds a space or a line break: set {KEY_VARIABLE} to the key"
            " alone"
        )
    return key


def _file(entry: Any) -> File:
    try:
        modified = dt.datetime.fromisoformat(entry["LastModified"]).astimezone(dt.UTC)
        return File(str(entry["Key"]), modified, int(entry["Size"]))
    except (KeyError, TypeError, ValueError):
        raise errors.UserError(
            "/bulk/list answered a file without one of the fields Key, LastModified and Size"
        ) from None


def _check_question(dataset: str, query: Query) -> None:
    if dataset not in DATASETS:
        raise errors.UserError(f"no data set {dataset!r}: choose among {', '.join(DATASETS)}")
    code = query.get("code")
    if code is not None and not re.fullmatch(r"[0-9A-Z]{4,5}", code):
        raise errors.UserError(f"{code!r} is no code of an issue: give 4 or 5 digits or capitals")
    for name, value in query.items():
        if not value:
            raise errors.UserError(f"{DATASETS[dataset].path} was to be asked with an empty {name}")


def _failure(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _patience(state: tenacity.RetryCallState) -> float:
    """Give the seconds to wait before the next try; after a 429 the pace holds everybody."""
    if isinstance(_failure(state), _TooManyRequests):
        return 0.0
    return min(2.0 ** (state.attempt_number - 1), 60.0)


def _days_in(query: Query) -> str:
    days = [value for name, value in query.items() if "date" in name or name in ("from", "to")]
    return " to ".join(days) or "all days"
