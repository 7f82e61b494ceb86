from __future__ import annotations

import pytest

from benchmarks.timing import WARM_UP_QUESTIONS, Rate, summarize, time_interleaved, time_writes


def test_ways_are_timed_in_turns_after_a_warm_up() -> None:
    asked: list[str] = []
    questions = [str(number) for number in range(WARM_UP_QUESTIONS + 1)]
    times = time_interleaved(
        {"a": lambda q: asked.append("a" + q), "b": lambda q: asked.append("b" + q)}, questions
    )
    assert {name: len(taken) for name, taken in times.items()} == {"a": 6, "b": 6}
    assert asked[: 2 * WARM_UP_QUESTIONS : 2] == ["a0", "a1", "a2", "a3", "a4"]
    assert asked[2 * WARM_UP_QUESTIONS :][:6] == ["a0", "b0", "b1", "a1", "a2", "b2"]


def test_percentiles() -> None:
    times = summarize([float(number) for number in range(101)])
    assert (times.p50, times.p95, times.calls) == (50, 95, 101)


def test_a_rate_is_memories_by_time() -> None:
    written: list[int] = []
    rate = time_writes([lambda: written.extend([1, 2])] * 3, memories=6)
    assert len(written) == rate.memories == 6
    assert rate.seconds > 0
    assert Rate(10, 0.5).per_second == pytest.approx(20)
