"""pgrecall metrics."""

from __future__ import annotations

import re
import signal
import socket
from urllib.request import urlopen

from tests.cli.conftest import Shell


def test_it_prints_what_prometheus_reads(shell: Shell) -> None:
    shell.run("remember", "Tea is green.")
    result = shell.run("metrics")
    assert result.exit_code == 0, result.stderr
    assert "# TYPE pgrecall_memories_added_total counter\n" in result.stdout
    assert "pgrecall_memories_added_total 1.0\n" in result.stdout


def test_as_json_by_organization(shell: Shell) -> None:
    for name in ("one", "two"):
        shell.run("remember", "Tea is green.", "--organization", name)
    found = shell.json("metrics", "--by-organization")["metrics"]
    added = [each for each in found if each["name"] == "pgrecall_memories_added_total"]
    assert [each["value"] for each in added] == [1, 1]
    assert len({each["labels"]["organization"] for each in added}) == 2


def test_it_serves_until_it_is_told_to_end(shell: Shell) -> None:
    process = shell.process("metrics", "--listen", "0")
    assert process.stderr is not None
    said = [process.stderr.readline(), process.stderr.readline()]
    [address] = re.findall(r"serving (http://127\.0\.0\.1:\d+/metrics)", said[-1])
    for _ in range(2):
        with urlopen(address) as answer:
            assert b"pgrecall_database_up 1.0" in answer.read()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143


def test_a_port_that_is_taken(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = shell.run("metrics", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert result.exit_code == 2
    assert "can't be listened on" in result.stderr


def test_a_wrong_place(shell: Shell) -> None:
    result = shell.run("metrics", "--listen", "here")
    assert result.exit_code == 2
    assert "HOST:PORT" in result.stderr
