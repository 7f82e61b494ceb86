"""pgrecall migrate."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgrecall.sql.migration_files import read_migrations
from pgrecall.testing import cloned
from tests.cli.conftest import Shell

NAMES = [file.name for file in read_migrations()]


@pytest.fixture
def bare(pgrecall_server: str) -> Iterator[Shell]:
    """pgrecall on a database without its schema."""
    with cloned(pgrecall_server, "template0") as dsn:
        yield Shell({"DATABASE_URL": dsn, "PGRECALL_EMBEDDER": "none"})


def test_what_is_pending_is_applied_once(bare: Shell) -> None:
    report = bare.json("migrate")
    assert [file["name"] for file in report["applied"]] == NAMES
    assert set(report) == {"database", "applied", "notices", "seconds"}
    again = bare.run("migrate")
    assert (again.exit_code, again.stdout) == (0, "up to date\n")
    assert bare.json("remember", "it works")["counts"] == {"added": 1}


def test_text_names_each_file(bare: Shell) -> None:
    result = bare.run("migrate")
    assert [line.split()[0] for line in result.stdout.splitlines()] == NAMES
    assert f"{len(NAMES)} applied in " in result.stderr


def test_plan_changes_nothing(bare: Shell) -> None:
    assert [file["name"] for file in bare.json("migrate", "--plan")["pending"]] == NAMES
    assert len(bare.run("migrate", "--plan").stdout.splitlines()) == len(NAMES)


def test_status_tells_by_its_exit_code(bare: Shell) -> None:
    before = bare.run("migrate", "--status")
    assert before.exit_code == 6
    assert before.stdout.count("pending") == len(NAMES)
    bare.run("migrate")
    after = bare.json("migrate", "--status")
    assert after["is_current"] is True
    assert {state["state"] for state in after["migrations"]} == {"applied"}
    assert bare.run("migrate", "--plan").stdout == "up to date\n"


def test_sql_is_printed_without_a_connection() -> None:
    unreachable = Shell({"DATABASE_URL": "postgresql://nowhere.invalid/none"})
    result = unreachable.run("migrate", "--sql")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "create or replace function public.recall_memories(" in result.stdout
    assert unreachable.json("migrate", "--sql") == {"sql": result.stdout.removesuffix("\n")}


def test_modes_exclude_one_another(bare: Shell) -> None:
    result = bare.run("migrate", "--plan", "--status")
    assert result.exit_code == 2
    assert "exclude one another" in result.stderr


def test_an_unknown_file_can_not_be_accepted(bare: Shell) -> None:
    result = bare.run("migrate", "--accept", "nothing.sql")
    assert result.exit_code == 2
    assert "'nothing.sql'" in result.stderr


@pytest.mark.parametrize(
    "command", [["remember", "x"], ["recall", "x"], ["list"], ["forget", "--user", "x"], ["demo"]]
)
def test_without_its_schema_every_command_says_what_to_run(bare: Shell, command: list[str]) -> None:
    result = bare.run(*command)
    assert result.exit_code == 6
    assert "error PM523: " in result.stderr
    assert "hint: Run `pgrecall migrate`." in result.stderr
