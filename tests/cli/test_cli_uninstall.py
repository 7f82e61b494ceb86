"""pgrecall uninstall."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgrecall.testing import cloned
from tests.cli.conftest import Shell


@pytest.fixture
def used(pgrecall_template: str) -> Iterator[Shell]:
    """pgrecall on a database with a memory."""
    with cloned(pgrecall_template) as dsn:
        shell = Shell({"DATABASE_URL": dsn, "PGRECALL_EMBEDDER": "none"})
        assert shell.run("remember", "it works").exit_code == 0
        yield shell


def tables(shell: Shell) -> int:
    with psycopg.connect(shell.environment["DATABASE_URL"]) as connection:
        found = connection.execute("select count(*) from pg_tables where schemaname = 'public'")
        [(count,)] = found.fetchall()
    return int(count)


def test_it_says_what_would_go_and_changes_nothing(used: Shell) -> None:
    result = used.run("uninstall")
    assert result.exit_code == 0
    assert "goes    table public.ai_memories\n" in result.stdout
    assert "goes    schema agent_memory\n" in result.stdout
    assert "memories: 1, organizations: 1\n" in result.stderr
    assert "nothing was changed" in result.stderr
    assert tables(used) == 4


def test_with_yes_it_goes_and_every_organization_is_kept(used: Shell, tmp_path: Path) -> None:
    result = used.run("uninstall", "--yes", "--keep", str(tmp_path))
    assert result.exit_code == 0, result.stderr
    assert "gone    schema agent_memory\n" in result.stdout
    [backup] = tmp_path.iterdir()
    assert f"backed up to {backup}" in result.stderr
    assert tables(used) == 0
    assert used.run("uninstall").stdout == "pgrecall is not in this database\n"
    assert used.run("migrate").exit_code == 0
    assert used.run("restore", str(backup)).exit_code == 0
    assert "it works" in used.run("list").stdout


def test_json_names_each_part(used: Shell) -> None:
    plan = used.json("uninstall")
    assert (plan["is_done"], plan["memories"]) == (False, 1)
    assert {"kind", "name", "statement", "used_by"} == set(plan["gone"][0])


def test_what_is_built_on_it_is_a_conflict(used: Shell) -> None:
    with psycopg.connect(used.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("create view report as select content from ai_memories")
    planned = used.run("uninstall")
    assert planned.exit_code == 7
    assert "in the way  view report" in planned.stdout.replace("public.", "")
    done = used.run("uninstall", "--yes")
    assert done.exit_code == 7
    assert "Drop or change these first." in done.stderr
    assert tables(used) == 4


def test_sql_is_printed_without_a_connection() -> None:
    unreachable = Shell({"DATABASE_URL": "postgresql://nowhere.invalid/none"})
    result = unreachable.run("uninstall", "--sql")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "drop schema agent_memory cascade" in result.stdout
    assert unreachable.json("uninstall", "--sql") == {"sql": result.stdout.removesuffix("\n")}


def test_sql_excludes_yes(used: Shell) -> None:
    result = used.run("uninstall", "--sql", "--yes")
    assert result.exit_code == 2
    assert "--sql goes with neither" in result.stderr


def test_keep_without_yes_shows_the_plan(used: Shell, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    result = used.run("uninstall", "--keep", str(kept))
    assert (result.exit_code, kept.exists()) == (0, False)
    assert "goes" in result.stdout
