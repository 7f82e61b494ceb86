"""An organization with everything in it, its backup, and an empty database to restore it into."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from pgrecall import Memory
from pgrecall.domain.identity import organization_uuid
from pgrecall.ops.backup.rows import checksum
from pgrecall.ops.backup.tables import backup_session, find_tables
from pgrecall.ops.backup.writer import back_up
from pgrecall.testing import HashingEmbedder
from pgrecall.testing.databases import add_member, cloned

ORGANIZATION = organization_uuid("default")
AWKWARD = 'back\\slash "quoted" \t tab \n line \u00fc \u4e2d \U0001f9ca %s $1 \\n \\. \x7f'


def fill(dsn: str, organization: str = "default") -> None:
    """Memories of every sort, and all that hangs on them."""
    with Memory(dsn, organization=organization, embedder=HashingEmbedder()) as memory:
        memory.remember(AWKWARD, user_id="maria", metadata={"deep": [1.5, AWKWARD, None]})
        for employer in ("Acme", "Initech", "Globex"):
            memory.remember(f"Works at {employer}.", user_id="maria", slot="user:maria/employer")
        conversation = [
            {"role": "user", "name": "Maria", "content": "Is the blue one in stock?"},
            {"role": "assistant", "content": "Yes, three of them."},
            {"role": "user", "name": "Maria", "content": "Then I take two of them."},
        ]
        memory.remember(conversation, user_id="maria", context="ticket")
        memory.remember([f"note {number} of jonas" for number in range(20)], user_id="jonas")
        changed = memory.list(user_id="jonas", limit=1).items[0]
        memory.update(changed.id, content="note that was changed", importance=0.123)
        memory.forget([memory.list(user_id="jonas", limit=2).items[1].id])
        memory.configure(limit=17)
    add_member(dsn, organization_uuid(organization), "maria", "owner")


def checksums(dsn: str, organization_id: UUID = ORGANIZATION) -> dict[str, tuple[int, str]]:
    """Of each table of an organization, how many rows it has, and their checksum."""
    with backup_session(dsn, "test") as connection:
        tables = find_tables(connection)
        return {table.name: checksum(connection, table, organization_id) for table in tables}


def digest(dsn: str) -> str:
    """Of all that all tables hold, but for the ledgers."""
    found = hashlib.sha256()
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "select c.oid::regclass::text from pg_class as c where c.relkind = 'r' and"
            " c.relnamespace in ('public'::regnamespace, 'agent_memory'::regnamespace) order by 1"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(f"select t::text from {table} as t order by 1").fetchall()
            found.update(repr((table, rows)).encode())
    return found.hexdigest()


@pytest.fixture
def filled(pgrecall_dsn: str) -> str:
    """A database whose organization `default` has rows in every table that clients fill."""
    fill(pgrecall_dsn)
    return pgrecall_dsn


@pytest.fixture
def backup(filled: str, tmp_path: Path) -> Path:
    """A backup of that organization."""
    path = tmp_path / "default.tar"
    back_up(filled, ORGANIZATION, str(path))
    return path


@pytest.fixture
def elsewhere(pgrecall_template: str) -> Iterator[str]:
    """Another database, migrated and empty."""
    with cloned(pgrecall_template) as dsn:
        yield dsn
