"""Settings that a database or a role gives to every session are easily forgotten. Some of them undo
what pgrecall promises: claims make every session somebody; `row_security = off` ends reads with an
error; `session_replication_role = replica` skips foreign keys; `default_transaction_read_only`
refuses writes; `zero_damaged_pages` and `ignore_system_indexes` hide damage; a small
`hnsw.max_scan_tuples` or `hnsw.scan_mem_multiplier` cuts recall short.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Severity, Sign, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

_OFF, _ON = ("off", "false", "no", "0"), ("on", "true", "yes", "1")
_IDENTITY = ("request.jwt.claims", "request.jwt.claim", "request.jwt.claim.sub", "role")
_LEAST_SCANNED = 20_000
_READ_ONLY = "default_transaction_read_only"
_HIDDEN = "damage is hidden, and grows"
_SWITCHES: Mapping[tuple[str, bool], tuple[Severity, str]] = {
    ("row_security", False): ("error", "reads under Row Level Security end with an error"),
    (_READ_ONLY, True): ("error", "nothing can be remembered"),
    ("zero_damaged_pages", True): ("critical", _HIDDEN),
    ("ignore_system_indexes", True): ("critical", _HIDDEN),
}


@dataclass(frozen=True)
class SessionSetting:
    """A setting that a database, a role, or a role in a database gives to its sessions."""

    database: str | None
    role: str | None
    name: str
    value: str


def read(database: CheckedDatabase) -> Sequence[SessionSetting]:
    """Those that sessions of this database get."""
    return [SessionSetting(**row) for row in database.rows("doctor_given_settings")]


def judge(given: Sequence[SessionSetting]) -> Iterator[Sign]:
    """Those that undo a promise."""
    for each in given:
        judged = _judge(each)
        if judged:
            place = f"DATABASE {each.database}" if each.role is None else f"ROLE {each.role}"
            where = f" IN DATABASE {each.database}" if each.role and each.database else ""
            reset = f"ALTER {place}{where} RESET {each.name};"
            subject = f"setting {each.name} of {place.lower()}{where.lower()}"
            shown = "" if each.name in _IDENTITY else f" ({each.value})"
            # It holds for the session that takes it away, too.
            first = (f"SET {each.name} = off;",) if each.name == _READ_ONLY else ()
            yield Finding(judged[0], subject, f"{judged[1]}{shown}", sql(*first, reset))


def _judge(given: SessionSetting) -> tuple[Severity, str] | None:
    value = given.value.lower()
    if given.name in _IDENTITY:
        return "critical", "every session begins as somebody"
    if given.name == "hnsw.max_scan_tuples" and value.isdigit() and int(value) < _LEAST_SCANNED:
        return "warning", "recall by meaning looks at too few vectors"
    if given.name == "session_replication_role" and value != "origin":
        return "critical", "foreign keys are not kept"
    return _SWITCHES.get((given.name, value in _ON)) if value in (*_ON, *_OFF) else None


CHECK = Check("session_settings", "Settings of sessions", read, judge, needs="database")
