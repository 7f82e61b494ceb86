"""pgrecall server pitr, pgrecall restore --to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests.cli.conftest import Shell


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with TemporaryDirectory(prefix="pgrecall-") as folder:
        yield Path(folder).resolve() / "home"


@pytest.fixture
def shell(home: Path) -> Shell:
    return Shell({"PGRECALL_HOME": str(home), "PGRECALL_EMBEDDER": "none"})


def test_what_was_remembered_before_a_time_is_recovered(shell: Shell, home: Path) -> None:
    assert shell.run("server", "pitr", "status").stdout == "pitr     off\n"
    assert shell.run("remember", "kept").exit_code == 0
    enabled = shell.run("server", "pitr", "enable", "--keep", "3", "--timeout", "30")
    assert enabled.exit_code == 0, enabled.stderr
    assert f"filed away in {home}/archive, within 30 seconds" in enabled.stdout
    assert shell.run("remember", "kept as well").exit_code == 0
    assert shell.run("remember", "of maria", "--user", "maria").exit_code == 0
    time.sleep(0.02)
    noted = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}+00"
    assert shell.run("remember", "a mistake").exit_code == 0

    assert shell.run("erase", "--user", "maria", "--yes").exit_code == 0

    planned = shell.run("restore", "--to", noted, "--dry-run")
    assert planned.exit_code == 0, planned.stderr
    assert planned.stdout.startswith("1. copy base backup ")
    assert "erasures made after that time: 1. They are made again" in planned.stderr
    assert "make 1 later erasures again" in planned.stdout
    assert "a mistake" in shell.run("list").stdout

    done = shell.run("restore", "--to", noted)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"recovered to {noted} in {home}\n"
    assert "data.before-" in done.stderr
    listed = shell.run("list").stdout
    assert "kept as well" in listed
    assert "of maria" not in listed
    assert "memories erased again: 1" in done.stderr
    assert "a mistake" not in listed

    status = shell.json("server", "pitr", "status")
    assert (status["is_on"], status["trouble"], len(status["aside"])) == (True, None, 1)
    made = shell.json("server", "pitr", "base-backup")
    text = shell.run("server", "pitr", "status").stdout
    assert f"archive  {home}/archive\n" in text
    assert "base     2, the last one " in text
    assert made["removed"] == []

    early = shell.run("restore", "--to", "2020-01-01 00:00+00")
    assert early.exit_code == 2
    assert "before the first base backup" in early.stderr
    assert shell.run("server", "pitr", "disable").stdout == "off; the archive stays\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "2026-11-23 10:15"], "time zone"),
        (["backup.jsonl", "--to", "2026-11-23 10:15+00"], "it takes no FILE"),
        (["--to", "2026-11-23 10:15+00", "--dsn", "postgresql://db/app"], "embedded server alone"),
        (["--to", "2026-11-23 10:15+00"], "never switched on"),
        (["backup.jsonl", "--dry-run"], "go with --to"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, arguments: list[str], said: str) -> None:
    result = Shell({"PGRECALL_HOME": str(tmp_path / "none")}).run("restore", *arguments)
    assert result.exit_code in (2, 5)
    assert said in result.stderr
    assert not (tmp_path / "none").exists()


def test_a_server_of_ones_own_gets_its_statements(pgrecall_server: str) -> None:
    shell = Shell()
    told = ("server", "pitr", "enable", "--dsn", pgrecall_server, "--archive", "/var/wal it's")
    result = shell.run(*told)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "ALTER SYSTEM SET archive_mode = 'on';"
    assert lines[1].startswith("ALTER SYSTEM SET archive_command = ")
    assert lines[2] == "ALTER SYSTEM SET archive_timeout = '60';"
    assert "nothing was changed" in result.stderr
    assert shell.json("server", "pitr", "status", "--dsn", pgrecall_server)["mode"] == "off"
    try:
        assert json.loads(shell.run(*told, "--apply", "--json").stdout)["needs_restart"]
        with psycopg.connect(pgrecall_server) as connection:
            setting = "select setting from pg_file_settings where name = 'archive_command'"
            [(command,)] = connection.execute(setting.encode()).fetchall()
        assert "/var/wal it" in command
        assert shell.run("server", "pitr", "status", "--dsn", pgrecall_server).exit_code == 0
    finally:
        undone = shell.run("server", "pitr", "disable", "--dsn", pgrecall_server, "--apply")
    assert undone.exit_code == 0, undone.stderr
    with psycopg.connect(pgrecall_server) as connection:
        left = "select count(*) from pg_file_settings where name like 'archive%'"
        assert connection.execute(left.encode()).fetchone() == (0,)


def test_who_may_not_set_it_is_told(pgrecall_dsn: str) -> None:
    with psycopg.connect(pgrecall_dsn, autocommit=True) as connection:
        connection.execute("create role pitr_nobody login")
    try:
        dsn = psycopg.conninfo.make_conninfo(pgrecall_dsn, user="pitr_nobody")
        told = ("server", "pitr", "enable", "--dsn", dsn, "--archive", "/wal")
        result = Shell().run(*told)
        assert result.exit_code == 4
        with psycopg.connect(pgrecall_dsn) as connection:
            roles = "select exists (select from pg_roles where rolname = 'supabase_admin')"
            [(is_hosted,)] = connection.execute(roles).fetchall()
        # Other tests of the session may have made Supabase's roles on this server.
        assert ("Supabase hosts" if is_hosted else "only a superuser") in result.stderr
    finally:
        with psycopg.connect(pgrecall_dsn, autocommit=True) as connection:
            connection.execute("drop role pitr_nobody")
