"""Scopes: which memories to forget, restore or erase. An empty one is never "everything"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from pgrecall.domain.documents import Json
from pgrecall.domain.text import MAX_KEY_CHARACTERS, identifier
from pgrecall.errors import InvalidInputError, InvalidScopeError

Ids: TypeAlias = "UUID | str | Iterable[UUID | str]"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many memories were forgotten or restored, or would be, if `dry_run`."""

    memories: int
    dry_run: bool


def memory_id(value: object) -> UUID:
    """A UUID or its text as a UUID; InvalidInputError for anything else."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError):
        raise InvalidInputError(
            f"{str(value)[:40]!r} is no id of a memory; that is a UUID"
        ) from None


def scope(
    ids: Ids | None, user_id: str | None, agent_id: str | None, context: str | None
) -> dict[str, Json]:
    """The scope as forget_memories() takes it: all that is named has to apply.

    Raises InvalidScopeError if nothing is named, or an empty list of ids.
    """
    named: dict[str, Json] = {}
    if ids is not None:
        listed = [ids] if isinstance(ids, (str, UUID)) else list(ids)
        if not listed:
            raise InvalidScopeError("ids is empty", hint="Name at least one memory.")
        named["ids"] = [str(memory_id(each)) for each in listed]
    for name, value, longest in (
        ("user_id", user_id, 255),
        ("agent_id", agent_id, 255),
        ("context_key", context, MAX_KEY_CHARACTERS),
    ):
        given = identifier(name, value, longest)
        if given is not None:
            named[name] = given
    if not named:
        raise InvalidScopeError(
            "the scope names nothing", hint="Give ids, user_id, agent_id or context."
        )
    return named
