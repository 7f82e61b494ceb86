"""Databases for tests: one is migrated, and each test gets a clone of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

from pgrecall._sync.migrate import migrate
from pgrecall.sql import Statement, statement


@contextmanager
def template_database(server: str) -> Iterator[str]:
    """A migrated database on a server, to which a superuser's connection string leads."""
    with cloned(server, "template0") as dsn:
        migrate(dsn)
        yield dsn


@contextmanager
def cloned(dsn: str, template: str | None = None) -> Iterator[str]:
    """A copy of a database that nobody is connected to, dropped afterwards; its string."""
    source = template or psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    name = f"pgrecall_test_{uuid.uuid4().hex[:12]}"
    # A database can't be created from a connection to it.
    server = make_conninfo(dsn, dbname="postgres")
    create = statement("compose_create_database", {"name": name, "template": source})
    execute_composed(server, create)
    try:
        yield make_conninfo(dsn, dbname=name)
    finally:
        execute_composed(server, statement("compose_drop_database", {"name": name}))


def stop_syncing(server: str) -> None:
    """Let a server that is thrown away not wait for its disk: a clone takes a sixth of the time."""
    execute_composed(server, statement("compose_unsafe_settings"))
    reload = statement("reload_settings")
    with psycopg.connect(server) as connection:
        connection.execute(reload.sql, reload.parameters)


def add_member(dsn: str, organization_id: UUID, user_id: str, role: str) -> None:
    """Make somebody a member of an organization, as an owner of the schema."""
    insert = statement(
        "add_member", {"organization_id": organization_id, "user_id": user_id, "role": role}
    )
    with psycopg.connect(dsn) as connection:
        connection.execute(insert.sql, insert.parameters)


def execute_composed(dsn: str, compose: Statement) -> None:
    """Run the statement that another one composes, if it composes one."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for (composed,) in connection.execute(compose.sql, compose.parameters).fetchall():
            connection.execute(composed.encode())
