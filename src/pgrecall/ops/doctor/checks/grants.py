"""Clients read tables and call functions; nobody but the owner and `service_role` writes to a table
directly, and `anon` has nothing at all. This check names rights that are wider than the migrations
granted, or narrower. `TRUNCATE` and `TRIGGER` obey no Row Level Security, so they weigh most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Cure, Finding, Severity, Sign, sql
from pgrecall.domain.drift import Drift, DriftReport
from pgrecall.ops.doctor import drift_findings
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

_CLIENTS = ("public", "anon", "authenticated")
_WITH_OPTION = " with grant option"


@dataclass(frozen=True)
class WideGrant:
    """A right of a client's on a table that is more than reading by a signed-in one."""

    table: str
    grantee: str
    privileges: str


@dataclass(frozen=True)
class GrantFacts:
    """Rights of clients that are too wide whatever the reference says, and what differs from it."""

    wide: Sequence[WideGrant]
    drift: DriftReport


def read(database: CheckedDatabase) -> GrantFacts:
    """What the catalogs say, and the reference where it can be read."""
    rows = database.rows("doctor_wide_grants", tables=database.tables)
    return GrantFacts([WideGrant(**row) for row in rows], database.drift)


def judge(facts: GrantFacts) -> Iterator[Sign]:
    """By the reference where there is one, else by what no client may have."""
    if facts.drift.unknown:
        for each in facts.wide:
            place = f"ON TABLE {each.table}"
            yield Finding(
                "critical",
                f"grant {place} TO {each.grantee}",
                f"{each.grantee} may {each.privileges}",
                sql(f"REVOKE {each.privileges} {place} FROM {each.grantee};", is_safe=True),
            )
    yield from drift_findings.signs(facts.drift, "rights beyond those on tables", _judge_drift)


def _judge_drift(drift: Drift) -> tuple[Severity, Cure] | None:
    if drift.kind != "grant":
        return None
    target, _, grantee = drift.name.rpartition(" TO ")
    extra = sorted(_privileges(drift.now) - _privileges(drift.was))
    missing = sorted(_privileges(drift.was) - _privileges(drift.now))
    statements = [
        *(f"REVOKE {each} {target} FROM {grantee};" for each in _plain(extra, target)),
        *(f"GRANT {each} {target} TO {grantee};" for each in _plain(missing, target)),
    ]
    is_client = grantee in _CLIENTS
    severity: Severity = "critical" if extra and is_client else "error" if missing else "warning"
    return severity, sql(*statements, is_safe=is_client)


def _privileges(definition: str | None) -> frozenset[str]:
    return frozenset(definition.split(", ")) if definition else frozenset()


def _plain(privileges: Sequence[str], target: str) -> list[str]:
    """Privileges as a statement names them: all at once, or, of a column, one by one."""
    names = [each.removesuffix(_WITH_OPTION) for each in privileges]
    return names if target.startswith("(") else [", ".join(names)] if names else []


CHECK = Check("grants", "Rights", read, judge)
