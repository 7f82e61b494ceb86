"""What a memory looks like when it is read, alone, as a message and through its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from pgrecall.domain.documents import Json

Kind: TypeAlias = Literal["message", "fact", "preference", "event", "procedure", "summary", "note"]
Trust: TypeAlias = Literal["user", "assistant", "tool", "document", "inference"]
Visibility: TypeAlias = Literal["private", "agent", "organization"]

KINDS: tuple[str, ...] = get_args(Kind)
TRUSTS: tuple[str, ...] = get_args(Trust)
VISIBILITIES: tuple[str, ...] = get_args(Visibility)


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """One memory as it is stored now. `importance` and `confidence` are from 0 to 1."""

    id: UUID
    agent_id: str
    user_id: str | None
    context_key: str | None
    kind: str
    content: str
    speaker: str | None
    slot: str | None
    importance: float
    confidence: float
    trust: str
    visibility: str
    metadata: dict[str, Json]
    occurred_at: datetime
    valid_from: datetime
    valid_to: datetime | None
    superseded_by: UUID | None
    expires_at: datetime | None
    forgotten_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some memories, newest first; `next_cursor` asks for those after them, None at the end."""

    items: Sequence[MemoryRecord]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. `role` is None where it was remembered without one."""

    id: UUID
    role: str | None
    content: str
    name: str | None
    created_at: datetime
    metadata: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Change:
    """One step in the life of a memory or of its slot.

    `change` is added, updated, superseded, forgotten or restored; `before` and `after` hold the
    fields that changed; `changed_by` is the member, or None where the memory was added.
    """

    memory_id: UUID
    change: str
    changed_at: datetime
    changed_by: str | None
    content: str
    before: dict[str, Json]
    after: dict[str, Json]
