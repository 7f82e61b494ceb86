"""Folders of backups: names for new ones, the newest, and those that need no longer be kept."""

from __future__ import annotations

from dataclasses import dataclass

from pgrecall.domain.retention import BackupRetention, named_backups
from pgrecall.errors import NotFoundError
from pgrecall.ops.backup.names import SIDECAR
from pgrecall.ops.backup.places import Place, place
from pgrecall.ops.backup.tables import backup_session


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What was deleted of a folder, and what was kept; by name, newest first."""

    folder: str
    deleted: tuple[str, ...]
    kept: tuple[str, ...]
    dry_run: bool


def target_in(target: str, name: str) -> str:
    """Where a backup goes: the file that is given, or one of that name in the folder that is."""
    if not (target.endswith("/") or place(target).is_folder()):
        return target
    return f"{target.rstrip('/')}/{name}"


def newest(folder: str) -> str:
    """The newest backup in a folder; NotFoundError if it holds none."""
    found = named_backups(place(folder).names())
    if not found:
        raise NotFoundError(f"there is no backup in {place(folder)}")
    return f"{folder.rstrip('/')}/{found[0].name}"


def prune(folder: str, retention: BackupRetention, *, dry_run: bool = False) -> PruneReport:
    """Delete the backups in a folder that need not be kept; files of other names are left alone."""
    there = place(folder)
    names = there.names()
    backups = named_backups(names)
    keeping = retention.kept(backups)
    deleted = tuple(each.name for each in backups if each.name not in keeping)
    for name in () if dry_run else deleted:
        _delete(there, name, names)
    left = tuple(each.name for each in backups if each.name in keeping)
    return PruneReport(str(there), deleted, left, dry_run)


def tell_deleted(dsn: str, folder: str, pruned: PruneReport) -> None:
    """Note in the ledger what was deleted."""
    places = [str(place(f"{folder.rstrip('/')}/{name}")) for name in pruned.deleted]
    if places and not pruned.dry_run:
        with backup_session(dsn, "backup") as session:
            session.rows("note_deleted_backups", places=places)


def _delete(there: Place, name: str, names: list[str]) -> None:
    there.within(name).delete()
    if name + SIDECAR in names:
        there.within(name + SIDECAR).delete()
