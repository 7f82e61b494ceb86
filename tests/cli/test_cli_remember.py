"""pgrecall remember: where texts come from, and what is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrecall import Memory
from tests.cli.conftest import Shell


def contents(dsn: str) -> set[str]:
    with Memory(dsn, embedder=None) as memory:
        return {record.content for record in memory.list().items}


def test_a_text_is_answered_with_its_id(shell: Shell) -> None:
    result = shell.run("remember", "Maria is vegetarian.", "--user", "maria")
    assert result.exit_code == 0
    status, memory_id = result.stdout.split()
    assert status == "added"
    [item] = shell.json("list")["items"]
    assert (item["id"], item["content"], item["user_id"], item["kind"]) == (
        memory_id,
        "Maria is vegetarian.",
        "maria",
        "fact",
    )


def test_the_same_text_again_is_a_duplicate(shell: Shell) -> None:
    shell.run("remember", "Maria is vegetarian.")
    result = shell.run("remember", "Maria is vegetarian.")
    assert result.exit_code == 0
    assert result.stdout.startswith("duplicate ")
    assert "(the same text is remembered already)" in result.stdout


def test_json_has_items_and_counts(shell: Shell) -> None:
    document = shell.json("remember", "one", "two")
    assert [item["ordinal"] for item in document["items"]] == [1, 2]
    assert set(document["items"][0]) == {"ordinal", "id", "status", "code", "reason"}
    assert document["counts"] == {"added": 2}


def test_all_options_reach_the_memory(shell: Shell) -> None:
    options = {
        "--user": "maria",
        "--context": "thread 7",
        "--kind": "preference",
        "--slot": "user:maria/diet",
        "--metadata": '{"source": "mail"}',
        "--importance": "0.9",
        "--occurred-at": "2026-03-01",
        "--visibility": "organization",
        "--idempotency-key": "k1",
        "--agent": "atlas",
        "--organization": "acme",
    }
    flat = [word for pair in options.items() for word in pair]
    shell.json("remember", "Maria is vegan.", *flat)
    [item] = shell.json("list", "--agent", "atlas", "--organization", "acme")["items"]
    assert item["context_key"] == "thread 7"
    assert item["kind"] == "preference"
    assert item["slot"] == "user:maria/diet"
    assert item["metadata"] == {"source": "mail"}
    assert item["importance"] == pytest.approx(0.9)
    assert item["occurred_at"] == "2026-03-01T00:00:00+00:00"
    assert item["visibility"] == "organization"
    assert item["agent_id"] == "atlas"
    again = shell.json("remember", "Maria is vegan.", *flat)
    assert again["items"][0]["status"] == "duplicate"


def test_lines_of_standard_input(shell: Shell, pgrecall_dsn: str) -> None:
    result = shell.run("remember", "-", stdin="eins\n\n  zwei \nÄpfel\n")
    assert (result.exit_code, result.stdout) == (0, "3 added\n")
    assert contents(pgrecall_dsn) == {"eins", "zwei", "Äpfel"}


def test_empty_standard_input_is_nothing_to_do(shell: Shell) -> None:
    result = shell.run("remember", "-", stdin="\n")
    assert (result.exit_code, result.stdout) == (0, "nothing\n")
    assert shell.json("remember", "-", stdin="") == {"items": [], "counts": {}}


def test_a_file_of_messages_and_texts(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text(
        '\ufeff{"role": "user", "name": "Maria", "content": "Hello", "created_at": "2026-01-02"}\n'
        '{"role": "assistant", "content": "Hello Maria"}\n'
        '"Maria is vegetarian."\n',
        "utf-8",
    )
    assert shell.json("remember", "--file", str(file))["counts"] == {"added": 3}
    items = {item["content"]: item for item in shell.json("list")["items"]}
    assert items["Hello"]["speaker"] == "Maria"
    assert items["Hello"]["occurred_at"].startswith("2026-01-02")
    assert items["Hello Maria"]["trust"] == "assistant"
    assert items["Maria is vegetarian."]["kind"] == "fact"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (b'{"role": "user"', "invalid_item", "no JSON"),
        (b'{"role": "wizard", "content": "x"}', "invalid_field", "a message's role must be one of"),
        (b'{"role": "user", "content": "x", "mood": 1}', "unknown_field", "unknown key 'mood'"),
        (b"7", "invalid_item", "an item must be a text or a message"),
        (b'"\xff"', "invalid_item", "no UTF-8"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_remembered(
    shell: Shell, tmp_path: Path, line: bytes, code: str, said: str
) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_bytes(b'"right"\n' + line + b'\n"also right"\n')
    result = shell.run("remember", "--file", str(file))
    assert result.exit_code == 1
    assert f"rejected item 2 ({code}): messages.jsonl, line 2: {said}" in result.stderr
    assert len(shell.json("list")["items"]) == 2


def test_rejected_items_are_told_and_the_exit_code_is_1(shell: Shell) -> None:
    result = shell.run("remember", "good", " ")
    assert result.exit_code == 1
    assert result.stdout == "1 added, 1 rejected\n"
    assert "rejected item 2 (empty_content): content is empty" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give either texts, or - for standard input, or --file"),
        ([""], "content is empty"),
        (["x", "--importance", "2"], "importance must be a number from 0 to 1"),
        (["x", "--kind", "wish"], "must be one of message, fact"),
        (["x", "--occurred-at", "yesterday"], "occurred_at must be a time in ISO 8601"),
        (["x", "--visibility", "everybody"], "must be one of private, agent"),
        (["x", "--metadata", "{"], "--metadata is no JSON"),
        (["x", "--metadata", "[]"], "--metadata must be a JSON object"),
        (["--file", "missing.jsonl"], "does not exist"),
    ],
)
def test_wrong_arguments_are_usage_errors(shell: Shell, arguments: list[str], said: str) -> None:
    result = shell.run("remember", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in " ".join(result.stderr.split())
