"""Whether the database can be reached at all, and, over a network, whether anybody on the way can
read along: memories are what people said, and a password goes by, too. A Unix socket or the
machine itself needs no TLS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Fact, Finding, Sign, advice
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase
from pgrecall.sql.address import described, parameters

# The client library gives no code of what refused it, so that one cure has to do for all.
_CURE = advice(
    "Correct DATABASE_URL by what it says; pg_isready tells whether a server runs there at all. "
    "Where connections are used up, end idle sessions, lower PGRECALL_POOL_MAX_SIZE, or raise "
    "max_connections; a role with pg_monitor or a superuser still gets in."
)
_OWN_MACHINE = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class ConnectionFacts:
    """`refusal` is what the server, or the way to it, said; None if there is a connection."""

    database: str
    refusal: str | None
    is_remote: bool
    tls: str | None
    sslmode: str


def read(database: CheckedDatabase) -> ConnectionFacts:
    """How the connection came about."""
    dsn = database.surroundings.dsn
    refusal = None if database.refusal is None else _first_line(database.refusal)
    tls = database.row("doctor_encryption")["tls"] if database.is_connected else None
    sslmode = parameters(dsn).get("sslmode", "prefer")
    return ConnectionFacts(described(dsn), refusal, is_remote(database), tls, sslmode)


def is_remote(database: CheckedDatabase) -> bool:
    """Whether the server is, or may be, on another machine."""
    parts = parameters(database.surroundings.dsn)
    host = parts.get("host") or parts.get("hostaddr") or ""
    return not (host.startswith(("/", "@")) or host in _OWN_MACHINE)


def judge(facts: ConnectionFacts) -> Iterator[Sign]:
    """Reached, and unheard."""
    if facts.refusal is not None:
        yield Finding("critical", facts.database, facts.refusal, _CURE)
        return
    if facts.is_remote and facts.tls is None:
        yield Finding(
            "error",
            facts.database,
            f"the connection is not encrypted (sslmode={facts.sslmode})",
            advice("Add sslmode=verify-full to DATABASE_URL, and set ssl = on at the server."),
        )
    elif facts.is_remote and facts.sslmode in ("allow", "prefer"):
        yield Finding(
            "notice",
            facts.database,
            f"it is encrypted by {facts.tls}, but sslmode={facts.sslmode} would go on without",
            advice("Add sslmode=verify-full to DATABASE_URL; sslmode=require at the least."),
        )
    elif facts.tls:
        yield Fact(f"encrypted by {facts.tls}")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


CHECK = Check("connection", "Connection", read, judge, needs="nothing")
