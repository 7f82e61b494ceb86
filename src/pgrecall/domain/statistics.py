"""What agents did, in counts, and what a histogram of latencies says of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any, overload

from pgrecall.errors import InvalidInputError

COUNTS = (
    "added", "duplicates", "superseded", "updated", "forgotten", "erased", "recalls",
    "empty_recalls", "embedding_tokens", "query_tokens",
)  # fmt: skip
PERIODS = ("hour", "day", "total")
# Milliseconds up to which each bucket goes but the last, which has the rest.
BOUNDS = tuple(0.5 * 2 ** (step / 2) for step in range(31))
BUCKETS = len(BOUNDS) + 1


@dataclass(frozen=True, slots=True)
class AgentStats:
    """What an agent did in the hour or day, in UTC, from `start` on, or, without one, in all.

    `agent_id` is None in a sum over agents. `added` includes those that `superseded` an earlier
    value. Tokens are estimated: a quarter of the bytes of what was embedded. `p50` and `p95` are
    milliseconds that half and 95 % of the recalls stayed below, embedding included, estimated by
    `quantile`; None without a recall.
    """

    start: datetime | None
    agent_id: str | None
    added: int
    duplicates: int
    superseded: int
    updated: int
    forgotten: int
    erased: int
    recalls: int
    empty_recalls: int
    embedding_tokens: int
    query_tokens: int
    p50: float | None
    p95: float | None
    latencies: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Statistics(Sequence[AgentStats]):
    """Counts by period and agent, oldest first; `total` is their sum."""

    rows: tuple[AgentStats, ...]

    @overload
    def __getitem__(self, place: int) -> AgentStats: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[AgentStats]: ...
    def __getitem__(self, place: int | slice) -> AgentStats | Sequence[AgentStats]:
        return self.rows[place]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def total(self) -> AgentStats:
        """All of them in one, of no agent and no period."""
        counts = {name: sum(getattr(row, name) for row in self.rows) for name in COUNTS}
        latencies = [sum(row.latencies[place] for row in self.rows) for place in range(BUCKETS)]
        return agent_stats({**counts, "start": None, "agent_id": None, "latencies": latencies})


def agent_stats(row: Mapping[str, Any]) -> AgentStats:
    """Counts as the database has them, with the quantiles of their latencies."""
    latencies = tuple(row["latencies"])
    return AgentStats(
        **{**row, "latencies": latencies},
        p50=quantile(latencies, 0.5),
        p95=quantile(latencies, 0.95),
    )


def statistics(rows: Iterable[Mapping[str, Any]]) -> Statistics:
    """The rows of the statement agent_stats."""
    return Statistics(tuple(map(agent_stats, rows)))


def period(value: object) -> str:
    """`hour`, `day` or `total`; InvalidInputError for anything else."""
    if value not in PERIODS:
        raise InvalidInputError(f"by must be one of {', '.join(PERIODS)}, not {value!r}")
    return str(value)


def bucket_of(milliseconds: float) -> int:
    """The place of a latency in `latencies`, from 0."""
    return bisect_left(BOUNDS, milliseconds)


def quantile(latencies: Sequence[int], share: float) -> float | None:
    """Milliseconds that a share, above 0 and up to 1, of the latencies stayed below, about.

    Of n latencies it is the one of rank share · n. In the bucket where that falls, at a part f of
    what the bucket holds, it is taken for low · (high / low)^f, as if logarithms were spread
    evenly; so it is off by a factor of √2 at most, and of 1.1 or so as a rule. The lowest bucket
    is taken to begin at 0.35 ms; of the one above 16,384 ms its beginning is the answer.
    """
    total = sum(latencies)
    if not total:
        return None
    rank = share * total
    sums = list(accumulate(latencies))
    place = bisect_left(sums, rank)
    if place == len(BOUNDS):
        return BOUNDS[-1]
    part = (rank - (sums[place] - latencies[place])) / latencies[place]
    return float(BOUNDS[place] * 2 ** ((part - 1) / 2))
