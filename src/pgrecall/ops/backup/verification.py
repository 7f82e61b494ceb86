"""The proof that a backup can be restored: it is, into a database of its own, and looked at."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from psycopg.conninfo import make_conninfo

from pgrecall._sync.memory import Memory
from pgrecall._sync.migrate import migrate
from pgrecall._sync.session import Session
from pgrecall.domain.backups import RestoreReport
from pgrecall.errors import BackupError
from pgrecall.ops.backup import ledger
from pgrecall.ops.backup.dump import (
    DatabaseRestoreReport,
    check_database_backup,
    is_whole,
    restore_database,
)
from pgrecall.ops.backup.encryption import identities
from pgrecall.ops.backup.indexes import OnStep
from pgrecall.ops.backup.places import place
from pgrecall.ops.backup.reader import BackupReader
from pgrecall.ops.backup.restore import restore
from pgrecall.ops.backup.tables import backup_session
from pgrecall.sql.failures import translated

SAMPLE = 5
# Several memories may say the same.
_MATCH_LIMIT = 50
# Of a memory's beginning: a longer question takes longer and finds no more.
_ASKED_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found: `rows` came back, `policies` are there, `recalls` found what they should.

    `notices` says what is otherwise than where the backup was made, such as extensions.
    """

    backup_id: UUID
    place: str
    snapshot_at: datetime
    rows: int
    tables: int
    policies: int
    recalls: int
    notices: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expectation:
    backup_id: UUID
    organization_id: UUID
    snapshot_at: datetime
    tables: int
    extensions: dict[str, str]
    policies: dict[str, str]
    server_version: str


def verify(
    dsn: str,
    source: str,
    *,
    server: str | None = None,
    identity: str | None = None,
    tools_in: Path | None = None,
    on_step: OnStep | None = None,
) -> Verification:
    """Restore a backup into a scratch database and compare it with what its manifest says.

    The database is made on the server of `dsn`, or of `server`, and dropped in any case; the
    ledger of `dsn` says what came of it. Needs the right to create databases. Raises
    DamagedBackupError, or BackupError if anything is not as it was.
    """
    began = time.monotonic()
    expected = _expected(source, identity)
    with backup_session(dsn, "verify") as session:
        entry = ledger.begin(
            session,
            expected.organization_id,
            expected.backup_id,
            "verification",
            str(place(source)),
        )
        with ledger.record_failure(entry), _scratch(server or dsn) as scratch:
            with translated():
                migrate(scratch)
            done = _put_in(scratch, source, identity, tools_in, on_step)
            with backup_session(scratch, "verify") as restored:
                notices = _compare(restored, expected)
                recalls = _recall(restored, scratch)
            entry.done(expected.snapshot_at, done.rows, None)
    return Verification(
        backup_id=expected.backup_id,
        place=str(place(source)),
        snapshot_at=expected.snapshot_at,
        rows=done.rows,
        tables=expected.tables,
        policies=len(expected.policies),
        recalls=recalls,
        notices=(*done.notices, *notices),
        seconds=time.monotonic() - began,
    )


def _expected(source: str, identity: str | None) -> _Expectation:
    if is_whole(source):
        dump = check_database_backup(source)
        return _Expectation(
            backup_id=dump.id,
            organization_id=ledger.WHOLE_DATABASE,
            snapshot_at=dump.snapshot_at,
            tables=len(dump.tables),
            extensions=dump.extensions,
            policies=dump.policies,
            server_version=dump.server_version,
        )
    manifest = BackupReader(place(source), identities(identity)).check()
    made = manifest.source
    return _Expectation(
        backup_id=manifest.id,
        organization_id=manifest.organization_id,
        snapshot_at=made.snapshot_at,
        tables=len(manifest.tables),
        extensions=dict(made.extensions),
        policies=dict(made.policies),
        server_version=made.server_version,
    )


def _put_in(
    scratch: str, source: str, identity: str | None, tools_in: Path | None, on_step: OnStep | None
) -> RestoreReport | DatabaseRestoreReport:
    if is_whole(source):
        return restore_database(
            scratch, source, identity=identity, tools_in=tools_in, on_step=on_step
        )
    return restore(scratch, source, identity=identity, on_step=on_step)


def _compare(session: Session, expected: _Expectation) -> tuple[str, ...]:
    """Raise BackupError for policies that are not there; say what else differs."""
    tables = {name.partition(" ")[0] for name in expected.policies}
    rows = session.rows("list_backup_policies", tables=sorted(tables))
    found = {row["name"]: row["definition"] for row in rows}
    has_vector = "agent_memory.embeddings" in {name.partition(" ")[0] for name in found}
    wanted = {
        name: definition
        for name, definition in expected.policies.items()
        if has_vector or not name.startswith("agent_memory.embeddings ")
    }
    if missing := sorted(set(wanted) - set(found)):
        raise BackupError(f"policies are missing after the restore: {', '.join(missing)}")
    version = session.server_version
    is_same_server = version.partition(".")[0] == expected.server_version.partition(".")[0]
    # Another major version may render the same expression in other words.
    changed = [name for name in wanted if is_same_server and wanted[name] != found[name]]
    return (
        *_extension_notices(session, expected),
        *(f"policy {name} is not as it was where the backup was made" for name in changed),
    )


def _extension_notices(session: Session, expected: _Expectation) -> Iterator[str]:
    seen = session.row("look_at_source", organization_id=ledger.WHOLE_DATABASE)
    for name, version in expected.extensions.items():
        here = seen["extensions"].get(name)
        if here != version:
            yield f"extension {name} was {version}, here it is {here or 'missing'}"


def _recall(session: Session, scratch: str) -> int:
    """How many recalls found the memory whose words they asked for: all, or BackupError."""
    sample = session.rows("sample_memories", match_limit=SAMPLE)
    for row in sample:
        with Memory(
            scratch,
            organization=row["organization_id"],
            agent_id=row["agent_id"],
            embedder=None,
        ) as memory:
            words = row["content"][:_ASKED_CHARACTERS]
            hits = memory.recall(words, user_id=row["user_id"], limit=_MATCH_LIMIT)
            if row["id"] not in {hit.id for hit in hits}:
                raise BackupError(f"a recall of memory {row['id']} by its own words missed it")
    return len(sample)


@contextmanager
def _scratch(dsn: str) -> Iterator[str]:
    """An empty database, dropped afterwards, with those that killed verifications have left."""
    name = f"pgrecall_verify_{int(time.time())}_{uuid.uuid4().hex[:8]}"
    with backup_session(dsn, "verify") as session:
        for left in session.rows("list_leftover_scratch"):
            session.run_composed("compose_drop_database", name=left["name"])
        session.run_composed("compose_create_database", name=name, template="template0")
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            _drop(dsn, session, name)


def _drop(dsn: str, session: Session, name: str) -> None:
    if not session.connection.closed:
        session.run_composed("compose_drop_database", name=name)
        return
    # It may have broken while the backup was restored.
    with backup_session(dsn, "verify") as again:
        again.run_composed("compose_drop_database", name=name)
