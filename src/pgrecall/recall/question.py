"""What a recall asks, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isnan

from pgrecall.domain.documents import Json, document
from pgrecall.domain.draft import one_of
from pgrecall.domain.memory import KINDS
from pgrecall.domain.numbers import count
from pgrecall.domain.text import clean_text, identifier
from pgrecall.domain.times import moment
from pgrecall.errors import InvalidInputError

MAX_HITS = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """A recall as its caller wrote it."""

    query: str
    user_id: str | None = None
    agent_id: str | None = None
    context: str | None = None
    kinds: Iterable[str] | None = None
    metadata: Mapping[str, object] | None = None
    since: datetime | str | None = None
    until: datetime | str | None = None
    as_of: datetime | str | None = None
    limit: int | None = None
    min_score: float = 0.0


@dataclass(frozen=True, slots=True)
class Question:
    """A recall as recall_memories() takes it; None filters nothing, or is as it is configured."""

    query: str
    user_id: str | None
    agent_id: str | None
    context_key: str | None
    kinds: list[str] | None
    metadata: dict[str, Json] | None
    since: datetime | None
    until: datetime | None
    as_of: datetime | None
    match_limit: int | None
    min_score: float


def question(asked: Asked) -> Question:
    """The checked question. Raises InvalidInputError, LimitExceededError."""
    if not isinstance(asked.query, str):
        raise InvalidInputError(f"query must be a text, not {type(asked.query).__name__}")
    return Question(
        query=clean_text(asked.query),
        user_id=identifier("user_id", asked.user_id),
        agent_id=identifier("agent_id", asked.agent_id),
        context_key=identifier("context", asked.context, 500),
        kinds=checked_kinds(asked.kinds),
        metadata=document("metadata", asked.metadata),
        since=moment("since", asked.since),
        until=moment("until", asked.until),
        as_of=moment("as_of", asked.as_of),
        match_limit=None if asked.limit is None else count("limit", asked.limit, MAX_HITS),
        min_score=_score(asked.min_score),
    )


def checked_kinds(given: Iterable[str] | None) -> list[str] | None:
    """Kinds of memories as a list, or None for all; InvalidInputError for an unknown one."""
    if given is None:
        return None
    listed = [given] if isinstance(given, str) else list(given)
    for kind in listed:
        if one_of("kinds", kind, KINDS) is None:
            raise InvalidInputError("kinds must not hold None")
    return listed


def _score(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or isnan(value):
        raise InvalidInputError("min_score must be a number")
    return float(value)
