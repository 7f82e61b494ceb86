"""The database that the doctor looks at: read-only transactions, each with a time limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import psycopg
from psycopg.errors import Diagnostic
from psycopg.rows import dict_row

from pgrecall._sync.drift import Fingerprints
from pgrecall.domain.drift import DriftReport
from pgrecall.domain.migration import AppliedMigration, MigrationState
from pgrecall.ops.doctor.surroundings import Surroundings
from pgrecall.sql import statement
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
    reads_memories: bool
    reads_backups: bool
    sees_sessions: bool
    sees_settings: bool
    has_vector: bool


class Patient:
    """One connection. Nothing is written but by `pgrecall doctor --fix`, which has its own."""

    def __init__(
        self,
        surroundings: Surroundings,
        connection: psycopg.Connection | None,
        refusal: psycopg.Error | None = None,
    ) -> None:
        self.surroundings = surroundings
        self.refusal = refusal
        """Why there is no connection; None if there is one."""
        self._connection = connection

    @property
    def connection(self) -> psycopg.Connection:
        """The connection; to be asked for only where there is one."""
        assert self._connection is not None
        return self._connection

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection that works."""
        return self._connection is not None and not self._connection.closed

    @cached_property
    def has_schema(self) -> bool:
        """Whether pgrecall's tables and functions are there."""
        with self.looking():
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
        found = Fingerprints(self.connection, list(read_release().public_names)).compare()
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
        return any((each.reason or "").startswith("extension ") for each in states)

    @property
    def tables(self) -> list[str]:
        """The tables of the schema, with their schemas."""
        return list(read_release().tables)

    @cached_property
    def migration_refusal(self) -> Diagnostic | None:
        """Why the migrations would end before they change anything; None if they would not."""
        try:
            with self.connection.transaction(force_rollback=True):
                self.connection.execute(preflight(read_release()).encode())
        except psycopg.Error as error:
            return error.diag
        return None

    def rows(self, name: str, **parameters: object) -> list[Row]:
        """The rows of a named statement."""
        wanted = statement(name, parameters)
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return list(cursor.execute(wanted.sql, wanted.parameters).fetchall())

    def row(self, name: str, **parameters: object) -> Row:
        """The one row of a named statement."""
        [row] = self.rows(name, **parameters)
        return row

    def composed(self, name: str, **parameters: object) -> list[Row]:
        """The rows of the statement that a named one composes; none if it composes none."""
        found: list[Row] = []
        for row in self.rows(name, **parameters):
            with self.connection.cursor(row_factory=dict_row) as cursor:
                found += cursor.execute(str(row["composed"]).encode()).fetchall()
        return found

    @contextmanager
    def looking(self) -> Iterator[None]:
        """A transaction in which nothing can be written, and no statement takes long."""
        timeout = f"{max(1, round(self.surroundings.bounds.statement * 1000))}ms"
        with self.connection.transaction(force_rollback=True):
            self.rows("doctor_begin", timeout=timeout)
            yield


@contextmanager
def received(surroundings: Surroundings) -> Iterator[Patient]:
    """The database, connected to; why not, if it can't be."""
    try:
        connection = psycopg.connect(
            surroundings.dsn,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=5,
            client_encoding="utf8",
            fallback_application_name="pgrecall doctor",
        )
    except psycopg.Error as error:
        yield Patient(surroundings, None, error)
        return
    with connection:
        yield Patient(surroundings, connection)
