"""One process at a time works on the archive of a home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pgrecall.embedded.failures import directory_errors
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.locks import FileLock
from pgrecall.errors import ArchiveError


@contextmanager
def archive_lock(layout: Layout) -> Iterator[None]:
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
