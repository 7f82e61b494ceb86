"""What readers of sources give: memories to be imported, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import TypeAlias
from uuid import UUID

from pgrecall.errors import InvalidInputError

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
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


Read: TypeAlias = "Item | Malformed"
Reading: TypeAlias = "Iterator[Read]"


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


def mapping(value: object, what: str) -> Mapping[str, object]:
    """A JSON object; InvalidInputError for anything else."""
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{what} must be an object, not {type(value).__name__}")
    return value
