"""Without its indexes recall reads whole tables, and without the unique ones duplicates come in.
This check names indexes that are missing or altered, and those that are invalid: a build that was
interrupted leaves one that costs every write and serves no read, and the migrations keep it.
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
class InvalidIndex:
    """An index that serves no read. `is_leftover`: of a rebuild that was interrupted."""

    name: str
    table: str
    is_leftover: bool


@dataclass(frozen=True)
class IndexFacts:
    """What is invalid, and what differs from the migrations'."""

    invalid: Sequence[InvalidIndex]
    drift: DriftReport


def read(database: CheckedDatabase) -> IndexFacts:
    """What the catalogs say, and the reference where it can be read."""
    rows = database.rows("doctor_invalid_indexes", tables=database.tables)
    return IndexFacts([InvalidIndex(**row) for row in rows], database.drift)


def judge(facts: IndexFacts) -> Iterator[Sign]:
    """What is invalid, and what is missing or altered otherwise."""
    for index in facts.invalid:
        again = (
            f"DROP INDEX CONCURRENTLY {index.name};"
            if index.is_leftover
            else f"REINDEX INDEX CONCURRENTLY {index.name};"
        )
        evidence = f"it is invalid: writes to {index.table} keep it, and no read uses it"
        yield Finding("error", f"index {index.name}", evidence, sql(again, is_safe=True))
    named = {index.name for index in facts.invalid}
    yield from drift_findings.signs(
        facts.drift,
        "whether an index is missing or altered",
        lambda drift: None if drift.name in named else _judge_drift(drift),
    )


def _judge_drift(drift: Drift) -> tuple[Severity, Cure] | None:
    if drift.kind != "index":
        return None
    match drift.change:
        case "missing":
            return "error", drift_findings.cure(drift, is_safe=True)
        case "added":
            return "warning", drift_findings.cure(drift)
        case _:
            return "error", sql(f"DROP INDEX {drift.name};", f"{drift.was};")


CHECK = Check("indexes", "Indexes", read, judge)
