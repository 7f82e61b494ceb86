"""Have a running server file away all of its log up to now, and see that it does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pgrecall._sync.session import connected
from pgrecall.embedded.archive_command import SUFFIX
from pgrecall.embedded.archiving import Archiving
from pgrecall.embedded.polling import wait_until
from pgrecall.errors import ArchiveError
from pgrecall.ops.pitr.archiver_log import last_failure

_SECONDS = 120.0


def file_away(dsn: str, archiving: Archiving, log_file: Path) -> datetime:
    """Wait until everything that was committed before is in the archive; return that moment.

    Raises ArchiveError, with the server's own words, if archiving fails or takes two minutes.
    """
    with connected(dsn, "pitr") as session:
        before = session.row("get_archiver")["failed_count"]
        moment = datetime.now(UTC)
        session.row("mark_moment")
        name = session.row("switch_log")["name"]
        filed = archiving.wal / f"{name}{SUFFIX}"

        def is_decided() -> bool:
            return filed.exists() or session.row("get_archiver")["failed_count"] > before

        if wait_until(_SECONDS, is_decided) and filed.exists():
            return moment
    raise ArchiveError(
        f"The log can't be filed away in {archiving.wal}: {last_failure(log_file) or 'no answer'}",
        hint="Free space there, or make it writable for the server's account; the server tries "
        "again by itself, and keeps its log until then.",
    )


def get_archiver(dsn: str) -> dict[str, Any]:
    """What the server says of its archiving: pg_stat_archiver, and the mode."""
    with connected(dsn, "pitr") as session:
        return session.row("get_archiver")
