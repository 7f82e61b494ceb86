"""Time passes, and memories with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pgrecall import Memory
from pgrecall.testing import FakeClock


def test_memories_expire(memory: Memory, fake_clock: FakeClock) -> None:
    fake_clock.set(fake_clock.now)
    memory.remember("Tea.", expires_at=fake_clock.now + timedelta(days=1))
    assert len(memory.recall("tea")) == 1
    fake_clock.advance(timedelta(days=2))
    assert len(memory.recall("tea")) == 0
    assert len(memory.recall("tea", as_of=fake_clock.now - timedelta(days=2))) == 1


def test_a_memory_of_the_future_waits(memory: Memory, fake_clock: FakeClock) -> None:
    memory.remember("Tea.", valid_from=fake_clock.now + timedelta(days=1))
    assert len(memory.recall("tea")) == 0
    fake_clock.advance(timedelta(days=2))
    assert len(memory.recall("tea")) == 1


def test_recency_halves(memory: Memory, fake_clock: FakeClock) -> None:
    memory.remember("Tea.", occurred_at=fake_clock.now)
    fake_clock.advance(timedelta(days=30))
    [hit] = memory.recall("tea")
    assert hit.signals.recency == pytest.approx(0.5, abs=0.01)
