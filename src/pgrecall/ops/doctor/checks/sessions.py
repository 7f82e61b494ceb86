"""A transaction that rests keeps locks, and keeps vacuum from removing what was deleted since it
began; a query that runs on holds a connection; a lock that is waited for holds everybody behind it.
This check names the sessions by process, and the statement that ends each: first look whose it is.
Sessions of other roles show what they do to members of `pg_read_all_stats` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Cure, Finding, Severity, Sign, Unseen, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.patient import Patient
from pgrecall.ops.doctor.surroundings import Bounds


@dataclass(frozen=True)
class Session:
    """A session of this database. Times in seconds: since its last change of state, and of the
    query; `blockers` are the processes whose locks it waits for."""

    pid: int
    login: str
    application: str
    state: str
    resting: float
    running: float
    blockers: tuple[int, ...]

    @property
    def named(self) -> str:
        """It, in words."""
        return f"process {self.pid} ({self.application or 'unnamed'}, {self.login})"


@dataclass(frozen=True)
class Prepared:
    """A transaction that was prepared, and waits for its second phase; `waiting` in seconds."""

    gid: str
    waiting: float


@dataclass(frozen=True)
class Reading:
    """The sessions but for the doctor's own."""

    sessions: Sequence[Session]
    prepared: Sequence[Prepared]
    sees_all: bool
    bounds: Bounds


def read(patient: Patient) -> Reading:
    """What goes on in this database."""
    rows = patient.rows("doctor_sessions")
    sessions = [Session(**{**row, "blockers": tuple(row["blockers"])}) for row in rows]
    prepared = [Prepared(**row) for row in patient.rows("doctor_prepared_transactions")]
    sees_all = patient.outlook.sees_sessions
    return Reading(sessions, prepared, sees_all, patient.surroundings.bounds)


def judge(reading: Reading) -> Iterator[Sign]:
    """What rests, what runs on, and what is waited for; each session once."""
    bounds, named = reading.bounds, set[int]()
    for each in (*_blockers(reading), *_resting(reading), *_running(reading)):
        session, severity, evidence, cure = each
        if session.pid not in named:
            named.add(session.pid)
            yield Finding(severity, session.named, evidence, cure)
    for waiting in reading.prepared:
        if waiting.waiting >= bounds.idle_in_transaction:
            quoted = waiting.gid.replace("'", "''")
            yield Finding(
                "error",
                f"prepared transaction {waiting.gid}",
                f"it keeps its locks since {waiting.waiting:.0f} s, and through a restart",
                sql(f"ROLLBACK PREPARED '{quoted}';"),
            )
    if not reading.sees_all:
        yield Unseen("what sessions of other roles do", "membership in pg_read_all_stats")


_Named = tuple[Session, Severity, str, Cure]


def _blockers(reading: Reading) -> Iterator[_Named]:
    """Those whose locks are waited for, and who wait for none themselves."""
    by_pid = {session.pid: session for session in reading.sessions}
    for waiting in reading.sessions:
        if not waiting.blockers or waiting.running < reading.bounds.lock_wait:
            continue
        for pid in waiting.blockers:
            blocker = by_pid.get(pid)
            if blocker is not None and not blocker.blockers:
                evidence = f"{waiting.named} waits for its lock since {waiting.running:.0f} s"
                yield blocker, "error", evidence, _end(blocker)


def _resting(reading: Reading) -> Iterator[_Named]:
    for each in reading.sessions:
        is_idle = each.state.startswith("idle in transaction")
        if is_idle and each.resting >= reading.bounds.idle_in_transaction:
            evidence = f"idle in transaction since {each.resting:.0f} s"
            yield each, "warning", evidence, _end(each)


def _running(reading: Reading) -> Iterator[_Named]:
    for each in reading.sessions:
        if each.state == "active" and not each.blockers and each.running >= reading.bounds.query:
            yield each, "warning", f"one query runs since {each.running:.0f} s", _end(each)


def _end(session: Session) -> Cure:
    """Of a query, ending it is enough; what rests is ended with its session."""
    way = "cancel" if session.state == "active" else "terminate"
    return sql(f"SELECT pg_{way}_backend({session.pid});")


CHECK = Check("sessions", "Sessions", read, judge, needs="database")
