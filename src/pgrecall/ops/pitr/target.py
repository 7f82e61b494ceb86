"""The time to recover to, and whether an archive leads there. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pgrecall.domain.times import moment
from pgrecall.embedded.wal import Lineage
from pgrecall.errors import ArchiveError, InvalidInputError
from pgrecall.ops.pitr.base_backup import BaseBackup

_ZONE = re.compile(r"(?P<time>.*\d)\s*(?P<zone>Z|UTC|[+-]\d\d(?::?\d\d)?)", re.IGNORECASE)
_EXAMPLE = "such as '2026-11-23 10:15+00' or '2026-11-23 11:15:30.5+01:00'"


def parse_target(text: str) -> datetime:
    """A time with its zone, as an aware time in UTC.

    Raises InvalidInputError for a time without a zone: an hour off is another database.
    """
    found = _ZONE.fullmatch(text.strip())
    if found is None or ":" not in found["time"]:
        raise InvalidInputError(
            f"{text[:60]!r} is not a day, a time and a time zone",
            hint=f"Say all three, {_EXAMPLE}.",
        )
    zone = found["zone"].upper().replace("UTC", "Z")
    parsed = moment("the time to recover to", found["time"].rstrip() + zone)
    assert parsed is not None
    return parsed.astimezone(UTC)


def written(at: datetime) -> str:
    """A time as PostgreSQL and people read it, in UTC to the microsecond."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00"


def live_timeline(
    timelines: Sequence[int], beginnings: Mapping[int, datetime], target: datetime
) -> int:
    """The timeline that the database was on at that time.

    A recovery leaves what came after its own target on the timeline before, so the latest
    timeline is not what a time between the two leads to.
    """
    begun = [each for each in timelines if each not in beginnings or beginnings[each] <= target]
    return max(begun, default=1)


def choose(backups: Sequence[BaseBackup], lineage: Lineage, target: datetime) -> BaseBackup:
    """The base backup to begin with: the last one of that lineage that was finished by then.

    Raises InvalidInputError for a target before the first, ArchiveError where there is none.
    """
    fitting = [each for each in backups if lineage.holds(each.timeline, each.last_position)]
    if not fitting:
        raise ArchiveError(
            "The archive holds no base backup to begin with.",
            hint="Make one while the server is well: pgrecall server pitr base-backup.",
        )
    earlier = [each for each in fitting if each.finished_at <= target]
    if not earlier:
        first = min(each.finished_at for each in fitting)
        raise InvalidInputError(
            f"{written(target)} is before the first base backup, finished {written(first)}",
            hint="Recovery leads to times after that. An older `pgrecall backup` may help.",
        )
    return max(earlier, key=lambda each: each.finished_at)


def require_reached(target: datetime, last: datetime) -> None:
    """Raise InvalidInputError unless something later than the target is in the archive.

    Only that tells that nothing from before it is missing.
    """
    if target >= last:
        raise InvalidInputError(
            f"{written(target)} is not before the last archived moment, {written(last)}",
            hint="Take an earlier time. `pgrecall server pitr status` says how far the archive "
            "leads, and whether archiving fails.",
        )
