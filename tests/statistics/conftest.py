"""Clients whose counts are looked at."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from pgrecall import Memory, Settings
from pgrecall.testing import HashingEmbedder

PATIENCE = 60.0


@dataclass(frozen=True)
class Counts:
    """The table of counts, as a superuser sees it."""

    dsn: str

    def sum(self, name: str, agent_id: str = "default") -> int:
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute(
                f"select coalesce(sum({name}), 0)::int from agent_memory_stats"
                " where agent_id = %s".encode(),
                (agent_id,),
            ).fetchone()
        assert row is not None
        return int(row[0])

    def rows(self) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            return connection.execute("select * from agent_memory_stats").fetchall()

    def reach(self, name: str, number: int) -> None:
        """Wait until so many are written."""
        deadline = time.monotonic() + PATIENCE
        while self.sum(name) < number:
            assert time.monotonic() < deadline, f"{self.sum(name)} of {number} {name}"
            time.sleep(0.02)


@pytest.fixture
def counts(pgrecall_dsn: str) -> Counts:
    return Counts(pgrecall_dsn)


@pytest.fixture
def client(pgrecall_dsn: str) -> Callable[..., Memory]:
    """Makes a client that writes counts when it is closed, or so many seconds after the first."""

    def make(seconds: float = 3600, **options: Any) -> Memory:
        settings = Settings(stats_interval=seconds)
        return Memory(pgrecall_dsn, embedder=HashingEmbedder(), settings=settings, **options)

    return make


@pytest.fixture
def program(pgrecall_dsn: str) -> Callable[..., subprocess.Popen[str]]:
    """Runs Python in a process of its own, in which `memory` is a client."""

    def run(code: str, seconds: float = 3600) -> subprocess.Popen[str]:
        head = (
            "from pgrecall import Memory, Settings\n"
            f"memory = Memory({pgrecall_dsn!r}, embedder=None,"
            f" settings=Settings(stats_interval={seconds}))\n"
        )
        return subprocess.Popen(
            [sys.executable, "-c", head + code], stdout=subprocess.PIPE, text=True
        )

    return run
