# Generated from ../_async/statistics.py by scripts/generate_sync.py: edit that file instead.

"""The way of a client's counts into agent_memory_stats, behind its work."""

from __future__ import annotations

import json
import logging

import psycopg

from pgrecall._sync.concurrency import Delayed, Lock, at_end
from pgrecall._sync.database import Database
from pgrecall.errors import InvalidInputError, PermissionDeniedError, PgRecallError
from pgrecall.sql.failures import is_lost
from pgrecall.sql.loader import statement
from pgrecall.telemetry.tally import Hours, Tally, items

LOG = logging.getLogger(__name__)


class Flusher:
    """Writes the counts of one client: so many seconds after the first that waits, and at its end.

    Counts that could not be written wait for the next time. They are given up where the database
    will not have them, and where a connection broke so late that they may have been written:
    rather a flush too few than one twice.
    """

    def __init__(self, tally: Tally, agent_id: str, seconds: float) -> None:
        self._tally = tally
        self._agent_id = agent_id
        self._seconds = seconds
        self._lock = Lock()
        self._database: Database | None = None
        self._delayed: Delayed | None = None

    def open(self, database: Database) -> None:
        """From now on there is a database to write to."""
        self._database = database
        at_end(self)

    def schedule(self) -> None:
        """Write what waits, some seconds from now."""
        if self._delayed is not None:
            self._delayed.cancel()
        self._delayed = Delayed(self._seconds, self._flush_again)

    def flush(self) -> bool:
        """Write what waits, now; whether nothing waits any more."""
        with self._lock:
            hours = self._tally.take() if self._database is not None else {}
            if not hours or self._database is None:
                return True
            is_written = self._write(self._database, hours)
            if is_written:
                self._database.link.left.discard(self)
            return is_written

    def close(self) -> None:
        """Write what waits for the last time: now, or where others go on, when it would have been.

        So a client for one request does not write at its end.
        """
        database = self._database
        if database is None:
            return
        if self._delayed is not None and database.link.is_shared(database.stake):
            if self._tally.is_waiting():
                database.link.left.add(self)
            return
        self.finish()

    def finish(self) -> None:
        """Write what waits, now or never."""
        if self._delayed is not None:
            self._delayed.cancel()
        if not self.flush():
            LOG.warning("counts of agent %s could not be written and are lost", self._agent_id)
        self._database = None

    def _flush_again(self) -> None:
        if not self.flush() and self._tally.is_neglected():
            self.schedule()

    def _write(self, database: Database, hours: Hours) -> bool:
        counts = json.dumps(items(self._agent_id, hours))
        try:
            database.run_once(statement("add_memory_stats", {"counts": counts}))
        except (InvalidInputError, PermissionDeniedError) as error:
            LOG.warning("counts of agent %s are not taken and lost: %s", self._agent_id, error)
        except PgRecallError as error:
            if not _may_be_written(error):
                LOG.debug("counts of agent %s wait: %s", self._agent_id, error)
                self._tally.give_back(hours)
                return False
            LOG.warning("counts of agent %s may be lost: %s", self._agent_id, error)
        return True


def _may_be_written(error: PgRecallError) -> bool:
    return isinstance(error.__cause__, psycopg.Error) and is_lost(error.__cause__)
