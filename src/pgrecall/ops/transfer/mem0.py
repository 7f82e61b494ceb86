"""mem0's table in PostgreSQL: an id, a vector, and all the rest in a JSON payload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pgrecall.ops.transfer.items import (
    Item,
    Malformed,
    SourceParts,
    identified,
    moment_of,
    role_fields,
)

# What becomes a field of its own, or says nothing without mem0.
_OWN = {
    "actor_id",
    "agent_id",
    "created_at",
    "data",
    "expiration_date",
    "hash",
    "role",
    "run_id",
    "text_lemmatized",
    "updated_at",
    "user_id",
}


def read_mem0(rows: Iterable[Mapping[str, Any]]) -> SourceParts:
    """The memories of rows with `id` and `payload`."""
    for row in rows:
        position = f"row {row['id']}"
        payload = row["payload"]
        if not isinstance(payload, Mapping):
            yield Malformed(position, "its payload is no JSON object")
        elif not isinstance(payload.get("data"), str):
            yield Malformed(position, "its payload has no text in data")
        else:
            yield _read(position, str(row["id"]), payload)


def _read(position: str, key: str, payload: Mapping[str, Any]) -> Item | Malformed:
    try:
        created_at = moment_of(payload.get("created_at"))
    except ValueError:
        return Malformed(position, "its created_at is no time")
    try:
        expires_at = _end_of(payload.get("expiration_date"))
    except ValueError:
        return Malformed(position, "its expiration_date is no date")
    role = payload.get("role")
    # Without a role it is what a language model made of a conversation.
    known = role_fields(str(role)) if role else {"kind": "fact", "trust": "inference"}
    metadata = {name: value for name, value in payload.items() if name not in _OWN}
    metadata |= {"role": str(role)} if role else {}
    fields = {
        **known,
        "content": payload["data"],
        "user_id": payload.get("user_id"),
        "agent_id": payload.get("agent_id"),
        "context_key": payload.get("run_id"),
        "speaker": payload.get("actor_id"),
        "occurred_at": created_at,
        "created_at": created_at,
        "expires_at": expires_at,
        "metadata": {**metadata, "source": "mem0", "source_id": key},
    }
    return Item(position, identified("mem0", key, created_at, fields))


def _end_of(day: object) -> datetime | None:
    """When a day is over: mem0 shows a memory on the day of its expiration still.

    None for no day, and for one in the year 9999, which stands for never. Raises ValueError.
    """
    last = None if day is None else date.fromisoformat(str(day))
    if last is None or last.year == date.max.year:
        return None
    return datetime.combine(last, time(), UTC) + timedelta(days=1)
