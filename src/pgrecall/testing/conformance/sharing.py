"""Who sees and changes what."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from pgrecall.errors import NoOrganizationError, NotFoundError, PermissionDeniedError
from pgrecall.testing.conformance.awaited import OpenMemory

AddMember = Callable[[UUID, str, str], None]


def claims_of(user_id: str, organization_id: UUID) -> dict[str, object]:
    """A token's payload, as Supabase makes it."""
    return {"sub": user_id, "app_metadata": {"organization_id": str(organization_id)}}


class SharingConformance:
    """What organizations, agents and persons see of each other."""

    async def test_another_organization_sees_nothing(self, open_memory: OpenMemory) -> None:
        memory, other = await open_memory(), await open_memory(organization=uuid4())
        answers = await memory.remember("Tea.", visibility="organization", context="one")
        assert len(await other.recall("tea")) == 0
        assert (await other.list(include_forgotten=True)).items == ()
        assert (await other.forget(answers.id)).memories == 0
        assert (await other.forget(context="one")).memories == 0
        for call in (other.get, other.history):
            with pytest.raises(NotFoundError):
                await call(answers.id)
        with pytest.raises(NotFoundError):
            await other.update(answers.id, content="Cocoa.")
        assert await other.context("one").messages() == []
        assert (await memory.get(answers.id)).content == "Tea."

    async def test_agents_see_what_is_shared(self, open_memory: OpenMemory) -> None:
        cook, gardener = await open_memory(agent_id="cook"), await open_memory(agent_id="gardener")
        await cook.remember("The cook's tea.")
        shared = await cook.remember("Everybody's tea.", visibility="organization")
        assert [hit.id for hit in await gardener.recall("tea")] == [shared.id]
        with pytest.raises(PermissionDeniedError):
            await gardener.update(shared.id, content="The gardener's tea.")
        assert (await gardener.forget(shared.id)).memories == 0

    async def test_persons_see_what_is_theirs(
        self, open_memory: OpenMemory, add_member: AddMember
    ) -> None:
        organization = uuid4()
        agent = await open_memory(organization=organization)
        await agent.remember("Maria's tea.", user_id="maria")
        await agent.remember("Paul's tea.", user_id="paul")
        add_member(organization, "maria", "member")
        maria = await open_memory(claims=claims_of("maria", organization))
        assert [hit.content for hit in await maria.recall("tea")] == ["Maria's tea."]
        answers = await maria.remember("I gave up tea.")
        assert (await maria.get(answers.id)).user_id == "maria"
        with pytest.raises(PermissionDeniedError, match="may not write"):
            await maria.remember("Paul gave up tea.", user_id="paul")
        context = maria.context("thread-1")
        await context.append("Hello.")
        assert [message.content for message in await context.messages()] == ["Hello."]

    async def test_viewers_change_nothing(
        self, open_memory: OpenMemory, add_member: AddMember
    ) -> None:
        organization = uuid4()
        agent = await open_memory(organization=organization)
        answers = await agent.remember("Victor's tea.", user_id="victor")
        add_member(organization, "victor", "viewer")
        victor = await open_memory(claims=claims_of("victor", organization))
        assert len(await victor.recall("tea")) == 1
        for call in (victor.remember("More tea."), victor.forget(answers.id)):
            with pytest.raises(PermissionDeniedError):
                await call

    async def test_strangers_get_nothing(self, open_memory: OpenMemory) -> None:
        organization = uuid4()
        await open_memory(organization=organization)
        for claims in (claims_of("nobody", organization), {"sub": "nobody"}, {}):
            stranger = await open_memory(claims=claims)
            with pytest.raises(NoOrganizationError):
                await stranger.recall("tea")
            with pytest.raises(NoOrganizationError):
                await stranger.remember("tea")
            assert (await stranger.list()).items == ()
