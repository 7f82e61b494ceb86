# Generated from ../_async/drift.py by scripts/generate_sync.py: edit that file instead.

"""The fingerprints of a schema: read from the catalogs, kept beside the ledger, compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import args_row, scalar_row

from pgrecall.domain.drift import DriftReport, SchemaObject
from pgrecall.sql import Statement, statement
from pgrecall.sql.migration_drift import Move, Objects, differences, keyed, moved


@dataclass
class Fingerprints:
    """The objects of one database; `public_names` are those of schema public that count.

    Its methods are called within a transaction.
    """

    connection: Connection
    public_names: Sequence[str]
    _before: Objects | None = None

    def is_missing(self) -> bool:
        """Whether the table is there, and nobody has noted yet what the files made."""
        return self._has_table() and not self._read_reference()

    def compare(self) -> DriftReport:
        """How the schema differs from its reference."""
        return differences(self._read_reference(), self._read_present())

    def begin(self) -> DriftReport:
        """Remember how things are before a migration; how they differ from the reference.

        What the last migration of this run left is still known: no time to speak of has passed.
        """
        if self._before is not None:
            return DriftReport()
        self._before = self._read_present()
        return differences(self._read_reference(), self._before)

    def record(self, *, is_lossy: bool) -> None:
        """Move the reference by what the migration has changed; without `begin`, take it anew.

        `is_lossy` says that an extension has gone, and what belonged to it.
        """
        after = self._read_present()
        reference = self._read_reference()
        before = {} if self._before is None else self._before
        self._write(moved(reference, before, after, is_lossy=is_lossy))
        self._before = after

    def _read_present(self) -> Objects:
        self._execute(statement("settle_renderings"))
        return self._list(statement("list_schema_objects", {"names": list(self.public_names)}))

    def _read_reference(self) -> Objects:
        # Whoever has dropped it gets it back by a repair.
        return self._list(statement("list_fingerprints")) if self._has_table() else {}

    def _has_table(self) -> bool:
        with self.connection.cursor(row_factory=scalar_row) as cursor:
            cursor.execute(statement("has_fingerprints").sql)
            return bool(cursor.fetchone())

    def _write(self, move: Move) -> None:
        rows = move.recorded
        recorded = {
            "kinds": [row.kind for row in rows],
            "names": [row.name for row in rows],
            "parts": [row.part_of for row in rows],
            "definitions": [row.definition for row in rows],
            "cures": [row.cure for row in rows],
        }
        self._execute(statement("record_fingerprints", recorded))
        kinds, names = [key[0] for key in move.dropped], [key[1] for key in move.dropped]
        self._execute(statement("drop_fingerprints", {"kinds": kinds, "names": names}))

    def _list(self, wanted: Statement) -> Objects:
        with self.connection.cursor(row_factory=args_row(SchemaObject)) as cursor:
            cursor.execute(wanted.sql, wanted.parameters)
            return keyed(cursor.fetchall())

    def _execute(self, wanted: Statement) -> None:
        self.connection.execute(wanted.sql, wanted.parameters)
