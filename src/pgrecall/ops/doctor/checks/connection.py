"""Whether the database can be reached at all, and, over a network, whether anybody on the way can
read along: memories are what people said, and a password goes by, too. A Unix socket or the
machine itself needs no TLS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Cure, Fact, Finding, Sign, advice, shell
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.patient import Patient
from pgrecall.sql.address import described, parameters

_FULL = ("too many clients", "too many connections", "remaining connection slots")
_OWN_MACHINE = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Reading:
    """`refusal` is what the server, or the way to it, said; None if there is a connection."""

    database: str
    refusal: str | None
    is_remote: bool
    tls: str | None
    sslmode: str


def read(patient: Patient) -> Reading:
    """How the connection came about."""
    dsn = patient.surroundings.dsn
    refusal = None if patient.refusal is None else _first_line(patient.refusal)
    tls = patient.row("doctor_encryption")["tls"] if patient.is_connected else None
    sslmode = parameters(dsn).get("sslmode", "prefer")
    return Reading(described(dsn), refusal, is_remote(patient), tls, sslmode)


def is_remote(patient: Patient) -> bool:
    """Whether the server is, or may be, on another machine."""
    parts = parameters(patient.surroundings.dsn)
    host = parts.get("host") or parts.get("hostaddr") or ""
    return not (host.startswith(("/", "@")) or host in _OWN_MACHINE)


def judge(reading: Reading) -> Iterator[Sign]:
    """Reached, and unheard."""
    if reading.refusal is not None:
        yield Finding("critical", reading.database, reading.refusal, _cure(reading.refusal))
        return
    if reading.is_remote and reading.tls is None:
        yield Finding(
            "error",
            reading.database,
            f"the connection is not encrypted (sslmode={reading.sslmode})",
            advice("Add sslmode=verify-full to DATABASE_URL, and set ssl = on at the server."),
        )
    elif reading.is_remote and reading.sslmode in ("allow", "prefer"):
        yield Finding(
            "notice",
            reading.database,
            f"it is encrypted by {reading.tls}, but sslmode={reading.sslmode} would go on without",
            advice("Add sslmode=verify-full to DATABASE_URL; sslmode=require at the least."),
        )
    elif reading.tls:
        yield Fact(f"encrypted by {reading.tls}")


def _cure(refusal: str) -> Cure:
    if any(said in refusal for said in _FULL):
        return advice(
            "End idle sessions, lower PGRECALL_POOL_MAX_SIZE, or raise max_connections; a role "
            "with pg_monitor or a superuser still gets in, and is told which sessions there are."
        )
    if "password authentication failed" in refusal or "no password supplied" in refusal:
        return advice("Correct the user and the password in DATABASE_URL.")
    if "does not exist" in refusal:
        return advice("Create it, or correct DATABASE_URL.")
    return shell("pg_isready  # is the server running, and is this its address?")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


CHECK = Check("connection", "Connection", read, judge, needs="nothing")
