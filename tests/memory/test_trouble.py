"""Databases that are not there, not ready, not allowed, or go away."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgrecall import AsyncMemory, Memory, Settings
from pgrecall.errors import (
    ClosedError,
    ConfigurationError,
    DatabaseError,
    DatabaseUnavailableError,
    InvalidInputError,
    NoOrganizationError,
    PermissionDeniedError,
    PoolTimeoutError,
    SchemaMissingError,
)
from pgrecall.testing import HashingEmbedder, cloned


def execute(dsn: str, statement: str, *names: str) -> list[Any]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        composed = sql.SQL(statement).format(*map(sql.Identifier, names))  # type: ignore[arg-type]
        cursor = connection.execute(composed)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def login(pgrecall_dsn: str) -> Iterator[str]:
    """A login that may act as `authenticated` and nothing else."""
    name = f"core_login_{time.monotonic_ns()}"
    execute(pgrecall_dsn, "create role {} login noinherit password 'secret'", name)
    execute(pgrecall_dsn, "grant authenticated to {}", name)
    yield make_conninfo(pgrecall_dsn, user=name, password="secret")
    execute(pgrecall_dsn, "drop role {}", name)


def test_a_closed_memory_says_so(shared_dsn: str, organization: str) -> None:
    memory = Memory(shared_dsn, organization=organization, embedder=None)
    memory.remember("Tea.")
    context = memory.context("one")
    memory.close()
    memory.close()
    for call in (memory.open, memory.list, context.messages, lambda: memory.recall("tea")):
        with pytest.raises(ClosedError):
            call()


def test_a_memory_may_be_closed_before_it_is_used() -> None:
    memory = Memory("host=nowhere.invalid")
    memory.close()
    with pytest.raises(ClosedError):
        memory.recall("tea")


@pytest.mark.parametrize("port", [1, "silent"])
async def test_an_unreachable_server_is_told_quickly(port: int | str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        number = silent.getsockname()[1] if port == "silent" else port
        dsn = f"postgresql://maria:hunter2@127.0.0.1:{number}/app"
        settings = Settings(connect_timeout=2)
        began = time.monotonic()
        with Memory(dsn, settings=settings) as memory, pytest.raises(DatabaseUnavailableError) as e:
            memory.recall("tea")
        assert time.monotonic() - began < 5
        assert "hunter2" not in str(e.value) + memory.database + repr(memory)
        assert memory.database == f"database app at 127.0.0.1:{number}"
        async with AsyncMemory(dsn, settings=settings) as other:
            with pytest.raises(DatabaseUnavailableError):
                await other.open()


def test_a_database_that_is_not_there(shared_dsn: str) -> None:
    memory = Memory(make_conninfo(shared_dsn, dbname="core_nowhere"))
    with pytest.raises(DatabaseUnavailableError, match="core_nowhere"):
        memory.open()


@pytest.mark.parametrize(
    "dsn", ["postgresql//maria:hunter2@db", "x", "postgresql://a:hunter2@b:c d/"]
)
def test_a_malformed_connection_string_is_not_repeated(dsn: str) -> None:
    with Memory(dsn) as memory, pytest.raises(ConfigurationError) as caught:
        memory.recall("tea")
    assert "hunter2" not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"


def test_an_empty_database_needs_migrations(pgrecall_server: str) -> None:
    with (
        cloned(pgrecall_server, "template0") as dsn,
        Memory(dsn) as memory,
        pytest.raises(SchemaMissingError, match="pgrecall migrate"),
    ):
        memory.recall("tea")


def test_an_older_schema_needs_migrations(pgrecall_dsn: str) -> None:
    execute(pgrecall_dsn, "drop function public.memory_history")
    with Memory(pgrecall_dsn, embedder=None) as memory:
        told = memory.remember("Tea.")
        with pytest.raises(SchemaMissingError, match="pgrecall migrate"):
            memory.history(told.id)
        assert len(memory.recall("tea")) == 1


def test_an_unprivileged_login_needs_a_membership(pgrecall_dsn: str, login: str) -> None:
    with Memory(login, embedder=None) as memory, pytest.raises(NoOrganizationError) as caught:
        memory.remember("Tea.")
    assert caught.value.hint is not None
    statement = caught.value.hint.partition("can: ")[2]
    execute(pgrecall_dsn, statement)
    with Memory(login, embedder=None) as memory:
        assert memory.remember("Tea.").status == "added"
        assert len(memory.recall("tea")) == 1


def test_a_login_that_may_not_act_for_others(pgrecall_dsn: str, login: str) -> None:
    user = psycopg.conninfo.conninfo_to_dict(login)["user"]
    execute(pgrecall_dsn, "revoke authenticated from {}", str(user))
    with Memory(login) as memory, pytest.raises(PermissionDeniedError, match="set role"):
        memory.remember("Tea.")


def test_times_are_read_whatever_the_database_prefers(pgrecall_dsn: str) -> None:
    name = str(psycopg.conninfo.conninfo_to_dict(pgrecall_dsn)["dbname"])
    execute(pgrecall_dsn, "alter database {} set datestyle = 'German, DMY'", name)
    execute(pgrecall_dsn, "alter database {} set timezone = 'Asia/Kathmandu'", name)
    with Memory(pgrecall_dsn, embedder=None) as memory:
        told = memory.remember("Tea.", occurred_at="2026-03-01T12:00:00.5Z")
        assert memory.get(told.id).occurred_at.isoformat() == "2026-03-01T12:00:00.500000+00:00"
        explained = memory.recall("tea").explain()
        assert explained.valid_at is not None
        assert abs(explained.valid_at.timestamp() - time.time()) < 60


def test_a_replica_is_read_only(pgrecall_dsn: str) -> None:
    with Memory(pgrecall_dsn, embedder=None) as memory:
        memory.remember("Tea.")
    name = psycopg.conninfo.conninfo_to_dict(pgrecall_dsn)["dbname"]
    execute(pgrecall_dsn, "alter database {} set default_transaction_read_only = on", str(name))
    with Memory(pgrecall_dsn, embedder=None) as memory:
        assert len(memory.recall("tea")) == 1
        assert len(memory.list().items) == 1
        with pytest.raises(DatabaseError, match="replica"):
            memory.remember("More tea.")
    with Memory(pgrecall_dsn, organization="another") as memory, pytest.raises(NoOrganizationError):
        memory.recall("tea")


def test_connections_that_the_server_ended_are_replaced(pgrecall_dsn: str) -> None:
    with Memory(pgrecall_dsn, embedder=None) as memory:
        for turn in range(3):
            memory.remember(f"Tea {turn}.")
            execute(
                pgrecall_dsn,
                "select pg_terminate_backend(pid) from pg_stat_activity where datname ="
                " current_database() and pid <> pg_backend_pid()",
            )
            time.sleep(0.2)
        assert len(memory.recall("tea")) == 3


def test_a_full_pool_says_so(pgrecall_dsn: str) -> None:
    settings = Settings(pool_max_size=1, pool_timeout=0.3)
    with Memory(pgrecall_dsn, embedder=None, settings=settings) as memory:
        memory.remember("Tea.")
        with psycopg.connect(pgrecall_dsn) as blocker:
            blocker.execute("lock table public.ai_memories in access exclusive mode")
            waiting = threading.Thread(target=memory.recall, args=("tea",))
            waiting.start()
            time.sleep(0.1)
            with pytest.raises(PoolTimeoutError, match="PGRECALL_POOL_MAX_SIZE"):
                memory.recall("tea")
        waiting.join()


def test_a_statement_takes_no_longer_than_it_may(pgrecall_dsn: str) -> None:
    settings = Settings(statement_timeout=0.2)
    with Memory(pgrecall_dsn, embedder=None, settings=settings) as memory:
        memory.remember("Tea.")
        with psycopg.connect(pgrecall_dsn) as blocker:
            blocker.execute("lock table public.ai_memories in access exclusive mode")
            with pytest.raises(DatabaseError, match="PGRECALL_STATEMENT_TIMEOUT"):
                memory.recall("tea")
        assert len(memory.recall("tea")) == 1


def test_bulk_writers_in_step_do_not_lose_to_each_other_for_ever(
    pgrecall_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is begun again at once meets the other's last items, and then loses again."""
    dsn = make_conninfo(pgrecall_dsn, options="-c deadlock_timeout=50ms")
    monkeypatch.setattr("pgrecall.sql.batches.MAX_ITEMS", 5)
    texts = [f"Text {number}." for number in range(800)]
    started = threading.Barrier(2)

    def write(order: list[str]) -> list[str]:
        with Memory(dsn, embedder=None) as memory:
            memory.recall("text")
            started.wait()
            told = memory.remember(order, on_progress=lambda done, total: time.sleep(0.01))
            return [item.status for item in told]

    with ThreadPoolExecutor() as pool:
        statuses = [s for told in pool.map(write, (texts, texts[::-1])) for s in told]
    assert sorted(statuses) == ["added"] * len(texts) + ["duplicate"] * len(texts)


def test_a_failed_call_leaves_the_connection_usable(shared_dsn: str, organization: str) -> None:
    settings = Settings(pool_max_size=1)
    with Memory(shared_dsn, organization=organization, embedder=None, settings=settings) as memory:
        for _ in range(3):
            with pytest.raises(InvalidInputError):
                memory.recall("x" * 100_001)
        assert memory.remember("Tea.").status == "added"


@pytest.mark.parametrize("pipeline", [True, False])
def test_with_and_without_pipelines(shared_dsn: str, organization: str, pipeline: bool) -> None:
    settings = Settings(pipeline=pipeline)
    embedder = HashingEmbedder()
    with Memory(
        shared_dsn, organization=organization, embedder=embedder, settings=settings
    ) as memory:
        assert len(memory.remember(["Tea.", "Rain."]).added) == 2
        assert memory.recall("tea")[0].content == "Tea."
        with pytest.raises(InvalidInputError):
            memory.recall("x" * 100_001)


def test_many_threads_open_one_memory(shared_dsn: str, organization: str) -> None:
    heard: list[int] = []
    with Memory(shared_dsn, organization=organization, embedder=None) as memory:
        threads = [
            threading.Thread(target=lambda: heard.append(len(memory.recall("tea"))))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert heard == [0] * 20


async def test_a_cancelled_call_gives_its_connection_back(
    shared_dsn: str, organization: str
) -> None:
    settings = Settings(pool_max_size=1)
    async with AsyncMemory(
        shared_dsn, organization=organization, embedder=None, settings=settings
    ) as memory:
        await memory.remember("Tea.")
        for delay in range(20):
            task = asyncio.create_task(memory.recall("tea"))
            await asyncio.sleep(delay / 5000)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert len(await memory.recall("tea")) == 1
