"""Who sees and changes what: the same under the policies and in the functions."""

from __future__ import annotations

import json
import random
import uuid
from typing import Any

import psycopg
import pytest

from tests.database.conftest import Client, World

ORGANIZATION = uuid.UUID("01a20649-0000-7000-8000-000000000001")


def test_a_stranger_sees_nothing(world: World) -> None:
    ours, theirs = world.organization("ours"), world.organization("theirs")
    [added] = world.program(ours).remember({"content": "The safe's code is 4711."})
    stranger = world.program(theirs)
    assert stranger.recall("safe code") == []
    assert stranger.ids() == set()
    assert stranger.rows("select * from memory_history(%s)", added["id"]) == []
    with pytest.raises(psycopg.Error) as failure:
        stranger.rows("select update_memory(%s, '{\"importance\": 1}')", added["id"])
    assert failure.value.sqlstate == "PM004"
    forgotten = {"ids": [str(added["id"])]}
    [row] = stranger.rows("select forget_memories(%s::jsonb) as answer", json.dumps(forgotten))
    assert row["answer"]["memories"] == 0


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": ""},
        {"sub": 7},
        {"sub": None},
        {"sub": "nobody"},
        {"sub": "ann", "app_metadata": {"organization_id": "other"}},
        {"sub": "ann", "app_metadata": {"organization_id": None}},
        {"sub": "ann", "app_metadata": {"organization_id": [str(ORGANIZATION)]}},
        {"sub": "ann", "app_metadata": {"organization_id": str(ORGANIZATION).upper()}},
        {"sub": "ann", "app_metadata": {"organization_id": str(uuid.uuid4())}},
        {"sub": "ann", "app_metadata": ["organization_id"]},
        {"sub": "ann", "app_metadata": "organization_id"},
        {"sub": "ann", "organization_id": 1},
        {"sub": "ann", "org_id": {"id": str(ORGANIZATION)}},
    ],
)
def test_claims_that_open_nothing(world: World, claims: dict[str, Any]) -> None:
    world.connection.execute(
        "insert into agent_memory.organizations (organization_id, name) values (%s, 'acme')",
        (ORGANIZATION,),
    )
    world.member(ORGANIZATION, "ann").remember({"content": "A secret of Ann's."})
    client = Client(world.connection, claims)
    assert client.ids() == set()
    with pytest.raises(psycopg.Error) as failure:
        client.recall("secret")
    assert failure.value.sqlstate == "PM001"


@pytest.mark.parametrize("shape", ["none", "app_metadata", "organization_id", "org_id"])
def test_claims_that_open_the_organization(world: World, shape: str) -> None:
    organization = world.organization()
    world.member(organization, "ann").remember({"content": "A secret of Ann's."})
    named = {"none": {}, "app_metadata": {"app_metadata": {"organization_id": str(organization)}}}
    claims = named.get(shape, {shape: str(organization)})
    assert len(Client(world.connection, {"sub": "ann", **claims}).recall("secret")) == 1


def test_user_metadata_is_never_trusted(world: World) -> None:
    first, second = world.organization("first"), world.organization("second")
    world.member(first, "ann")
    world.member(second, "ann").remember({"content": "In the second."})
    client = world.client("ann", user_metadata={"organization_id": str(second)})
    assert client.ids() == set()


def test_a_revoked_membership_ends_at_once(world: World) -> None:
    organization = world.organization()
    ann = world.member(organization, "ann")
    ann.remember({"content": "A secret of Ann's."})
    world.connection.execute("delete from agent_memory.members where user_id = 'ann'")
    assert ann.ids() == set()
    with pytest.raises(psycopg.Error) as failure:
        ann.recall("secret")
    assert failure.value.sqlstate == "PM001"


def test_viewers_may_not_write(world: World) -> None:
    viewer = world.member(world.organization(), "vic", "viewer")
    with pytest.raises(psycopg.Error) as failure:
        viewer.remember({"content": "Nothing of it."})
    assert failure.value.sqlstate == "PM002"


def test_nobody_writes_for_someone_else(world: World) -> None:
    organization = world.organization()
    for role in ("member", "admin", "owner"):
        client = world.member(organization, role, role)
        [answer] = client.remember({"content": "Forged.", "user_id": "ann"})
        assert answer["status"] == "rejected"
    [answer] = world.program(organization, "one").remember(
        {"content": "Forged.", "agent_id": "two"}
    )
    assert answer["status"] == "rejected"


def test_tables_take_no_writes_from_clients(world: World) -> None:
    client = world.program(world.organization())
    client.remember({"content": "Something."})
    for statement in (
        "insert into ai_memories (organization_id, agent_id, content)"
        " select organization_id, 'x', 'y' from agent_memory.organizations",
        "update ai_memories set content = 'z'",
        "delete from ai_memories",
        "truncate ai_memories",
        "update agent_memory.members set role = 'owner'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.rows(statement)


VISIBILITIES = ("private", "agent", "organization")


def crowd(world: World) -> list[Client]:
    """Members of every role and two programs, in two organizations of the same names."""
    clients = []
    for organization in (world.organization("one"), world.organization("two")):
        for role in ("owner", "admin", "member", "viewer"):
            clients.append(world.member(organization, f"{role}-user", role))
        clients += [world.program(organization, name) for name in ("alpha", "beta")]
    return clients


def random_item(rng: random.Random, number: int) -> dict[str, Any]:
    user = rng.choice([None, "owner-user", "admin-user", "member-user", "someone"])
    visibility = rng.choice(VISIBILITIES if user else VISIBILITIES[1:])
    return {"content": f"apple note {number}", "user_id": user, "visibility": visibility}


@pytest.mark.parametrize("seed", range(3))
def test_recall_shows_what_the_policies_show(world: World, seed: int) -> None:
    rng = random.Random(seed)
    clients = crowd(world)
    for number in range(120):
        writer = rng.choice([c for c in clients if not c.claims["sub"].startswith("viewer")])
        writer.remember(random_item(rng, number))
    for client in clients:
        recalled = {row["id"] for row in client.recall("apple note", match_limit=1000)}
        assert recalled == client.ids()
    assert any(client.ids() for client in clients)
