"""The conversations.json of an export from ChatGPT: trees of messages.

A conversation is the branch that leads to its current node: what was edited or generated anew is
another branch, and not what was said in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
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

_STEP = timedelta(microseconds=1)
# What a model thought to itself, and what it was told about the user.
_UNSAID = {"thoughts", "reasoning_recap", "user_editable_context", "model_editable_context"}


def read_conversation(position: str, conversation: object) -> SourceParts:
    """The messages of one conversation, oldest first."""
    mapping = conversation.get("mapping") if isinstance(conversation, Mapping) else None
    if not isinstance(mapping, Mapping) or not isinstance(conversation, Mapping):
        yield Malformed(position, "it is no conversation of an OpenAI export")
        return
    key = conversation.get("conversation_id") or conversation.get("id")
    branch = _branch(mapping, conversation.get("current_node"))
    if not isinstance(key, str):
        yield Malformed(position, "it has no id")
    elif branch is None:
        yield Malformed(position, "its messages lead in a circle, or to one that is not there")
    else:
        yield from _messages(position, key, conversation, branch)


def _branch(mapping: Mapping[str, Any], current: object) -> list[Mapping[str, Any]] | None:
    """The nodes from the root to the current one, or to the last one if none is current."""
    node = current if current is not None else next(reversed(list(mapping)), None)
    found: dict[str, Mapping[str, Any]] = {}
    while node is not None:
        if not isinstance(node, str) or node in found or not isinstance(mapping.get(node), Mapping):
            return None
        found[node] = mapping[node]
        node = found[node].get("parent")
    return list(reversed(found.values()))


def _messages(
    position: str, key: str, conversation: Mapping[str, Any], branch: list[Mapping[str, Any]]
) -> Iterator[SourcePart]:
    try:
        at = moment_of(conversation.get("create_time"))
    except ValueError:
        yield Malformed(position, "its create_time is no time")
        return
    place = 0
    for node in branch:
        message = node.get("message")
        if message is None:
            continue
        place += 1
        where = f"{position}, message {place}"
        if not isinstance(message, Mapping):
            yield Malformed(where, "it is no message")
            continue
        try:
            # Some have no time: they were said right after the one before.
            at = moment_of(message.get("create_time")) or (at and at + _STEP)
        except (ValueError, OverflowError):
            yield Malformed(where, "its create_time is no time")
            continue
        yield _message(where, key, str(conversation.get("title") or ""), message, at)


def _message(
    position: str, key: str, title: str, message: Mapping[str, Any], at: datetime | None
) -> SourcePart:
    author, content = _object(message.get("author")), _object(message.get("content"))
    text, role = _text(content), author.get("role")
    if not isinstance(role, str):
        return Malformed(position, "nobody said it")
    if content.get("content_type") in _UNSAID or _is_hidden(message):
        return Skipped(position, "it was not part of what was said")
    if not text.strip():
        return Skipped(position, "it has no text")
    fields: dict[str, object] = {
        **role_fields(role),
        "content": text,
        "speaker": author.get("name") or None,
        "context_key": key,
        "occurred_at": at,
    }
    own = {"source": "openai", "source_id": message.get("id"), "title": title}
    fields["metadata"] = {**_object(fields["metadata"]), **{k: v for k, v in own.items() if v}}
    return Item(
        position, identified("openai", f"{key}/{message.get('id') or position}", at, fields)
    )


def _text(content: Mapping[str, Any]) -> str:
    parts = content.get("parts")
    if isinstance(parts, list):
        return "\n".join(filter(None, map(_part, parts)))
    text = content.get("text") or content.get("result")
    return text if isinstance(text, str) else ""


def _part(part: object) -> str:
    """A part's text: of a recording, what was heard; of an image, nothing."""
    text = part.get("text") if isinstance(part, Mapping) else part
    return text if isinstance(text, str) else ""


def _is_hidden(message: Mapping[str, Any]) -> bool:
    return bool(_object(message.get("metadata")).get("is_visually_hidden_from_conversation"))


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
