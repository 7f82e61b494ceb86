"""The database that the doctor looks at: read-only transactions, each with a time limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import psycopg
from psycopg.errors import Diagnostic

from pgrecall._sync.drift import Fingerprints
from pgrecall._sync.session import BUILT_IN, Session, connect
from pgrecall.domain.drift import DriftReport
from pgrecall.domain.migration import AppliedMigration, MigrationState
from pgrecall.ops.doctor.surroundings import Surroundings
from pgrecall.sql.migration_files import preflight, read_release
from pgrecall.sql.migration_plan import compare
from pgrecall.sql.rows import applied_migration

Row: TypeAlias = Mapping[str, Any]
_AS_OWNER = "connect as the owner of schema agent_memory"


@dataclass(frozen=True)
class Outlook:
    """What every check wants to know first: where it is, and what it may see."""

    database: str
    session_user: str
    backend_pid: int
    version: int
    """Such as 180006 for 18.6."""
    is_superuser: bool
    is_replica: bool
    has_schema: bool
    has_ledger: bool
    has_reference: bool
    reads_ledger: bool
    reads_reference: bool
    reads_rights: bool
    reads_memories: bool
    reads_backups: bool
    sees_sessions: bool
    sees_settings: bool
    has_vector: bool


class CheckedDatabase:
    """One connection. Nothing is written but by `pgrecall doctor --fix`, which has its own."""

    def __init__(
        self,
        surroundings: Surroundings,
        session: Session | None,
        refusal: psycopg.Error | None = None,
    ) -> None:
        self.surroundings = surroundings
        self.refusal = refusal
        """Why there is no connection; None if there is one."""
        self._session = session

    @property
    def session(self) -> Session:
        """The connection; to be asked for only where there is one."""
        assert self._session is not None
        return self._session

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection that works."""
        return self._session is not None and not self._session.connection.closed

    @cached_property
    def has_schema(self) -> bool:
        """Whether pgrecall's tables and functions are there."""
        with self.transaction():
            return self.outlook.has_schema

    @cached_property
    def outlook(self) -> Outlook:
        """Where this is, and what this role may see."""
        return Outlook(**self.row("doctor_outlook"))

    @cached_property
    def drift(self) -> DriftReport:
        """How the schema differs from what the migrations made of it."""
        if not self.outlook.has_schema:
            return DriftReport()
        if not self.outlook.has_reference:
            return DriftReport(unknown="pgrecall migrate --repair, which records a reference")
        if not self.outlook.reads_reference:
            return DriftReport(unknown=_AS_OWNER)
        names = list(read_release().public_names)
        found = Fingerprints(self.session, names).compare()
        if not self._awaits_extension:
            return found
        # What went with an extension, or comes with it, the pending files see to.
        return replace(found, drift=tuple(each for each in found.drift if each.change != "missing"))

    @cached_property
    def migration_states(self) -> tuple[MigrationState, ...] | None:
        """Where every file stands; None where the ledger is there and can't be read."""
        if self.outlook.has_ledger and not self.outlook.reads_ledger:
            return None
        seen = self.row("look_at_migrations")
        ledger: list[AppliedMigration] = []
        if self.outlook.has_ledger:
            ledger = [applied_migration(**row) for row in self.rows("list_applied_migrations")]
        return compare(read_release(), ledger, seen["features"])

    @property
    def _awaits_extension(self) -> bool:
        states = self.migration_states or ()
        return any(each.extension for each in states)

    @property
    def tables(self) -> list[str]:
        """The tables of the schema, with their schemas."""
        return list(read_release().tables)

    @cached_property
    def migration_refusal(self) -> Diagnostic | None:
        """Why the migrations would end before they change anything; None if they would not."""
        try:
            with self.session.connection.transaction(force_rollback=True):
                self.session.execute(preflight(read_release()))
        except psycopg.Error as error:
            return error.diag
        return None

    def rows(self, name: str, **parameters: object) -> Sequence[Row]:
        """The rows of a named statement."""
        return self.session.rows(name, **parameters)

    def row(self, name: str, **parameters: object) -> Row:
        """The one row of a named statement."""
        return self.session.row(name, **parameters)

    def composed(self, name: str, **parameters: object) -> Sequence[Row]:
        """The rows of the statement that a named one composes; none if it composes none."""
        return self.session.run_composed(name, **parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction in which nothing can be written, and no statement takes long."""
        timeout = f"{max(1, round(self.surroundings.bounds.statement * 1000))}ms"
        with self.session.connection.transaction(force_rollback=True):
            self.rows("doctor_begin", timeout=timeout)
            yield


@contextmanager
def connected_database(surroundings: Surroundings) -> Iterator[CheckedDatabase]:
    """The database, connected to; why not, if it can't be."""
    try:
        # The doctor names a setting that can't be read, and needs none.
        session = connect(surroundings.dsn, "doctor", settings=BUILT_IN)
    except psycopg.Error as error:
        yield CheckedDatabase(surroundings, None, error)
        return
    with session.connection:
        yield CheckedDatabase(surroundings, session)
