"""Looking what is to be done, and doing it: one run at a time, safe to stop anywhere.

Every task is one statement, or a statement that is repeated until nothing is left to do; each is
committed by itself. What a killed run leaves, at worst an invalid index, the next one finds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime

import psycopg

from pgrecall._sync.session import Session, connected
from pgrecall.domain.maintenance import (
    HourFacts,
    IndexFacts,
    Maintenance,
    MaintenanceFacts,
    Outcome,
    RetentionFacts,
    TableFacts,
    Task,
    VectorFacts,
)
from pgrecall.errors import ConflictError
from pgrecall.ops.maintenance.decisions import plan_tasks
from pgrecall.ops.maintenance.window import Window
from pgrecall.sql.address import described
from pgrecall.sql.failures import RETRYABLE, is_lost
from pgrecall.sql.loader import statement

BATCH = 5000
ROLL_UP_DAYS = 90
LOCK_SECONDS = 10.0
_ATTEMPTS = 5

OnOutcome = Callable[[Outcome], None]


def maintain(
    dsn: str,
    *,
    is_applied: bool = False,
    window: Window | None = None,
    days: int = ROLL_UP_DAYS,
    on_outcome: OnOutcome | None = None,
    clock: Callable[[], datetime] = datetime.now,
) -> Maintenance:
    """The plan and, if `is_applied`, what became of each task.

    A task is begun within `window` alone, and one that is under way is ended; what is left is
    `not reached`. Hours of statistics older than `days` become days. A task that fails is said and
    the others are done.

    Raises ConflictError while another run is at work, PermissionDeniedError for a role that may
    not, DatabaseUnavailableError.
    """
    with connected(dsn, "maintain") as session:
        session.rows("settle_maintenance", lock_timeout=f"{LOCK_SECONDS:.0f}s")
        if is_applied:
            _lock(session)
        tasks = plan_tasks(_facts(session, days), batch=BATCH, days=days)
        if not is_applied:
            plan = (
                Outcome(task, "advice" if task.kind == "advice" else "planned") for task in tasks
            )
            return Maintenance(described(dsn), tuple(plan), is_applied, is_cut_short=False)
        outcomes = []
        for task in tasks:
            is_open = window is None or window.holds(clock())
            outcome = _done(session, task) if is_open else Outcome(task, "not reached")
            outcomes.append(outcome)
            if on_outcome is not None:
                on_outcome(outcome)
        is_cut_short = any(outcome.state == "not reached" for outcome in outcomes)
        return Maintenance(described(dsn), tuple(outcomes), is_applied, is_cut_short)


def _lock(session: Session) -> None:
    session.rows("lock_maintenance")
    # Asked after the lock: of two that begin at once, both may give up, and never both go on.
    if session.rows("other_maintenance"):
        raise ConflictError(
            "another maintenance is at work in this database",
            hint="Wait for its end; it has the application_name pgrecall maintain.",
        )


def _facts(session: Session, days: int) -> MaintenanceFacts:
    return MaintenanceFacts(
        tables=tuple(TableFacts(**row) for row in session.rows("maintained_tables")),
        indexes=tuple(IndexFacts(**row) for row in session.rows("maintained_indexes")),
        retention=tuple(
            RetentionFacts(**row) for row in session.rows("due_retention", batch=BATCH)
        ),
        vectors=tuple(VectorFacts(**row) for row in session.rows("dropped_vectors", batch=BATCH)),
        hours=HourFacts(**session.row("old_stats", days=days, batch=BATCH)),
        oldest_transaction=session.row("oldest_transaction")["seconds"],
    )


def _done(session: Session, task: Task) -> Outcome:
    if task.kind == "advice":
        return Outcome(task, "advice")
    began = time.monotonic()
    rows = 0
    try:
        for batch in _batches(session, task):
            rows += batch
    except psycopg.Error as error:
        if is_lost(error):
            raise
        said = error.diag.message_primary or str(error)
        return Outcome(task, "failed", rows, time.monotonic() - began, said)
    return Outcome(task, "done", rows, time.monotonic() - began)


def _batches(session: Session, task: Task) -> Iterator[int]:
    """How many rows each statement dealt with, until one has none."""
    if task.name is None:
        session.execute(task.sql)
        return
    repeated = statement(task.name, task.parameters)
    attempt = 1
    while True:
        try:
            rows = session.run(repeated)
        except psycopg.Error as error:
            attempt += 1
            if error.sqlstate not in RETRYABLE or attempt > _ATTEMPTS:
                raise
            continue
        attempt = 1
        if not rows or not rows[0]["done"]:
            return
        yield rows[0]["done"]
