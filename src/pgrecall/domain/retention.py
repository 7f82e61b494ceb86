"""Which backups to keep, by the times in their names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_NAME = re.compile(r"(?P<of>.+)-(?P<at>\d{8}T\d{6}Z)\.(?P<kind>tar|dump)(?:\.age)?")
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days, weeks and months have a backup kept, counted from the newest on."""

    daily: int
    weekly: int
    monthly: int


@dataclass(frozen=True, slots=True)
class NamedBackup:
    """A backup by its file's name; `of` is the organization's name, or `database`."""

    name: str
    of: str
    at: datetime


def backup_name(of: str, at: datetime, kind: str, *, is_encrypted: bool) -> str:
    """The name of a new backup's file in a folder, such as acme-20261124T031500Z.tar."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", of) or "_"
    end = ".age" if is_encrypted else ""
    return f"{safe}-{at.astimezone(UTC):{_TIME}}.{kind}{end}"


def named_backups(names: Iterable[str]) -> list[NamedBackup]:
    """Those of the names that backup_name() makes, newest first; all others are nobody's."""
    found = [
        NamedBackup(name, match["of"], _parsed(match["at"]))
        for name in names
        if (match := _NAME.fullmatch(name)) and _is_time(match["at"])
    ]
    return sorted(found, key=lambda each: each.at, reverse=True)


def kept(backups: Iterable[NamedBackup], retention: Retention) -> set[str]:
    """The names of those to keep: of each organization the newest, and the last of each of the
    newest days, weeks (from Monday) and months, in UTC, that have one."""
    names: set[str] = set()
    by_owner: dict[str, list[NamedBackup]] = {}
    for backup in backups:
        by_owner.setdefault(backup.of, []).append(backup)
    for owned in by_owner.values():
        newest_first = sorted(owned, key=lambda each: each.at, reverse=True)
        names.add(newest_first[0].name)
        for count, period in (
            (retention.daily, "%Y-%m-%d"),
            (retention.weekly, "%G-%V"),
            (retention.monthly, "%Y-%m"),
        ):
            names |= _last_of_each(newest_first, count, period)
    return names


def _last_of_each(newest_first: list[NamedBackup], count: int, period: str) -> set[str]:
    """`period` is what strftime() writes alike for all times of one."""
    last: dict[str, str] = {}
    for backup in newest_first:
        if len(last) < count:
            last.setdefault(backup.at.strftime(period), backup.name)
    return set(last.values())


def _parsed(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def _is_time(text: str) -> bool:
    try:
        _parsed(text)
    except ValueError:
        return False
    return True
