"""What a backup of one organization holds, as its manifest says it, and what came of using it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pgrecall.errors import DamagedBackupError

FORMAT = "pgrecall organization backup"
VERSION = 1
_TABLE = re.compile(r"(public|agent_memory)\.[a-z_]{1,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableContents:
    """One table: its columns without the organization, its key, and what was in it.

    `sha256` is that of all its lines, each with its line feed, in the order of the key. `links`
    are columns that refer to rows of the same table.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    links: tuple[str, ...]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One file of the archive, whose SHA-256 and size in bytes are those of the file as it is."""

    name: str
    table: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a backup is from: the database, its server and its schema, and the moment."""

    database: str
    server_version: str
    snapshot_at: datetime
    wal_position: str
    extensions: Mapping[str, str]
    migrations: Mapping[str, str]
    policies: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that is known of a backup without its rows. Tables stand in the order of loading."""

    id: UUID
    organization_id: UUID
    organization: str
    made_by: str
    source: Source
    tables: tuple[TableContents, ...]
    files: tuple[BackupFile, ...]

    @property
    def rows(self) -> int:
        """How many rows there are in all tables."""
        return sum(table.rows for table in self.tables)

    def table(self, name: str) -> TableContents:
        """The table of that name; KeyError without one."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was made; `bytes` is its size where it lies."""

    id: UUID
    organization_id: UUID
    organization: str
    place: str
    snapshot_at: datetime
    wal_position: str
    rows: int
    bytes: int
    is_encrypted: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """A backup that was put in, and compared with what is there now.

    `added` counts rows, `kept` those that were there already (of a merge), `skipped` those of
    erased memories. `notices` says what else is not as it was.
    """

    backup_id: UUID
    organization_id: UUID
    organization: str
    snapshot_at: datetime
    rows: int
    added: int
    kept: int
    skipped: int
    resumed: bool
    notices: tuple[str, ...]
    seconds: float


def written(manifest: Manifest) -> bytes:
    """The manifest as the JSON document of the archive."""
    document = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
    return (json.dumps(document, indent=1, default=_text, ensure_ascii=False) + "\n").encode()


def parsed(text: bytes) -> Manifest:
    """The manifest that a document says; DamagedBackupError if it is none that is understood."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise DamagedBackupError("the file is no backup of an organization")
        if document["version"] != VERSION:
            raise DamagedBackupError(
                f"the backup is of format version {document['version']}, not {VERSION}",
                hint="Restore it with the release of pgrecall that made it, or a newer one.",
            )
        return _manifest(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, DamagedBackupError):
            raise
        raise DamagedBackupError(f"the manifest is not readable: {error!r}") from None


def _manifest(document: Mapping[str, Any]) -> Manifest:
    source = dict(document["source"])
    source["snapshot_at"] = datetime.fromisoformat(source["snapshot_at"])
    tables = tuple(_table(each) for each in document["tables"])
    files = tuple(_file(each) for each in document["files"])
    manifest = Manifest(
        id=UUID(document["id"]),
        organization_id=UUID(document["organization_id"]),
        organization=str(document["organization"]),
        made_by=str(document["made_by"]),
        source=Source(**source),
        tables=tables,
        files=files,
    )
    for table in tables:
        if table.rows != sum(file.rows for file in files if file.table == table.name):
            raise DamagedBackupError(f"the files of {table.name} don't hold its rows")
    return manifest


def _table(found: Mapping[str, Any]) -> TableContents:
    lists = {name: tuple(map(str, found[name])) for name in ("columns", "key", "links")}
    table = TableContents(**{**found, **lists})
    if not _TABLE.fullmatch(table.name) or not _SHA256.fullmatch(table.sha256):
        raise ValueError(table.name)
    return table


def _file(found: Mapping[str, Any]) -> BackupFile:
    file = BackupFile(**found)
    if not _SHA256.fullmatch(file.sha256) or not _TABLE.fullmatch(file.table):
        raise ValueError(file.name)
    return file


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
