"""Changing, forgetting, listing."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from pgrecall.errors import (
    ConflictError,
    InvalidInputError,
    InvalidScopeError,
    LimitExceededError,
    NotFoundError,
)
from pgrecall.testing.conformance.awaited import OpenMemory


class ChangesConformance:
    """What `get`, `list`, `update`, `forget`, `restore` and `history` promise."""

    async def test_an_update_is_found_and_kept_as_history(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        answers = await memory.remember("Maria likes tea.", expires_at="2099-01-01")
        changed = await memory.update(
            answers.id, content="Maria likes cocoa.", importance=0.875, expires_at=None
        )
        assert (changed.content, changed.importance) == ("Maria likes cocoa.", 0.875)
        assert changed.expires_at is None
        [hit] = await memory.recall("cocoa")
        assert (hit.signals.lexical or 0) > 0.5
        assert (hit.signals.semantic is None) == (not (await memory.recall("x")).explain().model)
        [added, updated] = await memory.history(str(answers.id))
        assert (added.change, updated.change) == ("added", "updated")
        assert updated.before["content"] == "Maria likes tea."
        assert updated.after["importance"] == 0.875
        assert updated.changed_by == "agent:default"

    async def test_every_field_that_can_be_changed(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        answers = await memory.remember("Tea.", user_id="maria")
        at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        changes = {
            "kind": "event",
            "confidence": 0.25,
            "visibility": "organization",
            "metadata": {"a": [1, None]},
            "occurred_at": at,
            "valid_from": at,
            "valid_to": at.replace(hour=13),
        }
        record = await memory.update(answers.id, **changes)  # type: ignore[arg-type]
        assert {name: getattr(record, name) for name in changes} == changes

    async def test_updates_that_are_refused(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        tea, cocoa = (await memory.remember(["Tea.", "Cocoa."])).ids
        with pytest.raises(NotFoundError):
            await memory.update(uuid4(), content="Nothing.")
        with pytest.raises(ConflictError):
            await memory.update(tea, content="cocoa.")
        with pytest.raises(LimitExceededError):
            await memory.update(tea, content="x" * 1_000_001)
        for change in ({}, {"id": 1}, {"content": None}, {"importance": 2}, {"valid_to": "later"}):
            with pytest.raises(InvalidInputError):
                await memory.update(tea, **change)
        assert (await memory.get(tea)).content == "Tea."
        assert len(await memory.history(cocoa)) == 1

    async def test_forgetting_and_restoring(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        answers = await memory.remember("Tea for Maria.", user_id="maria")
        await memory.remember("Tea for Paul.", user_id="paul")
        assert (await memory.forget(user_id="maria", dry_run=True)).memories == 1
        assert len(await memory.recall("tea")) == 2
        done = await memory.forget(answers.id)
        assert (done.memories, done.dry_run) == (1, False)
        assert [hit.content for hit in await memory.recall("tea")] == ["Tea for Paul."]
        assert (await memory.get(answers.id)).forgotten_at is not None
        assert (await memory.forget(answers.id)).memories == 0
        assert (await memory.restore(user_id="maria")).memories == 1
        assert len(await memory.recall("tea")) == 2
        changes = [change.change for change in await memory.history(answers.id)]
        assert changes == ["added", "forgotten", "restored"]

    async def test_scopes(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        ids = (await memory.remember(["A.", "B.", "C."], user_id="maria", context="one")).ids
        await memory.remember("D.", user_id="maria", context="two")
        assert (await memory.forget(ids, context="two")).memories == 0
        assert (await memory.forget([str(ids[0]), ids[1]])).memories == 2
        assert (await memory.forget(agent_id="somebody")).memories == 0
        assert (await memory.forget(user_id="maria", context="one")).memories == 1
        assert (await memory.restore(agent_id="default")).memories == 3

    async def test_an_empty_scope_is_refused(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        await memory.remember("Tea.")
        for change in (memory.forget, memory.restore):
            with pytest.raises(InvalidScopeError):
                await change()
            with pytest.raises(InvalidScopeError):
                await change([])
            with pytest.raises(InvalidInputError):
                await change(user_id="")
            with pytest.raises(InvalidInputError):
                await change("everything")
        assert len((await memory.list()).items) == 1

    async def test_what_was_remembered_again_does_not_come_back(
        self, open_memory: OpenMemory
    ) -> None:
        memory = await open_memory()
        old = await memory.remember("Tea.")
        await memory.forget(old.id)
        new = await memory.remember("Tea.")
        assert new.status == "added"
        with pytest.raises(ConflictError):
            await memory.restore(old.id)

    async def test_pages(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        ids = (await memory.remember([f"Item {number}." for number in range(25)])).ids
        seen, after = [], None
        for _ in range(3):
            page = await memory.list(limit=10, after=after)
            seen += [record.id for record in page.items]
            after = page.next_cursor
        assert after is None
        assert seen == sorted(ids, reverse=True)

    async def test_lists_are_filtered(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        tea = await memory.remember("Tea.", user_id="maria", context="one", kind="event")
        await memory.remember("Rain.")
        await memory.forget((await memory.remember("Cocoa.")).id)
        assert len((await memory.list()).items) == 2
        assert len((await memory.list(include_forgotten=True)).items) == 3
        for filters in ({"user_id": "maria"}, {"context": "one"}, {"kinds": ["event"]}):
            page = await memory.list(**filters)
            assert [record.id for record in page.items] == [tea.id]

    async def test_what_is_not_there(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        with pytest.raises(NotFoundError):
            await memory.get(uuid4())
        with pytest.raises(NotFoundError):
            await memory.history(uuid4())
        with pytest.raises(InvalidInputError, match="no id of a memory"):
            await memory.get("17")
