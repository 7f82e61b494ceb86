# Generated from ../_async/link.py by scripts/generate_sync.py: edit that file instead.

"""The way to a server: a pool and, of the embedded server, a lease.

The embedded server may be killed while it is used. It is then started again by whoever misses
it, and the pool, whose connections are all dead, is replaced.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgrecall import embedded
from pgrecall._sync.concurrency import Lock, in_thread
from pgrecall._sync.pool import DictConnection, Pool
from pgrecall.embedded import ServerLease
from pgrecall.errors import (
    ClosedError,
    DatabaseUnavailableError,
    PoolTimeoutError,
    ServerStartError,
)
from pgrecall.settings import Settings

# It may be killed again while it starts.
JOIN_ATTEMPTS = 3
# Longer than an embedded server takes for a connection unless it is dead or overworked.
MISSED_SECONDS = 1.0


class Link:
    """Connections to one server; `lease` is the embedded server's, None for any other."""

    def __init__(self, dsn: str, settings: Settings, lease: ServerLease | None) -> None:
        self._dsn = dsn
        self._settings = settings
        self._lease = lease
        self._lock = Lock()
        self._is_closed = False
        self._pool = Pool(dsn, settings)

    def open(self) -> None:
        """Begin to connect, in the background."""
        self._pool.open()

    def close(self) -> None:
        """Close the connections and give the embedded server back."""
        with self._lock:
            self._is_closed = True
            self._pool.close()
            if self._lease is not None:
                in_thread(self._lease.release)

    @contextmanager
    def connection(self, patience: float | None = None) -> Iterator[DictConnection]:
        """A free connection; what was begun and not committed is rolled back after an error.

        With `patience`, in so many seconds; a dead embedded server is then left dead.

        Raises PoolTimeoutError if none becomes free in time, DatabaseUnavailableError if no new
        one can be made.
        """
        pool, connection = self._take(patience)
        try:
            with connection:
                yield connection
        finally:
            pool.give(connection)

    def mend(self, missed: Pool | None = None) -> None:
        """Start the embedded server again where it is dead; nothing for any other server.

        `missed` is the pool that gave no connection, by default the present one.
        """
        missed = missed or self._pool
        if self._lease is None:
            return
        with self._lock:
            if self._is_closed:
                raise ClosedError("the memory was closed meanwhile")
            if self._pool is not missed:
                return
            lease = _joined(self._lease.home)
            in_thread(self._lease.release)
            self._lease = lease
            if lease.started:
                self._pool = Pool(lease.dsn, self._settings)
                self._pool.open()
                missed.close()

    def _take(self, patience: float | None) -> tuple[Pool, DictConnection]:
        pool, began = self._pool, time.monotonic()
        if patience is not None:
            return pool, pool.take(patience)
        try:
            return pool, pool.take(None if self._lease is None else MISSED_SECONDS)
        except (DatabaseUnavailableError, ClosedError) as error:
            if self._lease is None:
                raise
            if isinstance(error, PoolTimeoutError) and pool.served_at > began:
                # Busy, not dead: to look after the server now would make all wait longer.
                return pool, pool.take_late(began)
        self.mend(pool)
        pool = self._pool
        return pool, pool.take()


def _joined(home: Path) -> ServerLease:
    for _ in range(1, JOIN_ATTEMPTS):
        try:
            return in_thread(embedded.join, home)
        except ServerStartError:
            continue
    return in_thread(embedded.join, home)
