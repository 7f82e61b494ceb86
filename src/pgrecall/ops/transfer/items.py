"""What readers of sources give: memories to be imported, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeAlias
from uuid import UUID

from pgrecall.domain.draft import TRUST_OF_ROLE
from pgrecall.domain.times import moment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Item:
    """One memory of a source: its fields as `Transfer.store` takes them.

    `position` says where it stands, in words such as `line 7`.
    """

    position: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Malformed:
    """A part of a source that is no memory, where it stands, and why."""

    position: str
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part of a source that is not meant to be a memory, where it stands, and why."""

    position: str
    reason: str


SourcePart: TypeAlias = "Item | Malformed | Skipped"
SourceParts: TypeAlias = "Iterator[SourcePart]"


def identified(
    source: str, key: str, at: datetime | None, fields: Mapping[str, object]
) -> dict[str, object]:
    """The fields with an id and an idempotency key that follow from what an item is in its source.

    So the same item is known again whenever its source is imported again, and an erasure of it is
    honoured. `key` must be its own within `source`; `at` is when it was made, None if nobody knows.
    """
    digest = sha256(f"{source}\n{key}".encode(errors="replace"))
    return {
        **fields,
        "id": str(_uuid_v7(at or _EPOCH, digest.digest())),
        "idempotency_key": f"import:{source[:40]}:{digest.hexdigest()}",
    }


def _uuid_v7(at: datetime, random: bytes) -> UUID:
    """A UUID of version 7 (RFC 9562): the milliseconds of a time, then the given bits."""
    milliseconds = max(0, (at - _EPOCH) // _MILLISECOND)
    number = (milliseconds & (2**48 - 1)) << 80 | int.from_bytes(random[:10], "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)


def role_fields(role: str) -> dict[str, object]:
    """The fields of a message that somebody in a role said; an unknown role is a user's."""
    return {
        "kind": "message",
        "trust": TRUST_OF_ROLE.get(role, "user"),
        "metadata": {"role": role if role in TRUST_OF_ROLE else "user"},
    }


def moment_of(value: object) -> datetime | None:
    """A time as sources write it, seconds since 1970 or ISO 8601; None stays None.

    Raises ValueError for anything else, such as a time past the year 9999.
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return moment("time", value)
    try:
        return _EPOCH + timedelta(seconds=value)
    except OverflowError:
        raise ValueError("there is no such time") from None
