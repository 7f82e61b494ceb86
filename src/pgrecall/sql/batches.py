"""Drafts and their vectors as calls of remember_memories, of a size that PostgreSQL likes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from pgrecall.domain.draft import Draft
from pgrecall.sql.loader import Statement, statement

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector: TypeAlias = npt.NDArray[np.float32]

# Small enough that the server works on one call while the next is being put together.
MAX_ITEMS = 128
MAX_CHARACTERS = 8_000_000


@dataclass(frozen=True, slots=True)
class Batches:
    """The calls that write some drafts; can be gone through again when they are retried.

    `vectors` holds one a draft, or None where a draft has none; `name` is the statement.
    """

    drafts: Sequence[Draft]
    vectors: Sequence[Vector | None]
    model: str | None
    name: str = "remember_memories"

    def __iter__(self) -> Iterator[Statement]:
        items: list[str] = []
        size = 0
        for draft, vector in zip(self.drafts, self.vectors, strict=True):
            item = self._item(draft, vector)
            if items and (len(items) == MAX_ITEMS or size + len(item) > MAX_CHARACTERS):
                yield self._call(items)
                items, size = [], 0
            items.append(item)
            size += len(item)
        if items:
            yield self._call(items)

    def _item(self, draft: Draft, vector: Vector | None) -> str:
        fields: dict[str, Any] = dict(draft.fields)
        if vector is not None:
            fields |= {"embedding": vector_text(vector), "embedding_model": self.model}
        return json.dumps(fields, ensure_ascii=False, allow_nan=False)

    def _call(self, items: list[str]) -> Statement:
        return statement(self.name, {"memories": f"[{','.join(items)}]"})


def vector_text(vector: Vector) -> str:
    """A unit vector as pgvector reads it, `[0.1,0.2]`, to six digits after the point.

    A halfvec holds three to four; fewer to read make a bulk write faster.
    """
    # Formatting is a third of the client's share of a bulk write; orjson does it 15 times as fast
    # as Python's own.
    return orjson.dumps(vector.round(6), option=orjson.OPT_SERIALIZE_NUMPY).decode()
