"""Erasing what all agents of an organization hold, and erasing again what came back.

Both need the connection of the schema's owner.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from pgrecall._sync.session import Session, connected
from pgrecall.domain.documents import Json
from pgrecall.domain.erasure import Receipt, receipt
from pgrecall.domain.identity import organization_uuid
from pgrecall.errors import NoOrganizationError


def erase_everywhere(
    dsn: str, organization: str, scope: Mapping[str, Json], *, dry_run: bool = False
) -> Receipt:
    """What was erased for good, or would be, private memories of everyone included.

    `organization` is a UUID or a name, `scope` as `pgrecall.domain.scope.scope` makes it. The
    record says `operator` for who did it. Raises PermissionDeniedError unless the connection is
    that of the schema's owner or a superuser, NoOrganizationError
    if there is none of that name, InvalidScopeError, DatabaseUnavailableError.
    """
    with connected(dsn, "erase") as session:
        rows = session.rows(
            "erase_everywhere",
            organization_id=organization_uuid(organization),
            scope=json.dumps(scope, allow_nan=False),
            dry_run=dry_run,
        )
    if not rows:
        raise NoOrganizationError(f"there is no organization {organization}")
    return receipt(rows[0]["answer"])


def repeat_erasures(session: Session, organization_id: UUID) -> int:
    """How many memories a recovery or a backup had brought back, of those that tombstones name.

    They are erased again, in the transaction that is open.
    """
    row = session.row("erase_entombed", organization_id=organization_id)
    session.rows("erase_entombed_traces", organization_id=organization_id)
    return int(row["memories"])
