"""The conversations.json of an export from Claude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgrecall.ops.transfer.items import (
    Item,
    Malformed,
    Skipped,
    SourcePart,
    SourceParts,
    identified,
    moment_of,
    role_fields,
)

_ROLES = {"human": "user", "assistant": "assistant"}


def read_conversation(position: str, conversation: object) -> SourceParts:
    """The messages of one conversation, in their order."""
    messages = conversation.get("chat_messages") if isinstance(conversation, Mapping) else None
    if not isinstance(messages, list) or not isinstance(conversation, Mapping):
        yield Malformed(position, "it is no conversation of a Claude export")
    elif not isinstance(conversation.get("uuid"), str):
        yield Malformed(position, "it has no uuid")
    else:
        for place, message in enumerate(messages, 1):
            yield _message(f"{position}, message {place}", conversation, message)


def _message(position: str, conversation: Mapping[str, Any], message: object) -> SourcePart:
    if not isinstance(message, Mapping):
        return Malformed(position, "it is no message")
    role = _ROLES.get(str(message.get("sender")))
    if role is None:
        return Malformed(position, f"nobody knows the sender {str(message.get('sender'))[:40]!r}")
    text = _text(message)
    if not text.strip():
        return Skipped(position, "it has no text")
    context, key = conversation["uuid"], message.get("uuid")
    try:
        at = moment_of(message.get("created_at"))
    except ValueError:
        return Malformed(position, "its created_at is no time")
    fields = role_fields(role)
    own = {
        "role": role,
        "source": "claude",
        "source_id": key,
        "title": conversation.get("name"),
        "files": _files(message),
    }
    fields |= {
        "content": text,
        "context_key": context,
        "occurred_at": at,
        "metadata": {name: value for name, value in own.items() if value},
    }
    return Item(position, identified("claude", f"{context}/{key or position}", at, fields))


def _text(message: Mapping[str, Any]) -> str:
    """What was said; `text` is older, and holds what tools did as well."""
    blocks = message.get("content")
    said = [
        block["text"]
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, Mapping)
        and block.get("type") == "text"
        and isinstance(block.get("text"), str)
    ]
    text = "\n".join(said) or message.get("text")
    return text if isinstance(text, str) else ""


def _files(message: Mapping[str, Any]) -> list[str]:
    attached = [*_list(message.get("attachments")), *_list(message.get("files"))]
    names = [each.get("file_name") for each in attached if isinstance(each, Mapping)]
    return [name for name in names if isinstance(name, str) and name]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
