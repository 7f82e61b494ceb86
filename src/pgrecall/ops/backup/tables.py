"""The tables of organizations as a database has them, and sessions that read all alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from pgrecall._sync.session import Session, connected
from pgrecall.errors import MissingPrivilegeError, NotFoundError, SchemaMissingError
from pgrecall.sql.failures import MIGRATE_HINT
from pgrecall.sql.migration_files import read_release


@dataclass(frozen=True, slots=True)
class Table:
    """A table of organizations in this database; see queries/backups.sql."""

    name: str
    columns: list[str]
    key: list[str]
    links: list[str]


@contextmanager
def backup_session(dsn: str, purpose: str) -> Iterator[Session]:
    """A session that reads and writes every value in one way on every server."""
    with connected(dsn, purpose) as session:
        session.rows("settle_backup_session")
        yield session


def find_tables(session: Session) -> list[Table]:
    """The tables of organizations, in the order in which their rows can be put in.

    Raises SchemaMissingError without them, MissingPrivilegeError if this role can't read all rows.
    """
    names = list(read_release().public_names)
    rows = session.rows("list_backup_tables", names=names)
    tables = [Table(row["name"], row["columns"], row["key"], row["links"]) for row in rows]
    if not any(table.name == "public.ai_memories" for table in tables):
        raise SchemaMissingError("pgrecall's schema is not here", hint=MIGRATE_HINT)
    hidden = session.rows("list_hidden_tables", tables=[table.name for table in tables])
    if hidden:
        raise MissingPrivilegeError(
            f"this role may not read all of {', '.join(row['name'] for row in hidden)}",
            hint="Connect as the owner of the schema, or as a superuser.",
        )
    return tables


def find_organization(session: Session, organization_id: UUID) -> str:
    """The organization's name; NotFoundError if there is none of that id."""
    found = session.rows("find_backup_organization", organization_id=organization_id)
    if not found:
        raise NotFoundError(
            f"there is no organization {organization_id} here",
            hint="--organization names it, by the name it was made with or its UUID.",
        )
    name: str = found[0]["name"]
    return name
