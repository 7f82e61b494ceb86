"""Which backups to keep, by the organizations and times in their names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

_NAME = re.compile(
    r"(?:[A-Za-z0-9._-]+-(?P<organization>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"-(?P<tar_at>[0-9]{8}T[0-9]{6}Z)\.tar|database-(?P<dump_at>[0-9]{8}T[0-9]{6}Z)\.dump)(?:\.age)?"
)
_TIME = "%Y%m%dT%H%M%SZ"
# A file's name has up to 255 bytes; what follows the organization's name takes 72 of them.
_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class NamedBackup:
    """A backup by its file's name; `organization_id` is None for the whole database."""

    name: str
    organization_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class BackupRetention:
    """How many days, weeks and months have a backup kept, counted from the newest on."""

    daily: int
    weekly: int
    monthly: int

    def kept(self, backups: Iterable[NamedBackup]) -> set[str]:
        """The names of those to keep: of each organization, by its id, and of the whole database
        the newest, and the last of each of the newest days, weeks (from Monday) and months, in
        UTC, that have one."""
        names: set[str] = set()
        by_owner: dict[UUID | None, list[NamedBackup]] = {}
        for backup in backups:
            by_owner.setdefault(backup.organization_id, []).append(backup)
        for owned in by_owner.values():
            newest_first = sorted(owned, key=lambda each: each.at, reverse=True)
            names.add(newest_first[0].name)
            for count, period in (
                (self.daily, "%Y-%m-%d"),
                (self.weekly, "%G-%V"),
                (self.monthly, "%Y-%m"),
            ):
                names |= _last_of_each(newest_first, count, period)
        return names


def organization_backup_name(
    organization_id: UUID, name: str, at: datetime, *, is_encrypted: bool
) -> str:
    """The name of a new backup's file in a folder: name, id and time, in UTC."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:_NAME_LENGTH] or "_"
    return f"{safe}-{organization_id}-{_written(at)}.tar{_end(is_encrypted)}"


def database_backup_name(at: datetime, *, is_encrypted: bool) -> str:
    """The name of a new dump of the whole database, such as database-20261124T031500Z.dump."""
    return f"database-{_written(at)}.dump{_end(is_encrypted)}"


def named_backups(names: Iterable[str]) -> list[NamedBackup]:
    """Those of the names that are made here, newest first; all others are nobody's."""
    found = []
    for name in names:
        if match := _NAME.fullmatch(name):
            at = _parsed(match["tar_at"] or match["dump_at"])
            organization = match["organization"]
            if at is not None:
                found.append(NamedBackup(name, UUID(organization) if organization else None, at))
    return sorted(found, key=lambda each: each.at, reverse=True)


def _last_of_each(newest_first: list[NamedBackup], count: int, period: str) -> set[str]:
    """`period` is what strftime() writes alike for all times of one."""
    last: dict[str, str] = {}
    for backup in newest_first:
        if len(last) < count:
            last.setdefault(backup.at.strftime(period), backup.name)
    return set(last.values())


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):{_TIME}}"


def _end(is_encrypted: bool) -> str:
    return ".age" if is_encrypted else ""


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
