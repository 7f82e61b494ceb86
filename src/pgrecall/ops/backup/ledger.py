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

from pgrecall.errors import PgRecallError
from pgrecall.ops.backup.connecting import Connection, run
from pgrecall.sql.loader import statement

Action = Literal["backup", "restore", "verification", "import"]
WHOLE_DATABASE = UUID(int=0)


@dataclass
class Entry:
    """One row of the ledger, while what it tells of goes on; `id` is None on a replica."""

    connection: Connection
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
        if not self.connection.closed:
            if self.connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self.connection.rollback()
            self._end("failed", reason=reason[:1000])

    def _end(self, state: str, **told: Any) -> None:
        if self.id is None:
            return
        blank = dict.fromkeys(("snapshot_at", "rows", "skipped", "bytes", "reason"))
        given = {**blank, **told, "state": state}
        given |= {"organization_id": self.organization_id, "id": self.id}
        run(self.connection, statement("end_ledger_entry", given))


def begin(
    connection: Connection,
    organization_id: UUID,
    backup_id: UUID,
    action: Action,
    place: str,
    *,
    is_fresh: bool = False,
) -> Entry:
    """A new row of the ledger. A database that takes no writes, such as a replica, gets none."""
    given: dict[str, object] = {"organization_id": organization_id, "backup_id": backup_id}
    given |= {"action": action} | {"place": place[:4000], "is_fresh": is_fresh}
    try:
        [row] = run(connection, statement("begin_ledger_entry", given))
    except psycopg.errors.ReadOnlySqlTransaction:
        return Entry(connection, organization_id, backup_id, None)
    return Entry(connection, organization_id, backup_id, row["id"])


@contextmanager
def told(begun: Entry) -> Iterator[None]:
    """An error inside the block ends the entry as failed."""
    try:
        yield
    except (PgRecallError, psycopg.Error, OSError) as error:
        reason = error.message if isinstance(error, PgRecallError) else str(error)
        begun.failed(reason)
        raise


def list_entries(connection: Connection, organization_id: UUID | None, limit: int) -> list[DictRow]:
    """The newest entries, of one organization or of all."""
    given = {"organization_id": organization_id, "match_limit": limit}
    return run(connection, statement("list_ledger", given))
