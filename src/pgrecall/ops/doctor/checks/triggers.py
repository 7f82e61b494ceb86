"""pgrecall has no triggers of its own, but PostgreSQL keeps foreign keys by them: a table whose
triggers were disabled, by a restore for instance, takes rows of memories that don't exist, and
erasing leaves orphans. A trigger that somebody added runs with the rights of whoever writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Cure, Finding, Severity, Sign, sql
from pgrecall.domain.drift import Drift, DriftReport
from pgrecall.ops.doctor import drift_findings
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase


@dataclass(frozen=True)
class DisabledTriggers:
    """A table and how many of its foreign keys' triggers are off."""

    table: str
    triggers: int


@dataclass(frozen=True)
class TriggerFacts:
    """What is off, and what differs from the migrations'."""

    disabled: Sequence[DisabledTriggers]
    drift: DriftReport


def read(database: CheckedDatabase) -> TriggerFacts:
    """What the catalogs say, and the reference where it can be read."""
    rows = database.rows("doctor_disabled_triggers", tables=database.tables)
    return TriggerFacts([DisabledTriggers(**row) for row in rows], database.drift)


def judge(facts: TriggerFacts) -> Iterator[Sign]:
    """What is off, and what was added."""
    for each in facts.disabled:
        yield Finding(
            "error",
            f"triggers of {each.table}",
            f"{each.triggers} that keep foreign keys are disabled",
            sql(f"ALTER TABLE {each.table} ENABLE TRIGGER ALL;", is_safe=True),
        )
    yield from drift_findings.signs(facts.drift, "whether a trigger was added", _judge_drift)


def _judge_drift(drift: Drift) -> tuple[Severity, Cure] | None:
    if drift.kind != "trigger":
        return None
    return "warning" if drift.change == "added" else "error", drift_findings.cure(drift)


CHECK = Check("triggers", "Triggers", read, judge)
