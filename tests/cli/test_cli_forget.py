"""pgrecall forget, and taking it back."""

from __future__ import annotations

import os
import pty
from typing import Any

import pytest

from tests.cli.conftest import Shell


@pytest.fixture
def told(shell: Shell) -> Shell:
    """A shell on a database with two memories of Maria and one of Jonas."""
    shell.json("remember", "one", "two", "--user", "maria", "--context", "thread")
    shell.json("remember", "three", "--user", "jonas")
    return shell


def contents(shell: Shell) -> set[str]:
    return {item["content"] for item in shell.json("list")["items"]}


def test_forgetting_takes_out_of_recall_and_restoring_brings_back(told: Shell) -> None:
    assert told.run("forget", "--user", "maria").stdout == "2 memories forgotten\n"
    assert contents(told) == {"three"}
    assert told.json("recall", "one", "--user", "maria")["hits"] == []
    assert told.run("forget", "--undo", "--user", "maria").stdout == "2 memories restored\n"
    assert contents(told) == {"one", "two", "three"}


def test_json_is_the_same_for_both(told: Shell) -> None:
    assert told.json("forget", "--user", "jonas") == {"memories": 1, "dry_run": False}
    assert told.json("forget", "--undo", "--user", "jonas") == {"memories": 1, "dry_run": False}


def test_a_dry_run_changes_nothing(told: Shell) -> None:
    result = told.run("forget", "--context", "thread", "--dry-run")
    assert result.stdout == "2 memories would be forgotten\n"
    assert len(contents(told)) == 3


def test_by_id(told: Shell) -> None:
    ids = [item["id"] for item in told.json("list", "--user", "maria")["items"]]
    assert told.run("forget", ids[0]).stdout == "1 memory forgotten\n"
    assert told.json("forget", *ids)["memories"] == 1


def test_all_that_is_named_must_apply(told: Shell) -> None:
    assert told.json("forget", "--user", "jonas", "--context", "thread")["memories"] == 0
    assert told.json("forget", "--of-agent", "default", "--dry-run")["memories"] == 3


def test_an_empty_scope_is_refused(told: Shell) -> None:
    for command in (("forget",), ("forget", "--undo")):
        result = told.run(*command)
        assert result.exit_code == 2
        assert "error PM006: the scope names nothing" in result.stderr


def test_what_was_remembered_again_can_not_come_back(told: Shell) -> None:
    told.json("forget", "--user", "jonas")
    told.json("remember", "three", "--user", "jonas")
    result = told.run("forget", "--undo", "--user", "jonas")
    assert result.exit_code == 7
    assert "error PM007" in result.stderr


@pytest.mark.parametrize(
    ("answer", "code", "left"), [("n", 1, 3), ("", 1, 3), ("y", 0, 1)], ids=["no", "enter", "yes"]
)
def test_a_terminal_is_asked(told: Shell, answer: str, code: int, left: int) -> None:
    stdout, stderr, returned = on_a_terminal(told, answer, "forget", "--user", "maria")
    assert "Forget 2 memories? [y/N]: " in stderr
    assert "Traceback" not in stderr
    assert stdout == ("2 memories forgotten\n" if code == 0 else "")
    assert returned == code
    assert len(contents(told)) == left


@pytest.mark.parametrize("option", ["--yes", "--dry-run"])
def test_a_terminal_is_not_asked_where_it_is_needless(told: Shell, option: str) -> None:
    _, stderr, returned = on_a_terminal(told, "", "forget", "--user", "maria", option)
    assert "?" not in stderr
    assert returned == 0


def on_a_terminal(shell: Shell, answer: str, *arguments: str) -> tuple[Any, Any, int]:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        running = shell.process(*arguments, stdin=theirs)
        stdout, stderr = running.communicate(timeout=60)
        return stdout, stderr, running.returncode
    finally:
        os.close(ours)
        os.close(theirs)
