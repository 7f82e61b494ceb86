# Generated from ../_async/snapshot.py by scripts/generate_sync.py: edit that file instead.

"""Reading a lot as of one moment, some at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pgrecall._sync.database import Database
from pgrecall._sync.session import Session
from pgrecall._sync.transaction import Caller, Rows
from pgrecall.sql.failures import transaction_failure
from pgrecall.sql.loader import Statement


class Snapshot:
    """One moment of a database, as a caller sees it."""

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    def rows(self, asked: Statement) -> Rows:
        """The rows of a statement as of that moment."""
        # Before each one, since signed claims expire sooner than a long reading ends, and Row
        # Level Security would show nothing from then on.
        self._session.run(self._caller.preamble())
        return self._session.run(asked)


@contextmanager
def snapshot(database: Database) -> Iterator[Snapshot]:
    """A moment of the database, held as long as this lasts; nothing can be written in it.

    Raises pgrecall's errors.
    """
    try:
        with database.link.connection() as connection:
            session = Session(connection)
            session.rows("begin_snapshot")
            yield Snapshot(session, database.caller)
            session.rows("commit")
    except psycopg.Error as error:
        raise transaction_failure(error, is_read=True) from error
