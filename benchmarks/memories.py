"""pgrecall itself as a ranker: conversations written by `remember`, questions asked by `recall`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.baselines import Ranker
from benchmarks.conversations import Conversation, Turn
from benchmarks.databases import Database
from benchmarks.vectors import CachedEmbedder
from pgrecall import Memory


@dataclass(frozen=True)
class Target:
    """Where conversations are written: each in an organization of its own, `SET-NAME`."""

    database: Database
    embedder: CachedEmbedder
    set_name: str

    @contextmanager
    def open(self, name: str) -> Iterator[Memory]:
        """A memory that is connected already: by looking into it, since `open` does not wait."""
        with Memory(
            self.database.memory_dsn,
            organization=f"{self.set_name}{self.database.suffix}-{name}",
            agent_id="benchmark",
            embedder=self.embedder,
            settings=self.database.settings,
        ) as memory:
            memory.list(limit=1)
            yield memory


def message(turn: Turn) -> dict[str, Any]:
    """The turn as `remember` takes a message."""
    return {"role": turn.role, "content": turn.content, "created_at": turn.said_at}


def remember_sessions(memory: Memory, conversation: Conversation) -> dict[str, str]:
    """Writes each session as one context; the turn id of each memory id."""
    turn_of: dict[str, str] = {}
    for session, turns in conversation.sessions():
        remembered = memory.remember([message(turn) for turn in turns], context=session)
        written = zip(remembered.ids, turns, strict=True)
        turn_of.update((str(id_), turn.id) for id_, turn in written)
    return turn_of


def rank_by_recall(memory: Memory, turn_of: Mapping[str, str], limit: int) -> Ranker:
    """The turns of the memories that `recall` finds."""

    def rank(question: str) -> list[str]:
        return [turn_of[str(hit.id)] for hit in memory.recall(question, limit=limit)]

    return rank
