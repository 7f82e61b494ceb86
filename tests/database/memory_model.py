"""What the database promises of conversations, facts and times, in plain Python.

It keeps a list of memories and decides by searching it: slow, and short enough to be checked by
reading. docs/schema.md says the same in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

MICROSECOND = timedelta(microseconds=1)


@dataclass
class Entry:
    """A memory; one that is not stored yet may have no id; `is_timed`: its time was told."""

    content: str
    kind: str
    context: str | None
    trust: str
    occurred_at: datetime
    valid_from: datetime
    valid_to: datetime | None
    expires_at: datetime | None
    id: str | None
    idempotency_key: str | None
    is_timed: bool
    position: int = 0
    is_forgotten: bool = False
    # What its text is known by; None once it gave that up.
    key: tuple[Any, ...] | None = None

    @property
    def is_message(self) -> bool:
        return self.kind == "message" and self.context is not None

    def text_key(self) -> tuple[Any, ...] | None:
        if self.is_message:
            return None
        said = self.trust if self.kind == "message" else None
        at = self.occurred_at if self.kind in ("message", "event") else None
        return (self.context, self.content.lower().strip(), said, at)

    def has_ended(self, now: datetime) -> bool:
        ends = [end for end in (self.valid_to, self.expires_at) if end is not None]
        return any(end <= now for end in ends)

    def is_recalled(self, now: datetime) -> bool:
        return not self.is_forgotten and self.valid_from <= now and not self.has_ended(now)


class ConflictingError(Exception):
    """What was asked contradicts what is stored."""


@dataclass
class MemoryModel:
    """The memories of one agent at a time that is set from outside."""

    now: datetime
    entries: list[Entry] = field(default_factory=list)
    written: int = 0

    def remember(self, items: Sequence[dict[str, Any]]) -> list[tuple[str, Entry | None]]:
        """The code of each item, and the memory that it is or was."""
        drafts = [self._draft(item, place) for place, item in enumerate(items)]
        answers: dict[int, tuple[str, Entry | None]] = {}
        self._place(drafts)
        for talk in dict.fromkeys(draft.context for draft in drafts if draft.is_message):
            answers |= self._known(
                [p for p, d in enumerate(drafts) if d.is_message and d.context == talk], drafts
            )
        for place, draft in enumerate(drafts):
            if place not in answers:
                key = None if draft.has_ended(self.now) else draft.text_key()
                self.release(key, draft.valid_from <= self.now)
        # What is valid later only gives way to what is valid now.
        for place, draft in sorted(
            enumerate(drafts), key=lambda each: each[1].valid_from > self.now
        ):
            if place not in answers:
                answers[place] = self._add(draft)
        return [answers[place] for place in range(len(items))]

    def _draft(self, item: dict[str, Any], place: int) -> Entry:
        def time(name: str) -> datetime | None:
            return datetime.fromisoformat(item[name]) if name in item else None

        told = time("occurred_at")
        kind = item.get("kind", "fact")
        said = self.now + place * MICROSECOND if kind == "message" else self.now
        return Entry(
            content=item["content"],
            kind=kind,
            context=item.get("context_key"),
            trust=item.get("trust", "user"),
            occurred_at=told or said,
            valid_from=time("valid_from") or min(told or self.now, self.now),
            valid_to=time("valid_to"),
            expires_at=time("expires_at"),
            id=item.get("id"),
            idempotency_key=item.get("idempotency_key"),
            is_timed=told is not None,
        )

    def _place(self, drafts: Sequence[Entry]) -> None:
        """Messages that tell no time are said one after the other, behind what is there."""
        latest = self.now + timedelta(seconds=30)
        said_at: dict[str | None, datetime] = {}
        for draft in drafts:
            self.written += 1
            draft.position = self.written
            if draft.is_message and not draft.is_timed:
                before = [e.occurred_at + MICROSECOND for e in self.entries
                          if e.context == draft.context and e.occurred_at <= latest]  # fmt: skip
                at = said_at.get(draft.context, max([self.now, *before]))
                draft.occurred_at, said_at[draft.context] = at, at + MICROSECOND

    def talk(self, context: str | None, *, with_forgotten: bool = False) -> list[Entry]:
        """The messages of a conversation, with those that were forgotten before the last other."""
        all_ = sorted((e for e in self.entries if e.is_message and e.context == context),
                      key=lambda e: (e.occurred_at, e.position))  # fmt: skip
        if not with_forgotten:
            return [e for e in all_ if not e.is_forgotten]
        while all_ and all_[-1].is_forgotten:
            all_.pop()
        return all_

    def _identified(self, draft: Entry) -> tuple[str, Entry | None] | None:
        by_key = [
            e
            for e in self.entries
            if draft.idempotency_key and e.idempotency_key == draft.idempotency_key
        ]
        by_id = [e for e in self.entries if draft.id and e.id == draft.id]
        for name, found in (("key", by_key), ("id", by_id)):
            for entry in found:
                is_same = (entry.context == draft.context
                           and entry.content.lower().strip()
                           == draft.content.lower().strip())  # fmt: skip
                return (f"known_{name}", entry) if is_same else (f"{name}_taken", None)
        return None

    def _known(
        self, places: Sequence[int], drafts: Sequence[Entry]
    ) -> dict[int, tuple[str, Entry | None]]:
        answers: dict[int, tuple[str, Entry | None]] = {}
        for place in places:
            found = self._identified(drafts[place])
            if found is not None:
                answers[place] = found
        listed = [
            place for place in places if place not in answers or answers[place][1] is not None
        ]
        context = drafts[places[0]].context
        seen: list[Entry] = []
        for place in listed:
            draft = drafts[place]
            if draft.is_timed:
                nth = sum(_is_moment(other, draft) for other in seen)
                seen.append(draft)
                twins = sorted((e for e in self.entries if e.is_message and e.context == context
                                and _is_moment(e, draft)),
                               key=lambda e: e.position)  # fmt: skip
                if nth < len(twins):
                    answers.setdefault(place, ("known_message", twins[nth]))
        for place, entry in self._resent([drafts[place] for place in listed], listed, context):
            answers.setdefault(place, ("known_message", entry))
        return answers

    def _resent(
        self, told: Sequence[Entry], places: Sequence[int], context: str | None
    ) -> Iterator[tuple[int, Entry]]:
        best: list[Entry] = []
        is_list = len(told) > 1 and any(not d.is_timed and d.id is None for d in told)
        for with_forgotten in (False, True):
            stored = self.talk(context, with_forgotten=with_forgotten)
            for k in range(1, min(len(told), len(stored)) + 1) if is_list else ():
                end = stored[-k:]
                if (
                    (k > 1 or len(stored) == 1)
                    and all(map(_is_same_message, end, told))
                    and k > len(best)
                ):
                    best = end
        return zip(places, best, strict=False)

    def _add(self, draft: Entry) -> tuple[str, Entry | None]:
        found = self._identified(draft)
        if found is not None:
            return found
        key = None if draft.has_ended(self.now) else draft.text_key()
        for entry in self.entries:
            if key is not None and entry.key == key and not entry.is_forgotten:
                return "same_text", entry
        self.entries.append(replace(draft, key=key))
        return "added", self.entries[-1]

    def release(self, key: tuple[Any, ...] | None, later_ones: bool) -> None:
        """A memory that can't be recalled now gives its text up."""
        for entry in self.entries:
            if (
                key is not None
                and entry.key == key
                and not entry.is_forgotten
                and (entry.has_ended(self.now) or (later_ones and entry.valid_from > self.now))
            ):
                entry.key = None

    def update(self, entry: Entry, changes: dict[str, Any]) -> None:
        """Raises ConflictingError if another memory has the words that it is to have."""
        new = replace(entry, **changes)
        if new == entry:
            return
        key = None if new.has_ended(self.now) else new.text_key()
        if key != entry.key:
            self.release(key, new.valid_from <= self.now)
        self._claim(entry, key, is_forgotten=entry.is_forgotten)
        for name in changes:
            setattr(entry, name, getattr(new, name))

    def forget(self, entry: Entry) -> None:
        entry.is_forgotten = True

    def restore(self, entry: Entry) -> None:
        """Raises ConflictingError if the same text was remembered again."""
        if entry.key is not None:
            self.release(entry.key, entry.valid_from <= self.now)
        self._claim(entry, None if entry.has_ended(self.now) else entry.key, is_forgotten=False)
        entry.is_forgotten = False

    def _claim(self, entry: Entry, key: tuple[Any, ...] | None, *, is_forgotten: bool) -> None:
        if key is not None and not is_forgotten:
            for other in self.entries:
                if other is not entry and other.key == key and not other.is_forgotten:
                    raise ConflictingError
        entry.key = key


def _is_moment(one: Entry, other: Entry) -> bool:
    return (one.trust, one.content, one.occurred_at) == (
        other.trust,
        other.content,
        other.occurred_at,
    )


def _is_same_message(stored: Entry, told: Entry) -> bool:
    return (
        (stored.trust, stored.content) == (told.trust, told.content)
        and (not told.is_timed or stored.occurred_at == told.occurred_at)
        and (told.id is None or stored.id == told.id)
    )
