"""Erasing again what tombstones say is erased, where a recovery or a backup brought it back."""

from __future__ import annotations

from uuid import UUID

import psycopg
from psycopg.rows import DictRow

from pgrecall.sql.loader import Statement, statement


def erase_entombed(connection: psycopg.Connection[DictRow], organization_id: UUID) -> int:
    """How many memories of an organization were, in the transaction that is open.

    Needs the schema's owner.
    """
    organization = {"organization_id": organization_id}
    [row] = _run(connection, statement("erase_entombed", organization))
    _run(connection, statement("erase_entombed_traces", organization))
    return int(row["memories"])


def _run(connection: psycopg.Connection[DictRow], wanted: Statement) -> list[DictRow]:
    cursor = connection.execute(wanted.sql, wanted.parameters)
    return cursor.fetchall() if cursor.description else []
