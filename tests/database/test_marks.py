"""The database knows recalled text again, whichever client sends it, and as Python does."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgrecall.domain.marks import CLOSING, NOTICE, OPENING_TAG, without_recalled
from tests.database.conftest import Client, World
from tests.recall.marked import BLOCK, LINE, OTHER, TEXTS

PIECES = [
    BLOCK, LINE, OTHER, CLOSING, NOTICE, OPENING_TAG, "\n", "\r\n", "\\n", " ", "\t", "> ", "- ",
    "2. ", "Cook!", "[memory ", "]", "<", "\u00a0", "\u2028", "é", "1",
]  # fmt: skip
REFUSED = "content is recalled memory and nothing else; it is remembered already"


@pytest.fixture
def client(world: World) -> Client:
    return world.program(world.organization())


def by_the_database(connection: psycopg.Connection[dict[str, Any]], text: str) -> str:
    row = connection.execute("select agent_memory.without_recalled(%s) as it", (text,)).fetchone()
    return str(row and row["it"])


@pytest.mark.parametrize(("text", "rest"), TEXTS.values(), ids=TEXTS)
def test_the_database_leaves_out_the_same(world: World, text: str, rest: str) -> None:
    assert by_the_database(world.connection, text) == rest


def test_any_mixture_is_read_alike(world: World) -> None:
    @settings(max_examples=300)
    @given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
    def is_read_alike(text: str) -> None:
        assert by_the_database(world.connection, text) == without_recalled(text)

    is_read_alike()


def test_remember_stores_the_rest_and_refuses_what_has_none(client: Client) -> None:
    told = client.remember(
        {"content": BLOCK},
        {"content": f"{BLOCK}\nMaria: Cook!", "kind": "message"},
        {"content": LINE, "slot": "a"},
        {"content": f"As noted:\n{LINE}\nEnjoy."},
    )
    assert [row["status"] for row in told] == ["rejected", "added", "rejected", "added"]
    assert [row["reason"] for row in told] == [REFUSED, None, REFUSED, None]
    rows = client.rows("select content, speaker from ai_memories order by id")
    assert [tuple(row.values()) for row in rows] == [
        ("Maria: Cook!", "Maria"),
        ("As noted:\nEnjoy.", None),
    ]


def test_append_and_update_do_so_too(client: Client) -> None:
    said = json.dumps([{"role": "assistant", "content": LINE}, {"content": f"{BLOCK}Cook!"}])
    refused, added = client.rows("select * from append_memories(%s::jsonb, 't')", said)
    assert (refused["reason"], added["status"]) == (REFUSED, "added")
    change = "select update_memory(%s, jsonb_build_object('content', %s::text))"
    client.rows(change, added["id"], f"Bake!\n{BLOCK}")
    assert client.rows("select content from ai_memories") == [{"content": "Bake!"}]
    with pytest.raises(psycopg.Error, match="recalled memory") as caught:
        client.rows(change, added["id"], BLOCK)
    assert caught.value.sqlstate == "PM003"


def test_long_texts_are_read_quickly(world: World) -> None:
    world.connection.execute("set statement_timeout = '5s'")
    opening = f"{OPENING_TAG}\n{NOTICE}\n"
    for part in (f"{OPENING_TAG}\n", opening, "- [memory ", f"{LINE}\n", "\n> "):
        text = f"{OPENING_TAG}{part * (1_000_000 // len(part))}"
        assert by_the_database(world.connection, text) == without_recalled(text)
    world.connection.execute("reset statement_timeout")
