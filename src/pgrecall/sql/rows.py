"""Rows of queries/*.sql as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from pgrecall.domain.hit import Hit, Neighbour, Signals
from pgrecall.domain.migration import AppliedMigration
from pgrecall.domain.remembered import Remembered, RememberedItem
from pgrecall.domain.times import moment

Row: TypeAlias = Mapping[str, Any]

_SIGNALS = ("semantic", "lexical", "recency", "importance")


def hit(row: Row) -> Hit:
    """A row of recall_memories or recall_in_context as a hit."""
    columns = dict(row)
    signals = Signals(**{name: columns.pop(name) for name in _SIGNALS})
    before, after = (_neighbour(columns.pop(side, None)) for side in ("before", "after"))
    return Hit(**columns, signals=signals, before=before, after=after)


def _neighbour(message: Mapping[str, Any] | None) -> Neighbour | None:
    if message is None:
        return None
    at = moment("occurred_at", message["occurred_at"])
    return Neighbour(**{**message, "id": UUID(message["id"]), "occurred_at": at})


def remembered(rows: Iterable[Row]) -> Remembered:
    """The rows of one or several calls of remember_memories as answers, counted through."""
    return Remembered(
        tuple(
            RememberedItem(ordinal, row["id"], row["status"], row["code"], row["reason"])
            for ordinal, row in enumerate(rows, 1)
        )
    )


def applied_migration(
    *,
    name: str,
    checksum: str,
    release: str,
    applied_at: str,
    applied_by: str,
    features: Sequence[str],
) -> AppliedMigration:
    """A row of the ledger, whose time is in ISO 8601."""
    return AppliedMigration(
        name=name,
        checksum=checksum,
        release=release,
        applied_at=datetime.fromisoformat(applied_at),
        applied_by=applied_by,
        features=tuple(features),
    )
