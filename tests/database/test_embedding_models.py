"""Another embedding model beside the current one, as any client of the functions sees it."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.database.conftest import Client, Rows, World

VECTOR = [1.0, 0.0, 0.0, 0.5]


@pytest.fixture(autouse=True)
def _of_vectors(world: World) -> None:
    if not world.has_vector:
        pytest.skip("this server has no pgvector")


@pytest.fixture
def organization(world: World) -> uuid.UUID:
    return world.organization()


@pytest.fixture
def alpha(world: World, organization: uuid.UUID) -> Client:
    return world.program(organization, "alpha")


def told(client: Client, content: str, model: str = "old", **item: Any) -> uuid.UUID:
    [row] = client.remember(
        {"content": content, "embedding": VECTOR, "embedding_model": model, **item}
    )
    return uuid.UUID(str(row["id"]))


def add(client: Client, model: str = "new", agent: str | None = None) -> dict[str, Any]:
    [row] = client.rows("select add_memory_model(%s, 4, %s) as it", model, agent)
    return dict(row["it"])


def missing(client: Client, model: str = "new", agent: str | None = None) -> Rows:
    return client.rows("select * from missing_memory_embeddings(%s, %s)", model, agent)


def store(client: Client, items: Rows, model: str = "new", agent: str | None = None) -> Rows:
    given = json.dumps([{"embedding": VECTOR, **item} for item in items], default=str)
    return client.rows(
        "select * from store_memory_embeddings(%s, %s::jsonb, %s)", model, given, agent
    )


def switch(client: Client, model: str = "new", allowed: int = 0) -> dict[str, Any]:
    [row] = client.rows("select switch_memory_model(%s, null, %s) as it", model, allowed)
    return dict(row["it"])


def drop(client: Client, model: str, limit: int = 10000) -> dict[str, Any]:
    [row] = client.rows("select drop_memory_model(%s, null, %s) as it", model, limit)
    return dict(row["it"])


def stored(world: World, model: str) -> int:
    [row] = world.connection.execute(
        "select count(*) as it from agent_memory.embeddings where model = %s", (model,)
    ).fetchall()
    return int(row["it"])


def sqlstate_of(failure: pytest.ExceptionInfo[psycopg.Error]) -> str | None:
    return failure.value.sqlstate


def test_every_vector_is_answered_for(alpha: Client) -> None:
    for content in ("One.", "Two.", "Three.", "Four."):
        told(alpha, content)
    add(alpha)
    one, two, three, four = missing(alpha)
    store(alpha, [two])
    alpha.rows('select update_memory(%s, \'{"content": "Other."}\')', three["id"])
    nobody = {"id": str(uuid.uuid4()), "digest": one["digest"]}
    given = [one, one, two, three, nobody, {"id": "x"}, {**four, "embedding": [0, 0, 0, 0]}]
    answers = store(alpha, given)
    assert [row["ordinal"] for row in answers] == [1, 2, 3, 4, 5, 6, 7]
    assert [row["status"] for row in answers] == [
        "stored", "skipped", "skipped", "skipped", "skipped", "skipped", "rejected",
    ]  # fmt: skip
    assert [row["reason"] and row["reason"].split()[1] for row in answers] == [
        None, "has", "has", "text", "such", "such", "must",
    ]  # fmt: skip
    assert {row["text"] for row in missing(alpha)} == {"Other.", "Four."}


def test_pages_follow_one_another(alpha: Client) -> None:
    ids = [told(alpha, f"Note {n}.") for n in range(5)]
    page = "select id from missing_memory_embeddings('new', null, %s, 2)"
    found: list[uuid.UUID] = []
    while rows := alpha.rows(page, found[-1] if found else None):
        found += [row["id"] for row in rows]
    assert found == sorted(ids)


def test_vectors_of_another_dimension_or_of_no_model_of_the_agent_are_refused(
    alpha: Client,
) -> None:
    told(alpha, "One.")
    for model, vector in (("new", [1, 0]), ("unknown", VECTOR)):
        add(alpha)
        with pytest.raises(psycopg.Error) as failure:
            store(alpha, [{**row, "embedding": vector} for row in missing(alpha)], model)
        assert sqlstate_of(failure) == "PM005"
    with pytest.raises(psycopg.Error) as failure:
        alpha.rows("select add_memory_model('new', 5)")
    assert sqlstate_of(failure) == "PM005"


def test_an_admin_is_handed_what_it_may_read_and_sees_counts_of_all(
    world: World, organization: uuid.UUID, alpha: Client
) -> None:
    told(alpha, "Private.", user_id="ann", visibility="private")
    told(alpha, "Shared.")
    admin = world.member(organization, "adam", "admin")
    assert add(admin, agent="alpha") == {
        "agent_id": "alpha", "model": "new", "is_current": False, "memories": 2, "missing": 2,
    }  # fmt: skip
    [shared] = missing(admin, agent="alpha")
    assert shared["text"] == "Shared."
    [private] = [row for row in missing(alpha) if row["text"] == "Private."]
    answers = store(admin, [shared, private], agent="alpha")
    assert [row["status"] for row in answers] == ["stored", "skipped"]
    states = admin.rows("select model, state, vectors, missing from memory_models()")
    assert [tuple(row.values()) for row in states] == [
        ("old", "current", 2, 0),
        ("new", "next", 1, 1),
    ]
    with pytest.raises(psycopg.Error) as failure:
        admin.rows("select switch_memory_model('new', 'alpha')")
    assert sqlstate_of(failure) == "PM007"


def test_agents_move_each_by_itself(world: World, organization: uuid.UUID, alpha: Client) -> None:
    beta = world.program(organization, "beta")
    told(alpha, "Alpha's.", visibility="organization")
    told(beta, "Beta's.", visibility="organization")
    add(alpha)
    store(alpha, missing(alpha))
    switch(alpha)
    assert drop(alpha, "old")["vectors"] == 1
    assert [row["semantic"] is None for row in recalled(beta, "old", "beta")] == [False]
    assert [row["semantic"] is None for row in recalled(beta, "old", "alpha")] == [True]
    assert [row["semantic"] is None for row in recalled(alpha, "new", "alpha")] == [False]


def recalled(client: Client, model: str, agent: str) -> Rows:
    return client.recall("note", query_embedding=VECTOR, embedding_model=model, agent_id=agent)


def test_dropping_goes_by_parts_and_takes_no_more_vectors_from_the_first(
    world: World, alpha: Client
) -> None:
    for n in range(5):
        told(alpha, f"Note {n}.")
    add(alpha)
    store(alpha, missing(alpha))
    switch(alpha)
    assert [drop(alpha, "old", 2)["is_done"] for _ in range(2)] == [False, False]
    with pytest.raises(psycopg.Error) as failure:
        told(alpha, "Too late.")
    assert sqlstate_of(failure) == "PM005"
    [left] = alpha.rows("select vectors, missing from memory_models() where state = 'dropped'")
    assert left == {"vectors": 1, "missing": 4}
    assert drop(alpha, "old", 2) == {
        "agent_id": "alpha", "model": "old", "vectors": 1, "is_done": True,
    }  # fmt: skip
    assert stored(world, "old") == 0


def test_a_model_that_others_have_with_another_dimension_is_refused(
    world: World, organization: uuid.UUID, alpha: Client
) -> None:
    told(alpha, "One.")
    beta = world.program(organization, "beta")
    beta.remember({"content": "Two.", "embedding": [1, 0], "embedding_model": "two"})
    with pytest.raises(psycopg.Error) as failure:
        add(alpha, "two")
    assert sqlstate_of(failure) == "PM005"


# Two transactions -----------------------------------------------------------------------------


REMEMBER = "select remember_memories(jsonb_build_array(%(item)s::jsonb))"
UPDATE = "select update_memory(id, %(item)s::jsonb) from ai_memories"


@contextmanager
def writing(
    dsn: str, client: Client, model: str, call: str = REMEMBER
) -> Iterator[psycopg.Connection[Any]]:
    """A transaction that has stored a vector of a model, and goes on."""
    item = {"content": "Meanwhile.", "embedding": VECTOR, "embedding_model": model}
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        connection.execute(
            "select set_config('role', 'authenticated', true),"
            " set_config('request.jwt.claims', %s, true)",
            (json.dumps(client.claims),),
        )
        connection.execute(call.encode(), {"item": json.dumps(item)})
        yield connection


def beside(dsn: str, ask: Any) -> tuple[threading.Thread, list[Any]]:
    """What `ask` answers or raises, asked on a connection of its own that has to wait."""
    heard: list[Any] = []

    def run() -> None:
        with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
            try:
                heard.append(ask(connection))
            except psycopg.Error as error:
                heard.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.3)
    assert heard == []
    return thread, heard


def test_a_switch_counts_what_is_being_written(pgrecall_dsn: str, alpha: Client) -> None:
    told(alpha, "One.")
    add(alpha)
    store(alpha, missing(alpha))
    with writing(pgrecall_dsn, alpha, "old") as writer:
        thread, heard = beside(pgrecall_dsn, lambda c: switch(Client(c, alpha.claims)))
        writer.commit()
        thread.join()
    [error] = heard
    assert error.sqlstate == "PM007"
    assert "1 of 2 memories" in str(error)


@pytest.mark.parametrize("call", [REMEMBER, UPDATE], ids=["remember", "update"])
def test_no_vector_of_a_model_comes_after_its_end(
    world: World, pgrecall_dsn: str, alpha: Client, call: str
) -> None:
    told(alpha, "One.")
    add(alpha)
    with writing(pgrecall_dsn, alpha, "new", call) as writer:
        thread, heard = beside(pgrecall_dsn, lambda c: drop(Client(c, alpha.claims), "new"))
        writer.commit()
        thread.join()
    assert [answer["vectors"] for answer in heard] == [1]
    assert stored(world, "new") == 0


def test_recall_waits_for_no_switch(world: World, pgrecall_dsn: str, alpha: Client) -> None:
    told(alpha, "One.")
    with psycopg.connect(pgrecall_dsn) as switching:
        switching.execute("select from agent_memory.organizations for update")
        assert len(alpha.recall("one", query_embedding=VECTOR, embedding_model="old")) == 1
