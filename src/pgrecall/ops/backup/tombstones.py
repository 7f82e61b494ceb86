"""What of a backup was erased since: tombstones are honoured before a row is put in.

What an erasure does in place, a restore does to the rows that it reads: erased memories are left
out with their vectors, history and conversations; their words don't come in through the windows of
other messages or a summary; statistics of an erased agent, and the name of an erased user in the
audit, neither. What is then loose in the database is settled by the functions that erasing uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

import orjson
from psycopg.rows import DictRow

from pgrecall._sync.session import Session

Lines: TypeAlias = list[bytes]
Row: TypeAlias = Mapping[str, Any]

MEMORIES = "public.ai_memories"
CONTEXTS = "public.ai_memory_contexts"
_OF_MEMORIES = ("agent_memory.history", "agent_memory.embeddings", "agent_memory.pieces")
_STATS = "public.agent_memory_stats"
_AUDIT = "agent_memory.audit"
# What settle() changes in rows that were put in.
RELAXED = {
    MEMORIES: ["superseded_by", "window_lexemes"],
    "agent_memory.history": ["before", "after"],
    "agent_memory.tombstones": ["erased_at"],
}


@dataclass
class TombstoneFilter:
    """Decides which rows of a backup come in; one that is not `active` lets all of them in."""

    session: Session
    organization_id: UUID
    active: bool = False
    erased: set[str] = field(default_factory=set)
    contexts: dict[str, Row] = field(default_factory=dict)
    erased_contexts: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    slots: set[str] = field(default_factory=set)

    def prepare(self, source: UUID, files: Iterable[tuple[str, Lines]]) -> None:
        """Find what was erased, of this organization or of the one that the backup is of.

        `files` are those of the backup, by table, conversations before memories; they are read
        only if there are tombstones.
        """
        if source != self.organization_id:
            self._run("adopt_tombstones", source=source)
        [answer] = self._run("has_tombstones")
        self.active = answer["has_tombstones"]
        surviving: set[str] = set()
        for table, lines in files if self.active else ():
            if table == CONTEXTS:
                self._add_contexts([orjson.loads(line) for line in lines])
            elif table == MEMORIES:
                surviving |= self._add_memories([orjson.loads(line) for line in lines])
        # One that somebody has written to since stays, as it did when it was erased.
        self.erased_contexts -= surviving

    def passing(self, table: str, lines: Lines) -> Lines:
        """The lines that come in, without what was erased of them."""
        if not self.active:
            return lines
        if table == MEMORIES:
            kept = _without(lines, "id", self.erased)
            return self._patched(kept, "context_id", self.touched, {"window_lexemes": None})
        if table == CONTEXTS:
            kept = _without(lines, "id", self.erased_contexts)
            return self._patched(kept, "id", self.touched, {"summary": None})
        if table in _OF_MEMORIES:
            return _without(lines, "memory_id", self.erased)
        if table == _STATS:
            rows = [_named(row, agent_id=row["agent_id"], at="hour") for row in _rows(lines)]
            gone = self._find_erased(rows)
            return [line for place, line in enumerate(lines) if place not in gone]
        return self._without_names(lines) if table == _AUDIT else lines

    def settle(self) -> None:
        """Make good what hangs in the air without the erased rows."""
        erased = {"ids": list(self.erased), "slots": list(self.slots)}
        self._run("settle_erasures", context_ids=list(self.touched), **erased)

    def _add_contexts(self, rows: list[Row]) -> None:
        named = [
            _named(row, **{name: row[name] for name in ("user_id", "agent_id", "context_key")})
            for row in rows
        ]
        gone = self._find_erased(named)
        self.erased_contexts |= {rows[place]["id"] for place in gone}
        self.contexts |= {row["id"]: row["context_key"] for row in rows}

    def _add_memories(self, rows: list[Row]) -> set[str]:
        """The conversations of those that stay."""
        named = [
            _named(
                row,
                memory_id=row["id"],
                user_id=row["user_id"],
                agent_id=row["agent_id"],
                context_key=self.contexts.get(row["context_id"]),
            )
            for row in rows
        ]
        gone = self._find_erased(named)
        for place in gone:
            row = rows[place]
            self.erased.add(row["id"])
            self.touched |= {row["context_id"]} - {None}
            self.slots |= {row["slot"]} - {None}
        return {row["context_id"] for place, row in enumerate(rows) if place not in gone}

    def _find_erased(self, rows: list[Row]) -> set[int]:
        columns = ("memory_id", "user_id", "agent_id", "context_key", "created_at")
        given = {f"{name}s": [row[name] for row in rows] for name in columns}
        return {row["ordinal"] - 1 for row in self._run("find_erased", **given)}

    def _patched(self, lines: Lines, key: str, values: set[str], patch: Row) -> Lines:
        """The lines, with other fields in those whose key is one of the values."""
        if not values:
            return lines
        places = [place for place, row in enumerate(_rows(lines)) if row[key] in values]
        return self._patch(lines, places, patch)

    def _patch(self, lines: Lines, places: list[int], patch: Row) -> Lines:
        if not places:
            return lines
        # By the server, which keeps numbers as they are.
        given = {"lines": [lines[place].decode() for place in places]}
        patched = self._run("patch_lines", **given, patch=orjson.dumps(patch).decode())
        changed = {place: row["line"].encode() for place, row in zip(places, patched, strict=True)}
        return [changed.get(place, line) for place, line in enumerate(lines)]

    def _without_names(self, lines: Lines) -> Lines:
        rows = list(_rows(lines))
        looks = [
            place for place, row in enumerate(rows) if row["action"] == "private_memories_read"
        ]
        named = [
            _named(rows[place], user_id=rows[place]["details"].get("user_id"), at="happened_at")
            for place in looks
        ]
        gone = [looks[place] for place in self._find_erased(named)]
        return self._patch(lines, sorted(gone), {"details": {"user_id": None, "reason": None}})

    def _run(self, name: str, /, **given: object) -> list[DictRow]:
        return self.session.rows(name, organization_id=self.organization_id, **given)


def _named(row: Row, *, at: str = "created_at", **fields: object) -> Row:
    """What an erasure goes by; what is not given is null, which no scope matches."""
    blank = dict.fromkeys(("memory_id", "user_id", "agent_id", "context_key"))
    return {**blank, **fields, "created_at": row[at]}


def _without(lines: Lines, key: str, values: set[str]) -> Lines:
    if not values:
        return lines
    rows = zip(lines, _rows(lines), strict=True)
    return [line for line, row in rows if row[key] not in values]


def _rows(lines: Lines) -> Iterator[Any]:
    return map(orjson.loads, lines)
