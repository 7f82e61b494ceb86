"""Counts that wait to be written, by hour. Adding to them takes well below a microsecond."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TypeAlias

from pgrecall.domain.statistics import BUCKETS, COUNTS, bucket_of
from pgrecall.forks import renew_in_child

PLACES = {name: place for place, name in enumerate(COUNTS)}
LATENCIES = len(COUNTS)
SECONDS_PER_HOUR = 3600
# Counts that can't be written, such as on a replica, are kept for so long and no longer.
MAX_HOURS = 48

# The counts in the order of COUNTS, then the buckets of latencies.
Numbers: TypeAlias = "list[int]"
Hours: TypeAlias = "dict[int, Numbers]"


class Tally:
    """Counts of one agent by hour since 1970; any thread may add to them."""

    def __init__(self) -> None:
        self.after_fork()
        renew_in_child(self)

    def after_fork(self) -> None:
        """Begin anew: what waited is the parent's to write."""
        self._lock = Lock()
        self._hours: Hours = {}
        self._is_seen_to = False

    def add(self, counts: Mapping[str, int], latency: float | None = None) -> None:
        """Add counts and, of a recall, its milliseconds."""
        hour = int(time.time()) // SECONDS_PER_HOUR
        with self._lock:
            numbers = self._hours.get(hour) or self._begin(hour)
            for name, count in counts.items():
                numbers[PLACES[name]] += count
            if latency is not None:
                numbers[LATENCIES + bucket_of(latency)] += 1

    def is_neglected(self) -> bool:
        """Whether counts wait and nobody sees to it that they are written; told to one alone."""
        if self._is_seen_to or not self._hours:
            return False
        with self._lock:
            was_seen_to, self._is_seen_to = self._is_seen_to, True
        return not was_seen_to

    def is_waiting(self) -> bool:
        """Whether there are counts to be written."""
        return bool(self._hours)

    def take(self) -> Hours:
        """All counts; from then on it begins anew."""
        with self._lock:
            taken, self._hours = self._hours, {}
            self._is_seen_to = False
        return taken

    def give_back(self, hours: Hours) -> None:
        """Add what was taken and could not be written."""
        with self._lock:
            for hour, more in hours.items():
                numbers = self._hours.get(hour) or self._begin(hour)
                numbers[:] = map(sum, zip(numbers, more, strict=True))
            for oldest in sorted(self._hours)[:-MAX_HOURS]:
                del self._hours[oldest]

    def _begin(self, hour: int) -> Numbers:
        numbers = self._hours[hour] = [0] * (LATENCIES + BUCKETS)
        return numbers


def items(agent_id: str, hours: Hours) -> list[dict[str, object]]:
    """Counts as add_memory_stats() takes them."""
    return [_item(agent_id, hour, hours[hour]) for hour in sorted(hours)]


def _item(agent_id: str, hour: int, numbers: Sequence[int]) -> dict[str, object]:
    at = time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(hour * SECONDS_PER_HOUR))
    counts = {name: number for name, number in zip(COUNTS, numbers, strict=False) if number}
    latencies = numbers[LATENCIES:] if any(numbers[LATENCIES:]) else []
    return {"agent_id": agent_id, "hour": at, **counts, "latencies": latencies}
