"""Which database, where output goes, and how a command ends."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import termios
import time
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.cli.conftest import Shell


def test_the_database_is_said_on_standard_error(shell: Shell, pgrecall_dsn: str) -> None:
    result = shell.run("list")
    name = conninfo_to_dict(pgrecall_dsn)["dbname"]
    assert result.stderr.startswith(f"database: database {name} at ")
    assert result.stdout == ""


def test_dsn_comes_before_the_environment(pgrecall_dsn: str) -> None:
    shell = Shell(
        {"DATABASE_URL": "postgresql://nowhere.invalid/none", "PGRECALL_EMBEDDER": "none"}
    )
    assert shell.run("list", "--dsn", pgrecall_dsn).exit_code == 0


def test_dsn_from_a_file_of_settings(tmp_path: Path, pgrecall_dsn: str) -> None:
    (tmp_path / ".env").write_text(f"DATABASE_URL={pgrecall_dsn!r}\nPGRECALL_EMBEDDER=none\n")
    result = Shell().run("list")
    assert result.exit_code == 0
    assert f"database {conninfo_to_dict(pgrecall_dsn)['dbname']} at " in result.stderr


def test_an_unreachable_database() -> None:
    shell = Shell({"DATABASE_URL": "postgresql://maria:s3cret@localhost:1/app"})
    for command in (["list"], ["migrate"], ["demo"]):
        result = shell.run(*command)
        assert result.exit_code == 5
        assert "database: database app at localhost:1" in result.stderr
        assert "error PM521: " in result.stderr
        assert "s3cret" not in result.stderr


def test_a_connection_string_that_is_none() -> None:
    result = Shell({"DATABASE_URL": "postgres//maria:s3cret@localhost"}).run("list")
    assert result.exit_code == 2
    assert "error PM501: " in result.stderr
    assert "s3cret" not in result.stderr


def test_colours_only_on_a_terminal(shell: Shell) -> None:
    shell.json("remember", "a red apple")
    assert "\x1b[" not in shell.run("recall", "apple").stdout
    assert "\x1b[1;32m" in on_a_terminal(shell, "recall", "apple")
    assert "\x1b[" not in on_a_terminal(shell, "recall", "apple", "--json")


def test_no_colour_where_it_is_not_wanted(shell: Shell) -> None:
    shell.json("remember", "a red apple")
    plain = Shell({**shell.environment, "NO_COLOR": "1"})
    assert "\x1b[1;32m" not in on_a_terminal(plain, "recall", "apple")


def test_output_that_can_not_be_encoded(shell: Shell) -> None:
    shell.json("remember", "Zürich 東京")
    ascii_only = Shell({**shell.environment, "PYTHONIOENCODING": "ascii"})
    running = ascii_only.process("recall", "Zürich", "--explain")
    stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 0, stderr
    assert "Z?rich ??" in stdout
    assert "lexical ######" in stdout


def test_a_reader_that_leaves_early_is_no_error() -> None:
    running = Shell().process("migrate", "--sql")
    assert running.stdout is not None
    running.stdout.read(10)
    running.stdout.close()
    assert running.stderr is not None
    assert running.stderr.read() == ""
    assert running.wait(timeout=60) == 1


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(sent: signal.Signals, code: int) -> None:
    reading, writing = os.pipe()
    running = Shell().process("remember", "-", stdin=reading)
    try:
        os.write(writing, b"a line\n")
        wait_until_it_was_read(reading)
        running.send_signal(sent)
        _, stderr = running.communicate(timeout=60)
    finally:
        os.close(reading)
        os.close(writing)
    assert running.returncode == code
    assert stderr.strip() == ""


def wait_until_it_was_read(pipe: int) -> None:
    """Until nothing is left in the pipe, so that its reader waits for more."""
    for _ in range(600):
        unread = bytearray(4)
        fcntl.ioctl(pipe, termios.FIONREAD, unread)
        if not any(unread):
            return
        time.sleep(0.05)
    raise TimeoutError


def on_a_terminal(shell: Shell, *arguments: str) -> str:
    """What a command shows on a terminal that is its standard output."""
    ours, theirs = pty.openpty()
    running = shell.process(*arguments, stdout=theirs)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # Linux says so when the other side is closed.
        pass
    finally:
        os.close(ours)
    assert running.wait(timeout=60) == 0
    return shown.decode()
