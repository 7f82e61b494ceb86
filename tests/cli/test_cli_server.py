"""pgrecall server, and commands on the embedded server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cli.conftest import Shell


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home for the embedded server; the path is short, as a socket's has to be."""
    with TemporaryDirectory(prefix="pgrecall-") as folder:
        yield Path(folder).resolve() / "home"


@pytest.fixture
def shell(home: Path) -> Shell:
    """pgrecall on the embedded server, which is stopped before each test."""
    shell = Shell({"PGRECALL_HOME": str(home), "PGRECALL_EMBEDDER": "none"})
    shell.run("server", "stop")
    return shell


def test_a_command_starts_the_server_and_stops_it(shell: Shell, home: Path) -> None:
    result = shell.run("remember", "it remembers")
    assert result.exit_code == 0, result.stderr
    assert f"database: embedded server in {home}" in result.stderr
    assert shell.json("server", "status")["is_running"] is False
    assert "it remembers" in shell.run("list").stdout


def test_started_it_runs_until_stopped(shell: Shell, home: Path) -> None:
    started = shell.json("server", "start")
    assert (started["is_running"], started["is_kept"]) == (True, True)
    assert started["home"] == str(home)
    assert shell.json("migrate")["database"]
    text = shell.run("server", "status").stdout
    assert text.startswith("server   running, process ")
    assert f"data     {home}/data" in text
    assert shell.run("server", "stop").stdout == "stopped\n"
    assert shell.run("server", "stop").stdout == "it was not running\n"
    assert shell.json("server", "stop") == {"was_running": False}
    assert shell.run("server", "status").stdout.startswith("server   not running\n")


def test_migrate_starts_the_server(shell: Shell) -> None:
    assert shell.run("migrate").exit_code == 0
    assert shell.run("migrate", "--status").exit_code == 0


def test_psql_takes_arguments(shell: Shell) -> None:
    running = shell.process("server", "psql", "-XAtc", "select current_database()")
    stdout, stderr = running.communicate(timeout=60)
    assert (running.returncode, stdout) == (0, "pgrecall\n"), stderr


def test_a_home_that_can_not_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = Shell({"PGRECALL_HOME": str(tmp_path / "file")}).run("list")
    assert result.exit_code == 5
    assert "error PM511: " in result.stderr
    assert "hint: " in result.stderr


def test_status_without_a_home_creates_none(tmp_path: Path) -> None:
    status = Shell({"PGRECALL_HOME": str(tmp_path / "none")}).run("server", "status", "--json")
    assert json.loads(status.stdout)["version"] is None
    assert not (tmp_path / "none").exists()
