"""Random operations on conversations, facts and times, each compared with the model."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.database.conftest import World
from tests.database.memory_model import ConflictingError, Entry, MemoryModel

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTES = st.integers(-5, 5)
TEXTS = st.sampled_from(["yes", "no", "tea"])
CONTEXTS = st.sampled_from(["one", "two"])


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """A message of a conversation, as few as to be told again often."""
    fields: dict[str, Any] = {
        "kind": "message",
        "context_key": draw(CONTEXTS),
        "content": draw(TEXTS),
        "trust": draw(st.sampled_from(["user", "assistant"])),
    }
    told = draw(st.integers(0, 9))
    if told == 0:
        fields["minute"] = draw(MINUTES)
    elif told == 1:
        fields["number"] = draw(st.integers(0, 3))
    elif told == 2:
        fields["idempotency_key"] = draw(st.sampled_from("kl"))
    return fields


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """A text without a slot, in a conversation or not, with times or not."""
    fields: dict[str, Any] = {
        "kind": draw(st.sampled_from(["fact", "preference", "event", "note", "message"])),
        "content": draw(st.sampled_from(["tea", "TEA", "rain"])),
    }
    if fields["kind"] != "message" and draw(st.booleans()):
        fields["context_key"] = draw(CONTEXTS)
    for name in ("occurred", "valid_from", "valid_to", "expires"):
        if draw(st.integers(0, 3)) == 0:
            fields[name] = draw(MINUTES)
    if draw(st.integers(0, 9)) == 0:
        fields["number"] = draw(st.integers(0, 3))
    return fields


class MemoryMachine(RuleBasedStateMachine):
    """What all rules share: a new organization each time, a clock, the model.

    Slots add a mixin of rules of their own, which decides by a model of its own, to the class that
    test_memory_model.py runs.
    """

    connection: ClassVar[psycopg.Connection[dict[str, Any]]]
    operations: ClassVar[int] = 0

    @initialize()
    def begin(self) -> None:
        world = World(self.connection)
        self.client = world.program(world.organization())
        self.model = MemoryModel(START)
        self.ids: dict[int, str] = {}

    def run(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows of a statement at the model's time."""
        type(self).operations += 1
        self.connection.execute(
            "select set_config('pgrecall.now', %s, false)", (self.model.now.isoformat(),)
        )
        return self.client.rows(sql, *parameters)

    def item(self, drawn: dict[str, Any]) -> dict[str, Any]:
        """An item with the times and ids that were drawn: minutes from now, one of a few ids."""
        fields = dict(drawn)
        for drawn_name, name in (("minute", "occurred_at"), ("occurred", "occurred_at"),
                                 ("valid_from", "valid_from"), ("valid_to", "valid_to"),
                                 ("expires", "expires_at")):  # fmt: skip
            if drawn_name in fields:
                at = self.model.now + timedelta(minutes=fields.pop(drawn_name))
                fields[name] = at.isoformat()
        if "number" in fields:
            fields["id"] = str(uuid.UUID(int=fields.pop("number") + 1))
        return fields

    def entry(self, number: int) -> Entry:
        return self.model.entries[number % len(self.model.entries)]

    @rule(minutes=st.sampled_from([0, 1, 1, 2, 5]))
    def pass_time(self, minutes: int) -> None:
        self.model.now += timedelta(minutes=minutes, seconds=1)

    @invariant()
    def what_is_stored_is_what_the_model_holds(self) -> None:
        if not hasattr(self, "client"):
            return
        stored = self.run(
            "select id::text, content, occurred_at, valid_from,"
            " forgotten_at is not null as forgotten from ai_memories"
        )
        assert {
            (e.id, e.content, e.occurred_at, e.valid_from, e.is_forgotten)
            for e in self.model.entries
        } == {
            (r["id"], r["content"], r["occurred_at"], r["valid_from"], r["forgotten"])
            for r in stored
        }


class Conversations(MemoryMachine):
    """Messages, in lists and histories."""

    @rule(drawn=st.lists(messages(), min_size=1, max_size=5), by_import=st.booleans())
    def say(self, drawn: list[dict[str, Any]], by_import: bool) -> None:
        self.write([self.item(each) for each in drawn], by_import=by_import)

    @rule(context=CONTEXTS, back=st.integers(1, 6), further=st.lists(TEXTS, max_size=2),
          knows=st.booleans(), by_import=st.booleans())  # fmt: skip
    def tell_again(
        self, context: str, back: int, further: list[str], knows: bool, by_import: bool
    ) -> None:
        """The last messages of a conversation, with those that were forgotten or without."""
        stored = self.model.talk(context, with_forgotten=knows)[-back:]
        told = [(entry.trust, entry.content) for entry in stored]
        told += [("user", text) for text in further]
        if told:
            self.write(
                [{"kind": "message", "context_key": context, "trust": trust, "content": content}
                 for trust, content in told],
                by_import=by_import,
            )  # fmt: skip

    @invariant()
    def messages_are_in_order(self) -> None:
        if not hasattr(self, "client"):
            return
        rows = self.run(
            "select m.id::text, c.context_key from ai_memories as m join ai_memory_contexts as c"
            " on c.id = m.context_id where m.kind = 'message' and m.forgotten_at is null"
            " order by m.occurred_at, m.position"
        )
        for context in ("one", "two"):
            told = [row["id"] for row in rows if row["context_key"] == context]
            assert told == [entry.id for entry in self.model.talk(context)]

    def write(self, items: list[dict[str, Any]], *, by_import: bool) -> None:
        """Write items, by either function, and compare the answers with the model's."""
        function = "import_memories" if by_import else "remember_memories"
        rows = self.run(f"select * from {function}(%s::jsonb)", json.dumps(items))
        expected = self.model.remember(items)
        for item, row, (code, entry) in zip(items, rows, expected, strict=True):
            if by_import and code in ("known_id", "known_key", "id_taken", "key_taken"):
                code = "imported_before"
            assert row["code"] == code, (item, row, code)
            if entry is not None:
                entry.id = entry.id or str(row["id"])
                assert str(row["id"]) == entry.id


class Facts(Conversations):
    """Texts that are no messages, and what is changed of all."""

    @rule(drawn=st.lists(facts(), min_size=1, max_size=3), by_import=st.booleans())
    def note(self, drawn: list[dict[str, Any]], by_import: bool) -> None:
        items = [self.item(each) for each in drawn]
        items = [item for item in items if is_in_order(item, self.model.now)]
        if items:
            self.write(items, by_import=by_import)

    @precondition(lambda self: self.model.entries)
    @rule(number=st.integers(0, 99))
    def forget(self, number: int) -> None:
        entry = self.entry(number)
        self.run("select forget_memories(%s::jsonb)", json.dumps({"ids": [entry.id]}))
        self.model.forget(entry)

    @precondition(lambda self: self.model.entries)
    @rule(number=st.integers(0, 99))
    def restore(self, number: int) -> None:
        entry = self.entry(number)
        if entry.is_forgotten:
            self.attempt(
                lambda: self.model.restore(entry),
                "select restore_memories(%s::jsonb)", json.dumps({"ids": [entry.id]}),
            )  # fmt: skip

    @precondition(lambda self: self.model.entries)
    @rule(number=st.integers(0, 99), content=st.sampled_from(["tea", "rain", "yes"]))
    def correct(self, number: int, content: str) -> None:
        self.change(self.entry(number), {"content": content}, {"content": content})

    @precondition(lambda self: self.model.entries)
    @rule(number=st.integers(0, 99),
          name=st.sampled_from(["valid_to", "expires_at", "occurred_at"]),
          minutes=MINUTES)  # fmt: skip
    def move(self, number: int, name: str, minutes: int) -> None:
        entry, at = self.entry(number), self.model.now + timedelta(minutes=minutes)
        if name != "valid_to" or at >= entry.valid_from:
            self.change(entry, {name: at}, {name: at.isoformat()})

    def change(self, entry: Entry, changes: dict[str, Any], told: dict[str, Any]) -> None:
        self.attempt(
            lambda: self.model.update(entry, changes),
            "select update_memory(%s, %s::jsonb)", entry.id, json.dumps(told),
        )  # fmt: skip

    def attempt(self, expected: Any, sql: str, *parameters: object) -> None:
        """Both do it, or both find that it contradicts what is stored."""
        try:
            self.run(sql, *parameters)
            outcome = None
        except psycopg.Error as error:
            outcome = error.sqlstate
        before = [entry.key for entry in self.model.entries]
        try:
            expected()
            assert outcome is None, outcome
        except ConflictingError:
            assert outcome == "PM007", outcome
            for entry, key in zip(self.model.entries, before, strict=True):
                entry.key = key

    @rule()
    def recall(self) -> None:
        rows = self.run("select id::text from recall_memories('tea', match_limit => 1000)")
        now = self.model.now
        assert {row["id"] for row in rows} == {
            e.id for e in self.model.entries if e.is_recalled(now)
        }


def is_in_order(item: dict[str, Any], now: datetime) -> bool:
    """Whether it ends after it begins; else it is refused, which other tests try."""
    told = item.get("valid_from", min(item.get("occurred_at", now.isoformat()), now.isoformat()))
    return bool("valid_to" not in item or item["valid_to"] >= told)
