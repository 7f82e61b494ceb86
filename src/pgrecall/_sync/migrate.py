# Generated from ../_async/migrate.py by scripts/generate_sync.py: edit that file instead.

"""Bringing a database to the schema of this release.

All that is pending is applied in one transaction, by one runner at a time; the files record
themselves in the ledger agent_memory.migrations, and agent_memory.fingerprints holds what became of
the schema. When all is up to date nothing is written and nothing is locked.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg
from psycopg import IsolationLevel, errors
from psycopg.errors import Diagnostic

from pgrecall._sync.drift import Fingerprints
from pgrecall._sync.session import Session, connected
from pgrecall.domain.drift import DriftReport
from pgrecall.domain.migration import (
    AppliedMigration,
    MigrationPlan,
    MigrationReport,
    MigrationState,
    MigrationStatus,
    PendingMigration,
    Release,
)
from pgrecall.errors import PgRecallError
from pgrecall.sql import migration_failures
from pgrecall.sql.address import described
from pgrecall.sql.migration_failures import LockHolder
from pgrecall.sql.migration_files import preflight, read_release, sql
from pgrecall.sql.migration_plan import compare, find_pending, has_lost_extension
from pgrecall.sql.rows import applied_migration

__all__ = ["migrate", "plan", "sql", "status"]

# Another run may be building an index. It ends with its session at the latest.
_TURN_SECONDS = 300.0


def migrate(
    dsn: str,
    *,
    lock_timeout: float = 5.0,
    accept: Collection[str] = (),
    repair: bool = False,
    release: Release | None = None,
) -> MigrationReport:
    """Apply what is pending, in one transaction, and say what was done.

    It waits at most `lock_timeout` seconds for each lock on a table, so that it does not hold up a
    service behind it. `accept` names upgrades whose edited text is to be applied over the one that
    was; `repair` applies the install again, pending or not, and looks what still differs from what
    it made; `release` replaces this one. Safe to run any number of times, by several processes at
    once, and to interrupt.

    Raises MigrationError or one of its subclasses when a file can't be applied: nothing was
    changed. Raises DatabaseUnavailableError when there is no connection, or it breaks.
    """
    began = time.monotonic()
    with _connect(dsn, release, accept, lock_timeout, repair) as run:
        applied = run.apply()
        drift = (run.look_for_drift()).drift if repair else ()
        notices = tuple(dict.fromkeys(run.notices))
        seconds = time.monotonic() - began
        return MigrationReport(run.database, applied, notices, seconds, drift)


def plan(
    dsn: str, *, accept: Collection[str] = (), release: Release | None = None
) -> MigrationPlan:
    """What `migrate` would apply, in order; raises what it would raise before it begins."""
    with _connect(dsn, release, accept) as run:
        pending = run.find_pending()
        if pending:
            run.check()
        return MigrationPlan(run.database, pending)


def status(dsn: str, *, release: Release | None = None) -> MigrationStatus:
    """Where every file stands, edited and unknown ones included, and which objects differ from
    what the files made when they were applied."""
    with _connect(dsn, release) as run:
        states, found = run.compare(), run.look_for_drift()
        return MigrationStatus(run.database, states, found.drift, found.unknown)


@contextmanager
def _connect(
    dsn: str,
    release: Release | None,
    accept: Collection[str] = (),
    lock_timeout: float = 0.0,
    repair: bool = False,
) -> Iterator[_Run]:
    database = described(dsn)
    with connected(dsn, "migrate") as session:
        session.connection.set_isolation_level(IsolationLevel.READ_COMMITTED)
        release = release or read_release()
        run = _Run(session, database, release, accept, lock_timeout, repair=repair)
        session.connection.add_notice_handler(run.hear)
        yield run


class _Seen(NamedTuple):
    """What a database has before its ledger is read."""

    has_ledger: bool
    features: list[str]


@dataclass
class _Run:
    """One session, and what is to be done in it."""

    session: Session
    database: str
    release: Release
    accept: Collection[str]
    lock_timeout: float
    repair: bool
    notices: list[str] = field(default_factory=list)
    fingerprints: Fingerprints = field(init=False)

    def __post_init__(self) -> None:
        self.fingerprints = Fingerprints(self.session, self.release.public_names)

    def hear(self, diagnostic: Diagnostic) -> None:
        """Keep warnings, not PostgreSQL's "skipping"."""
        if diagnostic.severity_nonlocalized == "WARNING":
            self.notices.append(diagnostic.message_primary or "")

    def compare(self) -> tuple[MigrationState, ...]:
        with self._explaining("the ledger of migrations"):
            seen = self._look()
            return compare(self.release, self._read_ledger(seen), seen.features)

    def find_pending(self) -> tuple[PendingMigration, ...]:
        with self._explaining("the ledger of migrations"):
            return self._find_pending(self._look())

    def check(self) -> None:
        """Raise what would end an installation before it has changed anything."""
        try:
            with self.session.connection.transaction(force_rollback=True):
                self.session.rows("begin_migration", lock_timeout="1s")
                self.session.execute(preflight(self.release))
        except psycopg.Error as error:
            raise migration_failures.refused(error) from error

    def look_for_drift(self) -> DriftReport:
        with self._explaining("the look at the schema"):
            return self._find_drift()

    def apply(self) -> tuple[PendingMigration, ...]:
        """Apply what is pending, unless another run has done so meanwhile."""
        if not self.find_pending():
            self._take_missing_reference()
            return ()
        self.check()
        name = "the schema"
        texts = {file.name: file.text for file in self.release.files}
        try:
            with self.session.connection.transaction():
                self._take_turn()
                seen = self._look()
                pending = self._find_pending(seen)
                had = [row.features for row in self._read_ledger(seen)]
                self._begin(seen, pending)
                for migration in pending:
                    name = migration.name
                    self.session.execute(texts[name])
                if pending:
                    is_lossy = any(has_lost_extension(each, seen.features) for each in had)
                    self.fingerprints.record(is_lossy=is_lossy)
        except psycopg.Error as error:
            raise self._explained(name, error) from error
        return pending

    def _begin(self, seen: _Seen, pending: tuple[PendingMigration, ...]) -> None:
        if seen.has_ledger:
            self._warn_of(self.fingerprints.begin())
            # What was accepted is applied as if it had never been.
            accepted = [each.name for each in pending if each.name in self.accept]
            self.session.rows("forget_migrations", names=accepted)
        self.session.rows("set_lock_timeout", lock_timeout=_milliseconds(self.lock_timeout))

    def _take_missing_reference(self) -> None:
        """Where the files were run by psql, nobody has noted yet what they made."""
        with (
            self._explaining("the look at the schema"),
            self.session.connection.transaction(),
        ):
            if self.fingerprints.is_missing():
                self.fingerprints.record(is_lossy=False)

    def _find_drift(self) -> DriftReport:
        with self.session.connection.transaction():
            seen = self._look()
            return self.fingerprints.compare() if seen.has_ledger else DriftReport()

    def _find_pending(self, seen: _Seen) -> tuple[PendingMigration, ...]:
        ledger = self._read_ledger(seen)
        return find_pending(self.release, ledger, seen.features, self.accept, repair=self.repair)

    def _look(self) -> _Seen:
        return _Seen(**self.session.row("look_at_migrations"))

    def _read_ledger(self, seen: _Seen) -> list[AppliedMigration]:
        if not seen.has_ledger:
            return []
        rows = self.session.rows("list_applied_migrations")
        return [applied_migration(**row) for row in rows]

    def _take_turn(self) -> None:
        self.session.rows("begin_migration", lock_timeout=_milliseconds(_TURN_SECONDS))
        if not (self._look()).has_ledger:
            self.session.rows("take_turn")
        if (self._look()).has_ledger:
            self.session.rows("take_turn_of_ledger")

    def _warn_of(self, found: DriftReport) -> None:
        faults = [drift for drift in found.drift if drift.is_fault]
        if faults and not self.repair:
            self.notices.append(
                f"{len(faults)} objects are not as the migrations made them; "
                "pgrecall migrate --status names them"
            )

    @contextmanager
    def _explaining(self, name: str) -> Iterator[None]:
        """Turn PostgreSQL's errors into pgrecall's; to be entered outside the transaction."""
        try:
            yield
        except psycopg.Error as error:
            raise self._explained(name, error) from error

    def _explained(self, name: str, error: psycopg.Error) -> PgRecallError:
        try:
            return self._explain(name, error)
        except psycopg.Error:
            return migration_failures.failed(name, error)

    def _explain(self, name: str, error: psycopg.Error) -> PgRecallError:
        """Say what stood in the way, by asking the database once the transaction is over."""
        if self.session.connection.closed:
            return migration_failures.broken(name, error)
        if isinstance(error, errors.InsufficientPrivilege):
            return migration_failures.lacks_rights(name, error)
        if isinstance(error, errors.LockNotAvailable):
            rows = self.session.rows("list_lock_holders", tables=list(self.release.tables))
            held = [LockHolder(**row) for row in rows]
            return migration_failures.timed_out(name, error, held)
        drift = (self._find_drift()).drift
        if faults := [each for each in drift if each.is_fault]:
            return migration_failures.drifted(name, error, faults)
        return migration_failures.failed(name, error)


def _milliseconds(seconds: float) -> str:
    """A time as PostgreSQL takes it; at least 1, since 0 means for ever."""
    return f"{max(1, round(seconds * 1000))}ms"
