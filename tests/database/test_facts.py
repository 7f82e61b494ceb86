"""A text is a duplicate of the same one that can be recalled now, and of no other."""

from __future__ import annotations

import json
import threading
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.database.conftest import Client, World

NOON = "2026-03-01T12:00:00Z"


@pytest.fixture
def client(world: World) -> Client:
    return world.program(world.organization())


def code(client: Client, content: str = "Anna likes tea.", **fields: Any) -> str:
    [row] = client.remember({"content": content, **fields})
    return str(row["code"])


def recalled(client: Client, query: str = "tea") -> list[str]:
    return [row["content"] for row in client.recall(query)]


def test_the_same_text_is_a_duplicate_whatever_its_kind(client: Client) -> None:
    assert code(client) == "added"
    for kind in ("fact", "preference", "procedure", "summary", "note"):
        assert code(client, " anna  LIKES tea.", kind=kind) == "same_text"


@pytest.mark.parametrize(
    "fields", [{"user_id": "maria"}, {"context_key": "talk"}, {"visibility": "organization"}]
)
def test_in_another_scope_it_is_another_memory(client: Client, fields: dict[str, str]) -> None:
    assert code(client) == "added"
    assert code(client, **fields) == "added"
    assert code(client, **fields) == "same_text"


def test_told_again_after_it_expired_it_is_remembered_again(client: Client) -> None:
    assert code(client, expires_at="2026-01-01") == "added"
    assert recalled(client) == []
    assert code(client) == "added"
    assert recalled(client) == ["Anna likes tea."]
    assert code(client) == "same_text"


def test_told_again_after_it_ended_it_is_remembered_again(client: Client) -> None:
    assert code(client, valid_from="2020-01-01", valid_to="2021-01-01") == "added"
    assert code(client) == "added"
    assert code(client) == "same_text"
    assert len(client.ids()) == 2


def test_told_again_after_it_was_forgotten_it_is_remembered_again(client: Client) -> None:
    [row] = client.remember({"content": "Anna likes tea."})
    client.rows("select forget_memories(%s::jsonb)", json.dumps({"ids": [str(row["id"])]}))
    assert code(client) == "added"
    assert code(client) == "same_text"


def test_what_is_valid_later_only_is_no_reason_to_forget_what_is_true_now(client: Client) -> None:
    assert code(client, valid_from="2999-01-01") == "added"
    # Sent again, as it was.
    assert code(client, valid_from="2999-01-01") == "same_text"
    assert code(client) == "added"
    assert recalled(client) == ["Anna likes tea."]


def test_an_event_on_another_day_is_another_event(client: Client) -> None:
    event = {"content": "Team lunch.", "kind": "event"}
    assert code(client, **event, occurred_at=NOON) == "added"
    assert code(client, **event, occurred_at=NOON) == "same_text"
    assert code(client, **event, occurred_at="2026-03-02T12:00:00Z") == "added"
    assert len(recalled(client, "lunch")) == 2


def test_a_message_outside_any_conversation_is_no_duplicate_because_of_its_text(
    client: Client,
) -> None:
    message = {"content": "Yes.", "kind": "message"}
    assert code(client, **message) == "added"
    assert code(client, **message) == "added"
    assert [row["code"] for row in client.remember(message, message)] == ["added", "added"]
    assert code(client, **message, occurred_at=NOON) == "added"
    assert code(client, **message, occurred_at=NOON) == "same_text"
    assert code(client, **message, occurred_at=NOON, trust="assistant") == "added"


def test_the_first_of_several_in_a_call_is_stored(client: Client) -> None:
    rows = client.remember(*[{"content": "Anna likes tea."}] * 3)
    assert [row["code"] for row in rows] == ["added", "same_text", "same_text"]
    assert len({row["id"] for row in rows}) == 1


def test_many_writers_after_its_end_store_it_once(pgrecall_dsn: str, world: World) -> None:
    claims = world.program(world.organization()).claims
    texts = [f"Text {number}." for number in range(20)]
    old = Client(world.connection, claims)
    old.remember(*({"content": text, "expires_at": "2026-01-01"} for text in texts))
    codes: list[str] = []

    def write(order: int) -> None:
        with psycopg.connect(pgrecall_dsn, autocommit=True, row_factory=dict_row) as own:
            rows = Client(own, claims).remember(*({"content": text} for text in texts[::order]))
            codes.extend(row["code"] for row in rows)

    threads = [threading.Thread(target=write, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["added"] * 20 + ["same_text"] * 60


def test_an_import_finds_what_can_be_recalled_alone(client: Client) -> None:
    item = {"content": "Anna likes tea."}
    code(client, expires_at="2026-01-01")
    for dry_run in (True, False):
        [row] = client.rows(
            "select * from import_memories(%s::jsonb, %s)", json.dumps([item]), dry_run
        )
        assert row["code"] == "added"
    [row] = client.rows("select * from import_memories(%s::jsonb)", json.dumps([item]))
    assert row["code"] == "same_text"


def test_a_key_that_was_given_before_answers_for_an_ended_memory(client: Client) -> None:
    assert code(client, expires_at="2026-01-01", idempotency_key="k") == "added"
    assert code(client, idempotency_key="k") == "known_key"
    assert code(client) == "added"
