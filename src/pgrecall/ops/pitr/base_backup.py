"""Base backups: copies of a whole data directory, from which a recovery begins."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pgrecall.domain.times import moment
from pgrecall.embedded.account import Account
from pgrecall.embedded.archiving import Archiving
from pgrecall.embedded.folders import opened, read_text, write_text
from pgrecall.embedded.wal import SEGMENT_BYTES, parse_position
from pgrecall.errors import ArchiveError

RECORD = "base.json"
UNFINISHED = "new-"


@dataclass(frozen=True)
class BaseBackup:
    """One base backup. Recovery from it leads to times from `finished_at` on.

    `first_position` and `last_position` are places of the log of `timeline`: what is between
    them it needs in any case. `bytes` is its size on disk.
    """

    name: str
    started_at: datetime
    finished_at: datetime
    timeline: int
    first_position: int
    last_position: int
    bytes: int

    @property
    def first_segment(self) -> int:
        return self.first_position // SEGMENT_BYTES


def data_of(archiving: Archiving, name: str) -> Path:
    """The data directory that a base backup holds."""
    return archiving.base / name / "data"


def list_backups(archiving: Archiving) -> list[BaseBackup]:
    """All that are finished, oldest first."""
    try:
        folders = [folder for folder in archiving.base.iterdir() if _is_finished(folder)]
    except FileNotFoundError:
        return []
    return sorted(map(_read, folders), key=lambda backup: backup.finished_at)


def write_record(folder: Path, backup: BaseBackup, account: Account) -> None:
    """Note what it is; without this note it counts as unfinished."""
    fields = {**asdict(backup), "started_at": str(backup.started_at)}
    fields["finished_at"] = str(backup.finished_at)
    with opened(folder) as directory:
        write_text(directory, RECORD, json.dumps(fields, indent=2) + "\n", account)


def read_span(data: Path) -> tuple[int, int, int]:
    """The timeline and the first and last position of a base backup, from its manifest."""
    manifest = json.loads((data / "backup_manifest").read_text("utf-8"))
    span = manifest["WAL-Ranges"][-1]
    return span["Timeline"], parse_position(span["Start-LSN"]), parse_position(span["End-LSN"])


def _is_finished(folder: Path) -> bool:
    return not folder.name.startswith(UNFINISHED) and (folder / RECORD).is_file()


def _read(folder: Path) -> BaseBackup:
    with opened(folder) as directory:
        text = read_text(directory, RECORD) or ""
    try:
        fields = json.loads(text)
        for name in ("started_at", "finished_at"):
            fields[name] = moment(name, fields[name])
        return BaseBackup(**fields)
    except (ValueError, TypeError, KeyError) as error:
        raise ArchiveError(
            f"{folder / RECORD} is damaged.",
            hint=f"Move {folder} away, and make a new one: pgrecall server pitr base-backup.",
        ) from error
