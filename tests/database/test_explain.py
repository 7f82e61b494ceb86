"""Scores in parts, and what surrounds a hit."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from tests.database.conftest import Client, World

SIGNALS = {
    "words", "window_words", "meaning", "near_meaning", "context_meaning", "speaker", "user_words",
    "opening", "answer", "statement", "digits", "recency", "importance",
}  # fmt: skip
OF_VECTORS = {"meaning", "near_meaning", "context_meaning"}
TALK = (
    {"content": "Is the blue one in stock?", "speaker": "Maria"},
    {"content": "Yes, three of them.", "trust": "assistant"},
    {"content": "Maria: I take the blue one."},
)


def tell(client: Client, *messages: dict[str, Any], **shared: Any) -> None:
    shared = {"kind": "message", "context_key": "t", **shared}
    assert {row["status"] for row in client.remember(*({**shared, **m} for m in messages))} == {
        "added"
    }


def in_context(client: Client, query: str, **filters: object) -> list[dict[str, Any]]:
    named = "".join(f", {name} => %s" for name in filters)
    return client.rows(
        f"select (r.hit).*, r.speaker, r.before, r.after from recall_in_context(%s{named}) as r",
        query,
        *filters.values(),
    )


@pytest.mark.parametrize("exact_limit", [5000, 2])
@pytest.mark.parametrize("vectors", [False, True])
def test_the_parts_add_up_to_the_score(world: World, vectors: bool, exact_limit: int) -> None:
    if vectors and not world.has_vector:
        pytest.skip("this server comes without pgvector")
    client = world.program(world.organization())
    vector = {"embedding": [1, 0.5], "embedding_model": "m"} if vectors else {}
    tell(client, *TALK, **vector)
    client.remember({"content": "A blue bicycle was stolen.", "importance": 0.9})
    asked: tuple[object, ...] = ("which blue one does Maria want?",)
    named = "%s"
    if vectors:
        asked, named = (*asked, [0.9, 0.6]), "%s, %s::real[], 'm'"
    setting = f"select set_config('pgrecall.exact_limit', '{exact_limit}', false)"
    world.connection.execute(setting.encode())
    explained = client.rows(f"select * from explain_memories({named}, match_limit => 3)", *asked)
    recalled = client.rows(f"select * from recall_memories({named}, match_limit => 3)", *asked)
    assert [(row["id"], row["score"]) for row in explained] == [
        (row["id"], row["score"]) for row in recalled
    ]
    assert len(explained) == 3
    for row in explained:
        parts = row["signals"]
        assert set(parts) == (SIGNALS if vectors else SIGNALS - OF_VECTORS)
        total = sum(part["contribution"] for part in parts.values())
        assert total == pytest.approx(row["score"], abs=1e-4)
        assert all(0 <= part["scaled"] <= 1 for part in parts.values())
    assert explained[0]["signals"]["speaker"]["scaled"] == 1


def test_a_recall_says_what_it_did(world: World) -> None:
    client = world.program(world.organization())
    tell(client, *TALK)
    with world.connection.transaction():
        client.recall("blue")
        said = said_last(world)
    steps = [(step["step"], step["rows"]) for step in said["steps"]]
    assert steps == [("scope", 3), ("scoring", 3)]
    assert all(step["milliseconds"] >= 0 for step in said["steps"])
    assert said["without_vector"] is None
    world.connection.execute("set pgrecall.exact_limit = 2")
    with world.connection.transaction():
        assert len(client.recall("blue")) == 3
        said = said_last(world)
    before = ["scope", "words", "meaning", "filters", "cues"]
    assert [step["step"] for step in said["steps"]] == [*before, "conversations", "scoring"]
    if world.has_vector:
        client.remember({"content": "Red.", "embedding": [1, 0.5], "embedding_model": "m"})
        with world.connection.transaction():
            vector = {"query_embedding": [1.0, 0.5], "embedding_model": "m"}
            assert len(client.recall("blue", **vector)) == 4
            said = said_last(world)
        assert [step["step"] for step in said["steps"]] == [*before, "whole scope", "scoring"]
    world.connection.execute("reset pgrecall.exact_limit")


def said_last(world: World) -> dict[str, Any]:
    row = world.connection.execute(
        "select current_setting('pgrecall.last_recall')::jsonb as said"
    ).fetchone()
    return dict(row["said"]) if row else {}


def test_memories_without_a_vector_are_counted(world: World) -> None:
    if not world.has_vector:
        pytest.skip("this server comes without pgvector")
    client = world.program(world.organization())
    client.remember(
        {"content": "Tea.", "embedding": [1, 0], "embedding_model": "m"}, {"content": "Rain."}
    )
    with world.connection.transaction():
        rows = client.rows("select * from explain_memories('tea', '{1,0}', 'm')")
        assert said_last(world)["without_vector"] == 1
    assert [row["signals"]["meaning"]["raw"] for row in rows] == [1, None]


def test_a_message_has_its_neighbours(world: World) -> None:
    client = world.program(world.organization())
    tell(client, *TALK)
    tell(client, {"content": "Elsewhere."}, context_key="other")
    rows = {row["content"]: row for row in in_context(client, "blue")}
    recalled = [row["content"] for row in client.recall("blue")]
    assert list(rows) == recalled
    first, second, third = (rows[message["content"]] for message in TALK)
    assert (first["before"], third["after"]) == (None, None)
    assert first["after"]["content"] == second["content"]
    assert second["before"] == {
        "id": str(first["id"]),
        "content": first["content"],
        "speaker": "Maria",
        "trust": "user",
        "user_id": None,
        "occurred_at": second["before"]["occurred_at"],
    }
    assert second["after"]["id"] == str(third["id"])
    assert [row["speaker"] for row in (first, second, third)] == ["Maria", None, "Maria"]
    assert (rows["Elsewhere."]["before"], rows["Elsewhere."]["after"]) == (None, None)


def test_what_is_no_message_or_not_valid_is_no_neighbour(world: World) -> None:
    client = world.program(world.organization())
    tell(client, *({"content": f"{number}."} for number in ("One", "Two", "Three", "Four")))
    client.remember({"content": "A fact.", "context_key": "t"})
    ids = {row["content"]: str(row["id"]) for row in client.recall("", match_limit=9)}
    client.rows("select forget_memories(%s::jsonb)", json.dumps({"ids": [ids["Two."]]}))
    change = "select update_memory(%s, %s::jsonb)"
    client.rows(change, ids["Four."], json.dumps({"expires_at": "2026-01-01"}))
    [three] = [row for row in in_context(client, "three") if row["content"] == "Three."]
    assert three["before"]["content"] == "One."
    assert three["after"] is None
    [fact] = [row for row in in_context(client, "fact") if row["content"] == "A fact."]
    assert (fact["before"], fact["after"]) == (None, None)


def test_nobody_sees_a_neighbour_that_the_policies_hide(world: World) -> None:
    organization = world.organization()
    program = world.program(organization)
    tell(
        program,
        {"content": "The code is swordfish.", "user_id": "ann", "visibility": "private"},
        {"content": "Noted, thank you.", "user_id": "ann", "visibility": "organization"},
        {"content": "The safe is open.", "user_id": "ann", "visibility": "private"},
    )
    other = world.program(organization, "other")
    for client in (world.member(organization, "ann"), world.member(organization, "ben"), other):
        shown = {str(it) for it in client.ids()}
        rows = in_context(client, "thank")
        beside = {row[side]["id"] for row in rows for side in ("before", "after") if row[side]}
        assert beside <= shown
        [noted] = [row for row in rows if row["content"] == "Noted, thank you."]
        assert (noted["before"] is None) == (len(shown) == 1)
    stranger = world.program(world.organization("another"))
    assert in_context(stranger, "thank") == []


def test_neighbours_as_of_a_moment_are_those_that_were_valid_then(world: World) -> None:
    client = world.program(world.organization())
    tell(
        client,
        {"content": "One.", "occurred_at": "2026-01-01", "valid_to": "2026-02-01"},
        {"content": "Two.", "occurred_at": "2026-01-02"},
    )
    [then] = [r for r in in_context(client, "two", as_of="2026-01-15") if r["content"] == "Two."]
    assert then["before"]["content"] == "One."
    [now] = in_context(client, "two")
    assert now["before"] is None


@pytest.mark.parametrize("function", ["recall_in_context", "explain_memories"])
@pytest.mark.parametrize(
    ("arguments", "code"), [("null", "PM003"), ("'a', match_limit => 0", "PM003")]
)
def test_wrong_arguments(world: World, function: str, arguments: str, code: str) -> None:
    client = world.program(world.organization())
    with pytest.raises(psycopg.Error) as caught:
        client.rows(f"select * from {function}({arguments})")
    assert caught.value.sqlstate == code
