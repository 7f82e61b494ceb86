"""What `pgrecall server` stands on: start, stop, status, psql; and the log."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

from pgrecall import embedded
from pgrecall.errors import EmbeddedServerError

IMPORT_ON_WINDOWS = """
import sys
from pathlib import Path
import tempfile, subprocess, shutil
sys.platform = "win32"
sys.modules["fcntl"] = sys.modules["pwd"] = None
from pgrecall import embedded
from pgrecall.errors import EmbeddedServerError
for call in (embedded.join, embedded.start, embedded.stop, embedded.status, embedded.psql_command):
    try:
        call(Path("home"))
    except EmbeddedServerError as error:
        assert "DATABASE_URL" in str(error)
    else:
        sys.exit(f"{call} did not refuse")
"""


def test_a_kept_server_stays_until_stop(home):
    status = embedded.start(home)
    assert (status.is_running, status.is_kept, status.is_used) == (True, True, False)
    lease = embedded.join(home)
    assert not lease.started
    assert embedded.status(home).is_used
    lease.release()
    assert embedded.status(home).is_running
    assert embedded.stop(home) is True
    status = embedded.status(home)
    assert (status.is_running, status.is_kept, status.pid) == (False, False, None)
    assert embedded.stop(home) is False


def test_a_kept_server_that_was_killed_is_kept_again(home, kill):
    kill(embedded.start(home).pid)
    with embedded.join(home) as lease:
        assert lease.started
    assert embedded.status(home).is_running


def test_without_keep_it_ends_with_its_next_user(home):
    embedded.start(home)
    assert not embedded.start(home, keep=False).is_kept
    assert embedded.status(home).is_running
    embedded.join(home).release()
    assert not embedded.status(home).is_running


def test_stop_does_not_wait_for_users(home, query):
    lease = embedded.join(home)
    with psycopg.connect(lease.dsn) as connection:
        assert embedded.stop(home) is True
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    again = embedded.join(home)
    assert again.started
    again.release()
    lease.release()
    assert not embedded.status(home).is_running


def test_status_names_everything(home):
    with embedded.join(home) as lease:
        status = embedded.status(home)
    assert status.home == home
    assert status.dsn == lease.dsn
    assert (status.version or "").startswith("18.")
    assert status.data_directory == home / "data"
    assert status.log_file.read_text().count("ready to accept connections") >= 1
    stopped = embedded.status(home)
    assert (stopped.version, stopped.dsn, stopped.is_used) == ("18", None, False)


def test_looking_makes_nothing(tmp_path):
    status = embedded.status(tmp_path / "home")
    assert (status.is_running, status.version, status.is_used) == (False, None, False)
    assert embedded.stop(tmp_path / "home") is False
    assert not (tmp_path / "home").exists()


def test_psql_brings_its_own_lease(home):
    done = subprocess.run(
        [*embedded.psql_command(home), "-AtXc", "select current_database()"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "pgrecall\n"
    assert not embedded.status(home).is_running


def test_the_server_lives_as_long_as_psql(home):
    lease = embedded.join(home)
    psql = subprocess.Popen(
        [*embedded.psql_command(home), "-AtX"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert psql.stdin and psql.stdout
    psql.stdin.write("select 'hello';\n")
    psql.stdin.flush()
    assert psql.stdout.readline() == "hello\n"
    lease.release()
    assert embedded.status(home).is_running
    assert psql.communicate("select 'bye';\n")[0] == "bye\n"
    assert not embedded.status(home).is_running


def test_psql_passes_its_exit_code_on(home):
    command = [*embedded.psql_command(home), "-Xc", "select nonsense"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_programs_are_found():
    done = subprocess.run(
        [embedded.binary("pg_dump"), "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("pg_dump (PostgreSQL) 18")
    with pytest.raises(EmbeddedServerError, match="no program pg_nothing"):
        embedded.binary("pg_nothing")


def test_backups_may_connect(home):
    with embedded.join(home) as lease:
        psycopg.connect(f"{lease.dsn} replication=true", autocommit=True).close()


def test_the_log_keeps_no_content(home, query):
    with embedded.join(home) as lease:
        query(lease.dsn, "create table memories (content text primary key)")
        query(lease.dsn, "insert into memories values ('allergic to nuts')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            query(lease.dsn, "insert into memories values ('allergic to nuts')")
    assert "nuts" not in embedded.status(home).log_file.read_text()


def test_a_large_log_is_shortened_while_the_server_runs(home):
    log = embedded.status(home).log_file
    with embedded.join(home):
        with log.open("a") as file:
            file.write("a line of the log\n" * 100_000)
        embedded.join(home).release()
        assert log.stat().st_size < 10_000
        older = log.with_name("server.log.1")
        assert 50_000 < older.stat().st_size <= 100_000
        assert older.stat().st_uid == log.stat().st_uid
    assert "shut down" in log.read_text()


def test_windows_is_told_what_to_do_instead():
    subprocess.run([sys.executable, "-c", IMPORT_ON_WINDOWS], check=True)


def test_importing_is_cheap():
    code = "import sys, pgrecall.embedded; sys.exit(bool({'psycopg', 'psutil'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_default_home_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert embedded.default_home().name == "pgrecall"
    assert tmp_path in embedded.default_home().parents


def test_psql_says_why_there_is_no_server(tmp_path):
    (tmp_path / "home").write_text("mine")
    command = embedded.psql_command(tmp_path / "home")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "a file stands where a directory is needed" in done.stderr
    assert "Traceback" not in done.stderr
