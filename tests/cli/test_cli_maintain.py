"""pgrecall maintain."""

from __future__ import annotations

import psycopg
import pytest

from tests.cli.conftest import Shell

RETAINED = """
update ai_memories set created_at = created_at - interval '3 days';
update agent_memory.organizations set agent_settings = '{"retention": {"max_age": {"fact": 1}}}'
"""


@pytest.fixture
def aged(shell: Shell) -> Shell:
    """A shell on a database with two memories past their retention."""
    shell.json("remember", "one", "two", "--user", "maria")
    with psycopg.connect(shell.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(RETAINED)
    return shell


def test_without_apply_it_only_says_what(aged: Shell) -> None:
    result = aged.run("maintain")
    assert result.exit_code == 0
    assert "planned      retention   default in " in result.stdout
    assert "select agent_memory.retain(" in result.stdout
    assert "nothing was done; --apply does it" in result.stderr
    assert len(aged.json("list")["items"]) == 2


def test_with_apply_it_does_it(aged: Shell) -> None:
    report = aged.json("maintain", "--apply")
    [outcome] = [o for o in report["outcomes"] if o["task"]["kind"] == "retention"]
    assert (outcome["state"], outcome["rows"]) == ("done", 2)
    assert aged.json("list")["items"] == []
    aged.run("maintain", "--apply")
    assert "nothing to do" in aged.run("maintain").stderr


@pytest.mark.parametrize("window", ["2-4", "02:00-02:00", "25:00-03:00", "x"])
def test_a_window_that_is_none(shell: Shell, window: str) -> None:
    result = shell.run("maintain", "--window", window)
    assert result.exit_code == 2
    assert "window" in result.stderr


@pytest.mark.parametrize(
    ("scheduler", "line"),
    [
        ("cron", "30 23 * * *  set -a;"),
        ("systemd", "OnCalendar=*-*-* 23:30:00"),
        ("pg_cron", "'30-55/5 23 * * *'"),
    ],
)
def test_schedules(shell: Shell, scheduler: str, line: str) -> None:
    result = shell.run("maintain", "--schedule", scheduler, "--window", "23:30-02:00")
    assert result.exit_code == 0
    assert line in result.stdout
    assert "database" not in result.stderr
