"""Erasing again what tombstones say is erased, where a recovery or a backup brought it back."""

from __future__ import annotations

from uuid import UUID

from pgrecall._sync.session import Session


def erase_entombed(session: Session, organization_id: UUID) -> int:
    """How many memories of an organization were, in the transaction that is open.

    Needs the schema's owner.
    """
    row = session.row("erase_entombed", organization_id=organization_id)
    session.rows("erase_entombed_traces", organization_id=organization_id)
    return int(row["memories"])
