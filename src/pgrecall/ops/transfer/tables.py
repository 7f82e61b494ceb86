"""The rows of another system's table, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from psycopg.rows import dict_row

from pgrecall._sync.session import Session, connected
from pgrecall.errors import NotFoundError

PAGE = 500


@contextmanager
def rows_of(dsn: str, table: str, compose: str) -> Iterator[Iterator[Mapping[str, Any]]]:
    """The rows that a composed statement gives of a table, as of one moment, some at a time.

    Nothing is written there. Raises NotFoundError if there is no such table, and pgrecall's errors.
    """
    with connected(dsn, "import") as session:
        session.rows("begin_snapshot")
        composed = session.compose(compose, table=table)
        if not composed:
            raise NotFoundError(
                f"there is no table {table} in that database",
                hint="--table names another one, with its schema if need be.",
            )
        yield _fetched(session, composed[0])


def _fetched(session: Session, query: str) -> Iterator[Mapping[str, Any]]:
    with session.connection.cursor("rows_of_a_table", row_factory=dict_row) as cursor:
        cursor.itersize = PAGE
        yield from cursor.execute(query.encode())
