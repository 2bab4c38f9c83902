"""Opaque keys of the simulated exchange: where the next page starts, and what was read before.

All pages of one answer show what was there when the first was requested.
"""

import base64
import datetime as dt
import json
from dataclasses import dataclass, replace

from simulated_exchange.server.refusals import invalid


@dataclass(frozen=True)
class Start:
    """Where a page of an answer starts.

    row     the row at which the page starts
    time    when the first page was requested
    since   rows that had appeared by then are left out; None leaves none out
    serial  makes the keys of two pages different
    """

    row: int
    time: dt.datetime
    since: dt.datetime | None
    serial: int = 0

    def key(self, row: int, serial: int) -> str:
        """Write the key of the page that starts at `row`."""
        start = replace(self, row=row, serial=serial)
        since = start.since.isoformat() if start.since else None
        return _pack([start.row, start.time.isoformat(), since, start.serial])


def start(key: str) -> Start:
    """Read a pagination key; raises Refusal."""
    try:
        row, time, since, serial = _unpack(key)
        earlier = dt.datetime.fromisoformat(since) if since else None
        return Start(int(row), dt.datetime.fromisoformat(time), earlier, serial)
    except (ValueError, TypeError):
        raise invalid("pagination_key") from None


def cursor(moment: dt.datetime) -> str:
    """Write the cursor of an answer that holds all that had appeared at `moment`."""
    return _pack([moment.isoformat()])


def moment(text: str) -> dt.datetime:
    """Read a cursor; raises Refusal."""
    try:
        return dt.datetime.fromisoformat(*_unpack(text))
    except (ValueError, TypeError):
        raise invalid("cursor") from None


def _pack(parts: list) -> str:
    return base64.b64encode(json.dumps(parts).encode()).decode()


def _unpack(text: str) -> list:
    return json.loads(base64.b64decode(text, validate=True))
