"""pgrecall itself as a ranker: conversations written by `remember`, questions asked by `recall`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchmarks.baselines import Ranker
from benchmarks.conversations import Conversation, Turn
from benchmarks.databases import Database
from benchmarks.vectors import CachedEmbedder
from pgrecall import Memory


@dataclass(frozen=True)
class Target:
    """Where conversations are written: each in an organization of its own, `SET-NAME`.

    Without `with_meaning` pgrecall has no embedder; baselines have it all the same.
    """

    database: Database
    embedder: CachedEmbedder
    set_name: str
    with_meaning: bool = True

    @contextmanager
    def open(self, name: str) -> Iterator[Memory]:
        """A memory that is connected already: by looking into it, since `open` does not wait."""
        with Memory(
            self.database.memory_dsn,
            organization=f"{self.set_name}{self.database.suffix}-{name}",
            agent_id="benchmark",
            embedder=self.embedder if self.with_meaning else None,
            settings=self.database.settings,
        ) as memory:
            memory.list(limit=1)
            yield memory


def message(turn: Turn) -> dict[str, Any]:
    """The turn as `remember` takes a message."""
    return {"role": turn.role, "content": turn.content, "created_at": turn.said_at}


def remember_sessions(memory: Memory, conversation: Conversation) -> dict[str, str]:
    """Writes each session as one context; the turn id of each memory id.

    All count as valid from the first one on, so that nothing falls out of scope where a question
    is asked as of a time before some of them: a haystack keeps its size.
    """
    turn_of: dict[str, str] = {}
    since = min(turn.said_at for turn in conversation.turns)
    for session, turns in conversation.sessions():
        remembered = memory.remember(
            [message(turn) for turn in turns], context=session, valid_from=since
        )
        written = zip(remembered.ids, turns, strict=True)
        turn_of.update((str(id_), turn.id) for id_, turn in written)
    return turn_of


def rank_by_recall(
    memory: Memory,
    turn_of: Mapping[str, str],
    limit: int,
    asked_at: Mapping[str, datetime | None] | None = None,
) -> Ranker:
    """The turns of the memories that `recall` finds, as of the time at which it is asked."""

    def rank(question: str) -> list[str]:
        as_of = (asked_at or {}).get(question)
        return [turn_of[str(hit.id)] for hit in memory.recall(question, limit=limit, as_of=as_of)]

    return rank
