"""All that the library does, behind a pooler that shares connections by transaction.

Skipped without pgbouncer, which `.ci/run` installs where it can.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any, cast

import psycopg
import pytest

from pgrecall import AsyncMemory, Memory
from pgrecall._sync.migrate import migrate, status
from pgrecall.testing import HashingEmbedder, cloned
from pgrecall.testing.conformance import AwaitedMemory, MemoryConformance
from pgrecall.testing.conformance.awaited import OpenMemory
from tests.memory.pooler import PGBOUNCER, Pooler, pooling

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed")


@pytest.fixture(scope="module")
def pooler(pgrecall_template: str) -> Iterator[Pooler]:
    assert PGBOUNCER
    with pooling(PGBOUNCER, pgrecall_template) as running:
        yield running


@pytest.fixture
def pooled(pooler: Pooler, shared_dsn: str) -> str:
    """The tests' database through the pooler."""
    return pooler.dsn(shared_dsn)


class TestPooledMemory(MemoryConformance):
    @pytest.fixture
    def open_memory(self, pooled: str, organization: str) -> Iterator[OpenMemory]:
        with ExitStack() as stack:

            async def open_memory(**arguments: Any) -> AsyncMemory:
                given = {"organization": organization, "embedder": HashingEmbedder(), **arguments}
                memory = stack.enter_context(Memory(pooled, **given))
                return cast(AsyncMemory, AwaitedMemory(memory))

            yield open_memory


class TestPooledAsyncMemory(MemoryConformance):
    @pytest.fixture
    async def open_memory(self, pooled: str, organization: str) -> AsyncIterator[OpenMemory]:
        async with AsyncExitStack() as stack:

            async def open_memory(**arguments: Any) -> AsyncMemory:
                given = {"organization": organization, "embedder": HashingEmbedder(), **arguments}
                return await stack.enter_async_context(AsyncMemory(pooled, **given))

            yield open_memory


def test_migrations_run_through_it(pooler: Pooler, pgrecall_template: str) -> None:
    with cloned(pgrecall_template, "template0") as direct:
        dsn = pooler.dsn(direct)
        assert migrate(dsn).applied
        assert migrate(dsn).applied == ()
        assert status(dsn).is_current


def write_and_read(dsn: str, organization: str, heard: dict[str, set[str]]) -> None:
    with Memory(dsn, organization=organization, embedder=HashingEmbedder()) as memory:
        for turn in range(20):
            memory.remember(f"{organization} drank tea {turn}.")
            heard[organization] |= {hit.content for hit in memory.recall("tea", limit=1000)}


def test_nobody_gets_anothers_identity(pooled: str) -> None:
    names = [f"organization {number}" for number in range(6)]
    heard: dict[str, set[str]] = {name: set() for name in names}
    threads = [
        threading.Thread(target=write_and_read, args=(pooled, name, heard)) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {name: {f"{name} drank tea {turn}." for turn in range(20)} for name in names}
    with psycopg.connect(pooled, autocommit=True, prepare_threshold=None) as connection:
        for _ in range(10):
            assert connection.execute("select current_user").fetchone() == ("postgres",)
