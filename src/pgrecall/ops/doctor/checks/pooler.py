"""A pooler that hands a connection from one client to the next must not hand on who that was.
pgrecall sets the caller for one transaction at a time, which every mode of a pooler keeps apart. A
connection that arrives with claims or a role already set was left so by another program, or by
`ALTER DATABASE` or `ALTER ROLE … SET`: whoever gets it acts as somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Fact, Finding, Sign, advice
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase


@dataclass(frozen=True)
class PoolerFacts:
    """`is_pooled`: what answers is not the server itself. `inherited` came with the connection."""

    is_pooled: bool
    pipeline: str
    inherited: Sequence[str]


def read(database: CheckedDatabase) -> PoolerFacts:
    """Whether the process that the connection named is the one that answers."""
    # A pooler makes up the number of the process, by which clients cancel.
    is_pooled = database.session.connection.info.backend_pid != database.outlook.backend_pid
    pipeline = database.surroundings.environment.get("PGRECALL_PIPELINE", "true")
    inherited = [row["name"] for row in database.rows("doctor_inherited_identity")]
    return PoolerFacts(is_pooled, pipeline, inherited)


def judge(facts: PoolerFacts) -> Iterator[Sign]:
    """A pooler is told of; an identity that was handed on is a fault."""
    if facts.is_pooled:
        yield Fact(
            "a pooler stands between; session or transaction mode both do"
            f" (PGRECALL_PIPELINE={facts.pipeline})"
        )
    for name in facts.inherited:
        yield Finding(
            "critical",
            name,
            "a new connection has it set already: another client's identity is handed on",
            advice(
                "Find the program that sets it for the session, and have it use set_config(…, true)"
                "; at pgbouncer, server_reset_query_always = 1."
            ),
        )


CHECK = Check("pooler", "Pooler", read, judge, needs="database")
