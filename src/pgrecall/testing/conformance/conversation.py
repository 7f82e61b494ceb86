"""Conversations."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pgrecall.errors import InvalidInputError
from pgrecall.testing.conformance.awaited import OpenMemory


class ConversationConformance:
    """What `context` promises."""

    async def test_messages_in_their_order(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        context = memory.context("thread-1")
        assert await context.messages() == []
        assert await context.pop() is None
        await context.append({"role": "user", "content": "Hello.", "name": "Maria"})
        await context.append([{"role": "assistant", "content": f"{n}"} for n in range(30)])
        messages = await context.messages()
        assert [message.content for message in messages] == ["Hello.", *map(str, range(30))]
        assert (messages[0].role, messages[0].name) == ("user", "Maria")
        assert [message.content for message in await context.messages(2)] == ["28", "29"]

    async def test_a_conversation_has_a_key(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        for key in (None, "", "k" * 501):
            with pytest.raises(InvalidInputError):
                memory.context(key)  # type: ignore[arg-type]

    async def test_the_same_words_twice_are_two_messages(self, open_memory: OpenMemory) -> None:
        context = (await open_memory()).context("thread-1")
        for _ in range(2):
            await context.append({"role": "user", "content": "ok"})
        assert len(await context.messages()) == 2
        for _ in range(2):
            await context.append("once", idempotency_key="key")
        assert len(await context.messages()) == 3

    async def test_a_time_that_is_given_is_kept(self, open_memory: OpenMemory) -> None:
        context = (await open_memory()).context("thread-1")
        await context.append({"role": "user", "content": "now"})
        await context.append({"role": "user", "content": "then", "created_at": "2026-03-01"})
        [then, now] = await context.messages()
        assert (then.content, now.content) == ("then", "now")
        assert then.created_at == datetime(2026, 3, 1, tzinfo=UTC)

    async def test_messages_are_recalled(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        await memory.context("thread-1").append({"role": "user", "content": "I like tea."})
        await memory.context("thread-2").append({"role": "user", "content": "No tea for me."})
        [hit] = await memory.recall("tea", context="thread-1")
        assert (hit.content, hit.context_key) == ("I like tea.", "thread-1")

    async def test_taking_back(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        context = memory.context("thread-1", user_id="maria")
        await context.append(["One.", "Two."])
        last = await context.pop()
        assert last is not None
        assert last.content == "Two."
        assert [message.content for message in await context.messages()] == ["One."]
        await memory.restore(last.id)
        assert (await context.clear()).memories == 2
        assert await context.messages() == []

    async def test_a_conversation_belongs_to_its_user(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        maria, paul = (memory.context("thread", user_id=name) for name in ("maria", "paul"))
        await maria.append("I am Maria.")
        await paul.append("I am Paul.")
        assert [message.content for message in await maria.messages()] == ["I am Maria."]
        await paul.clear()
        assert len(await maria.messages()) == 1

    async def test_a_conversation_of_nobody_is_nobodys(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        maria, nobody = memory.context("thread", user_id="maria"), memory.context("thread")
        for context in (maria, nobody):
            await context.append(["One.", "Two."])
            await context.set_summary("They counted.")
        await memory.remember("Nobody counts further.", context="other")
        assert (await nobody.clear()).memories == 3
        assert (await nobody.messages(), await nobody.summary()) == ([], None)
        assert len(await maria.messages()) == 2
        assert await maria.summary() == "They counted."
        assert (await nobody.clear()).memories == 0
        assert (await maria.clear()).memories == 3

    async def test_a_summary_supersedes_the_earlier_one(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        context = memory.context("thread-1")
        assert await context.summary() is None
        await context.set_summary("They talked about tea.")
        answers = await context.set_summary("They talked about tea and rain.")
        assert answers.status == "superseded"
        assert await context.summary() == "They talked about tea and rain."
        assert (await memory.get(answers.id)).trust == "inference"

    async def test_each_conversation_has_its_own_summary(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        contexts = [memory.context("k" * 499 + end) for end in "ab"]
        for context in contexts:
            await context.set_summary(f"Of {context.key}.")
        for context in contexts:
            assert await context.summary() == f"Of {context.key}."
