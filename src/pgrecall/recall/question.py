"""What a recall asks, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isnan

from pgrecall.domain.documents import Json, document
from pgrecall.domain.draft import one_of
from pgrecall.domain.memory import KINDS
from pgrecall.domain.numbers import MAX_HITS, count
from pgrecall.domain.text import MAX_KEY_CHARACTERS, clean_text, identifier
from pgrecall.domain.times import moment
from pgrecall.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class RecallRequest:
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


def question(request: RecallRequest) -> Question:
    """The checked question. Raises InvalidInputError, LimitExceededError."""
    if not isinstance(request.query, str):
        raise InvalidInputError(f"query must be a text, not {type(request.query).__name__}")
    return Question(
        query=clean_text(request.query),
        user_id=identifier("user_id", request.user_id),
        agent_id=identifier("agent_id", request.agent_id),
        context_key=identifier("context", request.context, MAX_KEY_CHARACTERS),
        kinds=checked_kinds(request.kinds),
        metadata=document("metadata", request.metadata),
        since=moment("since", request.since),
        until=moment("until", request.until),
        as_of=moment("as_of", request.as_of),
        match_limit=None if request.limit is None else count("limit", request.limit, MAX_HITS),
        min_score=_score(request.min_score),
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
