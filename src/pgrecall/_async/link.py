"""The way to a server: a pool and, of the embedded server, a lease.

The embedded server may be killed while it is used. It is then started again by whoever misses
it, and the pool, whose connections are all dead, is replaced.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pgrecall import embedded
from pgrecall._async.concurrency import Lock, in_thread
from pgrecall._async.pool import DictConnection, Pool
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

    async def open(self) -> None:
        """Begin to connect, in the background."""
        await self._pool.open()

    async def close(self) -> None:
        """Close the connections and give the embedded server back."""
        async with self._lock:
            self._is_closed = True
            await self._pool.close()
            if self._lease is not None:
                await in_thread(self._lease.release)

    @asynccontextmanager
    async def connection(self, patience: float | None = None) -> AsyncIterator[DictConnection]:
        """A free connection; what was begun and not committed is rolled back after an error.

        With `patience`, in so many seconds; a dead embedded server is then left dead.

        Raises PoolTimeoutError if none becomes free in time, DatabaseUnavailableError if no new
        one can be made.
        """
        pool, connection = await self._take(patience)
        try:
            async with connection:
                yield connection
        finally:
            await pool.give(connection)

    async def mend(self, missed: Pool | None = None) -> None:
        """Start the embedded server again where it is dead; nothing for any other server.

        `missed` is the pool that gave no connection, by default the present one.
        """
        missed = missed or self._pool
        if self._lease is None:
            return
        async with self._lock:
            if self._is_closed:
                raise ClosedError("the memory was closed meanwhile")
            if self._pool is not missed:
                return
            lease = await _joined(self._lease.home)
            await in_thread(self._lease.release)
            self._lease = lease
            if lease.started:
                self._pool = Pool(lease.dsn, self._settings)
                await self._pool.open()
                await missed.close()

    async def _take(self, patience: float | None) -> tuple[Pool, DictConnection]:
        pool, began = self._pool, time.monotonic()
        if patience is not None:
            return pool, await pool.take(patience)
        try:
            return pool, await pool.take(None if self._lease is None else MISSED_SECONDS)
        except (DatabaseUnavailableError, ClosedError) as error:
            if self._lease is None:
                raise
            if isinstance(error, PoolTimeoutError) and pool.served_at > began:
                # Busy, not dead: to look after the server now would make all wait longer.
                return pool, await pool.take_late(began)
        await self.mend(pool)
        pool = self._pool
        return pool, await pool.take()


async def _joined(home: Path) -> ServerLease:
    for _ in range(1, JOIN_ATTEMPTS):
        try:
            return await in_thread(embedded.join, home)
        except ServerStartError:
            continue
    return await in_thread(embedded.join, home)
