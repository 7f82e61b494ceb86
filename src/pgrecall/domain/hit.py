"""One recalled memory and why it was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pgrecall.domain.documents import Json


@dataclass(frozen=True, slots=True)
class Signals:
    """The parts of a score as recall_memories gives them; None where a signal did not run."""

    semantic: float | None
    lexical: float | None
    recency: float | None
    importance: float | None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The message before or after a hit in its conversation."""

    id: UUID
    content: str
    speaker: str | None
    trust: str
    user_id: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory that answers a query, with its score and the parts of that score.

    A message also has its `speaker`, if known, and the messages `before` and `after` it that the
    caller may see.
    """

    id: UUID
    content: str
    kind: str
    user_id: str | None
    agent_id: str
    context_key: str | None
    metadata: dict[str, Json]
    trust: str
    occurred_at: datetime
    valid_from: datetime
    valid_to: datetime | None
    created_at: datetime
    score: float
    signals: Signals
    speaker: str | None = None
    before: Neighbour | None = None
    after: Neighbour | None = None
