"""Fixtures for pytest: a server, a migrated database for each test, a memory, a clock.

The server is that of PGRECALL_TEST_DSN, to which a superuser must lead, or the embedded one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pgrecall import embedded
from pgrecall._sync.memory import Memory
from pgrecall.testing.clock import FakeClock
from pgrecall.testing.databases import cloned, stop_syncing, template_database
from pgrecall.testing.embedder import HashingEmbedder


@pytest.fixture(scope="session")
def pgrecall_server() -> Iterator[str]:
    """A superuser's connection string."""
    given = os.environ.get("PGRECALL_TEST_DSN")
    if given:
        yield given
        return
    # Not in pytest's own folders: their paths can be too long for a socket.
    with (
        TemporaryDirectory(prefix="pgrecall-") as folder,
        embedded.join(Path(folder) / "home") as lease,
    ):
        stop_syncing(lease.dsn)
        yield lease.dsn


@pytest.fixture(scope="session")
def pgrecall_template(pgrecall_server: str) -> Iterator[str]:
    """A migrated database to clone; nobody should be connected to it."""
    with template_database(pgrecall_server) as dsn:
        yield dsn


@pytest.fixture
def pgrecall_dsn(pgrecall_template: str) -> Iterator[str]:
    """A migrated, empty database of the test's own."""
    with cloned(pgrecall_template) as dsn:
        yield dsn


@pytest.fixture
def memory(pgrecall_dsn: str) -> Iterator[Memory]:
    """An empty memory with the hashing embedder."""
    with Memory(pgrecall_dsn, embedder=HashingEmbedder()) as opened:
        yield opened


@pytest.fixture
def fake_clock(pgrecall_dsn: str) -> FakeClock:
    """The clock of the test's database."""
    return FakeClock(pgrecall_dsn)
