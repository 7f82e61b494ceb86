"""The set through the public API: written once, asked as often as need be, scored by category."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from benchmarks.conversations import Question, Turn
from benchmarks.memories import message, rank_by_recall
from benchmarks.scoring import Score, mean_by_category, score
from pgrecall import Memory
from tests.quality.labelled import FACTS, Labelled

LIMIT = 10
ALL = "all"

Scored = list[tuple[Question, Score]]


class Figures(NamedTuple):
    """Means over questions, each 0 to 1."""

    recall_at_5: float
    recall_at_10: float
    reciprocal_rank: float


def remember(memory: Memory, labelled: Labelled) -> dict[str, str]:
    """Writes all of the set, each session as one context; the turn id of each memory id."""
    turn_of: dict[str, str] = {}
    for session, turns in labelled.conversation.sessions():
        if session == FACTS:
            turn_of.update((_remember_fact(memory, labelled, turn), turn.id) for turn in turns)
        else:
            told = [{**message(turn), "name": labelled.speakers[turn.id]} for turn in turns]
            ids = memory.remember(told, context=session, valid_from=labelled.begins_at).ids
            turn_of.update((str(id_), turn.id) for id_, turn in zip(ids, turns, strict=True))
    return turn_of


def ask(
    memory: Memory, labelled: Labelled, turn_of: Mapping[str, str], category: str = ALL
) -> Scored:
    """The questions of a category, or all, each with its score."""
    conversation = labelled.conversation
    asked = [q for q in conversation.questions if category in (ALL, q.category)]
    asked_at: dict[str, datetime | None] = {q.text: labelled.asked_at for q in asked}
    rank = rank_by_recall(memory, turn_of, LIMIT, asked_at)
    return [(q, score(rank(q.text), q, conversation.session_of)) for q in asked]


def by_category(scored: Iterable[tuple[Question, Score]]) -> dict[str, Figures]:
    means = mean_by_category(scored).items()
    return {
        name: Figures(mean.turn_recall[5], mean.turn_recall[10], mean.reciprocal_rank)
        for name, mean in means
    }


def with_all(scored: Scored) -> Scored:
    """The same, and each question once more in a category that holds them all."""
    return [*scored, *((replace(question, category=ALL), score_) for question, score_ in scored)]


def _remember_fact(memory: Memory, labelled: Labelled, turn: Turn) -> str:
    told = memory.remember(
        turn.content,
        occurred_at=turn.said_at,
        valid_from=labelled.begins_at,
        importance=labelled.importance[turn.id],
    )
    return str(told.ids[0])
