"""The database that a command works on, and saying which one that is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgrecall import Memory, Settings
from pgrecall._sync.link import Address
from pgrecall._sync.vectors import DEFAULT
from pgrecall.cli.output import say, waiting
from pgrecall.embedded import default_home, join


@contextmanager
def open_memory(
    dsn: str | None, organization: str, agent: str, embedder: str | None = DEFAULT
) -> Iterator[Memory]:
    """A memory on the database that is meant, after saying which one it is."""
    with Memory(dsn, organization=organization, agent_id=agent, embedder=embedder) as memory:
        say(f"database: {memory.database}")
        with waiting("Opening the database"):
            memory.open()
        yield memory


@contextmanager
def resolve_database(dsn: str | None) -> Iterator[str]:
    """The connection string of the database that is meant, after saying which one it is."""
    address = Address.of(dsn, Settings())
    say(f"database: {address}")
    if address.dsn is not None:
        yield address.dsn
        return
    with waiting("Starting the server"):
        lease = join(address.home)
    with lease:
        yield lease.dsn


@contextmanager
def resolve_open_database(dsn: str | None) -> Iterator[str]:
    """The connection string of the database that is meant, which somebody has opened already."""
    address = Address.of(dsn, Settings())
    if address.dsn is not None:
        yield address.dsn
        return
    with join(address.home) as lease:
        yield lease.dsn


def home() -> Path:
    """Where the embedded server keeps its data."""
    return Settings().home or default_home()
