"""What was settled about a home, and one process at a time that works on its archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pgrecall.embedded.archiving import Archiving, find_archiving
from pgrecall.embedded.failures import directory_errors
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.locks import FileLock
from pgrecall.errors import ArchiveError


def require_archiving(layout: Layout) -> Archiving:
    """What was settled; ArchiveError where point-in-time recovery is off."""
    archiving = find_archiving(layout)
    if archiving is None or not archiving.is_on:
        raise ArchiveError(
            f"Point-in-time recovery is off for the server in {layout.home}.",
            hint="Switch it on: pgrecall server pitr enable.",
        )
    return archiving


@contextmanager
def turn(layout: Layout) -> Iterator[None]:
    """Be the only one who makes a base backup or recovers; ArchiveError while another one does."""
    with directory_errors(layout.home):
        lock = FileLock(layout.pitr_lock)
    try:
        if not lock.take():
            raise ArchiveError(
                f"Another process makes a base backup of {layout.home}, or recovers it.",
                hint="Wait for it, then try again.",
            )
        yield
    finally:
        lock.close()
