"""No value of any field or parameter makes PostgreSQL's own errors reach a caller."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import psycopg
import pytest

from tests.database.conftest import Client, World

# What begins with @ is a number that Python can't hold.
VALUES: list[Any] = [
    None, True, 0, -1, 1e308, 10**400, -(10**400), "@1e-400", "@1e400", "@9223372036854775808",
    "", " ", "x" * 70_000, "\ud7ff\ue000", "infinity", "-infinity", "NaN", "epoch", "now",
    "0000-00-00", "10000-01-01", "2026-02-30", "2026-13-01T99:99:99", "2026-01-01T00:00:00+99:99",
    "2026-01-01T00:00:00 Nowhere/City", "2026-01-01 allballs", "2026-01-01 2026-01-02", "[1e999]",
    "[]", [], [1], [None], [[1]], ["x"], {}, {"a": "@1e400"}, {"": ""},
    json.loads("[" * 60 + "]" * 60), [1e308] * 3, [0.1] * 16_001, [10**400], ["@1e-400"],
    "00000000-0000-0000-0000-000000000000", "%s%n", "\\u0000",
]  # fmt: skip
FIELDS = (
    "content", "id", "agent_id", "user_id", "context_key", "kind", "speaker", "language", "slot",
    "trust", "visibility", "metadata", "importance", "confidence", "occurred_at", "valid_from",
    "valid_to", "expires_at", "idempotency_key", "embedding", "embedding_model", "created_at",
    "forgotten_at", "position", "role", "name",
)  # fmt: skip
WRITERS = ("remember_memories", "append_memories", "import_memories")
SETTINGS = ("weights", "half_life", "limit", "token_budget", "language", "visibility", "retention")
SCOPE = ("ids", "user_id", "agent_id", "context_key")


def written(value: object) -> str:
    return re.sub(r'"@([-0-9.e]+)"', r"\1", json.dumps(value))


@pytest.fixture
def client(world: World) -> Client:
    return world.program(world.organization())


def ask(client: Client, sql: str, *parameters: object) -> None:
    try:
        client.rows(sql, *parameters)
    except psycopg.Error as error:
        assert str(error.sqlstate).startswith("PM"), (error, sql, str(parameters)[:200])


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_bears_every_value(client: Client, field: str) -> None:
    [base] = client.remember({"content": "Base."})
    bases: list[dict[str, Any]] = [
        {"kind": "message", "context_key": "talk"},
        {"slot": "s"},
        {"embedding": [1, 2], "embedding_model": "m"},
    ]
    for place, value in enumerate(VALUES):
        items = [{"content": f"Text {place}.", **each, field: value} for each in bases]
        for writer in WRITERS:
            ask(client, f"select {writer}(%s::jsonb)", written(items))
        ask(client, "select update_memory(%s, %s::jsonb)", base["id"], written({field: value}))


@pytest.mark.parametrize("role", ["agent", "owner"])
def test_every_document_bears_every_value(world: World, role: str) -> None:
    organization = world.organization()
    program = world.program(organization)
    [base] = program.remember({"content": "Base."})
    client = program if role == "agent" else world.member(organization, "olga", "owner")
    for value in VALUES:
        for setting in SETTINGS:
            ask(client, "select configure_memory('default', %s::jsonb)", written({setting: value}))
        for part in ("max_age", "max_count", "expired", "action"):
            changes = {"retention": {part: value}}
            ask(client, "select configure_memory('default', %s::jsonb)", written(changes))
        for name in SCOPE:
            for function in ("forget_memories", "restore_memories", "erase_memories"):
                ask(client, f"select {function}(%s::jsonb, true)", written({name: value}))
        for function in (*WRITERS, "forget_memories", "erase_memories", "add_memory_stats"):
            ask(client, f"select {function}(%s::jsonb)", written(value))
        ask(client, "select update_memory(%s, %s::jsonb)", base["id"], written(value))
        ask(client, "select recall_memories('x', metadata => %s::jsonb)", written(value))
        vector = [{"id": str(base["id"]), "digest": "x", "embedding": value}]
        ask(client, "select store_memory_embeddings('m', %s::jsonb, 'default')", written(vector))


@pytest.mark.parametrize("vector", ["{NaN}", "{Infinity}", "{}", "{NULL}", "{{1,2},{3,4}}"])
def test_a_question_s_vector_may_be_anything(world: World, client: Client, vector: str) -> None:
    if world.has_vector:
        item = {"content": "Base.", "embedding": [1, 2], "embedding_model": "m"}
        client.remember(item)
    ask(
        client,
        "select recall_memories('x', query_embedding => %s::real[], embedding_model => 'm')",
        vector,
    )


def test_any_number_of_languages(client: Client) -> None:
    codes = [
        client.remember({"content": f"Text {number}.", "language": f"tongue {number}"})[0]["code"]
        for number in range(120)
    ]
    assert set(codes) == {"added"}
    assert len(client.recall("text", match_limit=200)) == 120


def test_any_key_and_member(world: World) -> None:
    owner = world.member(world.organization(), "olga", "owner")
    for value in ["", " ", "x" * 70_000, "%s", "\\", "infinity", str(uuid.uuid4()), None]:
        for call in (
            "create_memory_key(%s, 'a')", "create_memory_key('k', %s)",
            "create_memory_key('k', 'a', array[%s])", "set_memory_member(%s, 'member')",
            "set_memory_member('u', %s)", "authenticate_memory_key(%s)",
            "add_memory_model(%s, 4)", "drop_memory_model(%s)", "memory_config(%s)",
        ):  # fmt: skip
            ask(owner, f"select {call}", value)
    for at in ("infinity", "-infinity", "4713-01-01 BC"):
        ask(owner, "select create_memory_key('k', 'a', null, %s)", at)
