"""The embedded server is killed again and again while memories are written."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest

from pgrecall import Memory
from pgrecall.errors import DatabaseUnavailableError
from pgrecall.settings import Settings

KILLS = 10


class Writer(threading.Thread):
    """Writes numbered memories until it is stopped, and notes those that were acknowledged."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(daemon=True)
        self.memory = memory
        self.acknowledged: dict[str, UUID] = {}
        self.failures = 0
        self.is_stopped = False

    def run(self) -> None:
        number = 0
        while not self.is_stopped:
            content = f"memory number {number}"
            try:
                self.acknowledged[content] = self.memory.remember(
                    content, idempotency_key=content
                ).id
            except DatabaseUnavailableError:
                # Whether it was written is unknown: the key makes sending it again safe.
                self.failures += 1
                continue
            number += 1


def kill_server(home: Path) -> None:
    """Sessions outlive their server for some writes, so a new one may just be starting."""
    pid_file = home / "data" / "postmaster.pid"
    words: list[str] = []
    while words[-1:] != ["ready"]:
        time.sleep(0.01)
        words = pid_file.read_text().split() if pid_file.exists() else []
    os.kill(int(words[0]), signal.SIGKILL)


def wait_for_progress(writer: Writer, seconds: float = 30) -> None:
    """Until something was written since."""
    before, deadline = len(writer.acknowledged), time.monotonic() + seconds
    while len(writer.acknowledged) < before + 3:
        assert writer.is_alive(), "the writer died"
        assert time.monotonic() < deadline, "nothing could be written any more"
        time.sleep(0.01)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home outside of pytest's own folder, which another run of pytest would close to others."""
    with TemporaryDirectory(prefix="pgrecall-") as folder:
        yield Path(folder) / "home"


def test_acknowledged_memories_survive_the_server(home: Path) -> None:
    rng = random.Random(7)
    with Memory(embedder=None, settings=Settings(home=home)) as memory:
        memory.open()
        writer = Writer(memory)
        writer.start()
        for _ in range(KILLS):
            wait_for_progress(writer)
            time.sleep(rng.uniform(0, 0.05))
            kill_server(home)
        wait_for_progress(writer)
        writer.is_stopped = True
        writer.join(timeout=30)

        stored, cursor = Counter[str](), None
        ids = set()
        while True:
            page = memory.list(limit=1000, after=cursor)
            stored.update(item.content for item in page.items)
            ids.update(item.id for item in page.items)
            if (cursor := page.next_cursor) is None:
                break
    assert set(writer.acknowledged) <= set(stored)
    assert set(writer.acknowledged.values()) <= ids
    assert stored.most_common(1)[0][1] == 1
