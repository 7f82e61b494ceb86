"""The way to a server: a pool and, of the embedded server, a lease; all clients share it.

The embedded server may be killed while it is used. It is then started again by whoever misses
it, and the pool, whose connections are all dead, is replaced.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock as Mutex
from typing import Protocol, TypeAlias
from weakref import WeakSet, WeakValueDictionary

from pgrecall import embedded
from pgrecall._async.concurrency import Here, Lock, in_thread
from pgrecall._async.migrate import migrate
from pgrecall._async.pool import DictConnection, Pool
from pgrecall.embedded import ServerLease
from pgrecall.errors import (
    ClosedError,
    DatabaseUnavailableError,
    PoolTimeoutError,
    ServerStartError,
)
from pgrecall.settings import Settings
from pgrecall.sql.address import described

# It may be killed again while it starts.
JOIN_ATTEMPTS = 3
# Longer than an embedded server takes for a connection unless it is dead or overworked.
MISSED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Address:
    """Which database is meant: a connection string, or the embedded server's home."""

    dsn: str | None
    home: Path

    @classmethod
    def of(cls, dsn: str | None, settings: Settings) -> Address:
        """The given one, else DATABASE_URL's, else the embedded server's."""
        if dsn is None and settings.database_url is not None:
            dsn = settings.database_url.get_secret_value()
        return cls(dsn, settings.home or embedded.default_home())

    def __str__(self) -> str:
        return f"embedded server in {self.home}" if self.dsn is None else described(self.dsn)


Key: TypeAlias = "tuple[Address, int, int, float, int]"


class Finishing(Protocol):
    """What a client that is closed has yet to write."""

    async def flush(self) -> bool:
        """Write it; whether nothing waits any more."""

    async def finish(self) -> None:
        """Write it for the last time."""


class Link:
    """Connections to one server, for as long as anybody has a stake in it."""

    def __init__(self, address: Address, settings: Settings, links: Links) -> None:
        self._address = address
        self._settings = settings
        self._links = links
        self._lease: ServerLease | None = None
        self._lock = Lock()
        self._is_closed = False
        self._pool: Pool | None = None
        self.stakes: WeakSet[Stake] = WeakSet()
        self.left: set[Finishing] = set()
        """What closed clients have left to be written."""

    async def open(self) -> str:
        """The connection string of the server, which, if embedded, is started and migrated."""
        async with self._lock:
            if self._pool is None:
                self._pool = await self._first_pool()
            return self._pool.dsn

    def is_shared(self, stake: Stake) -> bool:
        """Whether others have a stake in it too."""
        return any(each is not stake for each in self.stakes)

    async def flush_left(self) -> None:
        """Write what closed clients have left."""
        for each in list(self.left):
            await each.flush()

    async def leave(self, stake: Stake) -> None:
        """Give a stake back. With the last one the connections are closed, and the lease ends."""
        if not self._links.leave(self, stake):
            return
        for each in list(self.left):
            await each.finish()
        async with self._lock:
            self._is_closed = True
            if self._pool is not None:
                self._pool.close()
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
                if missed is not None:
                    missed.close()

    async def _first_pool(self) -> Pool:
        if self._address.dsn is not None:
            return Pool(self._address.dsn, self._settings)
        lease = await in_thread(embedded.join, self._address.home)
        try:
            await migrate(lease.dsn)
        except BaseException:
            await in_thread(lease.release)
            raise
        self._lease = lease
        return Pool(lease.dsn, self._settings)

    async def _take(self, patience: float | None) -> tuple[Pool, DictConnection]:
        pool, began = self._present(), time.monotonic()
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
        pool = self._present()
        return pool, await pool.take()

    def _present(self) -> Pool:
        if self._pool is None:
            raise ClosedError("the memory was closed meanwhile")
        return self._pool


class Stake:
    """One client's share in a link; forgotten with the client where that is not closed."""

    def __init__(self, link: Link) -> None:
        self.link = link


class Links:
    """The links of one process and event loop, each with its pool."""

    def __init__(self) -> None:
        self._mutex = Mutex()
        self._links: WeakValueDictionary[Key, Link] = WeakValueDictionary()

    def enter(self, address: Address, settings: Settings) -> Stake:
        """A stake in the link to a database; connections that are made otherwise are others."""
        key = (
            address,
            settings.pool_min_size,
            settings.pool_max_size,
            settings.pool_timeout,
            settings.connect_timeout,
        )
        with self._mutex:
            link = self._links.get(key)
            if link is None:
                link = self._links[key] = Link(address, settings, self)
            stake = Stake(link)
            link.stakes.add(stake)
            return stake

    def leave(self, link: Link, stake: Stake) -> bool:
        """Whether the stake was the last one; the link is then given to nobody any more."""
        with self._mutex:
            if stake not in link.stakes:
                return False
            link.stakes.discard(stake)
            if link.stakes:
                return False
            for key, each in list(self._links.items()):
                if each is link:
                    del self._links[key]
            return True


LINKS = Here(Links)


async def _joined(home: Path) -> ServerLease:
    for _ in range(1, JOIN_ATTEMPTS):
        try:
            return await in_thread(embedded.join, home)
        except ServerStartError:
            continue
    return await in_thread(embedded.join, home)
