"""How many connections are used, of how many there may be: of the server, of this database and of
the application's role. When they are used up nobody gets in, and a pool that is larger than what is
left waits for connections that never come. Idle sessions of a program that died, or that opens more
than it closes, are ended by the statement that stands beside them; a pooler in between is the cure
for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Fact, Finding, Severity, Sign, Unseen, advice, shell, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

_SETTING = "PGRECALL_POOL_MAX_SIZE"
_STEPS: tuple[tuple[float, Severity], ...] = ((1.0, "critical"), (0.9, "error"), (0.75, "warning"))
_END_IDLE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND state = 'idle' AND pid <> pg_backend_pid();"
)


@dataclass(frozen=True)
class Limit:
    """How many of how many connections are used, without the doctor's own; `idle` of them rest."""

    subject: str
    used: int
    allowed: int
    idle: int


@dataclass(frozen=True)
class PoolFacts:
    """`pool_size` is what PGRECALL_POOL_MAX_SIZE says, None where it says nothing; `is_written`
    whether it stands in `.env`."""

    limits: Sequence[Limit]
    pool_size: int | None
    is_written: bool
    sees_states: bool


def read(database: CheckedDatabase) -> PoolFacts:
    """Counts, and the setting."""
    limits = [Limit(**row) for row in database.rows("doctor_connection_limits")]
    said = database.surroundings.environment.get(_SETTING, "")
    size = int(said) if said.isdecimal() else None
    is_written = database.surroundings.is_written(_SETTING)
    return PoolFacts(limits, size, is_written, database.outlook.sees_sessions)


def judge(facts: PoolFacts) -> Iterator[Sign]:
    """Used up, or nearly; and a pool that is too large."""
    for limit in facts.limits:
        severity = _severity(limit)
        evidence = (
            f"{limit.used} of {limit.allowed} connections are used, {limit.idle} of them idle"
        )
        if severity is None:
            yield Fact(f"{limit.subject}: {evidence}")
            continue
        cure = sql(_END_IDLE) if 2 * limit.idle >= limit.used else advice(_RAISE)
        yield Finding(severity, limit.subject, evidence, cure)
    room = min((limit.allowed for limit in facts.limits), default=0)
    if facts.pool_size is not None and facts.pool_size > room:
        yield _too_large(facts.pool_size, room, is_written=facts.is_written)
    if not facts.sees_states:
        yield Unseen("which sessions are idle", "membership in pg_read_all_stats")


_RAISE = "Put a pooler in between, or raise max_connections or the CONNECTION LIMIT."


def _severity(limit: Limit) -> Severity | None:
    share = limit.used / limit.allowed if limit.allowed > 0 else 1.0
    return next((severity for least, severity in _STEPS if share >= least), None)


def _too_large(size: int, room: int, *, is_written: bool) -> Finding:
    fitting = max(1, room // 2)
    evidence = f"a pool of {size} does not fit: there are {room} connections for all programs"
    cure = (
        shell(f"sed -i 's/^{_SETTING}=.*/{_SETTING}={fitting}/' .env")
        if is_written
        else shell(f"export {_SETTING}={fitting}")
    )
    return Finding("warning", _SETTING, evidence, cure)


CHECK = Check("pool", "Connections", read, judge, needs="database")
