"""Bringing a database to the schema of this release.

Every file is applied in a transaction of its own, in order, by one runner at a time; the ledger
agent_memory.migrations remembers it, and agent_memory.fingerprints what became of the schema. When
all is up to date nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import psycopg
from psycopg import AsyncConnection, IsolationLevel, errors
from psycopg.errors import Diagnostic
from psycopg.rows import BaseRowFactory, args_row, scalar_row

from pgrecall._async.drift import Fingerprints
from pgrecall.domain.drift import DriftReport
from pgrecall.domain.migration import (
    AppliedMigration,
    MigrationFile,
    MigrationPlan,
    MigrationReport,
    MigrationState,
    MigrationStatus,
    PendingMigration,
)
from pgrecall.errors import PgRecallError
from pgrecall.sql import Statement, migration_failures, statement
from pgrecall.sql.address import described
from pgrecall.sql.failures import translated
from pgrecall.sql.migration_drift import differences
from pgrecall.sql.migration_failures import LockHolder, MissingRight
from pgrecall.sql.migration_files import (
    read_fingerprints_definition,
    read_ledger_definition,
    read_migrations,
    sql,
)
from pgrecall.sql.migration_plan import (
    all_again,
    compare,
    find_pending,
    has_lost_extension,
    watched_extensions,
)
from pgrecall.sql.rows import applied_migration

__all__ = ["migrate", "plan", "sql", "status"]

Row = TypeVar("Row")

# Another run may be building an index. It ends with its session at the latest.
_TURN_SECONDS = 300.0
_OWN_NOTICE = "pgrecall: "


async def migrate(
    dsn: str,
    *,
    lock_timeout: float = 5.0,
    accept: Collection[str] = (),
    repair: bool = False,
    files: Sequence[MigrationFile] | None = None,
) -> MigrationReport:
    """Apply what is pending, and say what was done.

    A file waits at most `lock_timeout` seconds for each lock on a table, so that it does not hold
    up a service behind it. `accept` names files whose edited text is to be applied over the one
    that was; `repair` applies all files again, pending or not, and looks what still differs from
    what they made; `files` replaces the migrations of this release. Safe to run any number of
    times, by several processes at once, and to interrupt.

    Raises MigrationError or one of its subclasses when a file can't be applied: that file and
    those after it have changed nothing. Raises DatabaseUnavailableError when there is no
    connection, or it breaks.
    """
    began = time.monotonic()
    async with _connect(dsn, files, accept, lock_timeout, repair) as run:
        pending = await run.find_pending()
        applied = [migration for migration in pending if await run.apply(migration.name)]
        drift = (await run.look_for_drift()).drift if repair else ()
        notices = tuple(dict.fromkeys(run.notices))
        seconds = time.monotonic() - began
        return MigrationReport(run.database, tuple(applied), notices, seconds, drift)


async def plan(
    dsn: str, *, accept: Collection[str] = (), files: Sequence[MigrationFile] | None = None
) -> MigrationPlan:
    """What `migrate` would apply, in order; raises what it would raise before it begins."""
    async with _connect(dsn, files, accept) as run:
        return MigrationPlan(run.database, await run.find_pending())


async def status(dsn: str, *, files: Sequence[MigrationFile] | None = None) -> MigrationStatus:
    """Where every file stands, edited and unknown ones included, and which objects differ from
    what the files made when they were applied."""
    async with _connect(dsn, files) as run:
        states, found = await run.compare(), await run.look_for_drift()
        return MigrationStatus(run.database, states, found.drift, found.unknown)


@asynccontextmanager
async def _connect(
    dsn: str,
    files: Sequence[MigrationFile] | None,
    accept: Collection[str] = (),
    lock_timeout: float = 0.0,
    repair: bool = False,
) -> AsyncIterator[_Run]:
    database = described(dsn)
    with translated():
        connection = await AsyncConnection.connect(
            dsn,
            autocommit=True,
            prepare_threshold=None,
            client_encoding="utf8",
            fallback_application_name="pgrecall migrate",
        )
    async with connection:
        await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)
        files = read_migrations() if files is None else files
        run = _Run(connection, database, files, accept, lock_timeout, repair)
        connection.add_notice_handler(run.hear)
        yield run


class _Seen(NamedTuple):
    """What a database has before its ledger is read."""

    has_ledger: bool
    has_fingerprints: bool
    features: list[str]


@dataclass
class _Run:
    """One connection, and what is to be done with it."""

    connection: AsyncConnection
    database: str
    files: Sequence[MigrationFile]
    accept: Collection[str]
    lock_timeout: float
    repair: bool
    notices: list[str] = field(default_factory=list)
    fingerprints: Fingerprints = field(init=False)

    def __post_init__(self) -> None:
        names = [name for file in self.files for name in file.public_names]
        self.fingerprints = Fingerprints(self.connection, names)

    def hear(self, diagnostic: Diagnostic) -> None:
        """Keep warnings and what the migrations say themselves, not PostgreSQL's "skipping"."""
        message = diagnostic.message_primary or ""
        if diagnostic.severity_nonlocalized == "WARNING" or message.startswith(_OWN_NOTICE):
            self.notices.append(message.removeprefix(_OWN_NOTICE))

    async def compare(self) -> tuple[MigrationState, ...]:
        async with self._explaining("the ledger of migrations"):
            seen = await self._look()
            return compare(self.files, await self._read_ledger(seen), seen.features)

    async def find_pending(self) -> tuple[PendingMigration, ...]:
        async with self._explaining("the ledger of migrations"):
            return await self._find_pending()

    async def look_for_drift(self) -> DriftReport:
        async with self._explaining("the look at the schema"):
            return await self._find_drift()

    async def apply(self, name: str) -> bool:
        """Apply a file, unless another run has done so meanwhile."""
        file = next(file for file in self.files if file.name == name)
        async with self._explaining(name), self.connection.transaction():
            await self._take_turn()
            if all(pending.name != name for pending in await self._find_pending()):
                return False
            await self._apply(file)
        return True

    async def _find_drift(self) -> DriftReport:
        async with self.connection.transaction():
            seen = await self._look()
            if seen.has_fingerprints:
                return await self.fingerprints.compare()
            return differences({}, {}) if seen.has_ledger else DriftReport()

    async def _find_pending(self) -> tuple[PendingMigration, ...]:
        seen = await self._look()
        if not seen.has_ledger:
            await self._refuse_taken_names()
        ledger = await self._read_ledger(seen)
        pending = find_pending(self.files, ledger, seen.features, self.accept)
        return all_again(self.files, pending) if self.repair else pending

    async def _refuse_taken_names(self) -> None:
        wanted = statement("list_names_taken", {"names": list(self.fingerprints.public_names)})
        taken = await self._list(wanted, args_row(MissingRight))
        if taken:
            raise migration_failures.names_are_taken(taken)

    async def _look(self) -> _Seen:
        extensions = {"extensions": watched_extensions(self.files)}
        [seen] = await self._list(statement("look_at_migrations", extensions), args_row(_Seen))
        return seen

    async def _read_ledger(self, seen: _Seen) -> list[AppliedMigration]:
        if not seen.has_ledger:
            return []
        return await self._list(statement("list_applied_migrations"), args_row(applied_migration))

    async def _take_turn(self) -> None:
        timeout = {"lock_timeout": _milliseconds(_TURN_SECONDS)}
        await self._execute(statement("begin_migration", timeout))
        await self._execute(statement("take_turn"))

    async def _apply(self, file: MigrationFile) -> None:
        before = await self._look()
        if before.has_fingerprints:
            self._warn_of(await self.fingerprints.begin())
        timeout = {"lock_timeout": _milliseconds(self.lock_timeout)}
        await self._execute(statement("set_lock_timeout", timeout))
        await self._execute_script(file.text)
        seen = await self._look()
        if not seen.has_ledger:
            await self._execute_script(read_ledger_definition())
        # A first run is taken as a whole when it has made all, which spares it many readings.
        if before.has_fingerprints or file is self.files[-1]:
            await self._record_fingerprints(file, seen)
        row = {"name": file.name, "checksum": file.checksum, "features": seen.features}
        await self._execute(statement("record_migration", row))

    async def _record_fingerprints(self, file: MigrationFile, seen: _Seen) -> None:
        if not seen.has_fingerprints:
            await self._execute_script(read_fingerprints_definition())
        then = [row.features for row in await self._read_ledger(seen) if row.name == file.name]
        is_lossy = any(has_lost_extension(features, seen.features) for features in then)
        await self.fingerprints.record(is_lossy=is_lossy)

    def _warn_of(self, found: DriftReport) -> None:
        faults = [drift for drift in found.drift if drift.is_fault]
        if faults and not self.repair:
            self.notices.append(
                f"{len(faults)} objects are not as the migrations made them; "
                "pgrecall migrate --status names them"
            )

    async def _list(self, wanted: Statement, row_factory: BaseRowFactory[Row]) -> list[Row]:
        async with self.connection.cursor(row_factory=row_factory) as cursor:
            await cursor.execute(wanted.sql, wanted.parameters)
            return await cursor.fetchall()

    async def _execute(self, wanted: Statement) -> None:
        await self.connection.execute(wanted.sql, wanted.parameters)

    async def _execute_script(self, text: str) -> None:
        # Bytes without parameters go as they are, several statements at once.
        await self.connection.execute(text.encode())

    @asynccontextmanager
    async def _explaining(self, name: str) -> AsyncIterator[None]:
        """Turn PostgreSQL's errors into pgrecall's; to be entered outside the transaction."""
        try:
            yield
        except psycopg.Error as error:
            try:
                explained = await self._explain(name, error)
            except psycopg.Error:
                explained = migration_failures.failed(name, error)
            raise explained from error

    async def _explain(self, name: str, error: psycopg.Error) -> PgRecallError:
        """Say what stood in the way, by asking the database once the transaction is over."""
        tables = {"tables": [table for file in self.files for table in file.tables]}
        if self.connection.closed:
            return migration_failures.broken(name, error)
        if isinstance(error, errors.InsufficientPrivilege):
            missing = await self._list(statement("list_missing_grants"), args_row(MissingRight))
            owners = statement("list_foreign_owners", tables)
            missing += await self._list(owners, args_row(MissingRight))
            return migration_failures.lacks_rights(name, error, missing)
        if isinstance(error, errors.LockNotAvailable):
            holders = statement("list_lock_holders", tables)
            held = await self._list(holders, args_row(LockHolder))
            return migration_failures.timed_out(name, error, held)
        if isinstance(error, errors.UntranslatableCharacter):
            encoding = self.connection.info.parameter_status("server_encoding")
            return migration_failures.wrong_encoding(name, encoding)
        in_the_way = await self._list(statement("list_foreign_relations", tables), scalar_row)
        drift = () if in_the_way else (await self._find_drift()).drift
        if faults := [each for each in drift if each.is_fault]:
            return migration_failures.drifted(name, error, faults)
        return migration_failures.failed(name, error, in_the_way)


def _milliseconds(seconds: float) -> str:
    """A time as PostgreSQL takes it; at least 1, since 0 means for ever."""
    return f"{max(1, round(seconds * 1000))}ms"
