"""Of items that tell one id, or one idempotency key, in one call the first is written."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.database.conftest import Client, World

ONE = str(uuid.UUID(int=1))
NAMES = pytest.mark.parametrize("name", [{"id": ONE}, {"idempotency_key": "k"}], ids=["id", "key"])


@pytest.fixture
def client(world: World) -> Client:
    return world.program(world.organization())


def codes(rows: list[dict[str, Any]]) -> list[str]:
    return [row["code"] for row in rows]


def imported(client: Client, *items: dict[str, Any], dry_run: bool = False) -> list[dict[str, Any]]:
    return client.rows("select * from import_memories(%s, %s)", json.dumps(items), dry_run)


def contents(client: Client) -> list[str]:
    rows = client.rows("select content from ai_memories order by content")
    return [row["content"] for row in rows]


@NAMES
def test_another_text_is_rejected(client: Client, name: dict[str, str]) -> None:
    rows = client.remember({"content": "Tea.", **name}, {"content": "Rain.", **name})
    assert codes(rows) == ["added", "id_taken" if "id" in name else "key_taken"]
    assert rows[1]["id"] is None
    assert contents(client) == ["Tea."]


@NAMES
def test_the_same_text_is_a_duplicate(client: Client, name: dict[str, str]) -> None:
    rows = client.remember(*[{"content": "Tea.", **name}] * 3)
    known = "known_id" if "id" in name else "known_key"
    assert codes(rows) == ["added", known, known]
    assert len({row["id"] for row in rows}) == 1


@NAMES
def test_a_slot_keeps_its_first_value(client: Client, name: dict[str, str]) -> None:
    rows = client.remember(
        {"content": "Tea.", "slot": "drink", **name},
        {"content": "Rum.", "slot": "drink", **name},
        {"content": "Milk.", "slot": "drink"},
    )
    assert codes(rows) == ["added", "id_taken" if "id" in name else "key_taken", "superseded"]
    assert contents(client) == ["Milk.", "Tea."]


def test_the_next_one_is_written_where_the_first_is_a_duplicate(client: Client) -> None:
    client.remember({"content": "Tea."})
    rows = client.remember({"content": "Tea.", "id": ONE}, {"content": "Rain.", "id": ONE})
    assert codes(rows) == ["same_text", "added"]
    assert contents(client) == ["Rain.", "Tea."]


def test_the_vector_is_of_the_text(client: Client, world: World) -> None:
    if not world.has_vector:
        pytest.skip("this server has no pgvector")
    tea = {"content": "Tea.", "id": ONE, "embedding": [1, 0], "embedding_model": "m"}
    rain = {"content": "Rain.", "id": ONE, "embedding": [0, 1], "embedding_model": "m"}
    assert codes(client.remember(tea, rain)) == ["added", "id_taken"]
    world.connection.execute("reset role")
    rows = world.connection.execute("select embedding::text as it from agent_memory.embeddings")
    assert [row["it"] for row in rows] == ["[1,0]"]


@NAMES
def test_a_text_that_was_refused_is_written_for_the_next_one(
    client: Client, name: dict[str, str]
) -> None:
    items = [{"content": "Tea.", **name}, {"content": "Rain.", **name}, {"content": "Rain."}]
    foretold = imported(client, *items, dry_run=True)
    assert codes(imported(client, *items)) == ["added", "imported_before", "added"]
    assert [row["status"] for row in foretold] == ["added", "duplicate", "added"]
    assert contents(client) == ["Rain.", "Tea."]


@pytest.mark.parametrize("by_import", [False, True])
def test_the_text_of_one_that_waits_for_an_id_comes_first(client: Client, by_import: bool) -> None:
    client.remember({"content": "Tea."})
    items = [
        {"content": "Tea.", "id": ONE},
        {"content": "Rain.", "id": ONE},
        {"content": "Rain.", "importance": 0.9},
    ]
    rows = imported(client, *items) if by_import else client.remember(*items)
    assert codes(rows) == ["same_text", "added", "same_text"]
    assert [str(row["id"]) for row in rows[1:]] == [ONE, ONE]


@NAMES
@pytest.mark.parametrize("forgotten", [(), (0,), (1,), (0, 1)], ids=str)
def test_an_import_counts_it_once(
    client: Client, name: dict[str, str], forgotten: tuple[int, ...]
) -> None:
    items = [{"content": text, **name} for text in ("Tea.", "Rain.")]
    for place in forgotten:
        items[place]["forgotten_at"] = "2026-03-01T12:00:00Z"
    foretold = [row["status"] for row in imported(client, *items, dry_run=True)]
    rows = imported(client, *items)
    assert sorted(row["status"] for row in rows) == ["added", "duplicate"] == sorted(foretold)
    assert len({row["id"] for row in rows} - {None}) == 1
    assert len(contents(client)) == 1


def test_many_of_one_id(client: Client) -> None:
    rows = client.remember(*[{"content": f"Tea {n}.", "id": ONE} for n in range(2000)])
    assert codes(rows) == ["added", *["id_taken"] * 1999]
