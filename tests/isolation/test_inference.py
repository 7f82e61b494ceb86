"""What can't be inferred: no key collides and no error, count or plan tells of others."""

from __future__ import annotations

import json
import uuid
from typing import Any

import psycopg
import pytest

from tests.database.conftest import Client, World

Pair = tuple[Client, Client]


@pytest.fixture
def pair(world: World) -> Pair:
    """The same program of two organizations."""
    first, second = (world.program(world.organization(), "alpha") for _ in range(2))
    return first, second


def answers(client: Client, **item: Any) -> list[str]:
    rows = client.remember({"content": "The safe's code is 4711.", **item})
    return [row["status"] for row in rows]


@pytest.mark.parametrize(
    "item",
    [
        {"id": str(uuid.UUID(int=7))},
        {"idempotency_key": "k"},
        {"slot": "user:ann/diet"},
        {"context_key": "thread", "kind": "message"},
        {"user_id": "ann", "visibility": "private"},
        {"embedding": [1, 0, 0], "embedding_model": "m"},
    ],
    ids=lambda item: next(iter(item)),
)
def test_the_same_in_two_organizations_is_two(pair: Pair, item: dict[str, Any]) -> None:
    first, second = pair
    assert answers(first, **item) == ["added"]
    assert answers(second, **item) == ["added"]
    assert len(first.ids()) == len(second.ids()) == 1


def test_another_organizations_model_holds_nobody(pair: Pair) -> None:
    first, second = pair
    answers(first, embedding=[1, 0, 0], embedding_model="m")
    assert answers(second, embedding=[1, 0], embedding_model="n") == ["added"]
    assert len(second.recall("safe", query_embedding=[1, 0], embedding_model="n")) == 1


def test_scores_do_not_depend_on_other_organizations(pair: Pair) -> None:
    first, second = pair
    first.remember({"content": "The safe is green."}, {"content": "The door is open."})
    before = [row["score"] for row in first.recall("safe code")]
    second.remember(*({"content": f"A safe and its code {n}."} for n in range(200)))
    assert [row["score"] for row in first.recall("safe code")] == pytest.approx(before, abs=1e-4)


def test_what_a_function_raises_is_not_told_of_others(pair: Pair) -> None:
    """A function of one's own in the condition runs on one's own rows only, cheap as it may be."""
    first, second = pair
    answers(first)
    assert answers(second) == ["added"]
    told: list[str] = []
    second.connection.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
    second.connection.execute(
        "create schema own; grant usage on schema own to authenticated;"
        "create function own.peek(id uuid) returns boolean language plpgsql cost 0.0000001 as"
        " $$ begin raise notice 'peek %', id; return true; end $$"
    )
    second.rows("select 1 from ai_memories where own.peek(id)")
    assert told == [f"peek {it}" for it in second.ids()]
    with pytest.raises(psycopg.errors.DivisionByZero):
        first.rows("select 1 / (length(content) - length(content)) from ai_memories")
    world = World(second.connection)
    stranger = world.program(world.organization(), "alpha")
    assert stranger.rows("select 1 / (length(content) - length(content)) from ai_memories") == []


@pytest.mark.parametrize(
    "relation", ["pg_stats", "pg_stats_ext", "pg_statistic", "pg_stat_activity"]
)
def test_statistics_show_no_values(pair: Pair, relation: str) -> None:
    first, second = pair
    answers(first, user_id="a-person-of-the-first")
    second.connection.execute("analyze ai_memories")
    try:
        with second.connection.transaction(force_rollback=True):
            shown = json.dumps(second.rows(f"select * from {relation}"), default=str)
    except psycopg.errors.InsufficientPrivilege:
        return
    assert "a-person-of-the-first" not in shown


# Within an organization -----------------------------------------------------------------------


@pytest.fixture
def secret(world: World) -> tuple[Client, Client, Client]:
    """Ann, who tells her agent a secret, another member, and an admin who may not look."""
    organization = world.organization()
    ann = world.member(organization, "ann")
    return ann, world.member(organization, "bob"), world.member(organization, "adam", "admin")


Trio = tuple[Client, Client, Client]
PRIVATE = {"content": "The code is swordfish.", "agent_id": "default", "visibility": "private"}


@pytest.mark.parametrize("how", ["column", "recall"])
def test_words_of_private_messages_are_not_found_around_shared_ones(secret: Trio, how: str) -> None:
    ann, bob, _ = secret
    shared = {"kind": "message", "context_key": "t"}
    ann.remember(PRIVATE | shared)
    ann.remember({"content": "Thank you.", "visibility": "organization"} | shared)
    if how == "recall":
        assert [hit["lexical"] for hit in bob.recall("swordfish")] == [0]
    else:
        assert "swordfish" not in json.dumps(bob.rows("select * from ai_memories"), default=str)


def test_an_admin_can_not_try_guesses_at_private_memories(secret: Trio) -> None:
    ann, _, admin = secret
    ann.remember(PRIVATE)
    guesses = [{**PRIVATE, "user_id": "ann", "visibility": "organization", "content": content}
               for content in ("The code is swordfish.", "The code is tuna.")]  # fmt: skip
    assert len({row["status"] for row in admin.remember(*guesses)}) == 1


def test_an_admin_can_not_end_a_private_memory_by_its_slot(secret: Trio) -> None:
    ann, _, admin = secret
    ann.remember(PRIVATE | {"slot": "code"})
    item = {"content": "None.", "agent_id": "default", "user_id": "ann", "slot": "code"}
    admin.remember(item | {"visibility": "organization"})
    assert "The code is swordfish." in [hit["content"] for hit in ann.recall("code")]


def test_an_admin_can_not_look_through_a_key_of_the_agent(secret: Trio) -> None:
    ann, _, admin = secret
    ann.remember(PRIVATE)
    with pytest.raises(psycopg.Error) as failure:
        admin.rows("select create_memory_key('mine', 'default')")
    assert failure.value.sqlstate == "PM002"


def test_sharing_a_memory_does_not_share_its_earlier_words(secret: Trio) -> None:
    ann, bob, _ = secret
    [told] = ann.remember(PRIVATE)
    change = "select update_memory(%s, %s)"
    ann.rows(change, told["id"], json.dumps({"content": "The code has changed."}))
    ann.rows(change, told["id"], json.dumps({"visibility": "organization"}))
    seen = bob.rows("select * from memory_history(%s)", told["id"])
    assert "swordfish" not in json.dumps(seen, default=str)


def test_a_conversation_is_as_visible_as_the_least_visible_of_its_first(secret: Trio) -> None:
    ann, _, _ = secret
    items = [{"content": v, "visibility": v, "context_key": "t"} for v in ("agent", "organization")]
    ann.remember(*items)
    assert ann.rows("select visibility from ai_memory_contexts") == [{"visibility": "agent"}]
