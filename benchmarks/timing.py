"""Times of calls by `time.perf_counter`, in milliseconds, and rates of writing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

Ask = Callable[[str], object]

WARM_UP_QUESTIONS = 5


@dataclass(frozen=True)
class Times:
    """The median and the 95th percentile of `calls` calls, in milliseconds."""

    p50: float
    p95: float
    calls: int


@dataclass(frozen=True)
class Rate:
    """How many memories were written in how many seconds."""

    memories: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.memories / self.seconds


def summarize(milliseconds: Sequence[float]) -> Times:
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return Times(float(p50), float(p95), len(milliseconds))


def percentiles(
    milliseconds: Sequence[float], wanted: Sequence[int] = (50, 95, 99)
) -> dict[int, float]:
    return dict(zip(wanted, map(float, np.percentile(milliseconds, wanted)), strict=True))


def time_interleaved(asks: Mapping[str, Ask], questions: Sequence[str]) -> dict[str, list[float]]:
    """Milliseconds of each question by each of `asks`, taken in turns.

    So a slow moment of the machine falls on all of them. The order turns with every question,
    and the first few questions are asked once before the clock runs.
    """
    for question in questions[:WARM_UP_QUESTIONS]:
        for ask in asks.values():
            ask(question)
    times: dict[str, list[float]] = {name: [] for name in asks}
    for turn, question in enumerate(questions):
        for name in _rotated(list(asks), turn):
            times[name].append(_milliseconds(asks[name], question))
    return times


def time_writes(writes: Sequence[Callable[[], object]], memories: int) -> Rate:
    """The rate of `writes`, one after the other, that write so many memories in all."""
    started = perf_counter()
    for write in writes:
        write()
    return Rate(memories, perf_counter() - started)


def _milliseconds(ask: Ask, question: str) -> float:
    started = perf_counter()
    ask(question)
    return (perf_counter() - started) * 1000


def _rotated(names: list[str], by: int) -> list[str]:
    start = by % len(names)
    return names[start:] + names[:start]
