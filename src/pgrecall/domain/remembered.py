"""What became of what was to be remembered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload
from uuid import UUID

from pgrecall.errors import (
    ConflictError,
    InvalidInputError,
    LimitExceededError,
    PermissionDeniedError,
    PgRecallError,
)

# What the rejection of a single content raises; any other is an argument that is wrong.
_ERRORS: dict[str | None, type[PgRecallError]] = {
    "id_taken": ConflictError,
    "key_taken": ConflictError,
    "contended": ConflictError,
    "not_permitted": PermissionDeniedError,
    "too_long": LimitExceededError,
}


@dataclass(frozen=True, slots=True)
class RememberedItem:
    """The answer for one item, `ordinal` counting from 1.

    `status` is added; duplicate (`id` is the memory that was there); superseded (added, and it
    ended the slot's earlier value); or rejected (`id` is None). An import also answers erased:
    it was erased here, so it stays out. `code` says exactly what happened, from the list in
    docs/errors.md, and is stable; `reason` says it in words, which may change.
    """

    ordinal: int
    id: UUID | None
    status: str
    code: str
    reason: str | None

    def error(self) -> PgRecallError:
        """The error that a rejection is where the item was a single one."""
        return _ERRORS.get(self.code, InvalidInputError)(self.reason or "the memory was rejected")


def refused(ordinal: int, error: PgRecallError) -> RememberedItem:
    """The answer for an item that the database was not asked about."""
    code = error.item_code if isinstance(error, InvalidInputError) else "not_permitted"
    return RememberedItem(ordinal, None, "rejected", code, error.message)


@dataclass(frozen=True, slots=True)
class Remembered(Sequence[RememberedItem]):
    """The answers for all items, in order; `id`, `status`, `code`, `reason` are of a single one."""

    items: tuple[RememberedItem, ...]

    @overload
    def __getitem__(self, place: int) -> RememberedItem: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[RememberedItem]: ...
    def __getitem__(self, place: int | slice) -> RememberedItem | Sequence[RememberedItem]:
        return self.items[place]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[RememberedItem]:
        return iter(self.items)

    @property
    def id(self) -> UUID:
        """The id of a single item's memory; InvalidInputError if there are several or none."""
        found = self._single().id
        if found is None:
            raise InvalidInputError("the item was rejected and has no id")
        return found

    @property
    def status(self) -> str:
        """The status of a single item."""
        return self._single().status

    @property
    def code(self) -> str:
        """The code of a single item."""
        return self._single().code

    @property
    def reason(self) -> str | None:
        """The reason of a single item."""
        return self._single().reason

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The ids of all items that were not rejected, duplicates' included."""
        return tuple(item.id for item in self.items if item.id is not None)

    @property
    def added(self) -> tuple[RememberedItem, ...]:
        """The items that were stored, those that superseded another included."""
        return tuple(item for item in self.items if item.status in ("added", "superseded"))

    @property
    def rejected(self) -> tuple[RememberedItem, ...]:
        """The items that were not stored, with their reasons."""
        return tuple(item for item in self.items if item.status == "rejected")

    def _single(self) -> RememberedItem:
        if len(self.items) != 1:
            raise InvalidInputError(f"there are {len(self.items)} items; look at each of them")
        return self.items[0]


def with_refused(asked: Iterable[object], answers: Iterable[RememberedItem]) -> Remembered:
    """The answers for what the database was asked about, and among them, in their places, those
    for the items of which there is only an error.
    """
    answered = iter(answers)
    return Remembered(
        tuple(
            refused(place, each)
            if isinstance(each, PgRecallError)
            else replace(next(answered), ordinal=place)
            for place, each in enumerate(asked, 1)
        )
    )
