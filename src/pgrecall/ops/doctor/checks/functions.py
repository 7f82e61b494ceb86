"""Functions with the rights of their owner (`SECURITY DEFINER`) are the only way to write, so what
they say, whose they are and along which path they look names up decide who may do what. This check
compares each with what the migrations made: its text, its owner, its settings and its arguments.
Where the reference can't be read, it still asks that every function of pgrecall's belongs to the
owner of schema `agent_memory`, and that definers look names up in `pg_catalog` first and in
`pg_temp` last.
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
from pgrecall.sql.migration_files import read_release

_KINDS = ("function", "procedure", "aggregate")
_PATH = "search_path=pg_catalog, pg_temp"


@dataclass(frozen=True)
class DefinerFunction:
    """One function with its owner's rights. `owner` is of schema agent_memory if `is_ours`."""

    name: str
    owner: str
    is_ours: bool
    settings: tuple[str, ...]
    schema_owner: str


@dataclass(frozen=True)
class FunctionFacts:
    """The definers as the catalogs have them, and what differs from the migrations'."""

    definers: Sequence[DefinerFunction]
    drift: DriftReport


def read(database: CheckedDatabase) -> FunctionFacts:
    """What the catalogs say, and the reference where it can be read."""
    names = list(read_release().public_names)
    rows = database.rows("doctor_definers", names=names)
    definers = [DefinerFunction(**{**row, "settings": tuple(row["settings"])}) for row in rows]
    return FunctionFacts(definers, database.drift)


def judge(facts: FunctionFacts) -> Iterator[Sign]:
    """By the reference where there is one, else by owner and path."""
    if facts.drift.unknown:
        for each in facts.definers:
            yield from _by_catalog(each)
    yield from drift_findings.signs(facts.drift, "whether a function was altered", _judge_drift)


def _judge_drift(drift: Drift) -> tuple[Severity, Cure] | None:
    if drift.kind == "owner" and drift.name.partition(" ")[0] in _KINDS:
        return "critical", drift_findings.cure(drift, is_safe=True)
    if drift.kind not in _KINDS:
        return None
    match drift.change:
        case "missing":
            return "error", command(REPAIR, is_safe=True)
        case "added":
            return "warning", drift_findings.cure(drift)
        case _:
            return "critical", command(REPAIR, is_safe=True)


def _by_catalog(each: DefinerFunction) -> Iterator[Sign]:
    if not each.is_ours:
        yield Finding(
            "critical",
            f"owner function {each.name}",
            f"it acts with the rights of {each.owner}, who does not own schema agent_memory",
            sql(f"ALTER FUNCTION {each.name} OWNER TO {each.schema_owner};", is_safe=True),
        )
    if _PATH not in each.settings:
        yield Finding(
            "critical",
            f"function {each.name}",
            f"it looks names up along {', '.join(each.settings) or 'the path of its caller'}",
            command(REPAIR, is_safe=True),
        )


CHECK = Check("functions", "Functions", read, judge)
