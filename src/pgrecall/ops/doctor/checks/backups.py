"""The newest backup says what would be lost, and the newest verification since when it is proven
that one can be restored: a backup that was never restored is a hope. Both stand in
`agent_memory.backups`, where `pgrecall backup` and `pgrecall backup verify` write them; backups
made by other programs are not known here. An organization counts as backed up by one of its own or
by one of the whole database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from shlex import quote
from uuid import UUID

from pgrecall.domain.diagnosis import Cure, Fact, Finding, Sign, Unseen, command
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase
from pgrecall.ops.doctor.surroundings import Bounds


@dataclass(frozen=True)
class OrganizationBackups:
    """An organization that has memories, and its backups. Times in days; None where there is none.

    `oldest` and `newest` are the ages of its memories, `backup` of the newest backup's snapshot,
    `first_backup` of the oldest one, `verified` since the newest verification. `failure` is why
    the last run failed, None if it did not. `stamp` is the time as part of a file's name.
    """

    organization_id: UUID
    organization: str
    oldest: float
    newest: float
    backup: float | None
    first_backup: float | None
    verified: float | None
    place: str | None
    failure: str | None
    stamp: str


@dataclass(frozen=True)
class BackupFacts:
    """The organizations, if this role sees them and the ledger of backups."""

    saved: Sequence[OrganizationBackups]
    is_visible: bool
    bounds: Bounds


def read(database: CheckedDatabase) -> BackupFacts:
    """The ledger of backups beside the memories."""
    bounds = database.surroundings.bounds
    if not (database.outlook.reads_memories and database.outlook.reads_backups):
        return BackupFacts((), False, bounds)
    return BackupFacts(
        [OrganizationBackups(**row) for row in database.rows("doctor_backups")], True, bounds
    )


def judge(facts: BackupFacts) -> Iterator[Sign]:
    """None, too old, failed, or never proven."""
    if not facts.is_visible:
        yield Unseen("how old the newest backups are", "the owner of schema agent_memory")
    for each in facts.saved:
        yield from _judge(each, facts.bounds)


def _judge(each: OrganizationBackups, bounds: Bounds) -> Iterator[Sign]:
    subject = f"organization {each.organization}"
    if each.failure is not None:
        yield Finding("warning", subject, f"the last backup failed: {each.failure}", _again(each))
    elif each.backup is None:
        if each.oldest < bounds.backup_days:
            yield Fact(f"{subject}: no backup recorded yet")
        else:
            yield Finding("warning", subject, "no backup recorded", _again(each))
    elif each.backup >= bounds.backup_days and each.newest < each.backup:
        evidence = f"its newest backup is {each.backup:.1f} days old, and memories are newer"
        yield Finding("warning", subject, evidence, _again(each))
    proven = each.verified if each.verified is not None else each.first_backup
    if each.place is not None and proven is not None and proven >= bounds.verified_days:
        evidence = (
            "none of its backups was ever verified"
            if each.verified is None
            else f"its backups were last verified {proven:.0f} days ago"
        )
        cure = command(f"pgrecall backup verify {quote(each.place)}")
        yield Finding("notice", subject, evidence, cure)


def _again(each: OrganizationBackups) -> Cure:
    name = f"{each.organization_id}-{each.stamp}.tar"
    return command(f"pgrecall backup {name} --organization {each.organization_id}")


CHECK = Check("backups", "Backups", read, judge)
