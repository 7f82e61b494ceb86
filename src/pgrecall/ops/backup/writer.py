"""A backup of one organization."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from pgrecall._sync.session import Session
from pgrecall.domain.backups import Backup, BackupFile, Manifest, TableContents, written
from pgrecall.ops.backup import ledger
from pgrecall.ops.backup.archive import ArchiveWriter
from pgrecall.ops.backup.encryption import encrypting, recipients
from pgrecall.ops.backup.names import CHECKSUM, MANIFEST, README, README_NAME
from pgrecall.ops.backup.places import Place, place, refuse_existing
from pgrecall.ops.backup.rows import TableReader, count_rows, look_at_source, snapshot
from pgrecall.ops.backup.tables import (
    Table,
    backup_session,
    find_organization,
    find_tables,
)

OnProgress: TypeAlias = Callable[[int, int], None]


def back_up(
    dsn: str,
    organization_id: UUID,
    target: str,
    *,
    for_recipients: str | None = None,
    on_progress: OnProgress | None = None,
) -> Backup:
    """Write all rows of an organization, as of one moment, to a new file.

    `target` is a path or a URL of fsspec; `for_recipients` age's public keys, or the path of a
    file with them. Others read and write meanwhile. `on_progress` hears how many of how many rows
    are done. What is interrupted leaves no file of that name.

    Raises ConflictError if the file is there, NotFoundError without such an organization,
    MissingPrivilegeError for a role that can't read everything, BackupError if the file can't be
    written.
    """
    began = time.monotonic()
    there, keys = place(target), recipients(for_recipients)
    refuse_existing(there)
    with backup_session(dsn, "backup") as session:
        tables = find_tables(session)
        name = find_organization(session, organization_id)
        backup_id = uuid4()
        entry = ledger.begin(session, organization_id, backup_id, "backup", str(there))
        with ledger.record_failure(entry):
            writer = _BackupWriter(session, tables, organization_id, name, backup_id)
            manifest, size = writer.write(there, keys, on_progress)
            entry.done(manifest.source.snapshot_at, manifest.rows, size)
    return Backup(
        id=manifest.id,
        organization_id=organization_id,
        organization=name,
        place=str(there),
        snapshot_at=manifest.source.snapshot_at,
        wal_position=manifest.source.wal_position,
        rows=manifest.rows,
        bytes=size,
        is_encrypted=bool(keys),
        seconds=time.monotonic() - began,
    )


@dataclass
class _BackupWriter:
    session: Session
    tables: list[Table]
    organization_id: UUID
    organization: str
    backup_id: UUID
    files: list[BackupFile] = field(default_factory=list)

    def write(
        self, there: Place, keys: list[Any], on_progress: OnProgress | None
    ) -> tuple[Manifest, int]:
        """Write the archive; its manifest, and its size where it lies."""
        with there.writing() as sink:
            counted = CountingStream(sink)
            with encrypting(counted, keys) as stream, snapshot(self.session):
                manifest = self._archive(ArchiveWriter(stream), on_progress)
            return manifest, counted.bytes

    def _archive(self, archive: ArchiveWriter, on_progress: OnProgress | None) -> Manifest:
        source = look_at_source(self.session, self.tables, self.organization_id)
        total = sum(count_rows(self.session, t, self.organization_id) for t in self.tables)
        done = 0
        archive.add(README_NAME, README)
        contents: list[TableContents] = []
        for table in self.tables:
            reading = TableReader(self.session, table, self.organization_id)
            for number, lines in enumerate(reading.files(), 1):
                name = f"{table.name}/{number:06}.jsonl.gz"
                self.files.append(_file(name, table.name, lines.rows, lines.content))
                archive.add(name, lines.content)
                done += lines.rows
                if on_progress is not None:
                    on_progress(done, total)
            contents.append(_contents(table, reading))
        manifest = Manifest(
            id=self.backup_id,
            organization_id=self.organization_id,
            organization=self.organization,
            made_by=f"pgrecall {version('pgrecall')}",
            source=source,
            tables=tuple(contents),
            files=tuple(self.files),
        )
        text = written(manifest)
        archive.add(MANIFEST, text)
        archive.add(CHECKSUM, f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode())
        archive.end()
        return manifest


def _file(name: str, table: str, rows: int, content: bytes) -> BackupFile:
    return BackupFile(name, table, rows, len(content), hashlib.sha256(content).hexdigest())


def _contents(table: Table, reading: TableReader) -> TableContents:
    return TableContents(
        name=table.name,
        columns=tuple(table.columns),
        key=tuple(table.key),
        links=tuple(table.links),
        rows=reading.rows,
        sha256=reading.sha256,
    )


class CountingStream:
    """A stream that counts and digests what is written to it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.bytes = 0

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return self._digest.hexdigest()

    def write(self, content: bytes) -> int:
        self._stream.write(content)
        self._digest.update(content)
        self.bytes += len(content)
        return len(content)

    def flush(self) -> None:
        self._stream.flush()
