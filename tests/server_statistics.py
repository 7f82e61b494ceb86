"""Waiting for the server's statistics."""

from __future__ import annotations

import time
from typing import Any

import psycopg

HEARD_OF = "pg_catalog.pg_am"
LAST_HEARD = f"select pg_stat_get_last_analyze_time('{HEARD_OF}'::regclass)"


def settle(dsn: str) -> None:
    """Wait until the server's statistics know of all that closed sessions did.

    Before PostgreSQL 15 a process of its own gathers them, in the order in which it hears.
    """
    began = time.monotonic()
    while _ask(dsn, "select current_setting('server_version_num')::integer < 150000"):
        at = _ask(dsn, "select clock_timestamp()::text")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"analyze {HEARD_OF}".encode())
        if _ask(dsn, f"{LAST_HEARD} > '{at}'"):
            return
        assert time.monotonic() < began + 60, "the statistics don't hear of anything"
        time.sleep(0.1)


def _ask(dsn: str, query: str) -> Any:
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        return None if row is None else row[0]
