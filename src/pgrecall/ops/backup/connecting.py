"""Connections for backups, and the organization's tables as they find them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row

from pgrecall.errors import MissingPrivilegeError, NotFoundError, SchemaMissingError
from pgrecall.sql.failures import MIGRATE_HINT, translated
from pgrecall.sql.loader import Statement, statement
from pgrecall.sql.migration_files import read_release

Connection: TypeAlias = "psycopg.Connection[DictRow]"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of organizations in this database; see queries/backups.sql."""

    name: str
    columns: list[str]
    key: list[str]
    links: list[str]


@contextmanager
def connected(dsn: str, purpose: str) -> Iterator[Connection]:
    """A connection that reads and writes every value in one way on every server."""
    with translated():
        connection = psycopg.connect(
            dsn,
            autocommit=True,
            prepare_threshold=None,
            client_encoding="utf8",
            row_factory=dict_row,
            fallback_application_name=f"pgrecall {purpose}",
        )
    with connection, translated():
        run(connection, statement("settle_backup_session"))
        yield connection


def run(connection: Connection, wanted: Statement) -> list[DictRow]:
    """The rows of a statement, if it gives any."""
    cursor = connection.execute(wanted.sql, wanted.parameters)
    return cursor.fetchall() if cursor.description else []


def composed(connection: Connection, name: str, given: Mapping[str, object]) -> bytes:
    """The statement that a named one composes."""
    [row] = run(connection, statement(name, given))
    text: str = row["composed"]
    return text.encode()


def run_composed(connection: Connection, sql: bytes, *values: Any) -> DictRow:
    """The one row of a composed statement, whose parameters are $1, $2."""
    cursor = psycopg.RawCursor(connection, row_factory=dict_row)
    [row] = cursor.execute(sql, values or None).fetchall()
    return row


def find_tables(connection: Connection) -> list[Table]:
    """The tables of organizations, in the order in which their rows can be put in.

    Raises SchemaMissingError without them, MissingPrivilegeError if this role can't read all rows.
    """
    names = list(read_release().public_names)
    rows = run(connection, statement("list_backup_tables", {"names": names}))
    tables = [Table(row["name"], row["columns"], row["key"], row["links"]) for row in rows]
    if not any(table.name == "public.ai_memories" for table in tables):
        raise SchemaMissingError("pgrecall's schema is not here", hint=MIGRATE_HINT)
    hidden = run(
        connection,
        statement("list_hidden_tables", {"tables": [table.name for table in tables]}),
    )
    if hidden:
        raise MissingPrivilegeError(
            f"this role may not read all of {', '.join(row['name'] for row in hidden)}",
            hint="Connect as the owner of the schema, or as a superuser.",
        )
    return tables


def find_organization(connection: Connection, organization_id: UUID) -> str:
    """The organization's name; NotFoundError if there is none of that id."""
    given = {"organization_id": organization_id}
    found = run(connection, statement("find_backup_organization", given))
    if not found:
        raise NotFoundError(
            f"there is no organization {organization_id} here",
            hint="--organization names it, by the name it was made with or its UUID.",
        )
    name: str = found[0]["name"]
    return name
