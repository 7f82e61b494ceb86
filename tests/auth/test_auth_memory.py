"""Verified claims at the database."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from pgrecall import AsyncMemory, Memory
from pgrecall.auth import Claims
from pgrecall.auth.claims import claimed_organization
from pgrecall.errors import AuthenticationError, NoOrganizationError
from pgrecall.testing import add_member
from tests.auth.signing import EC, ORGANIZATION, payload, pinned

ACME = UUID(ORGANIZATION)
OTHER = "0190a2c4-7b1e-7c3a-9f10-2b8c5d6e7f81"
TOKENS = Path(__file__).parents[2] / "docs" / "tokens.md"
[HOOK] = re.findall(r"```sql\n(.*?)```", TOKENS.read_text(), re.DOTALL)


@pytest.fixture
def acme(pgrecall_dsn: str) -> str:
    """A database in which Acme has a memory that all members see."""
    with Memory(pgrecall_dsn, organization=ACME, embedder=None) as memory:
        memory.remember("The tea is in the cupboard.", visibility="organization")
        memory.remember("Paul's tea.", user_id="paul")
    return pgrecall_dsn


def verified(**changes: object) -> Claims:
    return pinned().verify(EC.sign(payload(**changes)))


def test_a_member_sees_their_organizations_memories(acme: str) -> None:
    claims = verified()
    add_member(acme, ACME, claims.subject, "member")
    with Memory(acme, claims=claims, embedder=None) as memory:
        assert [hit.content for hit in memory.recall("tea")] == ["The tea is in the cupboard."]
        told = memory.remember("I take milk.")
        assert memory.get(told.id).user_id == claims.subject


def test_a_member_who_names_no_organization(acme: str) -> None:
    claims = verified(app_metadata={}, is_anonymous=True)
    assert claims.organization_id is None
    add_member(acme, ACME, claims.subject, "viewer")
    with Memory(acme, claims=claims, embedder=None) as memory:
        assert len(memory.recall("tea")) == 1


async def test_whoever_is_no_member_gets_nothing(acme: str) -> None:
    claims = verified()
    with Memory(acme, claims=claims, embedder=None) as memory, pytest.raises(NoOrganizationError):
        memory.recall("tea")
    async with AsyncMemory(acme, claims=claims, embedder=None) as memory:
        with pytest.raises(NoOrganizationError):
            await memory.remember("tea")


def organizations() -> list[dict[str, Any]]:
    values: list[Any] = [
        ORGANIZATION,
        ORGANIZATION.upper(),
        None,
        7,
        [ORGANIZATION],
        {},
        "",
        ORGANIZATION + "\n",
    ]
    shapes: list[dict[str, Any]] = [{}, {"app_metadata": None}, {"app_metadata": {}}]
    for value in values:
        named = {"organization_id": value}
        shapes += [{"app_metadata": named}, named, {"org_id": value}, {"user_metadata": named}]
        shapes += [{"app_metadata": named, "org_id": OTHER}, {**named, "org_id": OTHER}]
    return shapes


def test_the_database_reads_organizations_in_the_same_way(acme: str) -> None:
    add_member(acme, ACME, "maria", "member")
    with psycopg.connect(acme) as connection:
        for shape in organizations():
            claims = {"sub": "maria", **shape}
            connection.execute(
                "select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),)
            )
            row = connection.execute("select agent_memory.active_organization()").fetchone()
            assert row == (active(claims),), shape


def active(claims: dict[str, Any]) -> UUID | None:
    """The organization in which a user whose only membership is Acme acts."""
    try:
        named = claimed_organization(claims)
    except AuthenticationError:
        return None
    return ACME if named in (None, ACME) else None


@pytest.fixture
def hooked(acme: str) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """The hook of the docs, called as Supabase Auth calls it; it gives the new claims."""
    with psycopg.connect(acme, autocommit=True) as connection:
        role = "select from pg_catalog.pg_roles where rolname = 'supabase_auth_admin'"
        is_mine = connection.execute(role).fetchone() is None
        if is_mine:
            connection.execute("create role supabase_auth_admin")
        for _ in range(2):
            connection.execute(HOOK.encode())
        yield partial(_hooked, acme)
        if is_mine:
            connection.execute("drop owned by supabase_auth_admin")
            connection.execute("drop role supabase_auth_admin")


def _hooked(dsn: str, claims: dict[str, Any]) -> dict[str, Any]:
    event = {"user_id": claims["sub"], "claims": claims, "authentication_method": "password"}
    with psycopg.connect(dsn) as connection:
        connection.execute("set role supabase_auth_admin")
        call = "select public.custom_access_token_hook(%s)"
        row: Any = connection.execute(call, (json.dumps(event),)).fetchone()
    [answer] = row
    assert answer["user_id"] == claims["sub"]
    told: dict[str, Any] = answer["claims"]
    assert {**told, "app_metadata": 0} == {**claims, "app_metadata": 0}
    return told


def test_the_hook_names_an_organization(
    acme: str, hooked: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    maria, second = str(uuid4()), UUID(OTHER)
    with Memory(acme, organization=second, embedder=None) as memory:
        memory.remember("Cocoa.")
    bare = payload(sub=maria, app_metadata={"provider": "email"})
    assert hooked(bare)["app_metadata"] == {"provider": "email"}
    add_member(acme, ACME, maria, "member")
    add_member(acme, second, maria, "member")
    named = {"provider": "email", "organization_id": str(ACME)}
    assert hooked(bare)["app_metadata"] == named
    for metadata, organization in (
        ({"organization_id": str(second)}, second),
        ({"organization_id": str(uuid4())}, ACME),
        ({"organization_id": ["x"]}, ACME),
        (None, ACME),
    ):
        claims = hooked(payload(sub=maria, app_metadata=metadata))
        assert verified(**claims).organization_id == organization


def test_the_hook_is_for_supabase_auth_alone(
    acme: str, hooked: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    for role in ("anon", "authenticated"):
        with psycopg.connect(acme) as connection:
            connection.execute(f"set role {role}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("select public.custom_access_token_hook('{}')")
