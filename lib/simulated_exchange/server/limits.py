"""The simulated exchange's rate limiter, with the block that hammering brings.

Every request of the key counts, pages and failures too, in a window that slides with time. A
request beyond a bucket's limit is refused; one that comes when twice the limit is passed, or when
too many were refused within a minute, blocks the key for five minutes, and so does every request
during the block, from its own time on.

The limits are the vendor's. That the window slides, what brings the block and that retries prolong
it is not published: it is the strictest reading of what users report.
"""

import collections
import threading
import time
from collections.abc import Callable

LIMITS = {"free": 5, "light": 60, "standard": 120, "premium": 500}
"""Requests a minute of each plan."""

BUCKETS = {"fins": 60, "minute": 60}
"""Requests a minute of the data sets with a limit of their own, on every plan."""

BLOCK = 5
"""Minutes for which a hammered key is refused altogether."""


class Limiter:
    """Admits the requests of one key.

    plan      whose limit holds; None has Premium's
    on        whether limits hold; if not, requests are counted and only `block` refuses any
    minute    length of the window [s]; shorter in a simulation that runs fast
    hammer    refusals within a minute that bring the block
    clock     gives the time [s]

    `most` is the largest number of requests seen in any window, for each bucket ("" is the
    plan's); `refused` and `blocks` count refusals and blocks.
    """

    def __init__(
        self,
        plan: str | None,
        *,
        on: bool,
        minute: float = 60.0,
        hammer: int = 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.minute, self.clock = minute, clock
        self._on, self._hammer = on, hammer
        self._limits = BUCKETS | {"": LIMITS[plan or "premium"]}
        self._seen: dict[str, collections.deque[float]] = collections.defaultdict(collections.deque)
        self._blocked_until = float("-inf")
        self._lock = threading.Lock()
        self.most: collections.Counter[str] = collections.Counter()
        self.refused = self.blocks = 0

    def admit(self, bucket: str) -> bool:
        """Count a request and say whether it may pass.

        bucket   "" | "fins", which counts for the plan too | "minute", which does not
        """
        with self._lock:
            now = self.clock()
            names = [bucket] if bucket == "minute" else list({bucket, ""})
            over = max([self._count(name, now) / self._limits[name] for name in names])
            if now < self._blocked_until:
                self._start_block(now)
            elif not self._on or over <= 1:
                return True
            elif over > 2 or self._count("refused", now) > self._hammer:
                self.blocks += 1
                self._start_block(now)
            self.refused += 1
            return False

    def block(self) -> None:
        """Refuse every request for the coming five minutes."""
        with self._lock:
            self.blocks += 1
            self._start_block(self.clock())

    def _start_block(self, now: float) -> None:
        self._blocked_until = now + BLOCK * self.minute

    def _count(self, name: str, now: float) -> int:
        """Add one to what the window holds under `name`, and give the number."""
        seen = self._seen[name]
        seen.append(now)
        while seen[0] <= now - self.minute:
            seen.popleft()
        self.most[name] = max(self.most[name], len(seen))
        return len(seen)
