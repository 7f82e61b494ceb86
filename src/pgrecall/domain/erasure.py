"""What became of an erasure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pgrecall.domain.documents import Json
from pgrecall.domain.times import moment


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased, or would be, if `dry_run`; it holds nothing of what that said.

    `memories` is how many memories, and `counts` how many rows of each sort: memories, embeddings,
    history, links, windows, contexts, statistics, audits. `scope` is what was named, narrowed to
    what is the caller's; None if nothing of it is. `remaining` says to owners and admins how many
    memories and conversations of the scope they could not erase; None to others, who have none.
    `id`, `erased_at` and `receipt` are of the record that was kept, None if nothing was done:
    `receipt` is the SHA-256, hexadecimal, over the erased ids, the scope and the counts.
    """

    memories: int
    counts: Mapping[str, int]
    scope: Mapping[str, Json] | None
    remaining: int | None
    dry_run: bool
    id: UUID | None
    erased_at: datetime | None
    receipt: str | None


def receipt(answer: Mapping[str, Any]) -> Receipt:
    """The answer of erase_memories() as a receipt."""
    read = {
        "id": answer["id"] and UUID(answer["id"]),
        "erased_at": moment("erased_at", answer["erased_at"]),
    }
    return Receipt(**{**answer, **read})
