"""Row Level Security keeps organizations apart, and this check looks whether it still stands: that
it is on for every table, that each table has its four policies with the text that the migrations
gave them, and that no other policy lets more through (permissive policies are joined by OR, so one
more can only open).

A role that may not read `agent_memory.fingerprints` is told by name and table which policies are
missing or too many; whether one was altered, it can't see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Cure, Finding, Severity, Sign, command, sql
from pgrecall.domain.drift import Drift, DriftReport
from pgrecall.ops.doctor import drift_findings
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase
from pgrecall.sql.migration_drift import REPAIR

_COMMANDS = ("select", "insert", "update", "delete")
# Of these clients have no rights, and nothing to be let through to.
_PRIVATE = "agent_memory."


@dataclass(frozen=True)
class GuardedTable:
    """One of pgrecall's tables, the names of its policies, and which are permissive."""

    name: str
    short: str
    is_guarded: bool
    policies: tuple[str, ...]
    permissive: tuple[str, ...]


@dataclass(frozen=True)
class RowSecurityFacts:
    """The tables as the catalogs have them, and what differs from the migrations'."""

    tables: Sequence[GuardedTable]
    drift: DriftReport


def read(database: CheckedDatabase) -> RowSecurityFacts:
    """What the catalogs say, and the reference where it can be read."""
    rows = database.rows("doctor_guarded_tables", tables=database.tables)
    tables = [
        GuardedTable(
            row["name"],
            row["short"],
            row["is_guarded"],
            tuple(row["policies"]),
            tuple(row["permissive"]),
        )
        for row in rows
    ]
    return RowSecurityFacts(tables, database.drift)


def judge(facts: RowSecurityFacts) -> Iterator[Sign]:
    """By the reference where there is one, else by names."""
    if facts.drift.unknown:
        for table in facts.tables:
            yield from _by_name(table)
    yield from drift_findings.signs(facts.drift, "whether a policy was altered", _judge_drift)


def _judge_drift(drift: Drift) -> tuple[Severity, Cure] | None:
    if drift.kind == "row level security":
        return "critical", drift_findings.cure(drift, is_safe=True)
    if drift.kind != "policy":
        return None
    match drift.change:
        case "missing":
            return "error", command(REPAIR, is_safe=True)
        case "added" if drift.now and drift.now.startswith("restrictive"):
            return "warning", drift_findings.cure(drift)
        case "added":
            return "critical", drift_findings.cure(drift, is_safe=True)
        case _:
            return "critical", command(REPAIR, is_safe=True)


def _by_name(table: GuardedTable) -> Iterator[Sign]:
    if not table.is_guarded:
        yield Finding(
            "critical",
            f"row level security {table.name}",
            "it is disabled",
            sql(f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY;", is_safe=True),
        )
    wanted = {f"{table.short}_{each}" for each in _COMMANDS}
    if table.name.startswith(_PRIVATE):
        wanted &= set(table.policies)
    for name in sorted(wanted - set(table.policies)):
        subject = f"policy {name} on {table.name}"
        yield Finding("error", subject, "it is missing", command(REPAIR, is_safe=True))
    for name in sorted(set(table.permissive) - wanted):
        yield Finding(
            "critical",
            f"policy {name} on {table.name}",
            "no migration made it, and it lets more rows through",
            sql(f'DROP POLICY "{name}" ON {table.name};', is_safe=True),
        )


CHECK = Check("row_security", "Row Level Security", read, judge)
