"""pgrecall list, pgrecall history."""

from __future__ import annotations

from tests.cli.conftest import Shell


def test_pages_follow_one_another(shell: Shell) -> None:
    shell.json("remember", "one", "two", "three")
    first = shell.json("list", "--limit", "2")
    second = shell.json("list", "--limit", "2", "--cursor", first["next_cursor"])
    assert [item["content"] for item in first["items"] + second["items"]] == ["three", "two", "one"]
    assert second["next_cursor"] is None


def test_a_page_in_text_says_how_to_go_on(shell: Shell) -> None:
    shell.json("remember", "one", "two")
    result = shell.run("list", "--limit", "1")
    [line] = result.stdout.splitlines()
    memory_id, day, kind, content = line.split()
    assert (kind, content) == ("fact", "two")
    assert len(memory_id) == 36
    assert day.startswith("20")
    assert f"more with: --cursor {memory_id}" in result.stderr
    assert shell.run("list", "--cursor", memory_id).stdout.split()[-1] == "one"


def test_forgotten_and_superseded_ones_are_listed_on_request(shell: Shell) -> None:
    old = shell.json("remember", "Leipzig", "--slot", "user:maria/city")["items"][0]["id"]
    shell.json("remember", "Hamburg", "--slot", "user:maria/city")
    gone = shell.json("remember", "a mistake")["items"][0]["id"]
    shell.json("forget", gone)
    assert [item["content"] for item in shell.json("list")["items"]] == ["Hamburg"]
    assert "a mistake  (forgotten)" in shell.run("list", "--forgotten").stdout
    text = shell.run("list", "--superseded").stdout
    assert old in text
    assert "Leipzig  (slot user:maria/city, until " in text


def test_history_of_a_slot(shell: Shell) -> None:
    old = shell.json("remember", "Leipzig", "--slot", "user:maria/city")["items"][0]["id"]
    new = shell.json("remember", "Hamburg", "--slot", "user:maria/city")["items"][0]["id"]
    changes = shell.json("history", new)["changes"]
    assert {(change["memory_id"], change["change"]) for change in changes} == {
        (old, "added"),
        (old, "superseded"),
        (new, "added"),
    }
    superseded = next(change for change in changes if change["change"] == "superseded")
    assert superseded["after"]["superseded_by"] == new
    assert superseded["changed_by"] == "agent:default"
    text = shell.run("history", old).stdout
    assert len(text.splitlines()) == 3
    assert f"superseded_by: nothing → {new}" in text


def test_history_of_an_unknown_memory(shell: Shell) -> None:
    result = shell.run("history", "01a20670-0000-7000-8000-000000000000")
    assert result.exit_code == 3
    assert "error PM004: no memory 01a20670-0000-7000-8000-000000000000" in result.stderr
    assert "hint: " in result.stderr
    assert result.stdout == ""


def test_history_of_something_that_is_no_id(shell: Shell) -> None:
    result = shell.run("history", "abc")
    assert result.exit_code == 2
    assert "that is a UUID" in result.stderr
