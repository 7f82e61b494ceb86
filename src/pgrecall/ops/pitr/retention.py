"""Which base backups stay, and which files of the log they need. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgrecall.errors import InvalidInputError
from pgrecall.ops.pitr.base_backup import BaseBackup

_KEEP = re.compile(r"([1-9][0-9]{0,4})(d|days?)?")


@dataclass(frozen=True)
class Keep:
    """How far back recovery must lead: `days`, or to the oldest of `count` base backups."""

    days: int | None = None
    count: int | None = None

    def __str__(self) -> str:
        return f"{self.days} days" if self.days else f"{self.count} base backups"


def parse_keep(text: str) -> Keep:
    """`7d` is days, `3` a number of base backups; InvalidInputError for anything else."""
    found = _KEEP.fullmatch(text.strip().lower())
    if found is None:
        raise InvalidInputError(
            f"{text!r} does not say what to keep",
            hint="7d keeps what a recovery to any time of the last 7 days needs; 3 keeps three "
            "base backups.",
        )
    number = int(found[1])
    return Keep(days=number) if found[2] else Keep(count=number)


def kept(backups: Sequence[BaseBackup], keep: Keep, now: datetime) -> list[BaseBackup]:
    """Those that stay, oldest first; the newest always does.

    To recover to a time, a base backup that was finished before it is needed. So by days, the
    last one from before the window stays with those inside of it.
    """
    ordered = sorted(backups, key=lambda backup: backup.finished_at)
    if keep.count is not None:
        return ordered[-keep.count :]
    begin = now - timedelta(days=keep.days or 0)
    before = [backup for backup in ordered if backup.finished_at <= begin]
    return before[-1:] + ordered[len(before) :]


def first_needed(backups: Sequence[BaseBackup]) -> int | None:
    """The number of the first file of the log that any of them needs; None without any."""
    return min((backup.first_segment for backup in backups), default=None)
