"""Tables, columns, constraints and types are compared with what the migrations made of them. A
column that has lost its default or its `NOT NULL` is given it back by statement; one of another
type is for hands, since its values have to be judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgrecall.domain.diagnosis import Cure, Severity, Sign, advice, sql
from pgrecall.domain.drift import Drift, DriftReport
from pgrecall.ops.doctor import drift_findings
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

# Those of other checks are not here: policies, functions, grants, roles, triggers, indexes.
_KINDS = frozenset({"column", "constraint", "rule", "schema", "sequence", "table", "type", "view"})
_COLUMN = re.compile(r"(?P<type>.+?)(?: DEFAULT (?P<default>.+?))?(?P<filled> NOT NULL)?")
_UNENFORCED = " (not enforced)"


def read(database: CheckedDatabase) -> DriftReport:
    """The reference beside the catalogs."""
    return database.drift


def judge(report: DriftReport) -> Iterator[Sign]:
    """What is missing, altered or added."""
    yield from drift_findings.signs(report, "whether tables and columns were altered", _judge_drift)


def _judge_drift(drift: Drift) -> tuple[Severity, Cure] | None:
    is_owner = drift.kind == "owner" and drift.name.partition(" ")[0] in _KINDS
    if not (is_owner or drift.kind in _KINDS):
        return None
    if drift.kind == "constraint" and _is_unenforced(drift):
        return None
    severity: Severity = "warning" if drift.change == "added" else "error"
    if drift.kind == "column" and drift.change == "altered":
        return severity, _column_cure(drift)
    # What is missing comes back without harm; what was added may hold something.
    return severity, drift_findings.cure(drift, is_safe=drift.change == "missing" or is_owner)


def _is_unenforced(drift: Drift) -> bool:
    """Whether only its triggers are off, of which the check of triggers speaks."""
    return drift.now is not None and drift.now == f"{drift.was}{_UNENFORCED}"


def _column_cure(drift: Drift) -> Cure:
    was, now = _parts(drift.was), _parts(drift.now)
    table, _, column = drift.name.rpartition(".")
    if "GENERATED" in f"{drift.was}{drift.now}" or was["type"] != now["type"]:
        return advice(f"By hand: it was {drift.was}.")
    change = f"ALTER TABLE {table} ALTER COLUMN {column}"
    statements = []
    if was["default"] != now["default"]:
        default = was["default"]
        statements.append(
            f"{change} SET DEFAULT {default};" if default else f"{change} DROP DEFAULT;"
        )
    if was["filled"] != now["filled"]:
        statements.append(f"{change} {'SET' if was['filled'] else 'DROP'} NOT NULL;")
    return sql(*statements, is_safe=True)


def _parts(definition: str | None) -> dict[str, str | None]:
    found = _COLUMN.fullmatch(definition or "")
    return found.groupdict() if found else {"type": definition, "default": None, "filled": None}


CHECK = Check("objects", "Tables and columns", read, judge)
