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
from pgrecall.ops.doctor.database import CheckedDatabase
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
class PreparedTransaction:
    """A transaction that was prepared, and waits for its second phase; `waiting` in seconds."""

    gid: str
    waiting: float


@dataclass(frozen=True)
class SessionFacts:
    """The sessions but for the doctor's own."""

    sessions: Sequence[Session]
    prepared: Sequence[PreparedTransaction]
    sees_all: bool
    bounds: Bounds


def read(database: CheckedDatabase) -> SessionFacts:
    """What goes on in this database."""
    rows = database.rows("doctor_sessions")
    sessions = [Session(**{**row, "blockers": tuple(row["blockers"])}) for row in rows]
    prepared = [PreparedTransaction(**row) for row in database.rows("doctor_prepared_transactions")]
    sees_all = database.outlook.sees_sessions
    return SessionFacts(sessions, prepared, sees_all, database.surroundings.bounds)


def judge(facts: SessionFacts) -> Iterator[Sign]:
    """What rests, what runs on, and what is waited for; each session once."""
    bounds, named = facts.bounds, set[int]()
    for each in (*_blockers(facts), *_resting(facts), *_running(facts)):
        session, severity, evidence, cure = each
        if session.pid not in named:
            named.add(session.pid)
            yield Finding(severity, session.named, evidence, cure)
    for waiting in facts.prepared:
        if waiting.waiting >= bounds.idle_in_transaction:
            quoted = waiting.gid.replace("'", "''")
            yield Finding(
                "error",
                f"prepared transaction {waiting.gid}",
                f"it keeps its locks since {waiting.waiting:.0f} s, and through a restart",
                sql(f"ROLLBACK PREPARED '{quoted}';"),
            )
    if not facts.sees_all:
        yield Unseen("what sessions of other roles do", "membership in pg_read_all_stats")


_Named = tuple[Session, Severity, str, Cure]


def _blockers(facts: SessionFacts) -> Iterator[_Named]:
    """Those whose locks are waited for, and who wait for none themselves."""
    by_pid = {session.pid: session for session in facts.sessions}
    for waiting in facts.sessions:
        if not waiting.blockers or waiting.running < facts.bounds.lock_wait:
            continue
        for pid in waiting.blockers:
            blocker = by_pid.get(pid)
            if blocker is not None and not blocker.blockers:
                evidence = f"{waiting.named} waits for its lock since {waiting.running:.0f} s"
                yield blocker, "error", evidence, _end(blocker)


def _resting(facts: SessionFacts) -> Iterator[_Named]:
    for each in facts.sessions:
        is_idle = each.state.startswith("idle in transaction")
        if is_idle and each.resting >= facts.bounds.idle_in_transaction:
            evidence = f"idle in transaction since {each.resting:.0f} s"
            yield each, "warning", evidence, _end(each)


def _running(facts: SessionFacts) -> Iterator[_Named]:
    for each in facts.sessions:
        if each.state == "active" and not each.blockers and each.running >= facts.bounds.query:
            yield each, "warning", f"one query runs since {each.running:.0f} s", _end(each)


def _end(session: Session) -> Cure:
    """Of a query, ending it is enough; what rests is ended with its session."""
    way = "cancel" if session.state == "active" else "terminate"
    return sql(f"SELECT pg_{way}_backend({session.pid});")


CHECK = Check("sessions", "Sessions", read, judge, needs="database")
