"""How PostgreSQL's values become Python's."""

from __future__ import annotations

from datetime import datetime, timezone

import psycopg
from psycopg.adapt import AdaptersMap, Buffer, Loader

from pgrecall.domain.times import moment
from pgrecall.errors import InvalidInputError

EARLIEST = datetime.min.replace(tzinfo=timezone.utc)
LATEST = datetime.max.replace(tzinfo=timezone.utc)


class TimeLoader(Loader):
    """Times, in UTC, as a transaction of `act_as` writes them: 2026-11-23 10:15:00.5+00.

    PostgreSQL knows years before 1 and after 9999, and infinity. They become the first and the
    last time that Python knows: one such memory, which another client wrote, must not keep all
    others from being read.
    """

    def load(self, data: Buffer) -> datetime:
        """The time."""
        written = bytes(data).decode("ascii")
        if written.endswith(" BC") or written == "-infinity":
            return EARLIEST
        try:
            return moment("timestamptz", f"{written}:00") or LATEST
        except InvalidInputError:
            return LATEST


def adapters() -> AdaptersMap:
    """psycopg's adapters with that of times replaced."""
    found = AdaptersMap(psycopg.adapters)
    found.register_loader("timestamptz", TimeLoader)
    return found
