"""Databases for faults: a healthy one, with memories, and a clone of it for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from pgrecall import Memory
from pgrecall.ops.doctor.surroundings import Surroundings
from pgrecall.testing.databases import cloned
from tests.doctor.fault import Fault, Sandbox


@contextmanager
def healthy_database(template: str) -> Iterator[str]:
    """A migrated database with a few memories of one agent, to be cloned."""
    with cloned(template) as dsn:
        with Memory(dsn, embedder="local") as memory:
            memory.remember(
                ["I'm vegetarian.", "I work at Acme.", "My flight leaves at nine."],
                user_id="maria",
            )
        yield dsn


@contextmanager
def sandbox(fault: Fault | None, healthy: str) -> Iterator[Sandbox]:
    """A database and a working directory of its own."""
    template = "template0" if fault is not None and fault.is_empty else None
    with cloned(healthy, template) as dsn, TemporaryDirectory() as folder:
        yield Sandbox(Surroundings(dsn, {}, Path(folder), Path(folder) / "home"))


def abilities_of(server: str) -> frozenset[str]:
    """What a server and this account can: vector, and to mount file systems."""
    with psycopg.connect(server) as connection:
        has_vector = connection.execute(
            "select from pg_available_extensions where name = 'vector'"
        ).fetchone()
    found = {"vector": has_vector is not None, "mount": os.geteuid() == 0}
    return frozenset(name for name, is_there in found.items() if is_there)
