"""How PostgreSQL's values become Python's."""

from __future__ import annotations

from datetime import datetime

import psycopg
from psycopg.adapt import AdaptersMap, Buffer, Loader


class TimeLoader(Loader):
    """Times, in UTC, as a transaction of `act_as` writes them: 2026-11-23 10:15:00.5+00.

    psycopg's own loader goes by the date style that the connection had before the transaction
    set its own. The schema holds no times that Python can't.
    """

    def load(self, data: Buffer) -> datetime:
        """The time."""
        written = bytes(data).decode("ascii").removesuffix("+00")
        day, _, fraction = written.partition(".")
        return datetime.fromisoformat(f"{day}.{fraction:0<6}+00:00")


def adapters() -> AdaptersMap:
    """psycopg's adapters with that of times replaced."""
    found = AdaptersMap(psycopg.adapters)
    found.register_loader("timestamptz", TimeLoader)
    return found
