"""What every set is read into: conversations of turns, and questions with their evidence.

A loader per set (`locomo_data`, `beam_data`, `longmemeval_data`, `xquad_data`) yields these;
scoring, baselines and timing know nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby


@dataclass(frozen=True)
class Turn:
    """One message; `id` is unique in its conversation, `content` is what is remembered."""

    id: str
    session: str
    content: str
    said_at: datetime
    role: str = "user"


@dataclass(frozen=True)
class Question:
    """A question, its category's name, and the ids of the turns that answer it (at least one).

    `asked_at` is the asker's time, None where the set has none; `sessions` are the sessions that
    answer it where the set names them, else those of the evidence count.
    """

    text: str
    category: str
    evidence: tuple[str, ...]
    asked_at: datetime | None = None
    sessions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conversation:
    """The turns in the order in which they were said, and the questions about them."""

    name: str
    turns: tuple[Turn, ...]
    questions: tuple[Question, ...]

    @cached_property
    def session_of(self) -> dict[str, str]:
        """Turn id to session."""
        return {turn.id: turn.session for turn in self.turns}

    @cached_property
    def contents(self) -> list[str]:
        return [turn.content for turn in self.turns]

    def sessions(self) -> list[tuple[str, list[Turn]]]:
        """Each session with its turns, in order."""
        return [(name, list(turns)) for name, turns in groupby(self.turns, _session)]


def _session(turn: Turn) -> str:
    return turn.session
