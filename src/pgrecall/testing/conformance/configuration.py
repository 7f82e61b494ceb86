"""Configuring agents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from pgrecall.errors import InvalidInputError, PermissionDeniedError
from pgrecall.testing.conformance.awaited import OpenMemory
from pgrecall.testing.conformance.sharing import AddMember, claims_of


class ConfigurationConformance:
    """What `configure`, `config` and `config_history` promise, and that the others obey."""

    async def test_what_holds_unless_it_is_set(self, open_memory: OpenMemory) -> None:
        config = await (await open_memory()).config()
        assert (config.agent_id, config.limit, config.token_budget) == ("default", 10, 1200)
        assert (config.language, config.visibility) == (None, None)
        assert config.half_life > 0
        assert config.weights
        assert (config.retention.max_age, config.retention.max_count) == ({}, None)
        assert {setting.source for setting in config.settings} == {"built in"}

    async def test_an_agent_before_its_organization_before_what_is_built_in(
        self, open_memory: OpenMemory
    ) -> None:
        memory, other = await open_memory(), await open_memory(agent_id="other")
        of_all = await memory.configure(
            organization_default=True, limit=3, weights={"recency": 0.5}, retention={"max_count": 9}
        )
        assert (of_all.agent_id, of_all.limit) == (None, 3)
        own = await memory.configure(limit=5, half_life=timedelta(hours=12))
        assert (own.limit, own.half_life, own.weights["recency"]) == (5, 0.5, 0.5)
        assert own == await memory.config()
        from_where = {setting.name: setting.source for setting in own.settings}
        assert (from_where["limit"], from_where["token_budget"]) == ("agent", "built in")
        assert from_where["weights.recency"] == from_where["retention.max_count"] == "organization"
        assert (await other.config()).limit == 3
        assert (await memory.configure(limit=None)).limit == 3
        assert (await memory.config(organization_default=True)).limit == 3

    async def test_every_change_is_kept(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        await memory.configure(limit=5)
        await memory.configure(limit=5)
        await memory.configure(organization_default=True, token_budget=900)
        await memory.configure(limit=None, retention={"max_age": {"message": 30}})
        first, default, last = await memory.config_history()
        assert (first.before, first.after) == ({"limit": None}, {"limit": 5})
        assert (first.agent_id, first.changed_by) == ("default", "agent:default")
        assert (default.agent_id, default.after) == (None, {"token_budget": 900})
        assert last.after == {"limit": None, "retention.max_age.message": 30}
        assert first.changed_at <= last.changed_at
        assert await memory.config_history(organization_default=True) == [default]

    async def test_what_can_not_be_set(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        wrong: list[dict[str, Any]] = [
            {},
            {"colour": "red"},
            {"limit": 0},
            {"token_budget": 100_001},
            {"half_life": 0},
            {"half_life": "a while"},
            {"language": "klingon"},
            {"visibility": "public"},
            {"weights": {"smell": 1}},
            {"weights": {"recency": 11}},
            {"retention": {"max_age": {"memo": 1}}},
        ]
        for changes in wrong:
            with pytest.raises(InvalidInputError):
                await memory.configure(**changes)
        assert await memory.config_history() == []

    async def test_recall_obeys(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        await memory.remember([f"Tea of sort {number}." for number in range(15)])
        await memory.configure(limit=12, token_budget=120)
        found = await memory.recall("tea")
        assert (len(found), found.token_budget) == (12, 120)
        assert found.as_prompt() == found.as_prompt(token_budget=120) != ""
        assert len(found.as_prompt(token_budget=1200)) > len(found.as_prompt())
        assert len(await memory.recall("tea", limit=14)) == 14

    async def test_remember_obeys(self, open_memory: OpenMemory) -> None:
        memory = await open_memory()
        await memory.configure(visibility="organization")
        answers = await memory.remember("Tea.", user_id="maria")
        assert (await memory.get(answers.id)).visibility == "organization"
        answers = await memory.remember("Rain.", user_id="maria", visibility="private")
        assert (await memory.get(answers.id)).visibility == "private"

    async def test_who_may(self, open_memory: OpenMemory, add_member: AddMember) -> None:
        organization = uuid4()
        memory = await open_memory(organization=organization)
        await memory.open()
        for name in ("owner", "admin", "member", "viewer"):
            add_member(organization, name, name)
            person = await open_memory(claims=claims_of(name, organization))
            assert (await person.config()).agent_id == "default"
            if name in ("owner", "admin"):
                assert (await person.configure(limit=7)).limit == 7
                assert (await person.configure(organization_default=True, limit=8)).limit == 8
                continue
            with pytest.raises(PermissionDeniedError, match="may not change the settings"):
                await person.configure(limit=9)
        assert (await memory.configure(limit=6)).limit == 6
        with pytest.raises(PermissionDeniedError):
            await memory.configure(organization_default=True, limit=6)
