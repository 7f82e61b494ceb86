# Generated from ../_async/pool.py by scripts/generate_sync.py: edit that file instead.

"""Connections of a pool."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TypeAlias
from weakref import WeakKeyDictionary

from psycopg import Connection, OperationalError
from psycopg.rows import DictRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from pgrecall._sync.session import connection_options
from pgrecall.errors import ClosedError, DatabaseUnavailableError, PoolTimeoutError
from pgrecall.settings import Settings
from pgrecall.sql.adapters import adapters
from pgrecall.telemetry.process import PROCESS

DictConnection: TypeAlias = Connection[DictRow]

# A connection that has rested longer is asked whether it still lives, which takes a round trip.
RESTED_SECONDS = 30.0
ADAPTERS = adapters()


class Pool:
    """A pool of connections to one database, opened by `open`."""

    def __init__(self, dsn: str, settings: Settings) -> None:
        self._used_at: WeakKeyDictionary[DictConnection, float] = WeakKeyDictionary()
        self._timeout = settings.pool_timeout
        self.served_at = -math.inf
        """When a living connection was last given back, by time.monotonic()."""
        self._pool: ConnectionPool[DictConnection] = ConnectionPool(
            dsn,
            connection_class=Connection[DictRow],
            kwargs=connection_options(dsn, settings) | {"context": ADAPTERS},
            min_size=min(settings.pool_min_size, settings.pool_max_size),
            max_size=settings.pool_max_size,
            timeout=settings.pool_timeout,
            open=False,
            name="pgrecall",
            num_workers=1,
        )

    def open(self) -> None:
        """Begin to connect, in the background."""
        self._pool.open()
        PROCESS.opened(self)

    def close(self) -> None:
        """Close all connections; those in use when they are given back."""
        PROCESS.closed(self)
        self._pool.close()

    def stats(self) -> Mapping[str, int]:
        """How it stands: numbers by name, as psycopg_pool has them."""
        return self._pool.get_stats()

    def take(self, patience: float | None = None) -> DictConnection:
        """A free connection, to be given back; waits for it as long as settings say, or shorter.

        Raises PoolTimeoutError if none becomes free in time, DatabaseUnavailableError if no new
        one can be made.
        """
        seconds = self._timeout if patience is None else min(patience, self._timeout)
        deadline = time.monotonic() + seconds
        try:
            while True:
                connection = self._pool.getconn(deadline - time.monotonic())
                if self._lives(connection):
                    return connection
                self._pool.putconn(connection)
        except PoolTimeout:
            raise self._timed_out(seconds) from None
        except PoolClosed:
            raise ClosedError("the memory was closed meanwhile") from None

    def take_late(self, began: float) -> DictConnection:
        """The same for somebody who has waited since `began`: as long as is left of the time."""
        left = began + self._timeout - time.monotonic()
        if left <= 0:
            raise self._timed_out(self._timeout)
        return self.take(left)

    def give(self, connection: DictConnection) -> None:
        """Give a connection back."""
        self._used_at[connection] = time.monotonic()
        if not connection.closed:
            self.served_at = self._used_at[connection]
        self._pool.putconn(connection)

    def _lives(self, connection: DictConnection) -> bool:
        """Whether the server is still there; a dead connection is closed.

        The pool's own check waits for a second after each dead connection.
        """
        now = time.monotonic()
        try:
            # Notices without a round trip that the server hung up: the first reads its last
            # words, the second that there is nothing after them.
            connection.pgconn.consume_input()
            connection.pgconn.consume_input()
            if now - self._used_at.setdefault(connection, now) > RESTED_SECONDS:
                ConnectionPool.check_connection(connection)
        except OperationalError:
            connection.close()
            return False
        except BaseException:
            self._pool.putconn(connection)
            raise
        return True

    def _timed_out(self, seconds: float) -> DatabaseUnavailableError:
        counts = self._pool.get_stats()
        size, waited = counts.get("pool_size", 0), f"{seconds:g} seconds"
        if counts.get("connections_errors", 0) and size < self._pool.max_size:
            return DatabaseUnavailableError(
                f"no connection to the database could be made in {waited}"
            )
        return PoolTimeoutError(
            f"none of {size} connections became free in {waited}",
            hint="PGRECALL_POOL_MAX_SIZE and PGRECALL_POOL_TIMEOUT set how many and how long.",
        )
