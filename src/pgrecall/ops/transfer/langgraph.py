"""LangGraph's store table: a namespace, a key, and any JSON object as the value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pgrecall.errors import InvalidInputError
from pgrecall.ops.transfer.files import as_json
from pgrecall.ops.transfer.items import (
    Item,
    Malformed,
    SourcePart,
    SourceParts,
    identified,
    moment_of,
    role_fields,
)

# Where values keep their text, in the order in which they are asked.
_TEXTS = ("content", "text", "memory", "data", "value")
_ROLE_OF_TYPE = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}
_PLACES = {"{user}": "user_id", "{agent}": "agent_id", "{context}": "context_key"}


def read_langgraph(rows: Iterable[Mapping[str, Any]], namespace: str | None) -> SourceParts:
    """The memories of rows of the table, each given as its JSON object in `row`.

    `namespace` says what the parts of a namespace are, such as `memories.{user}.{context}`; rows
    of others are malformed. Raises InvalidInputError for one that says nothing.
    """
    template = namespace.split(".") if namespace else None
    if template and not set(template) & set(_PLACES):
        raise InvalidInputError(
            f"the namespace {namespace!r} names no part",
            hint=f"Known parts: {', '.join(_PLACES)}, as in memories.{{user}}.",
        )
    for each in rows:
        row = each["row"]
        position = f"{row['prefix']}/{row['key']}"
        parts = row["prefix"].split(".")
        named = {} if template is None else _named(template, parts)
        if named is None:
            yield Malformed(position, f"its namespace is not of the form {namespace}")
        else:
            yield from _memories(position, row, {**named, "namespace": parts})


def _named(template: list[str], parts: list[str]) -> dict[str, object] | None:
    if len(template) != len(parts):
        return None
    named: dict[str, object] = {}
    for wanted, part in zip(template, parts, strict=True):
        if wanted in _PLACES:
            named[_PLACES[wanted]] = part
        elif wanted != part:
            return None
    return named


def _memories(
    position: str, row: Mapping[str, Any], named: dict[str, object]
) -> Iterator[SourcePart]:
    """One memory for a value, or one for each of its messages."""
    value = row["value"]
    messages = value.get("messages") if isinstance(value, Mapping) else None
    if not isinstance(messages, list) or not messages:
        yield _memory(position, position, row, value, named)
        return
    for place, message in enumerate(messages, 1):
        where = f"{position}, message {place}"
        yield _memory(where, f"{position}#{place}", row, message, named)


def _memory(
    position: str, key: str, row: Mapping[str, Any], value: object, named: dict[str, object]
) -> Item | Malformed:
    try:
        created_at = moment_of(row.get("created_at"))
    except ValueError:
        return Malformed(position, "its created_at is no time")
    metadata = {"namespace": named["namespace"], "key": row["key"], "source": "langgraph"}
    said = _said(value)
    fields = {
        **said,
        **{name: part for name, part in named.items() if name != "namespace"},
        "occurred_at": created_at,
        "created_at": created_at,
        "expires_at": row.get("expires_at"),
        "metadata": {**_rest(value), **_object(said.get("metadata")), **metadata},
    }
    return Item(position, identified("langgraph", key, created_at, fields))


def _said(value: object) -> dict[str, object]:
    """Content, kind and trust; a value without a text in a usual place is kept as its JSON."""
    text = _text(value)
    if not isinstance(value, Mapping):
        return {"content": text or as_json(value), "kind": "fact"}
    role = _ROLE_OF_TYPE.get(str(value.get("type"))) or value.get("role")
    if role and text:
        name = value.get("name")
        return {**role_fields(str(role)), "content": text, "speaker": name or None}
    return {"content": text or as_json(value), "kind": "fact"}


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(filter(None, map(_text, value))) or None
    if isinstance(value, Mapping):
        for name in _TEXTS:
            found = _text(value.get(name))
            if found:
                return found
    return None


def _rest(value: object) -> dict[str, object]:
    """What else is in a value, beside its text."""
    if not isinstance(value, Mapping) or _text(value) is None:
        return {}
    used = next(name for name in _TEXTS if _text(value.get(name)))
    return {str(name): rest for name, rest in value.items() if name != used}


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
