"""Answers have codes: one list, in the schema, in the docs and in what the functions answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest

from tests.database.conftest import Client, World

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "pgrecall"
LONG = "x" * 256


@pytest.fixture
def client(world: World) -> Client:
    return world.program(world.organization())


def listed() -> set[str]:
    """The codes that docs/errors.md lists."""
    text = (ROOT / "docs" / "errors.md").read_text("utf-8").split("## Codes of answers")[1]
    return set(re.findall(r"^\| (?:`\w+`)? ?\| `(\w+)` \|", text, re.MULTILINE))


def test_the_list_of_the_docs_is_that_of_the_schema() -> None:
    text = (SOURCES / "sql" / "source" / "values.sql").read_text("utf-8")
    header = text.split("-- The codes of answers")[1].split("\nselect")[0]
    assert len(listed()) > 20
    assert listed() == {code for code in re.findall(r"\w+", header) if code in listed()}


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ("a text", "invalid_item"),
        ({"content": "x", "colour": "red"}, "unknown_field"),
        ({"content": 7}, "invalid_field"),
        ({"content": "x", "kind": "rumour"}, "invalid_field"),
        ({"content": "x", "importance": 2}, "invalid_field"),
        ({"content": "x", "id": "7"}, "invalid_field"),
        ({"content": "x", "metadata": 7}, "invalid_field"),
        ({"content": " \n"}, "empty_content"),
        ({"content": "x", "speaker": LONG}, "too_long"),
        ({"content": "x", "occurred_at": "yesterday"}, "invalid_time"),
        ({"content": "x", "valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "invalid_range"),
        ({"content": "x", "visibility": "private"}, "needs_user"),
        ({"content": "x", "embedding": [1, 2]}, "invalid_embedding"),
        ({"content": "x", "agent_id": "another"}, "not_permitted"),
    ],
)
def test_what_is_rejected_says_why_by_a_code(client: Client, item: object, code: str) -> None:
    [answer] = client.remember(item)  # type: ignore[arg-type]
    assert (answer["status"], answer["code"]) == ("rejected", code)
    assert answer["reason"]
    [answer] = client.rows(
        "select * from import_memories(jsonb_build_array(%s::jsonb))", json.dumps(item)
    )
    assert (answer["status"], answer["code"]) == ("rejected", code)


def test_what_is_known_says_how_by_a_code(client: Client) -> None:
    one, key = str(uuid4()), {"idempotency_key": "k"}
    codes = [
        client.remember(item)[0]["code"]
        for item in (
            {"content": "Ada sings.", "id": one},
            {"content": "Ada sings.", "id": one},
            {"content": "Ada dances.", "id": one},
            {"content": "ADA  sings."},
            {"content": "Bob sings.", **key},
            {"content": "Bob sings.", **key},
            {"content": "Bob dances.", **key},
        )
    ]
    assert codes == [
        "added", "known_id", "id_taken", "same_text", "added", "known_key", "key_taken",
    ]  # fmt: skip


def test_values_of_a_slot_say_what_they_did_by_a_code(client: Client) -> None:
    told = [("Acme", "2026-01-01"), ("Globex", "2026-03-01"), ("Initech", "2020-01-01")]
    codes = [
        client.remember({"content": c, "slot": "ada/employer", "valid_from": at})[0]["code"]
        for c, at in told
    ]
    assert codes == ["added", "superseded", "past_value"]


def test_no_program_decides_by_words() -> None:
    """Neither SQL nor Python looks into a reason."""
    words = re.compile(r"reason\)?\s+(not\s+)?(i?like|~)|[\"'] in \w*\.?reason\b")
    for path in [*(SOURCES / "sql").rglob("*.sql"), *SOURCES.rglob("*.py")]:
        for line in path.read_text("utf-8").splitlines():
            code = line.split("--")[0].split("#")[0]
            assert not words.search(code), f"{path}: {line}"
