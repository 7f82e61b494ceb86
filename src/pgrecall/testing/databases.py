"""Databases for tests: one is migrated, and each test gets a clone of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

from pgrecall._sync.migrate import migrate
from pgrecall._sync.session import BUILT_IN, connected


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
    with connected(server, "test", settings=BUILT_IN) as session:
        session.run_composed("compose_create_database", name=name, template=source)
    try:
        yield make_conninfo(dsn, dbname=name)
    finally:
        with connected(server, "test", settings=BUILT_IN) as session:
            session.run_composed("compose_drop_database", name=name)


def stop_syncing(server: str) -> None:
    """Let a server that is thrown away not wait for its disk: a clone takes a sixth of the time."""
    with connected(server, "test", settings=BUILT_IN) as session:
        session.run_composed("compose_unsafe_settings")
        session.rows("reload_settings")


def add_member(dsn: str, organization_id: UUID, user_id: str, role: str) -> None:
    """Make somebody a member of an organization, as an owner of the schema."""
    with connected(dsn, "test", settings=BUILT_IN) as session:
        session.rows("add_member", organization_id=organization_id, user_id=user_id, role=role)
