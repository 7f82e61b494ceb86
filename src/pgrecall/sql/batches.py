"""Drafts and their vectors as calls of remember_memories, of a size that PostgreSQL likes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from pgrecall.domain.documents import Json
from pgrecall.domain.draft import Draft
from pgrecall.domain.remembered import Remembered
from pgrecall.errors import LimitExceededError
from pgrecall.sql.loader import Statement, statement
from pgrecall.sql.rows import remembered

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector: TypeAlias = npt.NDArray[np.float32]

# Small enough that the server works on one call while the next is being put together.
MAX_ITEMS = 128
MAX_CHARACTERS = 8_000_000
# What remember_memories() takes.
MAX_CONVERSATION = 10_000


@dataclass(frozen=True, slots=True)
class Batches:
    """The calls that write some drafts; can be gone through again when they are retried.

    `vectors` holds those of each draft's pieces, or none; `name` is the statement. Messages
    of one conversation that are recognised as a list, since they tell no times, are in one call,
    so the calls are not in the order of the drafts: `answers` puts that right.
    """

    drafts: Sequence[Draft]
    vectors: Sequence[Sequence[Vector]]
    model: str | None
    name: str = "remember_memories"

    def __iter__(self) -> Iterator[Statement]:
        items: list[str] = []
        size = 0
        for run in _runs(self.drafts):
            texts = [self._item(self.drafts[place], self.vectors[place]) for place in run]
            length = sum(map(len, texts))
            if items and (len(items) + len(texts) > MAX_ITEMS or size + length > MAX_CHARACTERS):
                yield self._call(items)
                items, size = [], 0
            items += texts
            size += length
        if items:
            yield self._call(items)

    def answers(self, rows: Iterable[Iterable[Mapping[str, Any]]]) -> Remembered:
        """The rows of the calls as answers, in the order of the drafts."""
        places = [place for run in _runs(self.drafts) for place in run]
        answered = dict(zip(places, (row for each in rows for row in each), strict=True))
        return remembered(answered[place] for place in range(len(self.drafts)))

    def _item(self, draft: Draft, vectors: Sequence[Vector]) -> str:
        fields: dict[str, Any] = dict(draft.fields)
        if vectors:
            fields |= {**vector_fields(vectors), "embedding_model": self.model}
        return json.dumps(fields, ensure_ascii=False, allow_nan=False)

    def _call(self, items: list[str]) -> Statement:
        return statement(self.name, {"memories": f"[{','.join(items)}]"})


def _runs(drafts: Sequence[Draft]) -> list[list[int]]:
    """The places of drafts that go into one call together, in the order of the first of each.

    They are all messages of a conversation, some of which tell neither time nor id; and
    neighbours of one time, since the database counts how many of it there are.
    """
    talks = [_conversation(draft) for draft in drafts]
    lists = {talk for talk, draft in zip(talks, drafts, strict=True) if talk and _is_open(draft)}
    runs: dict[object, list[int]] = {}
    run: object = None
    before: object = None
    for place, (talk, draft) in enumerate(zip(talks, drafts, strict=True)):
        at = talk and (talk, draft.fields.get("occurred_at"))
        if talk in lists:
            run = talk
        elif at is None or at != before or len(runs[run]) == MAX_CONVERSATION:
            run = place
        before = at
        runs.setdefault(run, []).append(place)
    for talk in lists:
        _check_length(len(runs[talk]))
    return list(runs.values())


def _conversation(draft: Draft) -> tuple[Json, ...] | None:
    """Which conversation a draft is a message of, if it is one."""
    if draft.fields.get("kind") != "message" or draft.fields.get("context_key") is None:
        return None
    return tuple(draft.fields.get(name) for name in ("agent_id", "user_id", "context_key"))


def _is_open(draft: Draft) -> bool:
    """Whether only its place in a list can tell which message it is."""
    return draft.fields.get("occurred_at") is None and draft.fields.get("id") is None


def _check_length(messages: int) -> None:
    if messages > MAX_CONVERSATION:
        raise LimitExceededError(
            f"{messages:,} messages of one conversation in one list are more than "
            f"{MAX_CONVERSATION:,}",
            hint="Give each its created_at, or send them in several lists.",
        )


def vector_fields(vectors: Sequence[Vector]) -> dict[str, Any]:
    """The vectors of a text's pieces, of which there is at least one, as fields of its item."""
    first, *further = map(vector_text, vectors)
    return {"embedding": first, "piece_embeddings": further} if further else {"embedding": first}


def vector_text(vector: Vector) -> str:
    """A unit vector as pgvector reads it, `[0.1,0.2]`, to six digits after the point.

    A halfvec holds three to four; fewer to read make a bulk write faster.
    """
    # Formatting is a third of the client's share of a bulk write; orjson does it 15 times as fast
    # as Python's own.
    return orjson.dumps(vector.round(6), option=orjson.OPT_SERIALIZE_NUMPY).decode()
