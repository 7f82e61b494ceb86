"""Many memories of one process, and what they share."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrecall import AsyncMemory, Memory, Settings
from pgrecall.errors import ClosedError, InvalidInputError
from pgrecall.testing import HashingEmbedder, add_member

ORGANIZATIONS = 1000


def connections(dsn: str) -> int:
    """How many sessions pgrecall has in that database."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and application_name = 'pgrecall' and pid <> pg_backend_pid()"
        ).fetchone()
    assert row is not None
    return int(row[0])


def wait_for_connections(dsn: str, wanted: int) -> None:
    """Until the server has noticed, too."""
    deadline = time.monotonic() + 10
    while (found := connections(dsn)) != wanted:
        assert time.monotonic() < deadline, f"{found} connections"
        time.sleep(0.02)


def test_a_thousand_organizations_on_one_pool_of_ten(pgrecall_dsn: str) -> None:
    before = threading.active_count()
    with (
        Memory(pgrecall_dsn, organization="first", embedder=None) as memory,
        ThreadPoolExecutor(20) as threads,
    ):
        memory.remember("I am first.")

        def told(number: int) -> list[str]:
            with memory.acting_as(organization=f"number {number}") as other:
                other.remember(f"I am {number}.")
                return [hit.content for hit in other.recall("am")]

        answers = list(threads.map(told, range(ORGANIZATIONS)))
        assert answers == [[f"I am {number}."] for number in range(ORGANIZATIONS)]
        assert connections(pgrecall_dsn) <= 10
        # The callers' own, and one that writes the counts.
        assert threading.active_count() <= before + 20 + 1
        assert [hit.content for hit in memory.recall("am")] == ["I am first."]
    wait_for_connections(pgrecall_dsn, 0)


def test_memories_of_their_own_share_it_too(pgrecall_dsn: str) -> None:
    before = threading.active_count()
    memories = [
        Memory(pgrecall_dsn, organization=f"number {number}", embedder=None) for number in range(30)
    ]
    for memory in memories:
        memory.recall("tea")
    assert connections(pgrecall_dsn) == 1
    assert threading.active_count() <= before + 1
    for memory in memories[1:]:
        memory.close()
        memory.close()
    memories[0].recall("tea")
    memories[0].close()
    wait_for_connections(pgrecall_dsn, 0)


def test_one_that_nobody_has_any_more_is_closed(pgrecall_dsn: str) -> None:
    settings = Settings(stats_interval=0)
    memory = Memory(pgrecall_dsn, embedder=None, settings=settings)
    memory.recall("tea")
    assert connections(pgrecall_dsn) == 1
    del memory
    gc.collect()
    wait_for_connections(pgrecall_dsn, 0)


def test_other_settings_are_another_pool(pgrecall_dsn: str) -> None:
    narrow = Settings(pool_max_size=1)
    with (
        Memory(pgrecall_dsn, embedder=None) as one,
        Memory(pgrecall_dsn, embedder=None, settings=narrow) as other,
    ):
        one.recall("tea")
        other.recall("tea")
        assert connections(pgrecall_dsn) == 2


def test_the_last_used_connection_is_given_first(pgrecall_dsn: str) -> None:
    with Memory(pgrecall_dsn, embedder=None) as memory:
        database, _ = memory.open()._store.open()
        with database.link.connection(), database.link.connection(), database.link.connection():
            pass
        with database.link.connection() as one, database.link.connection() as two:
            pass
        # `one` was given back last.
        with database.link.connection() as first, database.link.connection() as second:
            assert (first, second) == (one, two)


def test_acting_as_keeps_what_is_not_named(pgrecall_dsn: str) -> None:
    embedder = HashingEmbedder()
    with Memory(pgrecall_dsn, organization="acme", agent_id="a", embedder=embedder) as memory:
        memory.remember("Tea.")
        organization = memory._store.identity.organization_id
        add_member(pgrecall_dsn, organization, "maria", "member")
        claims = {"sub": "maria", "app_metadata": {"organization_id": str(organization)}}
        with memory.acting_as(agent_id="b") as other, memory.acting_as(claims=claims) as maria:
            other.remember("Rain.")
            assert {hit.content for hit in other.recall("rain")} >= {"Rain."}
            assert other.list().items[0].agent_id == "b"
            maria.remember("Sun.", user_id="maria")
            seen = maria.acting_as(agent_id="c")._store.identity
            assert (seen.person, seen.is_program, seen.agent_id) == ("maria", False, "c")
            own = maria.acting_as(claims=None)._store.identity
            assert (own.program, own.organization_id) == ("a", organization)
        with pytest.raises(ClosedError):
            other.recall("tea")
        with memory.acting_as(organization=UUID(int=7)) as elsewhere:
            assert len(elsewhere.recall("tea")) == 0
        assert len(memory.recall("tea")) >= 1
        with pytest.raises(InvalidInputError):
            memory.acting_as(organization="")


def test_acting_as_says_no_to_what_claims_contradict_and_when_closed(pgrecall_dsn: str) -> None:
    claims = {"sub": "maria", "app_metadata": {"organization_id": str(UUID(int=7))}}
    memory = Memory(pgrecall_dsn, claims=claims, embedder=None)
    with pytest.raises(InvalidInputError, match="claims"):
        memory.acting_as(organization="another")
    memory.acting_as(organization="another", claims=None).close()
    memory.close()
    with pytest.raises(ClosedError):
        memory.acting_as()


def test_what_is_closed_leaves_its_counts_to_the_others(pgrecall_dsn: str) -> None:
    settings = Settings(stats_interval=3600)
    with Memory(pgrecall_dsn, embedder=None, settings=settings) as memory:
        memory.recall("tea")
        for _ in range(3):
            with memory.acting_as() as other:
                other.recall("tea")
        assert memory.stats().total.recalls == 4
        with memory.acting_as() as other:
            other.recall("tea")
    with Memory(pgrecall_dsn, embedder=None, settings=settings) as memory:
        assert memory.stats().total.recalls == 5


async def test_asynchronous_ones_share_it_too(pgrecall_dsn: str) -> None:
    async with AsyncMemory(pgrecall_dsn, organization="first", embedder=None) as memory:
        await memory.recall("tea")

        async def told(number: int) -> list[str]:
            async with memory.acting_as(organization=f"number {number}") as other:
                await other.remember(f"I am {number}.")
                return [hit.content for hit in await other.recall("am")]

        answers = await asyncio.gather(*map(told, range(50)))
        assert answers == [[f"I am {number}."] for number in range(50)]
        assert await asyncio.to_thread(connections, pgrecall_dsn) <= 10
    await asyncio.to_thread(wait_for_connections, pgrecall_dsn, 0)


def test_each_event_loop_has_its_own(shared_dsn: str, organization: str) -> None:
    memory = AsyncMemory(shared_dsn, organization=organization, embedder=None)

    async def remember(text: str) -> int:
        await memory.remember(text)
        return len(await memory.recall("tea"))

    with asyncio.Runner() as one, asyncio.Runner() as other:
        assert one.run(remember("Tea.")) == 1
        assert other.run(remember("More tea.")) == 2
        assert one.run(remember("Much tea.")) == 3
        other.run(memory.close())
        with pytest.raises(ClosedError):
            one.run(remember("Too much tea."))


def test_loops_of_several_threads_at_once(shared_dsn: str, organization: str) -> None:
    memory = AsyncMemory(shared_dsn, organization=organization, embedder=None)

    async def recall() -> int:
        return len(await memory.recall("tea"))

    def run(_: int) -> list[int]:
        return [asyncio.run(recall()) for _ in range(5)]

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(run, range(4))) == [[0] * 5] * 4
    asyncio.run(memory.close())


def test_a_pool_serves_in_the_order_of_coming(pgrecall_dsn: str) -> None:
    settings = Settings(pool_max_size=1)
    with Memory(pgrecall_dsn, embedder=None, settings=settings) as memory:
        database, _ = memory._store.open()
        served: list[int] = []

        def use(number: int) -> None:
            with database.link.connection():
                served.append(number)

        def is_waiting(count: int) -> Callable[[], bool]:
            pool = database.link._pool
            assert pool is not None
            return lambda: pool.stats()["requests_waiting"] == count

        threads = []
        with database.link.connection():
            for number in range(5):
                threads.append(threading.Thread(target=use, args=(number,)))
                threads[-1].start()
                while not is_waiting(number + 1)():
                    time.sleep(0.001)
        for thread in threads:
            thread.join()
    assert served == [0, 1, 2, 3, 4]


def test_the_connections_of_another_login_are_another_pool(pgrecall_dsn: str) -> None:
    other_dsn = make_conninfo(pgrecall_dsn, application_name="other")
    with (
        Memory(pgrecall_dsn, embedder=None) as one,
        Memory(other_dsn, embedder=None) as other,
    ):
        one.recall("tea")
        other.recall("tea")
        assert connections(pgrecall_dsn) == 1
