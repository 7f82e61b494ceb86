"""Members, keys of programs, private memories and signed claims."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import psycopg
import pytest

from tests.database.conftest import Client, World

SECRET = "a secret of at least thirty-two bytes"


def refused(client: Client, sqlstate: str, sql: str, *parameters: object) -> None:
    with pytest.raises(psycopg.Error) as failure:
        client.rows(sql, *parameters)
    assert failure.value.sqlstate == sqlstate


def set_memory_member(client: Client, user_id: str | None, role: str | None) -> None:
    client.rows("select set_memory_member(%s, %s)", user_id, role)


def key_of(client: Client, world: World, **arguments: object) -> tuple[Client, dict[str, Any]]:
    """A client that acts with a new API key, and what is known of the key."""
    named = "".join(f", {name} => %s" for name in arguments)
    [made] = client.rows(f"select create_memory_key('ci', 'bot'{named}) as it", *arguments.values())
    [claims] = Client(world.connection, {}).rows(
        "select authenticate_memory_key(%s) as it", made["it"]["key"]
    )
    return Client(world.connection, claims["it"]), made["it"]


def test_an_owner_sets_members_and_it_holds_at_once(world: World) -> None:
    organization = world.organization()
    owner = world.member(organization, "olga", "owner")
    set_memory_member(owner, "ann", "member")
    ann = world.client("ann", organization)
    ann.remember({"content": "Ann was here."})
    set_memory_member(owner, "ann", "viewer")
    refused(ann, "PM002", "select * from remember_memories('[]')")
    set_memory_member(owner, "ann", None)
    assert ann.ids() == set()
    actions = owner.rows("select action, details from memory_audit() order by id")
    assert [row["action"] for row in actions] == ["member_set", "member_set", "member_removed"]
    assert actions[1]["details"] == {"user_id": "ann", "before": "member", "after": "viewer"}


@pytest.mark.parametrize("role", ["member", "viewer", "agent"])
def test_others_administer_nothing(world: World, role: str) -> None:
    organization = world.organization()
    name = "agent:x" if role == "agent" else "mo"
    client = world.member(organization, name, role)
    refused(client, "PM002", "select set_memory_member('mo', 'owner')")
    refused(client, "PM002", "select set_private_memory_access(true)")
    refused(client, "PM002", "select * from inspect_memories('ann', 'why not')")
    refused(client, "PM002", "select create_memory_key('k', 'bot')")
    refused(client, "PM002", "select * from list_memory_keys()")
    refused(client, "PM002", "select * from memory_audit()")


def test_the_hint_for_a_key_is_what_can_be_done(world: World) -> None:
    owner = world.member(world.organization(), "olga", "owner")
    key, _ = key_of(owner, world, verbs=["recall"])
    for sql, said in (("select memory_audit()", "No API key"),
                      ("select * from remember_memories('[]')", "create a key")):  # fmt: skip
        with pytest.raises(psycopg.Error) as failure:
            key.rows(sql)
        assert failure.value.sqlstate == "PM002"
        assert said in (failure.value.diag.message_hint or "")


def test_admins_stay_below_owners(world: World) -> None:
    organization = world.organization()
    world.member(organization, "olga", "owner")
    admin = world.member(organization, "adam", "admin")
    set_memory_member(admin, "ann", "member")
    for user_id, role in (("adam", "owner"), ("olga", None), ("ann", "admin"), ("olga", "viewer")):
        refused(admin, "PM002", "select set_memory_member(%s, %s)", user_id, role)
    refused(admin, "PM002", "select set_private_memory_access(true)")


def test_an_organization_keeps_an_owner(world: World) -> None:
    owner = world.member(world.organization(), "olga", "owner")
    refused(owner, "PM007", "select set_memory_member('olga', null)")
    refused(owner, "PM007", "select set_memory_member('olga', 'admin')")
    set_memory_member(owner, "otto", "owner")
    set_memory_member(owner, "olga", None)


@pytest.mark.parametrize(
    ("user_id", "role"),
    [
        (None, "member"),
        ("", "member"),
        ("x" * 256, "member"),
        ("x", "king"),
        ("x", "agent"),
        ("agent:x", "owner"),
    ],
)
def test_wrong_members_are_refused(world: World, user_id: str | None, role: str) -> None:
    owner = world.member(world.organization(), "olga", "owner")
    refused(owner, "PM003", "select set_memory_member(%s, %s)", user_id, role)


def test_admins_look_at_private_memories_only_where_allowed_and_on_record(world: World) -> None:
    organization = world.organization()
    owner = world.member(organization, "olga", "owner")
    world.member(organization, "ann").remember({"content": "A secret of Ann's."})
    look = "select content from inspect_memories('ann', %s)"
    refused(owner, "PM002", look, "incident 12")
    owner.rows("select set_private_memory_access(true)")
    refused(owner, "PM003", look, " ")
    assert owner.rows(look, "incident 12") == [{"content": "A secret of Ann's."}]
    assert owner.ids() == set()
    [_, read] = owner.rows("select actor, action, details from memory_audit() order by id")
    assert read == {
        "actor": "olga",
        "action": "private_memories_read",
        "details": {"user_id": "ann", "reason": "incident 12"},
    }


def test_a_look_ends_at_the_organization(world: World) -> None:
    world.member(world.organization(), "ann").remember({"content": "A secret of Ann's."})
    owner = world.member(world.organization(), "olga", "owner")
    owner.rows("select set_private_memory_access(true)")
    assert owner.rows("select * from inspect_memories('ann', 'curiosity')") == []


def test_a_key_acts_as_its_agent_within_its_verbs(world: World) -> None:
    owner = world.member(world.organization(), "olga", "owner")
    writer, made = key_of(owner, world)
    writer.remember({"content": "The build is green.", "visibility": "organization"})
    reader, _ = key_of(owner, world, verbs=["recall"])
    assert len(reader.recall("build")) == 1
    refused(reader, "PM002", "select * from remember_memories('[]')")
    refused(reader, "PM002", 'select forget_memories(\'{"agent_id": "bot"}\')')
    blind, _ = key_of(owner, world, verbs=["remember"])
    refused(blind, "PM002", "select * from recall_memories('build')")
    assert blind.ids() == set()
    [listed, *_] = owner.rows("select * from list_memory_keys()")
    assert listed["prefix"] == made["prefix"]
    assert listed["last_used_at"] is not None
    assert made["key"] not in json.dumps(listed, default=str)


def test_a_revoked_or_expired_key_ends_at_once(world: World) -> None:
    owner = world.member(world.organization(), "olga", "owner")
    client, made = key_of(owner, world)
    client.remember({"content": "Something."})
    other = world.member(world.organization(), "otto", "owner")
    refused(other, "PM004", "select revoke_memory_key(%s)", made["id"])
    owner.rows("select revoke_memory_key(%s)", made["id"])
    assert client.ids() == set()
    refused(client, "PM001", "select * from recall_memories('x')")
    nobody = Client(world.connection, {})
    refused(nobody, "PM009", "select authenticate_memory_key(%s)", made["key"])
    world.connection.execute("update agent_memory.keys set revoked_at = null, expires_at = now()")
    refused(nobody, "PM009", "select authenticate_memory_key(%s)", made["key"])


@pytest.mark.parametrize("key", [None, "", "pgr_", "' or 1=1 --", "x" * 100_000])
def test_wrong_keys_are_all_wrong_alike(world: World, key: str | None) -> None:
    refused(Client(world.connection, {}), "PM009", "select authenticate_memory_key(%s)", key)


def test_a_key_of_another_agent_or_organization_is_no_key(world: World) -> None:
    first, second = world.organization(), world.organization()
    client, _ = key_of(world.member(first, "olga", "owner"), world)
    world.program(second, "bot")
    world.program(first, "other")
    forged = json.loads(json.dumps(client.claims))
    forged["app_metadata"]["organization_id"] = str(second)
    refused(Client(world.connection, forged), "PM001", "select * from recall_memories('x')")
    forged = {**client.claims, "sub": "agent:other"}
    refused(Client(world.connection, forged), "PM001", "select * from recall_memories('x')")


def signed(claims: str, secret: str, expires_at: int) -> str:
    key = secret.encode()
    inner = hashlib.sha256(key + f"{expires_at}\n{claims}".encode()).digest()
    return hashlib.sha256(key + inner).hexdigest()


@pytest.mark.parametrize(
    ("secret", "seconds", "is_believed"),
    [
        (SECRET, 60, True),
        ("another secret of thirty-two bytes", 60, False),
        (SECRET, -1, False),
        (SECRET, 3600, False),
    ],
)
def test_claims_must_be_signed_where_a_secret_is_set(
    world: World, secret: str, seconds: int, is_believed: bool
) -> None:
    ann = world.member(world.organization(), "ann")
    ann.remember({"content": "A secret of Ann's."})
    world.connection.execute("select agent_memory.require_signed_claims(%s)", (SECRET,))
    assert ann.ids() == set()
    claims, expires_at = json.dumps(ann.claims), int(time.time()) + seconds
    with world.connection.transaction():
        world.connection.execute(
            "select set_config('role', 'authenticated', true),"
            " set_config('request.jwt.claims', %s, true),"
            " set_config('pgrecall.claims_expire', %s, true),"
            " set_config('pgrecall.claims_signature', %s, true)",
            (claims, str(expires_at), signed(claims, secret, expires_at)),
        )
        seen = world.connection.execute("select count(*) as n from ai_memories").fetchone()
    assert seen == {"n": 1 if is_believed else 0}


def test_a_table_of_members_of_ones_own(world: World) -> None:
    organization = world.organization()
    world.connection.execute(
        "create table team (organization uuid, person text);"
        "create or replace function agent_memory.memberships(member text)"
        " returns table (organization_id uuid, role text) language sql stable as"
        " $$ select t.organization, 'member'::text from public.team t where t.person = member $$"
    )
    world.connection.execute("insert into team values (%s, 'tess')", (organization,))
    tess = world.client("tess")
    tess.remember({"content": "Tess was here."})
    assert len(tess.recall("Tess")) == 1
    refused(world.client("ann"), "PM001", "select * from recall_memories('Tess')")


def test_where_owners_are_kept_elsewhere_no_program_configures_all_agents(world: World) -> None:
    program = world.program(world.organization())
    configure = "select configure_memory(null, '{\"limit\": 5}')"
    program.rows(configure)
    world.connection.execute(
        "create or replace function agent_memory.memberships(member text)"
        " returns table (organization_id uuid, role text) language sql stable as"
        " $$ select m.organization_id, m.role from agent_memory.members as m"
        " where m.user_id = member $$"
    )
    refused(program, "PM002", configure)
