"""How answers of the simulated exchange go wrong, for clients to be tested against."""

import collections
import hashlib
import itertools
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gogooku import errors
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.server.http import Reply
from simulated_exchange.server.refusals import TOO_MANY, UNEXPECTED, message

FAULTS = {
    "429": "too many requests, said in JSON",
    "429-text": "too many requests, said in plain text",
    "429-after": "too many requests, with a Retry-After header",
    "429-block": "too many requests, and five minutes of it",
    "500": "server error, an HTML page",
    "500-json": "server error, said in JSON",
    "502": "bad gateway, an HTML page",
    "210": "no content, an empty body",
    "empty-body": "a good status and an empty body",
    "truncate": "JSON that ends half way, in a whole response",
    "reset": "connection closed before a byte was sent",
    "reset-body": "connection closed in the middle of the body",
    "slow": "an answer that takes its time",
    "repeat": "a page that points to itself",
    "null-key": "a pagination key of null on the last page",
    "empty-key": "an empty pagination key on the last page",
    "empty-page": "a page without rows before the one asked for",
    "duplicate": "a page that begins with the row before it again",
    "flip": "numbers as texts, and texts of numbers as numbers",
    "mix": "missing values as null, as empty text and as nothing, by turns",
    "extra": "keys that no specification names",
    "early": "no rows, as before the update",
    "preliminary": "the first half of the rows, as before the final run",
    "split": "one split of each stock of the answer more than before in adjusted prices",
}
"""The ways, each with what the client sees. `early`, `preliminary`, `210` and `empty-body` withhold
rows that exist: only a client that asks again gets them."""

Fate = Callable[[str, Mapping[str, str]], str | None]
Faults = Iterable[str | None] | Fate

_HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"
_KEYS = {"null-key": None, "empty-key": ""}


def fate(faults: Faults) -> Fate:
    """Make one decision after another of `faults`: a callable, or the coming requests' in order.

    Raises UserError if a listed fault is unknown.
    """
    if callable(faults):
        return faults
    waiting = collections.deque(faults)
    _check(name for name in waiting if name)
    lock = threading.Lock()

    def next_one(path: str, query: Mapping[str, str]) -> str | None:
        with lock:
            return waiting.popleft() if waiting else None

    return next_one


def at_random(rates: Mapping[str, float], seed: int) -> Fate:
    """Let requests fail at random; the n-th request's fate depends on `seed` and n alone.

    rates   share of requests of each fault [0 to 1], 1 in sum at most

    Raises UserError if a fault is unknown or the shares are too large.
    """
    _check(rates)
    if not 0 <= sum(rates.values()) <= 1 or min(rates.values(), default=0) < 0:
        raise errors.UserError("shares of faults lie between 0 and 1, and so does their sum")
    names, steps = list(rates), list(itertools.accumulate(rates.values()))
    count, lock = itertools.count(), threading.Lock()

    def drawn(path: str, query: Mapping[str, str]) -> str | None:
        with lock:
            number = next(count)
        digest = hashlib.blake2b(f"{seed} {number}".encode(), digest_size=8).digest()
        place = int.from_bytes(digest) / 2**64
        return next((name for name, step in zip(names, steps, strict=True) if place < step), None)

    return drawn


def _check(names: Iterable[str]) -> None:
    for name in names:
        if name not in FAULTS:
            raise errors.UserError(f"no fault {name!r}; choose among {', '.join(FAULTS)}")


def instead(fault: str | None) -> Reply | None:
    """Give what a client gets instead of an answer, or None if it gets one."""
    if fault in ("429", "429-block"):
        return Reply(429, message(TOO_MANY))
    if fault == "429-text":
        return Reply(429, b"Too Many Requests", "text/plain")
    if fault == "429-after":
        return Reply(429, message(TOO_MANY), headers={"Retry-After": "60"})
    if fault == "500-json":
        return Reply(500, message(UNEXPECTED))
    if fault in ("500", "502"):
        title = {"500": "500 Internal Server Error", "502": "502 Bad Gateway"}[fault]
        return Reply(int(fault), _HTML.format(title).encode(), "text/html")
    if fault in ("210", "empty-body"):
        return Reply(210 if fault == "210" else 200, b"")
    return Reply(0, b"", ends="nothing") if fault == "reset" else None


def spoiled(fault: str | None, dataset: str, page: dict[str, Any]) -> dict[str, Any]:
    """Give a page with its fault in it."""
    rows = page["data"]
    if fault in _KEYS:
        return {"pagination_key": _KEYS[fault]} | page
    if fault == "early":
        return {"data": []}
    if fault == "preliminary":
        return page | {"data": rows[: len(rows) // 2]}
    change = {"flip": _flipped, "mix": _mixed, "extra": _extended}.get(fault or "")
    if change:
        rows = [change(dataset, place, row) for place, row in enumerate(rows)]
    return page | {"data": rows}


CHANGES_PAGES = frozenset({*_KEYS, "early", "preliminary", "flip", "mix", "extra"})


def cut(fault: str | None, reply: Reply) -> Reply:
    """Give a reply that is broken on its way."""
    if fault == "truncate":
        return Reply(reply.status, reply.body[: len(reply.body) // 2], reply.kind)
    if fault == "reset-body":
        return Reply(reply.status, reply.body, reply.kind, reply.headers, ends="half")
    return reply


def _flipped(dataset: str, place: int, row: dict[str, Any]) -> dict[str, Any]:
    numbers = [field.name for field in DATASETS[dataset].fields if field.type.is_numeric()]
    return row | {name: _other(row[name]) for name in numbers if name in row and place % 2 == 0}


def _other(value: Any) -> Any:
    if isinstance(value, (int, float)):
        return str(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _mixed(dataset: str, place: int, row: dict[str, Any]) -> dict[str, Any]:
    """Write what is missing as null, as "" or not at all; the first row stays whole."""
    missing = [name for name, value in row.items() if value in (None, "")]
    present = {name for n, name in enumerate(missing) if place == 0 or (place + n) % 3}
    return {
        name: value if value not in (None, "") else (None if place % 2 else "")
        for name, value in row.items()
        if name in present or name not in missing
    }


def _extended(dataset: str, place: int, row: dict[str, Any]) -> dict[str, Any]:
    return row | {"NewFld": "x", "NewNum": 1.5, "NewObj": {"a": [1, None]}}


def encoded(page: Mapping[str, Any]) -> bytes:
    """Write a page as JSON."""
    return json.dumps(page, ensure_ascii=False).encode()
