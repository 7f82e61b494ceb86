"""Changes of one memory, as update_memory() takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypedDict

from pgrecall.domain.documents import Json, document
from pgrecall.domain.draft import one_of
from pgrecall.domain.marks import own_words
from pgrecall.domain.memory import KINDS, VISIBILITIES
from pgrecall.domain.numbers import share
from pgrecall.domain.text import clean_text
from pgrecall.domain.times import moment
from pgrecall.errors import InvalidInputError


class Changes(TypedDict, total=False):
    """The fields of a memory that can be changed; None clears valid_to and expires_at."""

    content: str
    kind: str
    importance: float
    confidence: float
    visibility: str
    metadata: Mapping[str, object]
    occurred_at: datetime | str
    valid_from: datetime | str
    valid_to: datetime | str | None
    expires_at: datetime | str | None


_CLEARABLE = {"valid_to", "expires_at"}


def changes(given: Mapping[str, object]) -> dict[str, Json]:
    """The given changes, checked. Raises InvalidInputError, LimitExceededError."""
    unknown = [name for name in given if name not in _READ]
    if unknown:
        raise InvalidInputError(
            f"{unknown[0]} can't be changed", hint=f"What can be: {', '.join(_READ)}."
        )
    if not given:
        raise InvalidInputError("no change is given")
    for name, value in given.items():
        if value is None and name not in _CLEARABLE:
            raise InvalidInputError(f"{name} can't be cleared")
    return {name: _READ[name](name, value) for name, value in given.items()}


def _content(name: str, value: object) -> Json:
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} must be a text, not {type(value).__name__}")
    return own_words(clean_text(value))


def _time(name: str, value: object) -> Json:
    at = moment(name, value)
    return None if at is None else at.isoformat()


_READ: dict[str, Callable[[str, object], Json]] = {
    "content": _content,
    "kind": lambda name, value: one_of(name, value, KINDS),
    "importance": share,
    "confidence": share,
    "visibility": lambda name, value: one_of(name, value, VISIBILITIES),
    "metadata": document,
    "occurred_at": _time,
    "valid_from": _time,
    "valid_to": _time,
    "expires_at": _time,
}
