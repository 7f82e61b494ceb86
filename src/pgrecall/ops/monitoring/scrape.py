"""Looks at a database, each in a transaction of its own, so that one that fails spoils no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import psycopg

from pgrecall._sync.session import Session, connected
from pgrecall.errors import DatabaseError
from pgrecall.settings import Settings
from pgrecall.sql.loader import Statement, statement
from pgrecall.sql.migration_files import read_release

Rows: TypeAlias = "list[dict[str, Any]]"


@dataclass(frozen=True, slots=True)
class Scrape:
    """What was seen: rows by look; `failures` says of each look that failed why."""

    is_up: bool
    rows: Mapping[str, Rows] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


def scrape(dsn: str, settings: Settings, *, by_organization: bool) -> Scrape:
    """All looks at a database, as the login that the connection string names."""
    rows: dict[str, Rows] = {}
    failures: dict[str, str] = {}
    try:
        with connected(dsn, "metrics", settings=settings) as session:
            for name, asked in _statements(by_organization).items():
                try:
                    rows[name] = _rows(session, name, asked)
                except psycopg.Error as error:
                    failures[name] = error.diag.message_primary or type(error).__name__
                    if session.connection.broken:
                        raise
    except DatabaseError:
        return Scrape(False)
    return Scrape(True, rows, failures)


def _statements(by_organization: bool) -> dict[str, Statement]:
    tables = {"tables": list(read_release().tables)}
    split = {"by_organization": by_organization}
    return {
        "database": statement("monitor_database"),
        "connections": statement("monitor_connections"),
        "activity": statement("monitor_activity"),
        "tables": statement("monitor_tables", tables),
        "indexes": statement("monitor_indexes", tables),
        "replication": statement("monitor_replication"),
        "backups": statement("monitor_backups"),
        "counts": statement("monitor_counts", split),
        "latencies": statement("monitor_latencies", split),
        "statements": statement("compose_statement_statistics"),
    }


def _rows(session: Session, name: str, asked: Statement) -> Rows:
    with session.connection.transaction():
        session.rows("monitor_settings")
        rows = session.run(asked)
        if name == "statements":
            return [row for each in rows for row in session.execute(each["composed"])]
    return rows
