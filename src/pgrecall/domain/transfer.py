"""Memories on their way out and in: their fields, and what import_memories() takes of them."""

from __future__ import annotations

from collections.abc import Mapping

from pgrecall.domain.draft import Draft, DraftDefaults, own_content, shared_fields, text_to_embed
from pgrecall.domain.scope import memory_id
from pgrecall.domain.text import clean_text, identifier
from pgrecall.domain.times import moment
from pgrecall.errors import InvalidInputError

# The columns of an export, in their order. They are a contract: docs/export-import.md.
FIELDS = (
    "id",
    "organization_id",
    "agent_id",
    "user_id",
    "context_id",
    "context_key",
    "kind",
    "content",
    "speaker",
    "language",
    "slot",
    "importance",
    "confidence",
    "trust",
    "visibility",
    "metadata",
    "occurred_at",
    "valid_from",
    "valid_to",
    "superseded_by",
    "expires_at",
    "forgotten_at",
    "created_at",
    "updated_at",
    "position",
)
HISTORY = "history"
TIMES = (
    "occurred_at",
    "valid_from",
    "valid_to",
    "expires_at",
    "forgotten_at",
    "created_at",
    "updated_at",
)

# The others of FIELDS are of the database that they come from; the one that they go to has its own.
_TOLD = {
    "agent_id",
    "user_id",
    "kind",
    "slot",
    "metadata",
    "importance",
    "confidence",
    "trust",
    "visibility",
    "occurred_at",
    "valid_from",
    "valid_to",
    "expires_at",
}
_KNOWN = {*FIELDS, HISTORY, "idempotency_key"}


def import_draft(item: object) -> Draft:
    """An item as import_memories() takes it; None in a field leaves it to the database.

    Raises InvalidInputError, LimitExceededError.
    """
    if not isinstance(item, Mapping):
        raise InvalidInputError(
            f"an item must be an object, not {type(item).__name__}", item_code="invalid_item"
        )
    _refuse_unknown(item)
    defaults = DraftDefaults(
        context=item.get("context_key"), **{name: item[name] for name in _TOLD if name in item}
    )
    fields = shared_fields(defaults)
    fields["content"] = _text(item.get("content"))
    for name, longest in (("speaker", 255), ("language", 63), ("idempotency_key", 255)):
        value = item.get(name)
        given = identifier(name, clean_text(value) if isinstance(value, str) else value, longest)
        if given is not None:
            fields[name] = given
    for name in ("created_at", "forgotten_at"):
        at = moment(name, item.get(name))
        if at is not None:
            fields[name] = at.isoformat()
    if item.get("position") is not None:
        fields["position"] = _position(item["position"])
    if item.get("id") is not None:
        fields["id"] = str(memory_id(item["id"]))
    return Draft(fields, text_to_embed(fields))


def _refuse_unknown(item: Mapping[object, object]) -> None:
    unknown = [str(name) for name in item if name not in _KNOWN]
    if unknown:
        raise InvalidInputError(
            f"unknown field {unknown[0][:40]!r}",
            hint=f"Known: {', '.join(sorted(_KNOWN))}.",
            item_code="unknown_field",
        )


def _position(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise InvalidInputError(f"position must be a whole number, not {str(value)[:40]!r}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInputError(f"content must be a text, not {type(value).__name__}")
    return own_content(value)
