"""From what a caller gives to drafts: items that remember_memories() takes, checked one by one.

A string is a fact, a message `{"role", "content", "name"?, "created_at"?}` is a message. The role
says how far to trust it; the name is the speaker. Whatever is wrong with an argument, or with a
single item, raises before anything is written; an item of a list that is wrong has its error in
its place. Whether the caller may write a memory, and whether its text is too long, the database
answers for each item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ParamSpec, TypeAlias

from pgrecall.domain.documents import Json, document
from pgrecall.domain.marks import own_words
from pgrecall.domain.memory import KINDS, TRUSTS, VISIBILITIES
from pgrecall.domain.numbers import share
from pgrecall.domain.text import MAX_KEY_CHARACTERS, clean_text, identifier
from pgrecall.domain.times import moment
from pgrecall.errors import InvalidInputError

# The error of an item that could not even be read keeps its place among the others.
Item: TypeAlias = "str | Mapping[str, object] | InvalidInputError"
Content: TypeAlias = "Item | Iterable[Item]"

TRUST_OF_ROLE = {
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "system": "document",
    "developer": "document",
}
Arguments = ParamSpec("Arguments")

MESSAGE_KEYS = {"role", "content", "name", "created_at"}


@dataclass(frozen=True, slots=True)
class DraftDefaults:
    """What a caller says about all items of one call; None leaves it to the database."""

    agent_id: str | None = None
    user_id: str | None = None
    context: str | None = None
    kind: str | None = None
    slot: str | None = None
    metadata: Mapping[str, object] | None = None
    importance: float | None = None
    confidence: float | None = None
    trust: str | None = None
    visibility: str | None = None
    occurred_at: datetime | str | None = None
    valid_from: datetime | str | None = None
    valid_to: datetime | str | None = None
    expires_at: datetime | str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """One item as remember_memories() takes it, and the text that its vector is made of."""

    fields: Mapping[str, Json]
    text_to_embed: str


def is_single(content: Content) -> bool:
    """Whether content is one item, so that its rejection is an error of the call."""
    return isinstance(content, (str, Mapping))


def drafts(content: Content, defaults: DraftDefaults) -> list[Draft | InvalidInputError]:
    """The drafts of a content, in its order; in a list, what is wrong with an item in its place.

    An idempotency key on a list is numbered: `key/1`, `key/2`, … Raises InvalidInputError,
    LimitExceededError for a single item and for the defaults.
    """
    shared, key = shared_fields(defaults), identifier("idempotency_key", defaults.idempotency_key)
    if isinstance(content, (str, Mapping)):
        return [_draft(content, shared, key)]
    if isinstance(content, (bytes, bytearray)) or not isinstance(content, Iterable):
        raise InvalidInputError(
            f"content must be a text, a message or a list of them, not {type(content).__name__}"
        )
    return [
        draft_or_error(_draft, item, shared, key and f"{key}/{place}")
        for place, item in enumerate(content, 1)
    ]


def draft_or_error(
    draft: Callable[Arguments, Draft], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Draft | InvalidInputError:
    """The draft of an item, or why there is none."""
    try:
        return draft(*args, **kwargs)
    except InvalidInputError as error:
        return error


def shared_fields(defaults: DraftDefaults) -> dict[str, Json]:
    """The defaults, checked, as fields of remember_memories(); only what is not None."""
    fields: dict[str, Json | None] = {
        "agent_id": identifier("agent_id", defaults.agent_id),
        "user_id": identifier("user_id", defaults.user_id),
        "context_key": identifier("context", defaults.context, MAX_KEY_CHARACTERS),
        "slot": identifier("slot", defaults.slot, MAX_KEY_CHARACTERS),
        "kind": one_of("kind", defaults.kind, KINDS),
        "trust": one_of("trust", defaults.trust, TRUSTS),
        "visibility": one_of("visibility", defaults.visibility, VISIBILITIES),
        "importance": share("importance", defaults.importance),
        "confidence": share("confidence", defaults.confidence),
        "metadata": document("metadata", defaults.metadata),
    }
    for name in ("occurred_at", "valid_from", "valid_to", "expires_at"):
        at = moment(name, getattr(defaults, name))
        fields[name] = None if at is None else at.isoformat()
    return {name: value for name, value in fields.items() if value is not None}


def one_of(name: str, value: object, allowed: tuple[str, ...]) -> str | None:
    """A value from a closed list, or None; InvalidInputError names the list."""
    if value is None or (isinstance(value, str) and value in allowed):
        return value
    raise InvalidInputError(f"{name} must be one of {', '.join(allowed)}, not {str(value)[:40]!r}")


def _draft(item: object, shared: Mapping[str, Json], idempotency_key: str | None) -> Draft:
    if isinstance(item, str):
        fields = {**shared, "content": own_content(item)}
    elif isinstance(item, Mapping):
        fields = _message(item, shared)
    elif isinstance(item, InvalidInputError):
        raise item
    else:
        raise InvalidInputError(
            f"an item must be a text or a message, not {type(item).__name__}",
            item_code="invalid_item",
        )
    key = identifier("idempotency_key", idempotency_key)
    if key is not None:
        fields["idempotency_key"] = key
    return Draft(fields, text_to_embed(fields))


def _message(message: Mapping[str, object], shared: Mapping[str, Json]) -> dict[str, Json]:
    unknown = [key for key in message if key not in MESSAGE_KEYS]
    if unknown:
        raise InvalidInputError(
            f"unknown key {unknown[0]!r} in a message",
            hint=f"Known: {', '.join(sorted(MESSAGE_KEYS))}.",
            item_code="unknown_field",
        )
    content, role = message.get("content"), message.get("role")
    if not isinstance(content, str):
        raise InvalidInputError(f"a message's content must be a text, not {type(content).__name__}")
    if not isinstance(role, str) or role not in TRUST_OF_ROLE:
        raise InvalidInputError(
            f"a message's role must be one of {', '.join(TRUST_OF_ROLE)}, not {str(role)[:40]!r}"
        )
    fields: dict[str, Json] = {"kind": "message", "trust": TRUST_OF_ROLE[role], **shared}
    metadata = shared.get("metadata")
    fields["metadata"] = {**(metadata if isinstance(metadata, dict) else {}), "role": role}
    fields["content"] = own_content(content)
    speaker = _speaker(message.get("name"))
    if speaker is not None:
        fields["speaker"] = speaker
    said_at = moment("created_at", message.get("created_at"))
    if said_at is not None:
        fields["occurred_at"] = said_at.isoformat()
    return fields


def _speaker(name: object) -> str | None:
    if name is not None and not isinstance(name, str):
        raise InvalidInputError(f"a message's name must be a text, not {type(name).__name__}")
    return identifier("name", clean_text(name)) if name else None


def own_content(text: str) -> str:
    """A text as it may be stored, without what was recalled and stands in it."""
    return own_words(clean_text(text))


def text_to_embed(fields: Mapping[str, Json]) -> str:
    """What the vector of a memory is made of: who said it, and the content."""
    content, speaker = str(fields["content"]), fields.get("speaker")
    if speaker is None or content.startswith(f"{speaker}:"):
        return content
    return f"{speaker}: {content}"
