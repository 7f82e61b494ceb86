"""Erasing what all agents of an organization hold, on the connection of the schema's owner."""

from __future__ import annotations

import json
from collections.abc import Mapping

import psycopg
from psycopg.rows import dict_row

from pgrecall.domain.documents import Json
from pgrecall.domain.erasure import Receipt, receipt
from pgrecall.domain.identity import organization_uuid
from pgrecall.errors import NoOrganizationError
from pgrecall.sql.failures import translated
from pgrecall.sql.loader import statement


def erase_everywhere(
    dsn: str, organization: str, scope: Mapping[str, Json], *, dry_run: bool = False
) -> Receipt:
    """What was erased for good, or would be, private memories of everyone included.

    `organization` is a UUID or a name, `scope` as `pgrecall.domain.scope.scope` makes it. The
    record says `operator` for who did it. Raises PermissionDeniedError unless the connection is
    that of the schema's owner or a superuser, NoOrganizationError
    if there is none of that name, InvalidScopeError, DatabaseUnavailableError.
    """
    named = {
        "organization_id": organization_uuid(organization),
        "scope": json.dumps(scope, allow_nan=False),
        "dry_run": dry_run,
    }
    erase = statement("erase_everywhere", named)
    with translated(), psycopg.connect(dsn, row_factory=dict_row) as connection:
        row = connection.execute(erase.sql, erase.parameters).fetchone()
    if row is None:
        raise NoOrganizationError(f"there is no organization {organization}")
    return receipt(row["answer"])
