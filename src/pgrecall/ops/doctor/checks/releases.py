"""PostgreSQL 13 or later is needed, 14 or later recommended, and of each major version the minor
release that closed these holes, since they show one organization's rows to another or corrupt an
index: CVE-2024-10976 (a cached plan keeps the Row Level Security of another role), CVE-2025-8713
(statistics of rows that a policy hides), CVE-2026-6473 (writes past a buffer), and of pgvector
CVE-2026-3172 (a parallel HNSW build leaks other tables' data; fixed in 0.8.2) and the HNSW index
that vacuum corrupted beside inserts (fixed in 0.8.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Fact, Finding, Severity, Sign, advice, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

OLDEST, RECOMMENDED = 13, 14
# The community's last day of each major version.
_MAINTAINED_UNTIL = {13: "November 2025", 14: "November 2026"}
# By hole, the first minor release of each major version that closed it. Majors that are not named
# came after it, or, where older than all named, got no fix.
SERVER_FIXES: tuple[tuple[str, str, dict[int, int]], ...] = (
    (
        "CVE-2024-10976",
        "a cached plan keeps another role's Row Level Security",
        {13: 17, 14: 14, 15: 9, 16: 5, 17: 1},
    ),
    (
        "CVE-2025-8713",
        "statistics show rows that policies hide",
        {13: 22, 14: 19, 15: 14, 16: 10, 17: 6},
    ),
    ("CVE-2026-6473", "writes past a buffer", {14: 23, 15: 18, 16: 14, 17: 10, 18: 4}),
)
VECTOR_FIXES: tuple[tuple[tuple[int, ...], Severity, str], ...] = (
    ((0, 7, 0), "error", "it has no halfvec, so pgrecall goes on without vectors"),
    ((0, 8, 2), "error", "CVE-2026-3172: a parallel HNSW build leaks other tables' data"),
    ((0, 8, 3), "error", "vacuum beside inserts can corrupt an HNSW index"),
)


@dataclass(frozen=True)
class ReleaseFacts:
    """`version` such as 180006; pgvector's as it says it, None where it is not installed.

    `vector_default` is the release that the server has at hand.
    """

    version: int
    vector: str | None
    vector_default: str | None


def read(database: CheckedDatabase) -> ReleaseFacts:
    """The releases that are installed."""
    row = database.row("doctor_vector_release")
    return ReleaseFacts(database.outlook.version, row["installed"], row["at_hand"])


def judge(facts: ReleaseFacts) -> Iterator[Sign]:
    """Too old, or with a hole that a later release closed."""
    yield from _judge_server(*divmod(facts.version, 10000))
    if facts.vector is not None:
        yield from _judge_vector(facts.vector, facts.vector_default)


def _judge_server(major: int, minor: int) -> Iterator[Sign]:
    if major < OLDEST:
        cure = advice(f"Upgrade by pg_upgrade to {RECOMMENDED} or later.")
        evidence = f"pgrecall needs {OLDEST} or later"
        yield Finding("critical", f"PostgreSQL {major}.{minor}", evidence, cure)
        return
    for hole, what, fixes in SERVER_FIXES:
        fixed = fixes.get(major)
        if fixed is not None and minor < fixed:
            cure = advice(f"Install {major}.{max(f.get(major, 0) for *_, f in SERVER_FIXES)}.")
            yield Finding("error", f"PostgreSQL {major}.{minor}", f"{hole}: {what}", cure)
    ended = _MAINTAINED_UNTIL.get(major)
    said = f"; maintained until {ended}" if ended else ""
    said += f"; {RECOMMENDED} or later is recommended" if major < RECOMMENDED else ""
    yield Fact(f"PostgreSQL {major}.{minor}{said}")


def _judge_vector(installed: str, at_hand: str | None) -> Iterator[Sign]:
    for fixed, severity, what in VECTOR_FIXES:
        if _numbers(installed) < fixed:
            enough = at_hand is not None and _numbers(at_hand) >= VECTOR_FIXES[-1][0]
            cure = (
                sql("ALTER EXTENSION vector UPDATE;")
                if enough
                else advice("Install pgvector 0.8.3 or later, then ALTER EXTENSION vector UPDATE;")
            )
            yield Finding(severity, f"pgvector {installed}", what, cure)
    yield Fact(f"pgvector {installed}")


def _numbers(version: str) -> tuple[int, ...]:
    """Of a version such as 0.8.1 or 0.8.1-dev."""
    return tuple(int("0" + "".join(filter(str.isdigit, part))) for part in version.split("."))


CHECK = Check("releases", "Releases of the server and of pgvector", read, judge, needs="database")
