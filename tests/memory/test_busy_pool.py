"""The embedded server's pool when there are more callers than connections."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pgrecall import Memory, embedded
from pgrecall.embedded import ServerLease
from pgrecall.errors import PoolTimeoutError
from pgrecall.settings import Settings


def test_a_busy_pool_is_waited_for_and_not_taken_for_a_dead_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    joined: list[Path] = []
    join = embedded.join

    def noted_join(home: Path) -> ServerLease:
        joined.append(home)
        return join(home)

    monkeypatch.setattr(embedded, "join", noted_join)
    until = time.monotonic() + 2

    def refusals(memory: Memory) -> list[float]:
        """Seconds of each call that got no connection."""
        seconds = []
        while (began := time.monotonic()) < until:
            try:
                memory.recall("tea")
            except PoolTimeoutError:
                seconds.append(time.monotonic() - began)
        return seconds

    with TemporaryDirectory() as home, ThreadPoolExecutor(16) as threads:
        settings = Settings(home=Path(home), pool_max_size=1, pool_timeout=0.02)
        with Memory(embedder=None, settings=settings) as memory:
            memory.remember("Tea.")
            joined.clear()
            until = time.monotonic() + 2
            refused = [s for each in threads.map(refusals, [memory] * 16) for s in each]
    assert refused
    # Rarely a call takes so long that nobody gives a connection back meanwhile.
    assert len(joined) < len(refused) / 4
    assert max(refused) < 2
