# Generated from ../_async/pool.py by scripts/generate_sync.py: edit that file instead.

"""Connections: one of its own, or one of a pool."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from pgrecall.errors import ClosedError, DatabaseUnavailableError, PoolTimeoutError
from pgrecall.settings import Settings
from pgrecall.sql.address import checked_dsn

DictConnection: TypeAlias = Connection[DictRow]

# A connection that has rested longer is asked whether it still lives, which takes a round trip.
RESTED_SECONDS = 30.0


def _arguments(settings: Settings) -> dict[str, Any]:
    return {
        "row_factory": dict_row,
        # Transactions are begun and ended by statements of our own, in one piece with the rest.
        "autocommit": True,
        # Poolers that share connections by transaction can't keep prepared statements.
        "prepare_threshold": None,
        "connect_timeout": settings.connect_timeout,
        "application_name": "pgrecall",
    }


@contextmanager
def connected(dsn: str, settings: Settings) -> Iterator[DictConnection]:
    """A connection of its own, closed afterwards."""
    with Connection[DictRow].connect(checked_dsn(dsn), **_arguments(settings)) as connection:
        yield connection


class Pool:
    """A pool of connections to one database, opened by `open`."""

    def __init__(self, dsn: str, settings: Settings) -> None:
        self._used_at: WeakKeyDictionary[DictConnection, float] = WeakKeyDictionary()
        self._timeout = settings.pool_timeout
        self._pool: ConnectionPool[DictConnection] = ConnectionPool(
            dsn,
            connection_class=Connection[DictRow],
            kwargs=_arguments(settings),
            min_size=min(settings.pool_min_size, settings.pool_max_size),
            max_size=settings.pool_max_size,
            timeout=settings.pool_timeout,
            check=self._check,
            open=False,
            name="pgrecall",
            num_workers=1,
        )

    def open(self) -> None:
        """Begin to connect, in the background."""
        self._pool.open()

    def close(self) -> None:
        """Close all connections; those in use when they are given back."""
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[DictConnection]:
        """A free connection; what was begun and not committed is rolled back after an error.

        Raises PoolTimeoutError if none becomes free in time, DatabaseUnavailableError if no new
        one can be made.
        """
        connection = self._free_connection()
        try:
            with connection:
                yield connection
        finally:
            self._used_at[connection] = time.monotonic()
            self._pool.putconn(connection)

    def _free_connection(self) -> DictConnection:
        try:
            return self._pool.getconn()
        except PoolTimeout:
            raise self._timed_out() from None
        except PoolClosed:
            raise ClosedError("the memory was closed meanwhile") from None

    def _check(self, connection: DictConnection) -> None:
        # Notices without a round trip that the server hung up: the first reads its last words,
        # the second that there is nothing after them.
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()
        now = time.monotonic()
        if now - self._used_at.setdefault(connection, now) > RESTED_SECONDS:
            ConnectionPool.check_connection(connection)

    def _timed_out(self) -> DatabaseUnavailableError:
        counts = self._pool.get_stats()
        size, waited = counts.get("pool_size", 0), f"{self._timeout:g} seconds"
        if counts.get("connections_errors", 0) and size < self._pool.max_size:
            return DatabaseUnavailableError(
                f"no connection to the database could be made in {waited}"
            )
        return PoolTimeoutError(
            f"none of {size} connections became free in {waited}",
            hint="PGRECALL_POOL_MAX_SIZE and PGRECALL_POOL_TIMEOUT set how many and how long.",
        )
