"""Make a base backup, and remove what no base backup that stays needs any more."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgrecall import embedded
from pgrecall.embedded.account import Account, account_for
from pgrecall.embedded.archiving import Archiving, find_archiving
from pgrecall.embedded.command import run, run_command
from pgrecall.embedded.failures import directory_errors, start_error
from pgrecall.embedded.folders import make_private
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.wal import list_outdated
from pgrecall.errors import ArchiveError
from pgrecall.ops.pitr.archive import make_archive, remove
from pgrecall.ops.pitr.archiver import file_away, get_archiver
from pgrecall.ops.pitr.base_backup import (
    UNFINISHED,
    BaseBackup,
    list_backups,
    read_span,
    write_record,
)
from pgrecall.ops.pitr.lock import archive_lock
from pgrecall.ops.pitr.retention import Keep, first_needed, kept


@dataclass(frozen=True)
class BaseBackupReport:
    """A new base backup, and what was removed since nothing needs it any more.

    `removed_log` counts files of the log.
    """

    made: BaseBackup
    removed: tuple[str, ...]
    removed_log: int


def make_base_backup(home: Path) -> BaseBackupReport:
    """Make a base backup while the server runs, started for it where it does not.

    Raises ArchiveError where point-in-time recovery is off, or the archive can't be written.
    """
    layout = Layout.of(home)
    archiving = _require_archiving(layout)
    with archive_lock(layout), embedded.join(layout.home) as lease:
        if get_archiver(lease.dsn)["mode"] != "on":
            raise ArchiveError(
                "The server does not file its log away yet.",
                hint="Start it anew: pgrecall server stop, pgrecall server start.",
            )
        return make_and_clean(layout, archiving, lease.dsn)


def _require_archiving(layout: Layout) -> Archiving:
    """How the log is filed away; ArchiveError where point-in-time recovery is off."""
    archiving = find_archiving(layout)
    if archiving is None or not archiving.is_on:
        raise ArchiveError(
            f"Point-in-time recovery is off for the server in {layout.home}.",
            hint="Switch it on: pgrecall server pitr enable.",
        )
    return archiving


def make_and_clean(layout: Layout, archiving: Archiving, dsn: str) -> BaseBackupReport:
    """The same under a lease; the caller has the turn."""
    account = account_for(layout.home)
    make_archive(archiving, account)
    remove(account, sorted(archiving.base.glob(f"{UNFINISHED}*")))
    made = _make(archiving, account, dsn)
    # Its own log comes along; this tells that the archive takes what comes after.
    file_away(dsn, archiving, layout.log_file)
    removed, removed_log = clean(archiving, account, datetime.now(UTC))
    return BaseBackupReport(made, removed, removed_log)


def clean(archiving: Archiving, account: Account, now: datetime) -> tuple[tuple[str, ...], int]:
    """Remove old base backups and the log that only they need; what, and how many files."""
    backups = list_backups(archiving)
    staying = kept(backups, Keep(archiving.keep_days, archiving.keep_count), now)
    going = tuple(backup.name for backup in backups if backup not in staying)
    remove(account, [archiving.base / name for name in going])
    first = first_needed(staying)
    names = [] if first is None else [entry.name for entry in archiving.wal.iterdir()]
    outdated = list_outdated(names, first or 0)
    remove(account, [archiving.wal / name for name in outdated])
    return going, len(outdated)


def _make(archiving: Archiving, account: Account, dsn: str) -> BaseBackup:
    unfinished = archiving.base / f"{UNFINISHED}{secrets.token_hex(4)}"
    with directory_errors(archiving.base):
        make_private(unfinished, account)
        try:
            backup = _copy(unfinished, account, dsn)
            _put_in_place(unfinished, archiving.base / backup.name, account)
        except BaseException:
            remove(account, [unfinished])
            raise
    return backup


def _copy(folder: Path, account: Account, dsn: str) -> BaseBackup:
    started_at, data = datetime.now(UTC), folder / "data"
    command = ("--dbname", dsn, "--pgdata", str(data), "--checkpoint=fast", "--no-password")
    done = run(account, "pg_basebackup", *command)
    if done.code != 0:
        raise start_error(folder.parent, "No base backup could be made", done.output)
    timeline, first, last = read_span(data)
    backup = BaseBackup(
        name=f"{started_at:%Y%m%dT%H%M%S}.{started_at.microsecond // 1000:03d}Z",
        started_at=started_at,
        finished_at=datetime.now(UTC),
        timeline=timeline,
        first_position=first,
        last_position=last,
        bytes=sum(file.stat().st_size for file in data.rglob("*") if file.is_file()),
    )
    write_record(folder, backup, account)
    return backup


def _put_in_place(unfinished: Path, finished: Path, account: Account) -> None:
    script = 'mv -T -- "$1" "$2" 2>/dev/null || mv -- "$1" "$2" && sync "$3"'
    paths = (str(unfinished), str(finished), str(finished.parent))
    done = run_command(account, ["/bin/sh", "-c", script, "sh", *paths])
    if done.code != 0:
        raise ArchiveError(f"{finished} can't be written: {done.output.strip()[:300]}")
