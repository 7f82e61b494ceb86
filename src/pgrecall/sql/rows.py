"""Rows of queries/*.sql as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from pgrecall.domain.hit import Hit, Signals
from pgrecall.domain.remembered import Remembered, RememberedItem

Row: TypeAlias = Mapping[str, Any]

_SIGNALS = ("semantic", "lexical", "recency", "importance")


def hit(row: Row) -> Hit:
    """A row of recall_memories as a hit."""
    columns = dict(row)
    signals = Signals(**{name: columns.pop(name) for name in _SIGNALS})
    return Hit(**columns, signals=signals)


def remembered(rows: Iterable[Row]) -> Remembered:
    """The rows of one or several calls of remember_memories as answers, counted through."""
    return Remembered(
        tuple(
            RememberedItem(ordinal, row["id"], row["status"], row["reason"])
            for ordinal, row in enumerate(rows, 1)
        )
    )
