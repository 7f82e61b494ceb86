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

from pgrecall._sync.session import Session
from pgrecall.errors import PgRecallError
from pgrecall.ops.backup import ledger
from pgrecall.ops.backup.ledger import Entry
from pgrecall.ops.backup.tables import backup_session

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
    session: Session, dsn: str, entry: Entry, memories: int, tell: OnStep
) -> Iterator[None]:
    """Rows that are put in inside the block go into the indexes of search when it ends.

    It does so where more memories come than a recall compares one by one, into a database that has
    no more than that, if nobody keeps the tables locked and they are this role's. What an earlier
    restore left is built in any case. `tell` hears how many blocks of a table are in its index, of
    how many.
    """
    _take_down(session, entry, memories)
    try:
        yield
    except (PgRecallError, psycopg.Error, OSError):
        with suppress(psycopg.Error):
            _build(session, dsn, tell)
        raise
    _build(session, dsn, tell)


@contextmanager
def built_after_import(
    dsn: str, organization_id: UUID, source: str, telling: Callable[[], Telling]
) -> Iterator[None]:
    """The same for an import of very many memories; of how many, nobody need know.

    Nothing is done for a role that does not own the tables. `telling` is entered when indexes are
    built, and gives what hears of it.
    """
    with backup_session(dsn, "import") as session:
        entry = _take_down_for_import(session, organization_id, source)
        if entry is None:
            yield
            return
        with ledger.record_failure(entry):
            try:
                yield
            finally:
                with telling() as tell:
                    _build(session, dsn, tell)
            entry.done(None, None, None)


def _take_down(session: Session, entry: Entry, memories: int) -> None:
    with suppress(*_UNAVAILABLE), session.connection.transaction():
        session.rows("limit_lock_wait")
        _drop(session, entry, memories)


def _take_down_for_import(session: Session, organization_id: UUID, source: str) -> Entry | None:
    with suppress(*_UNAVAILABLE), session.connection.transaction() as transaction:
        session.rows("limit_lock_wait")
        entry = ledger.begin(session, organization_id, uuid4(), "import", source)
        if _drop(session, entry, _VERY_MANY):
            return entry
        raise psycopg.Rollback(transaction)
    return None


def _drop(session: Session, entry: Entry, memories: int) -> bool:
    rows = session.rows(
        "note_indexes", organization_id=entry.organization_id, id=entry.id, memories=memories
    )
    for row in rows:
        session.execute(row["drop"])
    return bool(rows)


def _build(session: Session, dsn: str, tell: OnStep) -> None:
    for row in session.rows("list_unbuilt_indexes"):
        with _progress(dsn, session, tell) as look:
            try:
                _build_one(session, row["definition"], 2, look)
            except psycopg.errors.DiskFull:
                # Workers share memory that a container may have too little of.
                _build_one(session, row["definition"], 0, look)


def _build_one(session: Session, definition: str, workers: int, look: Callable[[], None]) -> None:
    def create() -> None:
        with session.connection.transaction():
            creation = session.row("prepare_index", definition=definition, workers=workers)
            session.execute(creation["create"])
            session.rows("note_built_index", definition=definition)

    with ThreadPoolExecutor(1) as builder:
        building = builder.submit(create)
        try:
            while not wait([building], _LOOK_SECONDS).done:
                look()
        except BaseException:
            session.connection.cancel()
            raise
        building.result()


@contextmanager
def _progress(dsn: str, building: Session, tell: OnStep) -> Iterator[Callable[[], None]]:
    """Tells how far a connection's index is, seen from another one."""
    backend = building.connection.info.backend_pid
    with backup_session(dsn, "restore") as session:

        def look() -> None:
            for row in session.rows("look_at_index", backend=backend):
                tell("Indexing", row["done"], row["total"])

        yield look
