"""pgrecall erase."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell
from tests.cli.test_cli_forget import on_a_terminal


@pytest.fixture
def told(shell: Shell) -> Shell:
    """A shell on a database in which two agents remember Maria, and one Jonas."""
    shell.json("remember", "one", "two", "--user", "maria", "--context", "thread")
    shell.json("remember", "three", "--user", "jonas")
    shell.json("remember", "four", "--user", "maria", "--agent", "other")
    return shell


def contents(shell: Shell, agent: str = "default") -> set[str]:
    listed = shell.json("list", "--forgotten", "--agent", agent)
    return {item["content"] for item in listed["items"]}


def test_erasing_says_what_went_and_gives_a_receipt(told: Shell) -> None:
    told.run("forget", "--user", "maria")
    result = told.run("erase", "--user", "maria", "--yes")
    first, *counts, receipt = result.stdout.splitlines()
    assert first == "2 memories erased"
    assert "           2  history" in counts
    assert "           1  contexts" in counts
    assert receipt.startswith("receipt ")
    assert receipt.endswith(" UTC")
    assert contents(told) == {"three"}
    assert contents(told, "other") == {"four"}


def test_a_dry_run_changes_nothing(told: Shell) -> None:
    answer = told.json("erase", "--context", "thread", "--dry-run")
    assert (answer["memories"], answer["dry_run"], answer["receipt"]) == (2, True, None)
    assert told.run("erase", "--user", "jonas", "--dry-run").stdout == "1 memory would be erased\n"
    assert len(contents(told)) == 3


def test_what_every_agent_holds(told: Shell) -> None:
    answer = told.json("erase", "--user", "maria", "--every-agent", "--yes")
    assert (answer["memories"], answer["remaining"]) == (3, 0)
    assert answer["scope"] == {"user_id": "maria"}
    assert contents(told) == {"three"}
    assert contents(told, "other") == set()


def test_an_organization_that_is_not_there(told: Shell) -> None:
    result = told.run("erase", "--user", "m", "--every-agent", "--yes", "--organization", "other")
    assert result.exit_code != 0
    assert "error PM001: there is no organization other" in result.stderr


def test_an_empty_scope_is_refused(told: Shell) -> None:
    for more in ([], ["--every-agent"]):
        result = told.run("erase", "--yes", *more)
        assert result.exit_code == 2
        assert "error PM006: the scope names nothing" in result.stderr


def test_without_a_terminal_it_takes_a_yes(told: Shell) -> None:
    result = told.run("erase", "--user", "maria")
    assert result.exit_code == 2
    assert "nobody is there to ask" in result.stderr
    assert len(contents(told)) == 3


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 3), ("y", 0, 1)])
def test_a_terminal_is_asked(told: Shell, answer: str, code: int, left: int) -> None:
    stdout, stderr, returned = on_a_terminal(told, answer, "erase", "--user", "maria")
    assert "Erase 2 memories? This can't be undone. [y/N]: " in stderr
    assert stdout.startswith("2 memories erased\n" if code == 0 else "")
    assert returned == code
    assert len(contents(told)) == left
