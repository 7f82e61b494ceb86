"""Erasing."""

from __future__ import annotations

import pytest

from pgrecall.errors import InvalidInputError, InvalidScopeError, NotFoundError
from pgrecall.testing.conformance.awaited import OpenMemory


class ErasureConformance:
    """What `erase` promises."""

    async def test_what_is_erased_is_gone(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        answers = await memory.remember("Tea for Maria.", user_id="maria", context="c")
        await memory.update(answers.id, content="Cocoa for Maria.")
        await memory.forget(answers.id)
        await memory.remember("Tea for Paul.", user_id="paul")
        done = await memory.erase(user_id="maria")
        assert (done.memories, done.dry_run, done.remaining) == (1, False, None)
        assert done.counts["history"] == 2
        assert done.counts["contexts"] == 1
        assert done.scope == {"user_id": "maria", "agent_id": "default"}
        assert len(done.receipt or "") == 64
        assert done.erased_at is not None
        assert [hit.content for hit in await memory.recall("tea")] == ["Tea for Paul."]
        for gone in (memory.get(answers.id), memory.history(answers.id)):
            with pytest.raises(NotFoundError):
                await gone
        assert len((await memory.list(include_forgotten=True)).items) == 1

    async def test_a_dry_run_of_an_erasure(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        ids = (await memory.remember(["A.", "B."])).ids
        tried = await memory.erase(ids, dry_run=True)
        assert (tried.memories, tried.dry_run, tried.receipt, tried.id) == (2, True, None, None)
        assert len((await memory.list()).items) == 2
        assert (await memory.erase(ids)).counts == tried.counts
        again = await memory.erase(ids)
        assert (again.memories, again.receipt, again.erased_at) == (0, None, None)

    async def test_what_was_erased_can_be_remembered_again(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        for _ in range(2):
            answers = await memory.remember("Tea.", slot="drink", idempotency_key="key")
            assert answers.status == "added"
            await memory.erase(agent_id="default")

    async def test_erasing_nothing_named_is_refused(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        await memory.remember("Tea.")
        with pytest.raises(InvalidScopeError):
            await memory.erase()
        with pytest.raises(InvalidScopeError):
            await memory.erase([])
        with pytest.raises(InvalidInputError):
            await memory.erase(user_id="")
        assert (await memory.erase(agent_id="somebody")).scope is None
        assert len((await memory.list()).items) == 1
