"""One pace for all requests with one key, whichever thread, process or machine they come from.

The vendor counts requests by account. All clients of a key share a small file, the ledger, which
holds the moments from which the next request of each kind may leave; whoever takes a turn moves
them on. The rule is the generic cell rate algorithm (ITU-T I.371): requests leave evenly spaced,
but for a few that make up for turns taken late, which keeps to a limit by the minute whether the
vendor counts fixed minutes, sliding ones or tokens. Machines that share the file system must agree
on the time.
"""

import contextlib
import errno
import hashlib
import os
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from filelock import FileLock
from pyrate_limiter import GCRA, Decision, Rate, RateItem, StateAlgorithm, StateBucket, StateStore

from gogooku import errors

LIMITS = {"free": 5, "light": 60, "standard": 120, "premium": 500}
"""Requests a minute that a plan allows."""

CHILDREN = {"fins": 60, "minute": 60}
"""Requests a minute of the narrower limits that some data sets have besides, on every plan."""

PAUSES = (60, 310)
"""Everybody waits after a refusal for too many requests, and after one that follows close upon it:
an account that goes on is blocked for about five minutes [s]."""

SLOTS = ("", *CHILDREN)
BOOK = struct.Struct(f"<{len(SLOTS) + 2}q")  # next turn of each kind, pause from, pause until [us]


class Clock(Protocol):
    """What `time` offers; tests bring their own."""

    def time(self) -> float:
        """Give the time, the same for all machines [s since 1970]."""

    def sleep(self, seconds: float, /) -> None:
        """Return `seconds` later."""


class Pace:
    """Lets requests pass one by one, evenly spaced, within the limits of an account.

    key      whose account it is; the ledger's name is a digest of it
    folder   of the ledger, shared by all who use the key; None if nobody else does
    plan     free | light | standard | premium; None has no limit
    share    of the limits that is used
    minute   length of the vendor's minute [s]; a server whose clock runs faster has a shorter one
    """

    def __init__(
        self,
        key: str,
        folder: Path | None,
        plan: str | None,
        share: float = 0.95,
        minute: float = 60.0,
        clock: Clock = time,
    ) -> None:
        self._clock, self._minute = clock, minute
        self._ledger = _Ledger(None if folder is None else folder / f"{digest(key)}.pace")
        self._buckets = {kind: _bucket(self._ledger, plan, kind, share, minute) for kind in SLOTS}
        late = _made_up(LIMITS[plan], share) - 1 if plan else 0
        # The longest pause and as much again, and five turns of the slowest plan.
        self._longest = (2 * PAUSES[1] / 60 + 1 / share) * minute
        self._lead = late * spacing(plan, share, minute) if plan else 0.0
        self._turns = {kind: threading.Lock() for kind in SLOTS}

    def wait(self, kind: str) -> float:
        """Return when a request of `kind` ("", fins or minute) may leave; gives the time of that.

        A pause that begins later is none of the request's fault, however long it is on its way.
        Raises UserError if the ledger is so far ahead that it was written by another clock.
        """
        with self._turns[kind]:  # one thread of a process asks the ledger, the others wait here
            while True:
                now = self._clock.time()
                delay = self._claim(kind, now)
                if delay <= 0:
                    return now
                if delay > self._longest:
                    raise errors.UserError(
                        f"{self._ledger.path} is {delay:.0f} s ahead of this machine's clock: set "
                        "the clocks of all machines alike, delete it and run again"
                    )
                self._clock.sleep(delay)

    def pause(self, sent: float) -> float:
        """Hold all requests, since one of them that was let pass at `sent` came too soon.

        Returns the seconds to wait: PAUSES[0], or PAUSES[1] if the last pause ended within the
        length of the first; 0 if the request was let pass before the present pause began.
        """
        now = self._clock.time()
        short, long = (seconds / 60 * self._minute for seconds in PAUSES)
        with self._ledger.opened() as book:
            since, until = book[-2] / 1e6, book[-1] / 1e6
            if until and sent <= since:
                return 0.0
            seconds = long if until and now < until + short else short
            book[-2:] = int(now * 1e6), int((now + seconds) * 1e6)
            book[0] = max(book[0], book[-1] + int(self._lead * 1e6))
        return seconds

    def _claim(self, kind: str, now: float) -> float:
        bucket = self._buckets[kind]
        if bucket is None:
            return self._ledger.read()[-1] / 1e6 - now
        request = RateItem(kind, int(now * 1e3))
        return 0.0 if bucket.put(request) else int(bucket.waiting(request)) / 1e3  # type: ignore


def digest(key: str) -> str:
    """Name an API key without telling it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def spacing(plan: str, share: float, minute: float = 60.0) -> float:
    """Give the time between two requests on `plan` [s]."""
    return minute / (share * LIMITS[plan])


def _bucket(
    ledger: "_Ledger", plan: str | None, kind: str, share: float, minute: float
) -> StateBucket | None:
    """Make the limiter of one kind of requests: the plan's limit and, if narrower, the kind's."""
    if plan is None:
        return None
    wide, length = LIMITS[plan], int(minute * 1e3 / share)
    rates, slots = [Rate(wide, length, _made_up(wide, share))], [0]
    if kind and (narrow := CHILDREN[kind]) < wide:
        # The limiter wants rates in order of length: the same rate over a hundred minutes.
        rates.append(Rate(100 * narrow, 100 * length, _made_up(narrow, share)))
        slots.append(SLOTS.index(kind))
    return StateBucket(rates, GCRA(), _Slots(ledger, slots))


def _made_up(limit: int, share: float) -> int:
    """Count the requests that may leave together to make up for late turns.

    A third of the requests of a minute that are left free, so that a few more may be delayed on
    their way without more than `limit` of them arriving in any minute.
    """
    return 1 + min(3, int(limit * (1 - share) / 3))


class _Ledger:
    """The moments that all clients of a key share; each change is made under a lock.

    pyrate-limiter's own file, an SQLite data base in WAL mode, must not lie on a network file
    system; a lock of the file system and a write of one block may.
    """

    def __init__(self, path: Path | None) -> None:
        self.path, self._memory = path, bytes(BOOK.size)
        self._lock: contextlib.AbstractContextManager = threading.Lock()
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise errors.unwritable(path, error) from error
            self._lock = FileLock(f"{path}.lock", thread_local=False)
            self._threads = threading.Lock()

    @contextlib.contextmanager
    def opened(self) -> Iterator[list[int]]:
        """Yield the book to be changed in place; UserError if it cannot be written."""
        if self.path is None:
            with self._lock:
                book = list(BOOK.unpack(self._memory))
                yield book
                self._memory = BOOK.pack(*book)
            return
        try:
            with self._threads, self._lock, self._written() as book:
                yield book
        except OSError as error:
            raise errors.unwritable(self.path, error) from error

    @contextlib.contextmanager
    def _written(self) -> Iterator[list[int]]:
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)  # type: ignore[arg-type]
        try:
            content = os.pread(file, BOOK.size, 0)
            # One that a full disk cut short counts as new.
            book = list(BOOK.unpack(content if len(content) == BOOK.size else bytes(BOOK.size)))
            before = list(book)
            yield book
            if book != before and os.pwrite(file, BOOK.pack(*book), 0) < BOOK.size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(file)

    def read(self) -> list[int]:
        with self.opened() as book:
            return list(book)


class _Slots(StateStore):
    """The slots of the ledger that one limiter keeps to."""

    def __init__(self, ledger: _Ledger, slots: Sequence[int]) -> None:
        self._ledger, self._slots = ledger, slots

    def check(
        self, algorithm: StateAlgorithm, rates: list[Rate], now: int, weight: int
    ) -> Decision:
        with self._ledger.opened() as book:
            state: tuple[float, ...] = tuple(book[slot] for slot in self._slots)
            state, decision = algorithm.step(rates, state, now, weight)
            for slot, moment in zip(self._slots, state, strict=True):
                book[slot] = int(moment)
        return decision

    def read(self, algorithm: StateAlgorithm, rates: list[Rate]) -> tuple[float, ...]:
        book = self._ledger.read()
        return tuple(book[slot] for slot in self._slots)

    def reset(self) -> None:
        with self._ledger.opened() as book:
            book[:] = [0] * len(book)
