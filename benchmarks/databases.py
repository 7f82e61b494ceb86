"""The database that a benchmark writes to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import strftime

import psycopg
from psycopg.conninfo import make_conninfo

from pgrecall import Settings, embedded


@dataclass(frozen=True)
class Database:
    """`dsn` is for our own statements; Memory takes `memory_dsn`, None for the embedded server.

    `suffix` keeps the organizations of one run apart from what a lasting database holds.
    """

    dsn: str
    memory_dsn: str | None
    settings: Settings
    suffix: str = ""

    def server(self) -> str:
        """What it is and its release, such as `PostgreSQL 18.6`."""
        with psycopg.connect(self.dsn) as connection:
            major, minor = divmod(connection.info.server_version, 10000)
        return f"PostgreSQL {major}.{minor}"


@contextmanager
def database(dsn: str | None) -> Iterator[Database]:
    """The database named, that of DATABASE_URL, or an embedded server that is gone afterwards."""
    settings = Settings()
    if dsn is None and settings.database_url is not None:
        dsn = settings.database_url.get_secret_value()
    if dsn is not None:
        yield Database(_with_extensions(dsn), dsn, settings, strftime("-%Y%m%d%H%M%S"))
        return
    with TemporaryDirectory(prefix="pgrecall-benchmark-") as folder:
        lease = embedded.join(Path(folder))
        try:
            yield Database(_with_extensions(lease.dsn), None, Settings(home=lease.home))
        finally:
            lease.release()


def _with_extensions(dsn: str) -> str:
    """Our own statements name the types and operators of pgvector wherever it lives."""
    return make_conninfo(dsn, options="-c search_path=public,extensions")
