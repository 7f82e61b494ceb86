"""Erasing beside writers: nothing is lost, nothing is left half, no word comes back."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.database.conftest import Client, Rows, World
from tests.database.scan import places_of
from tests.database.test_erasure import erase, message

CANARY = "zanthorpling"
PAIRS = """
select count(*) as n from ai_memories as m
where context_id is not null and not exists (select from ai_memory_contexts as c
  where c.organization_id = m.organization_id and c.id = m.context_id)
"""


@contextmanager
def another(dsn: str, claims: dict[str, Any]) -> Iterator[Client]:
    with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
        yield Client(connection, claims)


def is_waiting(world: World, pid: int) -> bool:
    rows = world.connection.execute(
        "select wait_event_type = 'Lock' as it from pg_stat_activity where pid = %s", (pid,)
    ).fetchall()
    return bool(rows and rows[0]["it"])


def beside(world: World, dsn: str, client: Client, held: str, then: Callable[[Client], Any]) -> Any:
    """What `then` gives, begun while a transaction of the client that ran `held` is open.

    The transaction ends once `then` waits for it.
    """
    with another(dsn, client.claims) as first, another(dsn, client.claims) as second:
        pid = second.connection.info.backend_pid
        with ThreadPoolExecutor(1) as pool:
            with first.connection.transaction():
                first.rows(held)
                waiting: Future[Any] = pool.submit(then, second)
                while not is_waiting(world, pid) and not waiting.done():
                    time.sleep(0.01)
            return waiting.result(timeout=30)


def erasing(**scope: Any) -> str:
    return f"select erase_memories('{json.dumps(scope)}')"


def remembering(*items: dict[str, Any]) -> str:
    return f"select remember_memories('{json.dumps(items)}')"


def importing(*items: dict[str, Any]) -> str:
    return f"select status from import_memories('{json.dumps(items)}')"


def windows(world: World) -> Rows:
    return world.connection.execute(
        "select content from ai_memories where search_vector @@ to_tsquery(%s)", (CANARY,)
    ).fetchall()


def test_a_writer_to_a_conversation_that_is_erased_waits_and_starts_another(
    world: World, pgrecall_dsn: str
) -> None:
    alpha = world.program(world.organization(), "alpha")
    alpha.remember(message(f"{CANARY}!"), message("Second."))
    later = beside(
        world, pgrecall_dsn, alpha, erasing(context_key="thread"),
        lambda client: client.remember(message("Third.")),
    )  # fmt: skip
    assert [row["status"] for row in later] == ["added"]
    rows = alpha.rows("select content, context_id from ai_memories")
    assert [row["content"] for row in rows] == ["Third."]
    assert rows[0]["context_id"] is not None
    assert places_of(world, ("zanthorpl",)) == []


def test_a_writer_beside_an_erased_message_does_not_index_its_words(
    world: World, pgrecall_dsn: str
) -> None:
    alpha = world.program(world.organization(), "alpha")
    [told, *_] = alpha.remember(message(f"{CANARY}!"), message("Second."))
    beside(
        world, pgrecall_dsn, alpha, erasing(ids=[str(told["id"])]),
        lambda client: client.remember(message("Third.")),
    )  # fmt: skip
    assert windows(world) == []


def test_a_change_beside_an_erased_message_does_not_index_its_words(
    world: World, pgrecall_dsn: str
) -> None:
    alpha = world.program(world.organization(), "alpha")
    [told, second, *_] = alpha.remember(*map(message, (f"{CANARY}!", "Second.", "Third.")))
    change = 'select update_memory(%s, \'{"content": "Changed."}\')'
    beside(
        world, pgrecall_dsn, alpha, erasing(ids=[str(told["id"])]),
        lambda client: client.rows(change, second["id"]),
    )  # fmt: skip
    assert windows(world) == []
    assert {row["content"] for row in alpha.rows("select content from ai_memories")} == {
        "Changed.", "Third.",
    }  # fmt: skip


def test_an_erasure_waits_for_what_is_being_said_and_erases_it(
    world: World, pgrecall_dsn: str
) -> None:
    alpha = world.program(world.organization(), "alpha")
    alpha.remember(message("First."))
    answer = beside(
        world, pgrecall_dsn, alpha, remembering(message(f"{CANARY}!")),
        lambda client: erase(client, context_key="thread"),
    )  # fmt: skip
    assert answer["memories"] == 2
    assert places_of(world, ("zanthorpl",)) == []


OLD = {"content": f"{CANARY}!", "user_id": "maria", "created_at": "2024-05-01T10:00:00Z"}


def test_an_import_beside_an_erasure_waits_and_honours_it(world: World, pgrecall_dsn: str) -> None:
    alpha = world.program(world.organization(), "alpha")
    [answer] = beside(
        world, pgrecall_dsn, alpha, erasing(user_id="maria"),
        lambda client: client.rows(importing(OLD)),
    )  # fmt: skip
    assert answer["status"] == "erased"
    assert places_of(world, ("zanthorpl",)) == []


def test_an_erasure_waits_for_an_import_and_erases_what_it_brings(
    world: World, pgrecall_dsn: str
) -> None:
    alpha = world.program(world.organization(), "alpha")
    answer = beside(
        world, pgrecall_dsn, alpha, importing(OLD), lambda client: erase(client, user_id="maria")
    )
    assert answer["memories"] == 1
    assert places_of(world, ("zanthorpl",)) == []


def test_imports_do_not_wait_for_each_other_nor_for_other_organizations(
    world: World, pgrecall_dsn: str
) -> None:
    alpha = world.program(world.organization(), "alpha")
    more = {**OLD, "content": "Another."}
    [answer] = beside(
        world, pgrecall_dsn, alpha, importing(OLD), lambda client: client.rows(importing(more))
    )
    assert answer["status"] == "added"
    elsewhere = world.program(world.organization(), "alpha")
    with another(pgrecall_dsn, alpha.claims) as first, first.connection.transaction():
        first.rows(erasing(user_id="maria"))
        [answer] = elsewhere.rows(importing(OLD))
        assert answer["status"] == "added"


def test_a_client_that_takes_advisory_locks_keeps_no_erasure_waiting(
    world: World, pgrecall_dsn: str
) -> None:
    organization = world.organization()
    alpha = world.program(organization, "alpha")
    with another(pgrecall_dsn, alpha.claims) as client, client.connection.transaction():
        client.rows(
            "select pg_advisory_xact_lock(hashtext('pgrecall erasures'), hashtext(%s))",
            str(organization),
        )
        with world.connection.transaction():
            world.connection.execute("set local lock_timeout = '5s'")
            assert [row["status"] for row in alpha.rows(importing(OLD))] == ["added"]
            assert erase(alpha, user_id="maria")["memories"] == 1


def test_a_vector_that_comes_for_an_erased_memory_is_turned_away(
    world: World, pgrecall_dsn: str
) -> None:
    if not world.has_vector:
        return
    alpha = world.program(world.organization(), "alpha")
    [told] = alpha.remember({"content": "A.", "embedding": [1, 0], "embedding_model": "m"})
    alpha.rows("select add_memory_model('next', 2, 'alpha')")
    [missing] = alpha.rows("select id, digest from missing_memory_embeddings('next')")
    item = {"id": str(missing["id"]), "digest": missing["digest"], "embedding": [0, 1]}
    store = "select * from store_memory_embeddings('next', %s)"
    [answer] = beside(
        world, pgrecall_dsn, alpha, erasing(ids=[str(told["id"])]),
        lambda client: client.rows(store, json.dumps([item])),
    )  # fmt: skip
    assert answer["status"] == "skipped"


def test_many_writers_and_erasures_at_once(world: World, pgrecall_dsn: str) -> None:
    """Everything that was answered as added is there or counted as erased; nothing dangles."""
    alpha = world.program(world.organization(), "alpha")
    added: list[str] = []
    erased = [0]
    failures: list[str] = []
    stop = threading.Event()

    def write(number: int) -> None:
        turn = random.Random(number)
        with another(pgrecall_dsn, alpha.claims) as client:
            for place in range(40):
                user = f"user{turn.randrange(2)}"
                item = message(f"{CANARY} {number} {place}", f"c{turn.randrange(3)}", user_id=user)
                slot = {"content": f"Value {number} {place}.", "slot": "s", "user_id": user}
                added.extend(str(row["id"]) for row in retried(client.remember, item, slot)
                             if row["status"] != "rejected")  # fmt: skip

    def sweep() -> None:
        turn = random.Random(7)
        with another(pgrecall_dsn, alpha.claims) as client:
            while not stop.is_set():
                scope = turn.choice(({"user_id": "user0"}, {"context_key": "c1"}))
                erased[0] += retried(erase, client, **scope)["memories"]

    def retried(do: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        while True:
            try:
                return do(*arguments, **named)
            except psycopg.errors.DeadlockDetected:
                continue
            except psycopg.Error as error:
                failures.append(f"{error.sqlstate} {error}")
                raise

    with ThreadPoolExecutor(4) as pool:
        sweeping = pool.submit(sweep)
        writing = [pool.submit(write, number) for number in range(3)]
        for each in writing:
            each.result()
        stop.set()
        sweeping.result()
    assert failures == []
    [left] = world.connection.execute("select count(*) as n from ai_memories").fetchall()
    assert left["n"] + erased[0] == len(added) == len(set(added))
    assert world.connection.execute(PAIRS).fetchall() == [{"n": 0}]
    for _ in range(3):
        erase(alpha, agent_id="alpha")
    assert places_of(world, ("zanthorpl", "user0", "user1")) == []
