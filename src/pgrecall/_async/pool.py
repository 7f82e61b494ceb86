"""Connections to one database that are used again, the last used one first.

psycopg_pool is not used: it gives the longest unused connection first, waits out a growing pause
after a server was away, and has threads, which a forked process lacks. Here whoever needs a
connection makes it.
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TypeAlias
from weakref import finalize, ref

import psycopg
from psycopg import AsyncConnection, OperationalError
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

from pgrecall._async.concurrency import Delayed, Turn, sleep
from pgrecall._async.session import connection_options
from pgrecall.errors import ClosedError, DatabaseUnavailableError, PgRecallError, PoolTimeoutError
from pgrecall.forks import renew_in_child
from pgrecall.settings import Settings
from pgrecall.sql.adapters import adapters
from pgrecall.sql.failures import failure
from pgrecall.telemetry.process import PROCESS

DictConnection: TypeAlias = AsyncConnection[DictRow]

# A connection that has rested longer is asked whether it still lives, which takes a round trip.
RESTED_SECONDS = 30.0
# One that is not needed is closed after so long, and any after an hour: sessions grow.
IDLE_SECONDS = 600.0
LIFE_SECONDS = 3600.0
# Between two tries while the server is away.
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
ADAPTERS = adapters()


@dataclass(slots=True)
class Rested:
    """A connection that nobody uses, and when it was made and last used, by time.monotonic()."""

    connection: DictConnection
    made_at: float
    used_at: float


class Pool:
    """Up to so many connections to one database, each made when it is first needed."""

    def __init__(self, dsn: str, settings: Settings) -> None:
        self.dsn = dsn
        self._options = connection_options(dsn, settings) | {"context": ADAPTERS}
        self._max = settings.pool_max_size
        self._min = min(settings.pool_min_size, self._max)
        self._timeout = settings.pool_timeout
        self._is_closed = False
        self._rested: list[Rested] = []
        self._counts = Counter[str]()
        self._begin()
        # What is closed by nobody is closed when nobody has the pool any more.
        finalize(self, _finish, self._rested)
        renew_in_child(self)
        PROCESS.opened(self)

    def _begin(self) -> None:
        self.served_at = -math.inf
        """When a living connection was last given back, by time.monotonic()."""
        self._mutex = Lock()
        self._waiting: deque[Turn] = deque()
        self._places = 0  # how many callers have a connection, or make one
        self._made_at: dict[DictConnection, float] = {}  # of those that are in use
        self._fault: psycopg.Error | None = None
        self._tidying: Delayed | None = None

    def after_fork(self) -> None:
        """Let go of the parent's connections, which hear nothing of it."""
        for connection in self._made_at:
            _let_go(connection)
        for rested in self._rested:
            _let_go(rested.connection)
            rested.connection.pgconn.finish()
        self._rested.clear()
        self._counts.clear()
        self._begin()

    def close(self) -> None:
        """Close all connections; those in use when they are given back."""
        PROCESS.closed(self)
        with self._mutex:
            self._is_closed = True
            waiting, self._waiting = self._waiting, deque()
            self._places += len(waiting)
            if self._tidying is not None:
                self._tidying.cancel()
        for turn in waiting:
            turn.call()
        _finish(self._rested)

    def stats(self) -> Mapping[str, int]:
        """How it stands: numbers by name."""
        size = self._places + len(self._rested)
        return self._counts | {
            "pool_min": self._min,
            "pool_max": self._max,
            "pool_size": size,
            "pool_available": len(self._rested),
            "requests_waiting": len(self._waiting),
        }

    async def take(self, patience: float | None = None) -> DictConnection:
        """A free connection, to be given back; waits for it as long as settings say, or shorter.

        Raises PoolTimeoutError if none becomes free in time, DatabaseUnavailableError if no new
        one can be made: at once as long as none ever could be.
        """
        seconds = self._timeout if patience is None else min(patience, self._timeout)
        deadline = time.monotonic() + seconds
        self._counts["requests_num"] += 1
        try:
            await self._enter(seconds)
            try:
                return await self._connection(deadline)
            except BaseException:
                self._leave()
                raise
        except PgRecallError:
            self._counts["requests_errors"] += 1
            raise

    async def take_late(self, began: float) -> DictConnection:
        """The same for somebody who has waited since `began`: as long as is left of the time."""
        left = began + self._timeout - time.monotonic()
        if left <= 0:
            raise self._timed_out(self._timeout)
        return await self.take(left)

    async def give(self, connection: DictConnection) -> None:
        """Give a connection back; a transaction that is still open is rolled back."""
        made_at = self._made_at.get(connection)
        if made_at is None:
            # Taken before this process was forked off.
            return
        is_usable = False
        try:
            is_usable = await _reset(connection)
        finally:
            now = time.monotonic()
            with self._mutex:
                del self._made_at[connection]
                is_usable = is_usable and not self._is_closed and now - made_at < LIFE_SECONDS
                if is_usable:
                    self.served_at = now
                    self._fault = None
                    self._rested.append(Rested(connection, made_at, now))
            if not is_usable:
                connection.pgconn.finish()
            self._leave()
            self._tidy_later()

    async def _enter(self, seconds: float) -> None:
        """Wait for a place, first come, first served."""
        with self._mutex:
            if self._is_closed:
                raise ClosedError("the memory was closed meanwhile")
            if self._places < self._max and not self._waiting:
                self._places += 1
                return
            turn = Turn()
            self._waiting.append(turn)
        self._counts["requests_queued"] += 1
        began = time.monotonic()
        try:
            await turn.wait(seconds)
        except BaseException:
            if not self._gives_up(turn):
                self._leave()
            raise
        finally:
            self._counts["requests_wait_ms"] += round(1000 * (time.monotonic() - began))
        if self._gives_up(turn):
            raise self._timed_out(seconds)
        if self._is_closed:
            self._leave()
            raise ClosedError("the memory was closed meanwhile")

    def _gives_up(self, turn: Turn) -> bool:
        """Whether its turn has not come; it comes no more then."""
        with self._mutex:
            is_waiting = turn in self._waiting
            if is_waiting:
                self._waiting.remove(turn)
            return is_waiting

    def _leave(self) -> None:
        """Give the place to who has waited longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().call()
            else:
                self._places -= 1

    async def _connection(self, deadline: float) -> DictConnection:
        while (rested := self._last_used()) is not None:
            if await _lives(rested):
                self._made_at[rested.connection] = rested.made_at
                return rested.connection
            self._counts["connections_lost"] += 1
        connection = await self._connect(deadline)
        self._made_at[connection] = time.monotonic()
        return connection

    def _last_used(self) -> Rested | None:
        with self._mutex:
            return self._rested.pop() if self._rested else None

    async def _connect(self, deadline: float) -> DictConnection:
        pause = FIRST_PAUSE
        while True:
            self._counts["connections_num"] += 1
            try:
                connection = await AsyncConnection[DictRow].connect(self.dsn, **self._options)
            except psycopg.Error as error:
                self._counts["connections_errors"] += 1
                self._fault = error
                # A server that has served before is waited for: it may just be starting again.
                if self.served_at == -math.inf or time.monotonic() + pause > deadline:
                    raise failure(error) from error
            else:
                self._fault = None
                return connection
            await sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _tidy_later(self) -> None:
        with self._mutex:
            if self._tidying is None and len(self._rested) > self._min and not self._is_closed:
                self._tidying = Delayed(IDLE_SECONDS, partial(_tidy, ref(self)))

    def tidy(self) -> None:
        """Close the connections that nobody has needed for long, but for as many as are kept."""
        latest = time.monotonic() - IDLE_SECONDS
        with self._mutex:
            self._tidying = None
            unneeded = [each for each in self._rested if each.used_at <= latest]
            del unneeded[max(0, len(self._rested) - self._min) :]
            del self._rested[: len(unneeded)]
        _finish(unneeded)
        self._tidy_later()

    def _timed_out(self, seconds: float) -> PgRecallError:
        if self._fault is not None:
            return DatabaseUnavailableError(
                f"no connection to the database could be made in {seconds:g} seconds"
            )
        return PoolTimeoutError(
            f"none of {self._max} connections became free in {seconds:g} seconds",
            hint="PGRECALL_POOL_MAX_SIZE and PGRECALL_POOL_TIMEOUT set how many and how long.",
        )


async def _tidy(pool: ref[Pool]) -> None:
    found = pool()
    if found is not None:
        found.tidy()


async def _lives(rested: Rested) -> bool:
    """Whether the server is still there; a dead connection is closed."""
    connection, lives = rested.connection, False
    try:
        # Notices without a round trip that the server hung up: the first reads its last words,
        # the second that there is nothing after them.
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()
        if time.monotonic() - rested.used_at > RESTED_SECONDS:
            await connection.execute("")
        lives = True
    except OperationalError:
        pass
    finally:
        if not lives:
            connection.pgconn.finish()
    return lives


async def _reset(connection: DictConnection) -> bool:
    """Whether a connection can be used again, whatever was left in it."""
    if connection.pgconn.transaction_status in (
        TransactionStatus.INTRANS,
        TransactionStatus.INERROR,
    ):
        with suppress(psycopg.Error):
            await connection.rollback()
    return connection.pgconn.transaction_status == TransactionStatus.IDLE


def _finish(rested: list[Rested]) -> None:
    while rested:
        with suppress(IndexError):
            rested.pop().connection.pgconn.finish()


def _let_go(connection: DictConnection) -> None:
    """Drop an inherited socket without a word to the server: the parent goes on with it.

    Its number stays taken, so that no new socket gets it and is written to by mistake.
    """
    with suppress(psycopg.Error, OSError):
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(nothing, connection.pgconn.socket, inheritable=False)
        os.close(nothing)
