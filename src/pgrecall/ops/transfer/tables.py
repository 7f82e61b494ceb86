"""The rows of another system's table, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pgrecall._sync.pool import DictConnection, connected
from pgrecall.errors import NotFoundError
from pgrecall.settings import Settings
from pgrecall.sql.failures import translated
from pgrecall.sql.loader import statement

PAGE = 500


@contextmanager
def rows_of(dsn: str, table: str, compose: str) -> Iterator[Iterator[Mapping[str, Any]]]:
    """The rows that a composed statement gives of a table, as of one moment, some at a time.

    Nothing is written there. Raises NotFoundError if there is no such table, and pgrecall's errors.
    """
    with translated(), connected(dsn, Settings()) as connection:
        connection.execute(statement("begin_snapshot").sql)
        yield _fetched(connection, _composed(connection, table, compose))


def _composed(connection: DictConnection, table: str, compose: str) -> bytes:
    named = statement(compose, {"table": table})
    row = connection.execute(named.sql, named.parameters).fetchone()
    composed = None if row is None else row["composed"]
    if composed is None:
        raise NotFoundError(
            f"there is no table {table} in that database",
            hint="--table names another one, with its schema if need be.",
        )
    return bytes(composed, "utf-8")


def _fetched(connection: DictConnection, query: bytes) -> Iterator[Mapping[str, Any]]:
    with connection.cursor("rows_of_a_table") as cursor:
        cursor.itersize = PAGE
        yield from cursor.execute(query)
