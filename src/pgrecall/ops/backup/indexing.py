"""The indexes of search, built at once when all rows are in instead of row by row.

A row more costs an HNSW index or a text index several times what it costs to build them anew. So a
restore or an import into a database where no recall uses them takes them away, and the ledger
remembers what is to be built, in the same transaction: however it ends, the next one builds it,
and `pgrecall migrate --repair` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TypeAlias
from uuid import UUID, uuid4

import psycopg

from pgrecall.errors import PgRecallError
from pgrecall.ops.backup import ledger
from pgrecall.ops.backup.connecting import Connection, connected, run
from pgrecall.ops.backup.ledger import Entry
from pgrecall.sql.loader import statement

OnStep: TypeAlias = Callable[[str, int, int], None]
Telling: TypeAlias = "AbstractContextManager[OnStep]"

MEMORIES = "public.ai_memories"
_VERY_MANY = 2**31 - 1
_LOOK_SECONDS = 1.0
# Somebody uses the tables, or they are not this role's: rows go into the indexes one by one.
_UNAVAILABLE = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.InsufficientPrivilege,
)


@contextmanager
def built_afterwards(
    connection: Connection, dsn: str, entry: Entry, memories: int, tell: OnStep
) -> Iterator[None]:
    """Rows that are put in inside the block go into the indexes of search when it ends.

    It does so where more memories come than a recall compares one by one, into a database that has
    no more than that, if nobody keeps the tables locked and they are this role's. What an earlier
    restore left is built in any case. `tell` hears how many blocks of a table are in its index, of
    how many.
    """
    _take_down(connection, entry, memories)
    try:
        yield
    except (PgRecallError, psycopg.Error, OSError):
        with suppress(psycopg.Error):
            _build(connection, dsn, tell)
        raise
    _build(connection, dsn, tell)


@contextmanager
def built_after_import(
    dsn: str, organization_id: UUID, source: str, telling: Callable[[], Telling]
) -> Iterator[None]:
    """The same for an import of very many memories; of how many, nobody need know.

    Nothing is done for a role that does not own the tables. `telling` is entered when indexes are
    built, and gives what hears of it.
    """
    with connected(dsn, "import") as connection:
        entry = _take_down_for_import(connection, organization_id, source)
        if entry is None:
            yield
            return
        with ledger.told(entry):
            try:
                yield
            finally:
                with telling() as tell:
                    _build(connection, dsn, tell)
            entry.done(None, None, None)


def _take_down(connection: Connection, entry: Entry, memories: int) -> None:
    with suppress(*_UNAVAILABLE), connection.transaction():
        run(connection, statement("limit_lock_wait"))
        _drop(connection, entry, memories)


def _take_down_for_import(
    connection: Connection, organization_id: UUID, source: str
) -> Entry | None:
    with suppress(*_UNAVAILABLE), connection.transaction() as transaction:
        run(connection, statement("limit_lock_wait"))
        entry = ledger.begin(connection, organization_id, uuid4(), "import", source)
        if _drop(connection, entry, _VERY_MANY):
            return entry
        raise psycopg.Rollback(transaction)
    return None


def _drop(connection: Connection, entry: Entry, memories: int) -> bool:
    given = {"organization_id": entry.organization_id, "id": entry.id, "memories": memories}
    rows = run(connection, statement("note_indexes", given))
    for row in rows:
        connection.execute(row["drop"].encode())
    return bool(rows)


def _build(connection: Connection, dsn: str, tell: OnStep) -> None:
    for row in run(connection, statement("list_unbuilt_indexes")):
        with _progress(dsn, connection, tell) as look:
            try:
                _build_one(connection, row["definition"], 2, look)
            except psycopg.errors.DiskFull:
                # Workers share memory that a container may have too little of.
                _build_one(connection, row["definition"], 0, look)


def _build_one(
    connection: Connection, definition: str, workers: int, look: Callable[[], None]
) -> None:
    def create() -> None:
        with connection.transaction():
            given = {"definition": definition, "workers": workers}
            [creation] = run(connection, statement("prepare_index", given))
            connection.execute(creation["create"].encode())
            run(connection, statement("note_built_index", {"definition": definition}))

    with ThreadPoolExecutor(1) as builder:
        building = builder.submit(create)
        try:
            while not wait([building], _LOOK_SECONDS).done:
                look()
        except BaseException:
            connection.cancel()
            raise
        building.result()


@contextmanager
def _progress(dsn: str, building: Connection, tell: OnStep) -> Iterator[Callable[[], None]]:
    """Tells how far a connection's index is, seen from another one."""
    given = {"backend": building.info.backend_pid}
    with connected(dsn, "restore") as connection:

        def look() -> None:
            for row in run(connection, statement("look_at_index", given)):
                tell("Indexing", row["done"], row["total"])

        yield look
