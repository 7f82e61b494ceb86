"""What this process did and how its pools stand, of all its clients together; for Prometheus."""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Protocol
from weakref import WeakSet

from pgrecall.errors import PgRecallError
from pgrecall.forks import renew_in_child

# Seconds up to which each bucket goes but the last, as OpenTelemetry proposes for databases.
BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
DONE = "ok"
SAMPLE_SECONDS = 60.0


class Pooled(Protocol):
    """A pool that says how it stands."""

    def stats(self) -> Mapping[str, int]:
        """Numbers by name."""


class Process:
    """Operations by name and outcome: how many, their seconds, and their buckets by name."""

    def __init__(self) -> None:
        self.after_fork()
        renew_in_child(self)

    def after_fork(self) -> None:
        """Begin anew: what was done so far, the parent did."""
        self._lock = Lock()
        self._outcomes = Counter[tuple[str, str]]()
        self._seconds: dict[str, float] = {}
        self._buckets: dict[str, list[int]] = {}
        self._pools: WeakSet[Pooled] = WeakSet()
        self._closed = Counter[str]()
        self._slow = 0
        self._sampled_at = -math.inf

    def note(self, operation: str, outcome: str, seconds: float) -> None:
        """One operation has ended: `ok`, or with an error of that code."""
        place = bisect_left(BOUNDS, seconds)
        with self._lock:
            self._outcomes[operation, outcome] += 1
            if operation not in self._buckets:
                self._buckets[operation] = [0] * (len(BOUNDS) + 1)
                self._seconds[operation] = 0.0
            self._buckets[operation][place] += 1
            self._seconds[operation] += seconds

    def outcomes(self) -> dict[tuple[str, str], int]:
        """How many operations of each name ended in each way."""
        with self._lock:
            return dict(self._outcomes)

    def durations(self) -> dict[str, tuple[list[int], float]]:
        """The buckets and the seconds in all of the operations of each name."""
        with self._lock:
            return {name: ([*held], self._seconds[name]) for name, held in self._buckets.items()}

    def note_slow(self) -> bool:
        """One recall was slow; whether it is the first in a minute."""
        now = time.monotonic()
        with self._lock:
            self._slow += 1
            is_first = now - self._sampled_at >= SAMPLE_SECONDS
            if is_first:
                self._sampled_at = now
        return is_first

    def slow_recalls(self) -> int:
        """How many recalls were slow."""
        return self._slow

    def opened(self, pool: Pooled) -> None:
        """From now on the pool counts."""
        with self._lock:
            self._pools.add(pool)

    def closed(self, pool: Pooled) -> None:
        """What the pool did so far stays in the sums."""
        with self._lock:
            if pool in self._pools:
                self._pools.discard(pool)
                self._closed.update(_done(pool.stats()))

    def pools(self) -> Counter[str]:
        """The numbers of all pools, added."""
        with self._lock:
            found = Counter(self._closed)
            for pool in list(self._pools):
                found.update(pool.stats())
            return found


def _done(stats: Mapping[str, int]) -> dict[str, int]:
    """Those of the numbers that only grow."""
    growing = ("requests_", "connections_", "returns_", "usage_")
    return {
        name: number
        for name, number in stats.items()
        if name.startswith(growing) and name != "requests_waiting"
    }


PROCESS = Process()


def error_code(error: BaseException) -> str:
    """The code of an error of ours; of any other the class, of which there are not many either."""
    return error.code if isinstance(error, PgRecallError) else type(error).__name__
