"""The whole database: pg_dump's custom format, with a manifest beside it.

In the dump are schema agent_memory, our tables and all functions and types in schema public, and
the extensions that they use; not other tables, and not the schemas that Supabase manages. What is
restored is the rows: the schema of the target is made by its migrations, in its own place for
extensions, so that policies and functions are those of the release.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any
from uuid import UUID, uuid4

from psycopg import conninfo, pq

from pgrecall._sync.session import Session
from pgrecall.errors import BackupError, ConflictError, DamagedBackupError, SchemaMissingError
from pgrecall.ops.backup import ledger
from pgrecall.ops.backup.encryption import decrypting, encrypting, identities, recipients
from pgrecall.ops.backup.indexes import MEMORIES, OnStep, built_afterwards
from pgrecall.ops.backup.names import SIDECAR
from pgrecall.ops.backup.places import Place, place, refuse_existing
from pgrecall.ops.backup.rows import look_at_source, snapshot
from pgrecall.ops.backup.tables import (
    backup_session,
    find_tables,
)
from pgrecall.ops.backup.tools import Tools, find_tools, major
from pgrecall.ops.backup.writer import CountingStream
from pgrecall.sql.failures import MIGRATE_HINT
from pgrecall.sql.migration_files import read_release

FORMAT = "pgrecall database backup"
_PIECE = 1 << 20
_LEDGER = "agent_memory.backups"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseBackup:
    """A dump, and what its manifest says: its SHA-256, and the rows of each table then."""

    id: UUID
    place: str
    database: str
    server_version: str
    tool_version: str
    snapshot_at: datetime
    wal_position: str
    bytes: int
    sha256: str
    is_encrypted: bool
    tables: dict[str, int]
    extensions: dict[str, str]
    migrations: dict[str, str]
    policies: dict[str, str]

    @property
    def rows(self) -> int:
        """How many rows there are in all tables."""
        return sum(self.tables.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRestoreReport:
    """A dump that was put in: `rows` of it, which are there."""

    backup_id: UUID
    database: str
    snapshot_at: datetime
    rows: int
    notices: tuple[str, ...]
    seconds: float


def is_whole(source: str) -> bool:
    """Whether a place holds the dump of a database: a manifest stands beside it."""
    return place(source + SIDECAR).exists()


def back_up_database(
    dsn: str, target: str, *, for_recipients: str | None = None, tools_in: Path | None = None
) -> DatabaseBackup:
    """Dump all of pgrecall in a database to a new file, and its manifest to FILE.json beside it.

    `tools_in` is the folder of pg_dump, if it is not to be looked for. Raises as `back_up` does,
    and BackupError where no pg_dump fits the server.
    """
    there, beside, keys = place(target), place(target + SIDECAR), recipients(for_recipients)
    for each in (there, beside):
        refuse_existing(each)
    with backup_session(dsn, "backup") as session:
        find_tables(session)
        tools = find_tools(session.server_version, tools_in)
        backup_id = uuid4()
        entry = ledger.begin(session, ledger.WHOLE_DATABASE, backup_id, "backup", str(there))
        with ledger.record_failure(entry):
            writer = _DumpWriter(dsn, there, keys, tools, backup_id)
            with backup_session(dsn, "backup") as reader, snapshot(reader):
                made = writer.dump(reader)
            with beside.writing() as stream:
                stream.write(_written(made))
            entry.done(made.snapshot_at, made.rows, made.bytes)
    return made


def check_database_backup(source: str) -> DatabaseBackup:
    """The manifest of a dump, once all of the dump was compared with it.

    Raises DamagedBackupError if it is truncated or altered.
    """
    made = _read_manifest(source)
    digest = hashlib.sha256()
    with place(source).reading() as stream:
        for piece in _pieces(stream):
            digest.update(piece)
    if digest.hexdigest() != made.sha256:
        raise DamagedBackupError(f"{place(source)} is truncated or altered")
    return made


def restore_database(
    dsn: str,
    source: str,
    *,
    identity: str | None = None,
    tools_in: Path | None = None,
    on_step: OnStep | None = None,
) -> DatabaseRestoreReport:
    """Put all rows of a dump into a migrated database that has none, in one transaction.

    `on_step` hears what is done, and how much of how much.

    Raises DamagedBackupError before anything is written, ConflictError where there are rows,
    BackupError if counts or policies differ afterwards.
    """
    began = time.monotonic()
    tell = on_step or (lambda step, done, total: None)
    keys = identities(identity)
    made = check_database_backup(source)
    with backup_session(dsn, "restore") as session:
        find_tables(session)
        here = _dumped_tables(session)
        _refuse_unfit(session, made, here)
        tools = find_tools(session.server_version, tools_in)
        entry = ledger.begin(session, ledger.WHOLE_DATABASE, made.id, "restore", str(place(source)))
        with ledger.record_failure(entry):
            wanted = [name for name in here if name in made.tables]
            rows = sum(made.tables[name] for name in wanted)
            memories = made.tables.get(MEMORIES, 0)
            with (
                _at_hand(source, keys) as dump,
                built_afterwards(session, dsn, entry, memories, tell),
            ):
                tell("Restoring", 0, rows)
                _put_in(tools, dsn, dump, wanted)
            notices = _compare(session, made, wanted)
            entry.done(made.snapshot_at, rows, None)
    seconds = time.monotonic() - began
    return DatabaseRestoreReport(
        backup_id=made.id,
        database=made.database,
        snapshot_at=made.snapshot_at,
        rows=rows,
        notices=notices,
        seconds=seconds,
    )


@dataclass(frozen=True)
class _DumpWriter:
    dsn: str
    there: Place
    keys: list[Any]
    tools: Tools
    backup_id: UUID

    def dump(self, session: Session) -> DatabaseBackup:
        """Dump the snapshot of a connection; what its manifest says."""
        source = look_at_source(session, find_tables(session), ledger.WHOLE_DATABASE)
        counts = {name: _count(session, name) for name in _dumped_tables(session)}
        exported = session.row("export_snapshot")
        arguments = _arguments(session, list(source.extensions), self.tools)
        command = [self.tools.path("pg_dump"), *arguments, f"--snapshot={exported['snapshot']}"]
        with self.there.writing() as sink:
            counted = CountingStream(sink)
            with encrypting(counted, self.keys) as stream:
                _run_to(command, self.dsn, stream)
        return DatabaseBackup(
            id=self.backup_id,
            place=str(self.there),
            database=source.database,
            server_version=source.server_version,
            tool_version=self.tools.version,
            snapshot_at=source.snapshot_at,
            wal_position=source.wal_position,
            bytes=counted.bytes,
            sha256=counted.sha256,
            is_encrypted=bool(self.keys),
            tables=counts,
            extensions=dict(source.extensions),
            migrations=dict(source.migrations),
            policies=dict(source.policies),
        )


def _arguments(session: Session, extensions: list[str], tools: Tools) -> list[str]:
    # Never --enable-row-security: it dumps what the policies show, which is nothing, and succeeds.
    others = [row["name"] for row in session.rows("list_others_relations", names=_public_names())]
    takes_extensions = major(tools.version) >= 14
    return [
        "--format=custom",
        "--no-owner",
        "--lock-wait-timeout=60s",
        "--schema=agent_memory",
        "--schema=public",
        *(f"--exclude-table={name}" for name in others),
        *(f'--extension="{name}"' for name in extensions if takes_extensions),
    ]


def _put_in(tools: Tools, dsn: str, dump: Path, tables: list[str]) -> None:
    listed = _run([tools.path("pg_restore"), "--list", str(dump)], dsn)
    entries = {f"{parts[4]}.{parts[5]}": line for line, parts in _data_entries(listed)}
    # In our order, since the constraints are there already.
    text = "".join(f"{entries[name]}\n" for name in tables if name in entries)
    listing = dump.with_name("list")
    listing.write_text(text, "utf-8")
    command = [tools.path("pg_restore"), "--data-only", "--single-transaction", "--exit-on-error"]
    command += [f"--use-list={listing}", "--dbname=", str(dump)]
    _run(command, dsn)


def _data_entries(listed: str) -> Iterator[tuple[str, list[str]]]:
    """Lines such as `4242; 0 16385 TABLE DATA public ai_memories owner`; the words after `;`."""
    for line in listed.splitlines():
        parts = line.partition("; ")[2].split()
        if parts[2:4] == ["TABLE", "DATA"]:
            yield line, parts


def _refuse_unfit(session: Session, made: DatabaseBackup, here: list[str]) -> None:
    version_here = session.server_version
    if major(version_here) < major(made.server_version):
        raise BackupError(
            f"the dump is of PostgreSQL {made.server_version}, the server is {version_here}",
            hint="Restore it into a server of that version or a newer one; a backup of one "
            "organization goes into any.",
        )
    known = {file.name for file in read_release().files}
    if newer := sorted(set(made.migrations) - known):
        raise SchemaMissingError(
            f"the dump is of a newer schema: {', '.join(newer)}", hint=MIGRATE_HINT
        )
    full = [name for name in here if name != _LEDGER and _count(session, name)]
    if full:
        raise ConflictError(
            f"the database has rows in {', '.join(full)}",
            hint="Restore into a new database: createdb, then pgrecall migrate.",
        )


def _compare(session: Session, made: DatabaseBackup, tables: list[str]) -> tuple[str, ...]:
    for name in tables:
        if name != _LEDGER and (found := _count(session, name)) != made.tables[name]:
            raise BackupError(f"{name} has {found} rows after the restore, not {made.tables[name]}")
    policies = session.rows("list_backup_policies", tables=tables)
    expected = {name for name in made.policies if name.partition(" ")[0] in tables}
    missing = expected - {row["name"] for row in policies}
    if missing:
        raise BackupError(f"policies are missing: {', '.join(sorted(missing))}")
    left = [name for name, rows in made.tables.items() if rows and name not in tables]
    return tuple(f"{name} was left out: this database has no such table" for name in left)


@contextmanager
def _at_hand(source: str, keys: list[Any]) -> Iterator[Path]:
    """The dump as a file that can be read in any order, decrypted; nobody else can read it."""
    with TemporaryDirectory(prefix="pgrecall-") as folder:
        path = Path(folder) / "dump"
        with (
            place(source).reading() as stream,
            decrypting(stream, keys) as plain,
            path.open("wb") as copy,
        ):
            for piece in _pieces(plain):
                copy.write(piece)
        yield path


def _run_to(command: Sequence[str], dsn: str, sink: Any) -> None:
    """Run a program, its output going to a stream; BackupError with its last words."""
    with (
        TemporaryFile() as words,
        subprocess.Popen(
            command, env=_environment(dsn), stdout=subprocess.PIPE, stderr=words
        ) as running,
    ):
        assert running.stdout is not None
        try:
            for piece in _pieces(running.stdout):
                sink.write(piece)
        except BaseException:
            running.kill()
            raise
        code = running.wait()
        words.seek(0)
        _refuse_failure(command, code, words.read())


def _run(command: Sequence[str], dsn: str) -> str:
    done = subprocess.run(command, env=_environment(dsn), check=False, capture_output=True)
    _refuse_failure(command, done.returncode, done.stderr)
    return done.stdout.decode()


def _refuse_failure(command: Sequence[str], code: int, words: bytes) -> None:
    if code:
        said = words.decode(errors="replace").strip() or f"exit code {code}"
        raise BackupError(f"{Path(command[0]).name} failed: {said[-2000:]}")


def _environment(dsn: str) -> dict[str, str]:
    """Where to connect; not on the command line, which others can read, and a password in it."""
    names = {
        each.keyword.decode(): each.envvar.decode()
        for each in pq.Conninfo.get_defaults()
        if each.envvar
    }
    given = conninfo.conninfo_to_dict(dsn)
    said = {names[key]: str(value) for key, value in given.items() if key in names}
    return {**os.environ, **said, "PGAPPNAME": "pgrecall backup", "LC_ALL": "C"}


def _dumped_tables(session: Session) -> list[str]:
    return [row["name"] for row in session.rows("list_dumped_tables", names=_public_names())]


def _public_names() -> list[str]:
    return list(read_release().public_names)


def _count(session: Session, table: str) -> int:
    [counted] = session.run_composed("compose_table_count", table=table)
    return int(counted["rows"])


def _pieces(stream: Any) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        yield piece


def _written(made: DatabaseBackup) -> bytes:
    document = {"format": FORMAT, "version": 1, "made_by": f"pgrecall {version('pgrecall')}"}
    document |= asdict(made)
    return (json.dumps(document, indent=1, default=str, ensure_ascii=False) + "\n").encode()


def _read_manifest(source: str) -> DatabaseBackup:
    with place(source + SIDECAR).reading() as stream:
        text = stream.read()
    try:
        document = json.loads(text)
        if (document.pop("format"), document.pop("version")) != (FORMAT, 1):
            raise ValueError("another format")
        document.pop("made_by")
        document["id"] = UUID(document["id"])
        document["snapshot_at"] = datetime.fromisoformat(document["snapshot_at"])
        return DatabaseBackup(**document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedBackupError(
            f"{place(source + SIDECAR)} is no manifest of a dump: {error}"
        ) from None
