"""Remembering."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pgrecall.errors import ConflictError, InvalidInputError, LimitExceededError
from pgrecall.testing.conformance.awaited import OpenMemory

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class StorageConformance:
    """What `remember` promises."""

    async def test_round_trip(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        answers = await memory.remember(
            "Maria is vegetarian.",
            user_id="maria",
            metadata={"source": {"page": 3}},
            importance=0.75,
            confidence=0.5,
            occurred_at=NOON,
        )
        [hit] = await memory.recall("vegetarian", user_id="maria")
        assert (answers.status, answers.reason) == ("added", None)
        assert (hit.id, hit.content, hit.user_id) == (answers.id, "Maria is vegetarian.", "maria")
        assert (hit.kind, hit.trust, hit.context_key) == ("fact", "user", None)
        assert hit.metadata == {"source": {"page": 3}}
        assert hit.occurred_at == hit.valid_from == NOON
        assert hit.signals.importance == 0.75
        record = await memory.get(answers.id)
        assert (record.importance, record.confidence, record.visibility) == (0.75, 0.5, "private")
        assert (record.speaker, record.slot, record.forgotten_at) == (None, None, None)

    async def test_messages_keep_who_said_them_and_when(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        answers = await memory.remember(
            [
                {"role": "user", "content": "I moved to Lyon.", "name": "Maria"},
                {"role": "assistant", "content": "Noted.", "created_at": "2026-03-01T12:00:00Z"},
                {"role": "tool", "content": "18 °C", "created_at": datetime(2026, 3, 1, 12)},
                {"role": "system", "content": "Be kind."},
                "Maria lives in Lyon.",
            ],
            context="thread-1",
            metadata={"run": 7},
        )
        records = [await memory.get(each) for each in answers.ids]
        assert [record.kind for record in records] == ["message"] * 4 + ["fact"]
        assert [record.trust for record in records] == [
            "user",
            "assistant",
            "tool",
            "document",
            "user",
        ]
        assert records[0].speaker == "Maria"
        assert records[0].metadata == {"run": 7, "role": "user"}
        assert records[4].metadata == {"run": 7}
        assert records[1].occurred_at == records[2].occurred_at == NOON
        assert {record.context_key for record in records} == {"thread-1"}

    async def test_each_item_is_answered(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        first = await memory.remember("Tea, please.")
        answers = await memory.remember(["tea,  PLEASE. ", "Coffee, please.", "x" * 1_000_001, " "])
        assert [item.status for item in answers] == ["duplicate", "added", "rejected", "rejected"]
        assert [item.ordinal for item in answers] == [1, 2, 3, 4]
        assert answers[0].id == first.id
        assert answers[2].id is None
        assert "1000001 characters" in (answers[2].reason or "")
        assert len(answers.added) == 1
        assert len(answers.rejected) == 2
        assert len((await memory.list()).items) == 2

    async def test_a_wrong_item_does_not_fail_the_others(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        said: Any = [
            {"role": "user", "content": "Is it in stock?"},
            {"role": "wizard", "content": "Yes."},
            {"role": "assistant", "content": "Yes.", "created_at": "noon"},
            7,
            {"role": "assistant", "content": "Yes."},
        ]
        codes = ["added", "invalid_field", "invalid_time", "invalid_item", "added"]
        talk = memory.context("thread-1")
        for answers in (await memory.remember(said), await talk.append(said)):
            assert [item.code for item in answers] == codes
            assert [item.ordinal for item in answers] == [1, 2, 3, 4, 5]
        assert [message.content for message in await talk.messages()] == ["Is it in stock?", "Yes."]
        assert [item.code for item in await memory.remember(said[3:4])] == ["invalid_item"]

    async def test_nothing_is_remembered_of_an_empty_list(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        answers = await memory.remember([])
        assert list(answers) == []
        assert (await memory.list()).items == ()

    async def test_a_single_rejected_content_raises(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        with pytest.raises(LimitExceededError, match="more than 1,000,000"):
            await memory.remember("x" * 1_000_001)
        with pytest.raises(InvalidInputError, match="empty"):
            await memory.remember("\x00 \n")
        with pytest.raises(InvalidInputError, match="needs a user_id"):
            await memory.remember("secret", visibility="private")
        assert (await memory.remember("x" * 1_000_000)).status == "added"

    async def test_an_idempotency_key_writes_once(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        first = await memory.remember("Order 17 was sent.", idempotency_key="order-17")
        again = await memory.remember("Order 17 was sent.", idempotency_key="order-17")
        assert (again.status, again.id) == ("duplicate", first.id)
        with pytest.raises(ConflictError, match="used for another memory"):
            await memory.remember("Order 18 was sent.", idempotency_key="order-17")
        both = await memory.remember(["One.", "Two."], idempotency_key="pair")
        assert (await memory.remember("Two.", idempotency_key="pair/2")).id == both.ids[1]

    async def test_a_slot_has_one_value_at_a_time(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        old = await memory.remember(
            "Maria eats meat.", user_id="maria", slot="diet", valid_from=NOON - timedelta(days=9)
        )
        new = await memory.remember(
            "Maria is vegetarian.", user_id="maria", slot="diet", valid_from=NOON
        )
        assert (old.status, new.status) == ("added", "superseded")
        assert [hit.id for hit in await memory.recall("Maria")] == [new.id]
        [then] = await memory.recall("Maria", as_of=NOON - timedelta(days=1))
        assert (then.id, then.valid_to) == (old.id, NOON)
        assert (await memory.get(old.id)).superseded_by == new.id
        changes = [(change.memory_id, change.change) for change in await memory.history(new.id)]
        assert sorted(changes) == sorted(
            [(old.id, "added"), (old.id, "superseded"), (new.id, "added")]
        )

    async def test_a_slot_of_another_user_is_another_slot(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        await memory.remember("Vegan.", user_id="maria", slot="diet")
        assert (await memory.remember("Vegan.", user_id="paul", slot="diet")).status == "added"
        assert (await memory.remember("Vegan.", user_id="maria", slot="diet")).status == "duplicate"

    async def test_two_writers_of_one_slot(self, open_memory: OpenMemory) -> None:
        one, other = await open_memory(), await open_memory()
        for turn in range(20):
            answers = await asyncio.gather(
                one.remember(f"One says {turn}.", slot="turn"),
                other.remember(f"The other says {turn}.", slot="turn"),
            )
            assert {each.status for each in answers} <= {"added", "superseded"}
            current = (await one.list()).items
            assert len(current) == 1
            assert current[0].id in {each.id for each in answers}
        values = (await one.list(include_superseded=True)).items
        assert len(values) == 40
        assert sum(value.valid_to is None for value in values) == 1

    async def test_two_writers_of_one_text(self, open_memory: OpenMemory) -> None:
        one, other = await open_memory(), await open_memory()
        for turn in range(10):
            texts = [f"Turn {turn}, text {place}." for place in range(20)]
            answers = await asyncio.gather(one.remember(texts), other.remember(texts[::-1]))
            statuses = [item.status for each in answers for item in each]
            assert sorted(statuses) == ["added"] * 20 + ["duplicate"] * 20

    async def test_two_writers_that_block_each_other(self, open_memory: OpenMemory) -> None:
        one, other = await open_memory(), await open_memory()
        texts = [f"Text {number}." for number in range(1500)]
        answers = await asyncio.gather(one.remember(texts), other.remember(texts[::-1]))
        statuses = [item.status for each in answers for item in each]
        assert sorted(statuses) == ["added"] * 1500 + ["duplicate"] * 1500

    async def test_text_that_postgresql_cannot_store(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        answers = await memory.remember(
            "Nul\x00s and h\ud83dlves, 👩‍👩‍👧 and \u202e too.", metadata={"k\x00": ["\udc00\x00"]}
        )
        record = await memory.get(answers.id)
        assert record.content == "Nuls and h\ufffdlves, 👩‍👩‍👧 and \u202e too."
        assert record.metadata == {"k": ["\ufffd"]}
        assert [hit.id for hit in await memory.recall("nuls\x00 \ud83d")] == [answers.id]
        for name in ("user_id", "context", "slot", "idempotency_key"):
            wrong: dict[str, Any] = {name: "a\x00b"}
            with pytest.raises(InvalidInputError, match="NUL"):
                await memory.remember("text", **wrong)

    async def test_what_was_recalled_is_not_remembered(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        await memory.remember("Maria is vegetarian.")
        block = (await memory.recall("Maria")).as_prompt()
        answers = await memory.remember(
            {"role": "user", "content": f"{block}\nWhat shall I cook?"}, context="thread-1"
        )
        assert (await memory.get(answers.id)).content == "What shall I cook?"
        line = block.splitlines()[2]
        answers = await memory.remember([block, line, f"As you said:\n{line}\nEnjoy."])
        assert [item.status for item in answers] == ["rejected", "rejected", "added"]
        assert "recalled memory" in (answers[0].reason or "")
        assert (await memory.get(answers.ids[0])).content == "As you said:\nEnjoy."
        with pytest.raises(InvalidInputError, match="recalled memory"):
            await memory.remember(block)
        with pytest.raises(InvalidInputError, match="recalled memory"):
            await memory.update(answers.ids[0], content=block)

    async def test_ten_thousand_at_once(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        heard: list[tuple[int, int]] = []
        texts = [f"Item {number} costs {number * 7 % 1000} francs." for number in range(10_000)]
        answers = await memory.remember(
            texts, on_progress=lambda done, total: heard.append((done, total))
        )
        assert len(answers.added) == len(set(answers.ids)) == 10_000
        assert heard == sorted(heard)
        assert heard[-1] == (10_000, 10_000)
        assert len(heard) > 10
        [hit, *_] = await memory.recall("item 4242")
        assert hit.content.startswith("Item 4242 ")
