# Generated from ../_async/session.py by scripts/generate_sync.py: edit that file instead.

"""A session of whoever operates the database, in which named statements are run.

What a client does is done as its caller, through `Database`. Migrations' logins, backups, the
doctor and the like act as the role that the connection string names, and do it here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, RawCursor
from psycopg.rows import DictRow, dict_row

from pgrecall.settings import Settings
from pgrecall.sql.address import parameters
from pgrecall.sql.failures import translated
from pgrecall.sql.loader import Statement, statement

# What it has to say is in the errors that are raised; without a handler it would be printed.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

BUILT_IN = Settings.model_construct()
"""The settings where nothing is set: for whoever must not mind what the environment says."""


class Session:
    """A connection, and what is run on it. Outside of a transaction each statement commits.

    The errors are psycopg's, for whoever wants to tell them apart; `connected` translates what
    gets out of its block.
    """

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection

    @property
    def server_version(self) -> str:
        """Such as 18.6, or 15.18 (Debian 15.18-0+deb12u1)."""
        return self.connection.info.parameter_status("server_version") or ""

    def run(self, wanted: Statement) -> list[DictRow]:
        """The rows of a statement; none of one that gives none."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(wanted.sql, wanted.parameters)
            return cursor.fetchall() if cursor.description else []

    def rows(self, name: str, /, **given: object) -> list[DictRow]:
        """The rows of a named statement."""
        return self.run(statement(name, given))

    def row(self, name: str, /, **given: object) -> DictRow:
        """The row of a named statement that gives exactly one."""
        [row] = self.rows(name, **given)
        return row

    def compose(self, name: str, /, **given: object) -> list[str]:
        """The statements that a named one composes, in its column `composed`."""
        rows = self.rows(name, **given)
        return [row["composed"] for row in rows if row["composed"] is not None]

    def run_composed(self, name: str, /, **given: object) -> list[DictRow]:
        """The rows of the statements that a named one composes; none if it composes none."""
        found: list[DictRow] = []
        for composed in self.compose(name, **given):
            found += self.execute(composed)
        return found

    def execute(self, composed: str, *values: object) -> list[DictRow]:
        """The rows of a statement that the server composed; its parameters are $1, $2."""
        with RawCursor(self.connection, row_factory=dict_row) as cursor:
            cursor.execute(composed.encode(), values or None)
            return cursor.fetchall() if cursor.description else []


def connect(dsn: str, purpose: str = "", *, settings: Settings | None = None) -> Session:
    """A session of its own, to be closed by its connection. Raises psycopg's errors.

    The server is told `purpose` behind the program's name; `settings` replaces the environment's.
    """
    options = connection_options(dsn, settings or Settings(), purpose)
    return Session(Connection.connect(dsn, client_encoding="utf8", **options))


@contextmanager
def connected(
    dsn: str, purpose: str = "", *, settings: Settings | None = None
) -> Iterator[Session]:
    """The same, closed afterwards; what is raised inside leaves as one of pgrecall's errors."""
    with translated():
        session = connect(dsn, purpose, settings=settings)
        with session.connection:
            yield session


def connection_options(dsn: str, settings: Settings, purpose: str = "") -> dict[str, Any]:
    """How every connection is made; what the connection string says itself stays."""
    preferred = {
        "connect_timeout": settings.connect_timeout,
        "fallback_application_name": f"pgrecall {purpose}".rstrip(),
        # A network that swallows packets is noticed within a minute, not within a quarter hour.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    return {
        **{name: value for name, value in preferred.items() if name not in parameters(dsn)},
        "row_factory": dict_row,
        # Transactions are begun and ended by statements of our own, in one piece with the rest.
        "autocommit": True,
        # Poolers that share connections by transaction can't keep prepared statements.
        "prepare_threshold": None,
    }
