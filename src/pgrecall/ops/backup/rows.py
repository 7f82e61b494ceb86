"""An organization's rows, as their canonical lines, in one snapshot of the database."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from pgrecall._sync.session import Session
from pgrecall.domain.backups import Source
from pgrecall.ops.backup.tables import (
    Table,
)

# Before compression; what a reader holds in memory, too.
FILE_BYTES = 4 * 1024 * 1024
FILE_ROWS = 5_000
# Vectors as text gain little from more effort.
COMPRESSION = 3


@dataclass(frozen=True, slots=True)
class Lines:
    """Some rows of a table: compressed lines, as one file of a backup."""

    rows: int
    content: bytes


@dataclass(slots=True)
class TableReader:
    """The rows of one table, file by file; `rows` and `sha256` are known at their end."""

    session: Session
    table: Table
    organization_id: UUID
    rows: int = 0
    sha256: str = ""

    def files(self) -> Iterator[Lines]:
        """The table's rows by key, in files of a bounded size."""
        digest = hashlib.sha256()
        lines: list[bytes] = []
        size = 0
        for line in rows(self.session, self.table, self.organization_id):
            lines.append(line)
            size += len(line)
            if size >= FILE_BYTES or len(lines) == FILE_ROWS:
                yield self._file(lines, digest)
                lines, size = [], 0
        if lines:
            yield self._file(lines, digest)
        self.sha256 = digest.hexdigest()

    def _file(self, lines: list[bytes], digest: Any) -> Lines:
        text = b"".join(lines)
        digest.update(text)
        self.rows += len(lines)
        return Lines(len(lines), gzip.compress(text, COMPRESSION, mtime=0))


@contextmanager
def snapshot(session: Session) -> Iterator[None]:
    """What is read inside the block is of one moment, whatever is written meanwhile."""
    session.rows("begin_backup")
    try:
        yield
    finally:
        if not session.connection.closed:
            session.connection.rollback()


def rows(session: Session, table: Table, organization_id: UUID) -> Iterator[bytes]:
    """Each row of the organization as its canonical line, with a line feed, by key."""
    given = {**asdict(table), "table": table.name, "organization_id": organization_id}
    [copy_out] = session.compose("compose_rows", **given)
    with session.connection.cursor() as cursor, cursor.copy(copy_out.encode()) as copy:
        for block in copy:
            # COPY doubles backslashes; all else that it would escape, JSON has escaped before.
            yield bytes(block).replace(b"\\\\", b"\\")


def checksum(session: Session, table: Table, organization_id: UUID) -> tuple[int, str]:
    """How many rows the organization has in a table, and their checksum."""
    digest, count = hashlib.sha256(), 0
    for line in rows(session, table, organization_id):
        digest.update(line)
        count += 1
    return count, digest.hexdigest()


def count_rows(session: Session, table: Table, organization_id: UUID) -> int:
    """How many rows the organization has in a table."""
    given = {"table": table.name, "organization_id": organization_id}
    [counted] = session.run_composed("compose_row_count", **given)
    return int(counted["rows"])


def look_at_source(session: Session, tables: list[Table], organization_id: UUID) -> Source:
    """What the manifest says of the database, of the same snapshot as the rows."""
    seen = session.row("look_at_source", organization_id=organization_id)
    names = [table.name for table in tables]
    return Source(
        database=seen["database"],
        server_version=seen["server_version"],
        snapshot_at=seen["snapshot_at"],
        wal_position=seen["wal_position"],
        extensions=seen["extensions"],
        migrations=_pairs(session.rows("list_backup_migrations"), "checksum"),
        policies=_pairs(session.rows("list_backup_policies", tables=names), "definition"),
    )


def _pairs(found: list[DictRow], value: str) -> dict[str, str]:
    return {row["name"]: row[value] for row in found}
