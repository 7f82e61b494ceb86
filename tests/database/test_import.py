"""import_memories(): times, ids, forgotten ones, what is there already, the dry run."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.database.conftest import Client, Rows, World

LONG_AGO = "2020-01-02T03:04:05+00:00"
ID = "01890000-0000-7000-8000-000000000001"


def bring(client: Client, *items: object, dry_run: bool = False) -> Rows:
    return client.rows("select * from import_memories(%s::jsonb, %s)", json.dumps(items), dry_run)


def statuses(rows: Rows) -> list[tuple[str, str | None]]:
    return [(row["status"], row["reason"]) for row in rows]


@pytest.fixture
def client(world: World) -> Client:
    return world.program(world.organization())


def stored(client: Client) -> Rows:
    return client.rows("select * from ai_memories order by id")


def test_id_and_times_are_kept(client: Client) -> None:
    item = {"id": ID, "content": "Tea.", "created_at": LONG_AGO, "occurred_at": LONG_AGO}
    assert statuses(bring(client, item)) == [("added", None)]
    [row] = stored(client)
    then = datetime.fromisoformat(LONG_AGO)
    assert (row["id"], row["created_at"], row["occurred_at"]) == (uuid.UUID(ID), then, then)


def test_nothing_was_created_or_forgotten_later_than_now(client: Client) -> None:
    later = {"content": "Tea.", "created_at": "2999-01-01", "forgotten_at": "2999-01-01"}
    bring(client, later)
    [row] = stored(client)
    assert max(row["created_at"], row["forgotten_at"]) <= datetime.now(UTC)


def test_again_it_is_a_duplicate_even_after_it_was_changed(client: Client) -> None:
    items: list[dict[str, Any]] = [
        {"id": ID, "content": "Tea."},
        {"content": "Milk.", "idempotency_key": "k"},
    ]
    first = bring(client, *items)
    for row in first:
        client.rows('select update_memory(%s, \'{"content": "Another."}\')', row["id"])
        client.rows("select forget_memories(jsonb_build_object('ids', array[%s::uuid]))", row["id"])
    again = bring(client, *items)
    assert statuses(again) == [("duplicate", "it was imported before")] * 2
    assert [row["id"] for row in again] == [row["id"] for row in first]
    assert len(stored(client)) == 2


def test_forgotten_ones_stay_so_and_stand_in_for_nothing(client: Client) -> None:
    slot = "user:maria/drink"
    bring(client, {"content": "Cocoa.", "slot": slot})
    answers = bring(
        client,
        {"content": "Tea.", "forgotten_at": LONG_AGO},
        {"content": "Tea."},
        {"content": "Coffee.", "slot": slot, "forgotten_at": LONG_AGO},
    )
    assert [row["status"] for row in answers] == ["added"] * 3
    assert [(r["content"], r["forgotten_at"] is None) for r in stored(client)] == [
        ("Cocoa.", True), ("Tea.", False), ("Tea.", True), ("Coffee.", False),
    ]  # fmt: skip
    assert [row["content"] for row in client.recall("tea cocoa coffee")] == ["Tea.", "Cocoa."]
    # It comes back as any other, and is held to be the same text then.
    forgotten = answers[0]["id"]
    with pytest.raises(psycopg.Error, match="remembered again"):
        client.rows(
            "select restore_memories(jsonb_build_object('ids', array[%s::uuid]))", forgotten
        )


def test_slots_get_their_line_of_values(client: Client) -> None:
    values = [
        {"content": text, "slot": "s", "valid_from": f"20{year}-01-01"}
        for text, year in (("C", 23), ("A", 21), ("B", 22), ("A", 24))
    ]
    answers = bring(client, *values)
    assert [row["status"] for row in answers] == ["added", "added", "added", "superseded"]
    chain = client.rows("select content, valid_to from ai_memories order by valid_from")
    assert [(r["content"], r["valid_to"] and r["valid_to"].year) for r in chain] == [
        ("A", 2022), ("B", 2023), ("C", 2024), ("A", None),
    ]  # fmt: skip


REFUSED = [
    ({"content": ""}, "content is empty"),
    ({"content": "x", "colour": "red"}, 'unknown field "colour"'),
    ({"content": "x", "created_at": "yesterday"}, "created_at must be a time"),
    ({"content": "x", "forgotten_at": 7}, "forgotten_at must be a time"),
    ({"content": "x", "occurred_at": "soon"}, "occurred_at must be a time"),
    ({"content": "x", "agent_id": "other"}, "agent may not write for agent other"),
    ({"content": "x", "id": "7"}, "id must be a UUID"),
    ("x", "an item must be an object"),
]


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_is_refused_has_its_reason_and_keeps_nothing_else_out(
    client: Client, dry_run: bool
) -> None:
    items = [item for item, _ in REFUSED]
    answers = bring(client, *items, {"content": "Tea."}, dry_run=dry_run)
    for answer, (_, reason) in zip(answers, REFUSED, strict=False):
        assert (answer["status"], answer["id"]) == ("rejected", None)
        assert answer["reason"].startswith(reason)
    assert answers[-1]["status"] == "added"
    assert len(stored(client)) == (0 if dry_run else 1)


def test_the_dry_run_says_what_the_import_does_and_writes_nothing(client: Client) -> None:
    client.remember({"content": "Milk."}, {"content": "Old.", "slot": "s"})
    before = stored(client)
    items = [
        {"content": "Milk."},
        {"content": "Tea."},
        {"content": "TEA."},
        {"content": "New.", "slot": "s"},
        {"content": "Old.", "slot": "s"},
        {"content": "Tea.", "forgotten_at": LONG_AGO},
        {"content": " "},
    ]
    said = bring(client, *items, dry_run=True)
    assert stored(client) == before
    done = bring(client, *items)
    assert [row["status"] for row in said] == [
        row["status"].replace("superseded", "added") for row in done
    ]
    assert [row["status"] for row in done] == [
        "duplicate", "added", "duplicate", "superseded", "duplicate", "added", "rejected",
    ]  # fmt: skip


def test_a_person_imports_what_is_about_them_alone(world: World) -> None:
    organization = world.organization()
    maria, paul = (world.member(organization, name) for name in ("maria", "paul"))
    answers = bring(maria, {"content": "Mine.", "id": ID}, {"content": "His.", "user_id": "paul"})
    assert [row["status"] for row in answers] == ["added", "rejected"]
    # An id that is somebody else's is not free, and says nothing of what it stands for.
    assert statuses(bring(paul, {"content": "Mine.", "id": ID})) == [
        ("duplicate", "it was imported before")
    ]
    assert paul.ids() == set()


@pytest.mark.parametrize(("memories", "code"), [("{}", "PM003"), ("null", "PM003")])
def test_no_list_is_an_error(client: Client, memories: str, code: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        client.rows("select * from import_memories(%s::jsonb)", memories)
    assert caught.value.sqlstate == code


def test_what_was_erased_stays_out(client: Client) -> None:
    maria: dict[str, Any] = {"user_id": "maria", "created_at": LONG_AGO}
    items = [
        {"content": "By her id.", "id": ID},
        {"content": "Of Maria.", **maria},
        {"content": "Of Maria, said long ago.", "user_id": "maria", "occurred_at": LONG_AGO},
        {"content": "Of Paul.", "user_id": "paul", "created_at": LONG_AGO},
    ]
    bring(client, *items)
    erase = "select erase_memories(%s::jsonb) as answer"
    client.rows(erase, json.dumps({"ids": [ID]}))
    client.rows(erase, json.dumps({"user_id": "maria"}))
    for dry_run in (True, False):
        answers = bring(client, *items, dry_run=dry_run)
        assert [row["status"] for row in answers] == ["erased"] * 3 + ["duplicate"]
        assert {row["reason"] for row in answers[:3]} == {"it was erased here"}
    assert [row["content"] for row in stored(client)] == ["Of Paul."]
    later = {"content": "Of Maria, later.", "user_id": "maria"}
    assert statuses(bring(client, later)) == [("added", None)]
