"""A database of its own for each system, on one server, gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.statements import statement


@contextmanager
def databases(dsn: str, names: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """A URL by name. The role of `dsn` must be allowed to create databases and extensions."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        rows = [_statements(connection, f"peers_{name}") for name in names]
        try:
            for creating, dropping in rows:
                connection.execute(dropping)
                connection.execute(creating)
            yield {name: url(dsn, f"peers_{name}") for name in names}
        finally:
            for _, dropping in rows:
                connection.execute(dropping)


def vacuum(urls: Mapping[str, str]) -> None:
    """What autovacuum would do soon after the corpus was written."""
    for address in urls.values():
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement("rls_vacuum"))


def url(dsn: str, database: str) -> str:
    """The connection string as a URL, the form that all peers take, with another database."""
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    user, password = parts.pop("user", ""), parts.pop("password", "")
    named = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    parts.pop("dbname", None)
    query = f"?{urlencode(parts)}" if parts else ""
    return f"postgresql://{named}{'@' if named else ''}/{quote(database, safe='')}{query}"


def _statements(connection: psycopg.Connection, name: str) -> tuple[bytes, bytes]:
    row = connection.execute(statement("peers_create_database"), {"name": name}).fetchone()
    assert row is not None
    return row[0].encode(), row[1].encode()
