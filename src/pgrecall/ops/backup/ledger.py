"""agent_memory.backups: what was backed up, restored, verified and imported in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import DictRow

from pgrecall._sync.session import Session
from pgrecall.errors import PgRecallError

Action = Literal["backup", "restore", "verification", "import"]
WHOLE_DATABASE = UUID(int=0)
_LONGEST_REASON = 1000
_LONGEST_PLACE = 4000


@dataclass
class Entry:
    """One row of the ledger, while what it tells of goes on; `id` is None on a replica."""

    session: Session
    organization_id: UUID
    backup_id: UUID
    id: UUID | None

    def done(
        self, snapshot_at: datetime | None, rows: int | None, size: int | None, skipped: int = 0
    ) -> None:
        """It came to its end."""
        self._end("done", snapshot_at=snapshot_at, rows=rows, bytes=size, skipped=skipped)

    def failed(self, reason: str) -> None:
        """It did not; said as far as the database can still be told."""
        connection = self.session.connection
        if not connection.closed:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.rollback()
            self._end("failed", reason=reason[:_LONGEST_REASON])

    def _end(self, state: str, **values: Any) -> None:
        if self.id is None:
            return
        blank = dict.fromkeys(("snapshot_at", "rows", "skipped", "bytes", "reason"))
        given = {**blank, **values, "organization_id": self.organization_id, "id": self.id}
        self.session.rows("end_ledger_entry", state=state, **given)


def begin(
    session: Session,
    organization_id: UUID,
    backup_id: UUID,
    action: Action,
    place: str,
    *,
    is_fresh: bool = False,
) -> Entry:
    """A new row of the ledger. A database that takes no writes, such as a replica, gets none."""
    try:
        row = session.row(
            "begin_ledger_entry",
            organization_id=organization_id,
            backup_id=backup_id,
            action=action,
            place=place[:_LONGEST_PLACE],
            is_fresh=is_fresh,
        )
    except psycopg.errors.ReadOnlySqlTransaction:
        return Entry(session, organization_id, backup_id, None)
    return Entry(session, organization_id, backup_id, row["id"])


@contextmanager
def record_failure(entry: Entry) -> Iterator[None]:
    """An error inside the block ends the entry as failed."""
    try:
        yield
    except (PgRecallError, psycopg.Error, OSError) as error:
        reason = error.message if isinstance(error, PgRecallError) else str(error)
        entry.failed(reason)
        raise


def list_entries(session: Session, organization_id: UUID | None, limit: int) -> list[DictRow]:
    """The newest entries, of one organization or of all."""
    return session.rows("list_ledger", organization_id=organization_id, match_limit=limit)
