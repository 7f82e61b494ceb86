"""Killed at any point, the database stays usable and a rerun completes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from pgrecall import Memory
from pgrecall.domain.identity import organization_uuid
from pgrecall.ops.backup.writer import back_up
from pgrecall.testing import HashingEmbedder
from tests.backup.conftest import ORGANIZATION, checksums

COMMAND = (sys.executable, "-c", "from pgrecall.cli.main import main; main()")
TIMES = 10


def run(dsn: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "DATABASE_URL": dsn, "PGRECALL_EMBEDDER": "none"}
    return subprocess.Popen(
        [*COMMAND, *arguments, "--json"],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def killed_after(running: subprocess.Popen[str], seconds: float) -> bool:
    """Whether it was still running then."""
    try:
        running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGKILL)
        running.communicate()
        return True
    return False


@dataclass
class Killer:
    """Kills at random moments of what is to be interrupted, until it has done so TIMES."""

    longest: float
    killed: int = 0

    def kill(self, running: subprocess.Popen[str]) -> None:
        if killed_after(running, self.longest * random.random()):
            self.killed += 1
        else:
            # It was faster than was thought, on a machine that others use as well.
            self.longest *= 0.9


def killer_of(running: subprocess.Popen[str]) -> Killer:
    """One for what takes as long as this, once it has succeeded."""
    began = time.monotonic()
    _, stderr = running.communicate()
    assert running.returncode == 0, stderr
    return Killer(time.monotonic() - began)


@pytest.fixture
def large(filled: str) -> str:
    """A database in which a backup and a restore take a while."""
    with Memory(filled, embedder=HashingEmbedder()) as memory:
        memory.remember([f"number {number} of the large ones" for number in range(6_000)])
    return filled


def test_backups(large: str, tmp_path: Path) -> None:
    killer = killer_of(run(large, "backup", str(tmp_path / "first.tar")))
    target = tmp_path / "default.tar"
    while killer.killed < TIMES:
        killer.kill(run(large, "backup", str(target)))
        target.unlink(missing_ok=True)
    done = json.loads(run(large, "backup", str(target)).communicate()[0])
    assert done["rows"] == sum(rows for rows, _ in checksums(large).values())
    assert {each.name for each in tmp_path.iterdir()} == {"first.tar", "default.tar"}
    assert not readers(large)


@pytest.mark.nightly
def test_restores(large: str, elsewhere: str, tmp_path: Path) -> None:
    back_up(large, ORGANIZATION, str(tmp_path / "default.tar"))
    put = ("restore", str(tmp_path / "default.tar"), "--as-organization")
    killer = killer_of(run(elsewhere, *put, "measured"))
    expected = {**checksums(large), "agent_memory.organizations": None}
    attempt = resumed = 0
    while killer.killed < TIMES:
        attempt += 1
        name = f"copy {attempt}"
        killer.kill(run(elsewhere, *put, name))
        with Memory(elsewhere, organization="usable", embedder=None) as memory:
            assert memory.remember(name).status == "added"
            assert memory.recall(name)[0].content == name
        again = run(elsewhere, *put, name)
        stdout, stderr = again.communicate()
        # Of one that had come to its end before it could be killed, the rows are in the way.
        assert again.returncode in (0, 7), stderr
        resumed += again.returncode == 0 and json.loads(stdout)["resumed"]
        found = checksums(elsewhere, organization_uuid(name))
        assert {**found, "agent_memory.organizations": None} == expected
    assert resumed


def readers(dsn: str) -> int:
    """How many backups the server still works on, a moment after their clients are gone."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where application_name = 'pgrecall backup'"
            " and datname = current_database() and state = 'active'"
        ).fetchone()
    return row[0] if row else 0
