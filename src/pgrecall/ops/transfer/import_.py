"""Sending what a source holds to the database, some hundreds at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias
from uuid import UUID

from pgrecall._sync.transfer import Transfer
from pgrecall.domain.remembered import RememberedItem, refused
from pgrecall.errors import NoOrganizationError, PermissionDeniedError
from pgrecall.ops.transfer.items import Item, Malformed, Skipped, SourcePart

# What is done again at most after an interruption.
PAGE = 256

OpenAs: TypeAlias = Callable[["str | None"], Transfer]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one part of a source.

    `status` is one of Remembered's; rejected for what could not be read, too, and skipped for what
    is not meant to be a memory.
    """

    position: str
    status: str
    code: str
    reason: str | None
    id: UUID | None


def import_items(
    source: Iterable[SourcePart],
    open_as: OpenAs,
    *,
    defaults: Mapping[str, object] | None = None,
    dry_run: bool = False,
) -> Iterator[Outcome]:
    """Import what a source gives, or with `dry_run` only say what would become of it, in order.

    `open_as` gives the way in for an agent's memories, for None that of the caller itself.
    `defaults` are fields for all items that leave them open. Nothing is done before the outcomes
    are asked for; each comes after its item was committed, so it can be interrupted and repeated.
    """
    reading = iter(source)
    while page := list(islice(reading, PAGE)):
        yield from _outcomes(page, open_as, defaults or {}, dry_run)


def _outcomes(
    page: Sequence[SourcePart], open_as: OpenAs, defaults: Mapping[str, object], dry_run: bool
) -> list[Outcome]:
    found: dict[int, Outcome] = {}
    by_agent: dict[str | None, list[tuple[int, Item]]] = {}
    for place, read in enumerate(page):
        if isinstance(read, Malformed):
            found[place] = Outcome(read.position, "rejected", "invalid_item", read.reason, None)
        elif isinstance(read, Skipped):
            found[place] = Outcome(read.position, "skipped", "skipped", read.reason, None)
        else:
            by_agent.setdefault(_agent(read), []).append((place, read))
    for agent_id, items in by_agent.items():
        fields = [completed(item.fields, defaults) for _, item in items]
        answers = _stored(open_as, agent_id, fields, dry_run)
        for (place, item), answer in zip(items, answers, strict=True):
            found[place] = Outcome(
                item.position, answer.status, answer.code, answer.reason, answer.id
            )
    return [found[place] for place in range(len(page))]


def completed(fields: Mapping[str, object], defaults: Mapping[str, object]) -> dict[str, object]:
    """The fields, and those of the defaults that they leave open."""
    open_ones = {name: value for name, value in defaults.items() if fields.get(name) is None}
    return {**fields, **open_ones}


def _agent(item: Item) -> str | None:
    agent_id = item.fields.get("agent_id")
    return agent_id if isinstance(agent_id, str) else None


def _stored(
    open_as: OpenAs, agent_id: str | None, fields: Sequence[Mapping[str, object]], dry_run: bool
) -> Iterable[RememberedItem]:
    try:
        return open_as(agent_id).store(fields, dry_run=dry_run)
    except (NoOrganizationError, PermissionDeniedError) as error:
        if agent_id is None:
            raise
        # One agent's memories must not keep out all others'.
        return [refused(place, error) for place, _ in enumerate(fields, 1)]
