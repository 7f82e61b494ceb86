"""Switch point-in-time recovery of an embedded server on and off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pgrecall import embedded
from pgrecall.embedded.account import account_for
from pgrecall.embedded.archiving import (
    Archiving,
    find_archiving,
    system_identifier,
    write_archiving,
)
from pgrecall.embedded.layout import Layout
from pgrecall.errors import DataDirectoryError, InvalidInputError
from pgrecall.ops.pitr.archive import make_archive
from pgrecall.ops.pitr.archiver import get_archiver
from pgrecall.ops.pitr.creation import BaseBackupReport, make_and_clean
from pgrecall.ops.pitr.lock import archive_lock
from pgrecall.ops.pitr.retention import Keep


@dataclass(frozen=True)
class Activation:
    """What holds now. `restarted`: the server was started anew, since only then it takes effect."""

    archiving: Archiving
    restarted: bool
    base_backup: BaseBackupReport


def enable(
    home: Path, archive: Path | None = None, keep: Keep | None = None, timeout: int | None = None
) -> Activation:
    """File the log away from now on, and make a first base backup.

    `archive` is a folder, by default `archive` in the home; `timeout` is after how many seconds,
    10 to 86,400, what was written is filed away at the latest. What is None stays as it was
    settled before, else 7 days and 60 seconds. A running server is started anew, unless it
    archives already. If the archive can't be written, everything is as before.

    Raises ArchiveError, DataDirectoryError, InvalidInputError.
    """
    if timeout is not None and not 10 <= timeout <= 86_400:
        raise InvalidInputError("the time to file away must be 10 to 86,400 seconds")
    layout = Layout.of(home)
    with embedded.join(layout.home) as lease, archive_lock(layout):
        before = find_archiving(layout)
        archiving = _changed(layout, archive, keep, timeout, before)
        make_archive(archiving, account_for(layout.home))
        write_archiving(layout, archiving)
        try:
            restarted = _bring_into_effect(layout, archiving, before, lease.dsn)
            done = make_and_clean(layout, archiving, lease.dsn)
        except BaseException:
            write_archiving(layout, before or replace(archiving, is_on=False))
            embedded.restart(layout.home)
            raise
    return Activation(archiving, restarted, done)


def disable(home: Path) -> bool:
    """File nothing away any more; return whether anything was. The archive stays."""
    layout = Layout.of(home)
    if not layout.home.is_dir():
        return False
    with archive_lock(layout):
        archiving = find_archiving(layout)
        if archiving is None or not archiving.is_on:
            return False
        write_archiving(layout, replace(archiving, is_on=False))
        if embedded.status(layout.home).is_running:
            embedded.restart(layout.home)
    return True


def _changed(
    layout: Layout,
    archive: Path | None,
    keep: Keep | None,
    timeout: int | None,
    before: Archiving | None,
) -> Archiving:
    identifier = system_identifier(layout.data)
    if identifier is None:
        raise DataDirectoryError(f"{layout.data} holds no database.")
    start = before or Archiving(layout.archive, identifier)
    folder = start.archive if archive is None else archive.expanduser().resolve()
    keep = keep or Keep(start.keep_days, start.keep_count)
    seconds = timeout or start.timeout
    return Archiving(folder, identifier, keep.days, keep.count, seconds, is_on=True)


def _bring_into_effect(
    layout: Layout, archiving: Archiving, before: Archiving | None, dsn: str
) -> bool:
    if before == archiving and get_archiver(dsn)["mode"] == "on":
        return False
    embedded.restart(layout.home)
    return True
