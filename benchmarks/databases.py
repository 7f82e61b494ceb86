"""The database that a benchmark writes to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import strftime

from pgrecall import embedded


@dataclass(frozen=True)
class Database:
    """`dsn` is for our own statements, `memory_dsn` for Memory: None is the embedded server.

    `suffix` keeps the organizations of one run apart from what a lasting database holds.
    """

    dsn: str
    memory_dsn: str | None
    suffix: str

    @property
    def is_lasting(self) -> bool:
        return self.memory_dsn is not None


@contextmanager
def database(dsn: str | None) -> Iterator[Database]:
    """The database named, that of DATABASE_URL, or an embedded server that is gone afterwards."""
    named = dsn or os.environ.get("DATABASE_URL")
    if named:
        yield Database(named, named, strftime("-%Y%m%d%H%M%S"))
        return
    with TemporaryDirectory(prefix="pgrecall-benchmark-") as folder:
        os.environ["PGRECALL_HOME"] = folder
        lease = embedded.join(Path(folder))
        try:
            yield Database(lease.dsn, None, "")
        finally:
            lease.release()
