"""How point-in-time recovery of an embedded server stands. Starts and changes nothing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pgrecall import embedded
from pgrecall.embedded.account import Account, account_for
from pgrecall.embedded.archiving import Archiving, find_archiving, settings_for
from pgrecall.embedded.command import run_command
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.wal import SEGMENT_BYTES
from pgrecall.errors import EmbeddedServerError
from pgrecall.ops.pitr.archive import find_last_moment, list_archived_timelines, read_log
from pgrecall.ops.pitr.archiver import get_archiver
from pgrecall.ops.pitr.archiver_log import last_failure
from pgrecall.ops.pitr.base_backup import BaseBackup, list_backups
from pgrecall.ops.pitr.retention import Keep

# Twice what the next two files of the log take at most: they may not compress.
_LITTLE_SPACE = 4 * SEGMENT_BYTES


@dataclass(frozen=True)
class PitrStatus:
    """How it stands. Recovery leads to times from `first_moment` to before `last_moment`.

    `trouble` says what keeps the log from being filed away, or None; `waiting` how many of its
    files are not filed yet. `free_bytes` is what the archive's file system has left. `aside`
    names data directories that recoveries put aside; `unfinished` is what an interrupted one left.
    """

    is_on: bool
    archive: Path | None = None
    keep: str | None = None
    timeout: int | None = None
    base_backups: tuple[BaseBackup, ...] = ()
    first_moment: datetime | None = None
    last_moment: datetime | None = None
    waiting: int = 0
    free_bytes: int | None = None
    trouble: str | None = None
    aside: tuple[Path, ...] = ()
    unfinished: Path | None = None


@dataclass(frozen=True)
class ArchiveFacts:
    """What was seen of an archive. `mode` is the running server's archive_mode, None if none runs.

    `has_failed` says that its last attempt failed, and `words` what the command said then.
    """

    is_same_database: bool
    is_writable: bool
    free_bytes: int
    mode: str | None
    has_failed: bool
    words: str


def status(home: Path) -> PitrStatus:
    """How it stands for the server of this home, running or not."""
    layout = Layout.of(home)
    archiving = find_archiving(layout) if layout.home.is_dir() else None
    if archiving is None:
        return PitrStatus(is_on=False)
    account = account_for(layout.home)
    backups = _list_backups(archiving)
    free = _free_bytes(archiving.archive)
    return PitrStatus(
        is_on=archiving.is_on,
        archive=archiving.archive,
        keep=str(Keep(archiving.keep_days, archiving.keep_count)),
        timeout=archiving.timeout,
        base_backups=backups,
        first_moment=backups[0].finished_at if backups else None,
        last_moment=_last_moment(archiving, account, backups),
        waiting=len(list((layout.data / "pg_wal" / "archive_status").glob("*.ready"))),
        free_bytes=free,
        trouble=trouble(_facts(layout, archiving, account, free)) if archiving.is_on else None,
        aside=tuple(sorted(layout.home.glob("data.before-*"))),
        unfinished=layout.recovery if layout.recovery.exists() else None,
    )


def trouble(facts: ArchiveFacts) -> str | None:
    """What keeps the log from being filed away, with the cure; None if nothing does. Pure."""
    if not facts.is_same_database:
        return (
            "the archive is of another database than the one that is there now: "
            "pgrecall server pitr enable --archive DIR begins a new one"
        )
    if not facts.is_writable:
        return "the archive is missing, or not writable for the server's account"
    if facts.has_failed:
        return f"the last attempt failed: {facts.words or 'the server said nothing'}"
    if facts.free_bytes < _LITTLE_SPACE:
        return f"only {facts.free_bytes:,} bytes are free for the archive"
    if facts.mode not in (None, "on"):
        return "the running server does not archive yet: stop it, and start it again"
    return None


def _facts(
    layout: Layout, archiving: Archiving, account: Account, free: int | None
) -> ArchiveFacts:
    dsn = embedded.status(layout.home).dsn
    archiver = get_archiver(dsn) if dsn else None
    failed = archiver and archiver["last_failed_time"]
    archived = archiver and archiver["last_archived_time"]
    return ArchiveFacts(
        is_same_database=bool(settings_for(layout)),
        is_writable=_is_writable(archiving.wal, account),
        free_bytes=free or 0,
        mode=archiver["mode"] if archiver else None,
        has_failed=bool(failed) and (not archived or failed > archived),
        words=last_failure(layout.log_file),
    )


def _list_backups(archiving: Archiving) -> tuple[BaseBackup, ...]:
    try:
        return tuple(list_backups(archiving))
    except OSError:
        return ()


def _last_moment(
    archiving: Archiving, account: Account, backups: tuple[BaseBackup, ...]
) -> datetime | None:
    if not backups:
        return None
    last = backups[-1]
    try:
        found = find_last_moment(
            read_log(archiving, list_archived_timelines(archiving)[-1]), account, last.first_segment
        )
    except EmbeddedServerError:
        return None
    return max(found or last.finished_at, last.finished_at)


def _is_writable(folder: Path, account: Account) -> bool:
    asked = 'test -d "$1" -a -w "$1" -a -x "$1"'
    return run_command(account, ["/bin/sh", "-c", asked, "sh", str(folder)]).code == 0


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
