"""Two organizations with the same names, texts and programs, and all who may ask for them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.abilities import stores_vectors
from tests.database.conftest import Client, World
from tests.isolation.principals import FOREIGN, Principal

# The memories of an organization, by letter: visibility, user, agent.
LABELS = {
    "P": ("private", "ann", "alpha"),
    "A": ("agent", "ann", "alpha"),
    "O": ("organization", "ann", "alpha"),
    "V": ("organization", "vic", "alpha"),
    "B": ("agent", None, "beta"),
}
PEOPLE = {"owner": "owner", "admin": "admin", "ann": "member", "member": "member", "vic": "viewer"}
VERBS = ("recall", "remember", "forget")


@dataclass(frozen=True)
class Organization:
    """Its id, its memories by letter, the claims of its people, programs and keys."""

    id: uuid.UUID
    memories: dict[str, uuid.UUID]
    claims: dict[str, dict[str, Any]]
    keys: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Stage:
    connection: psycopg.Connection[dict[str, Any]]
    one: Organization
    two: Organization
    principals: dict[str, Principal]
    has_vector: bool

    def client(self, name: str) -> Client:
        return Client(self.connection, json.loads(self.principals[name].claims[0]))

    def home(self, name: str) -> Organization:
        return self.two if name in FOREIGN else self.one


def settle(world: World, name: str) -> Organization:
    organization = world.organization(name)
    clients = {who: world.member(organization, who, role) for who, role in PEOPLE.items()}
    clients |= {agent: world.program(organization, agent) for agent in ("alpha", "beta")}
    clients |= {
        "rex": world.member(organization, "rex"),
        "dual": world.member(organization, "dual"),
    }
    # Before there are private memories, since a key would open them.
    keys = create_keys(world, clients["owner"])
    memories = {letter: remember(clients, letter) for letter in LABELS}
    # An agent that the other organization has none of.
    configure = "select configure_memory(%s::text, '{\"token_budget\": 900}')"
    clients["owner"].rows(configure, memories["P"])
    rest(world, organization)
    claims = {who: client.claims for who, client in clients.items()}
    return Organization(
        organization, memories, claims | {k: v["claims"] for k, v in keys.items()}, keys
    )


def remember(clients: dict[str, Client], letter: str) -> uuid.UUID:
    """A memory in a conversation of its own, with a change in its history, and its id."""
    visibility, user, agent = LABELS[letter]
    item = {"content": f"Note {letter} of the safe.", "user_id": user, "visibility": visibility}
    item |= {"context_key": letter, "embedding": [1, 0, 0, 0.5], "embedding_model": "m"}
    [added] = clients[agent].remember(item)
    clients[agent].rows("select update_memory(%s, '{\"importance\": 0.6}')", added["id"])
    return uuid.UUID(str(added["id"]))


def create_keys(world: World, owner: Client) -> dict[str, dict[str, Any]]:
    """Keys of alpha: one a verb, one revoked, one expired; each with its claims."""
    keys = {}
    for name in (*VERBS, "revoked", "expired"):
        verbs = [name] if name in VERBS else list(VERBS)
        [made] = owner.rows("select create_memory_key(%s, 'alpha', %s) as it", name, verbs)
        [claims] = owner.rows("select authenticate_memory_key(%s) as it", made["it"]["key"])
        keys[name] = {**made["it"], "claims": claims["it"]}
    owner.rows("select revoke_memory_key(%s)", keys["revoked"]["id"])
    world.connection.execute(
        "update agent_memory.keys set expires_at = now() - interval '1 hour' where id = %s",
        (keys["expired"]["id"],),
    )
    return keys


def rest(world: World, organization: uuid.UUID) -> None:
    """Rows of the tables that no function writes, or none without vectors."""
    world.connection.execute(
        "insert into agent_memory_config (organization_id, agent_id)"
        " select %s, unnest(array['alpha', 'beta']) on conflict do nothing",
        (organization,),
    )
    world.connection.execute(
        "insert into agent_memory.models"
        " (organization_id, agent_id, model, dimension, state, changed_by)"
        " values (%s, 'alpha', 'earlier', 4, 'former', 'agent:alpha')",
        (organization,),
    )
    world.connection.execute(
        "insert into agent_memory.erasures (organization_id, counts, receipt)"
        " values (%s, '{}', repeat('0', 64))",
        (organization,),
    )
    # As if each were too long for its own row.
    world.connection.execute(
        "insert into agent_memory.pieces (organization_id, memory_id, ordinal, search_vector)"
        " select organization_id, id, 1, search_vector from ai_memories"
        " where organization_id = %s",
        (organization,),
    )
    world.connection.execute(
        "insert into agent_memory_stats (organization_id, agent_id, hour)"
        " values (%s, 'alpha', date_trunc('hour', now(), 'UTC'))",
        (organization,),
    )


def principals(one: Organization, two: Organization) -> dict[str, Principal]:
    of_one = {name: one.claims[name] for name in (*PEOPLE, "alpha", "beta")}
    of_one |= {f"key_{verb}": one.claims[verb] for verb in VERBS}
    named: dict[str, Any] = of_one | {
        "other_owner": two.claims["owner"],
        "other_program": two.claims["alpha"],
        "dual": two.claims["dual"],
        "several": {"sub": "dual", "user_metadata": {"organization_id": str(one.id)}},
        "stranger": {**one.claims["owner"], "sub": "stranger"},
        "revoked": one.claims["rex"],
        "revoked_key": one.claims["revoked"],
        "expired_key": one.claims["expired"],
    }
    found = {n: Principal(n, "authenticated", (json.dumps(c),)) for n, c in named.items()}
    owner = json.dumps(one.claims["owner"])
    others = (
        Principal("no_claims", "authenticated", ("",)),
        Principal("malformed", "authenticated", malformed(one)),
        Principal("not_json", "authenticated", (owner[:-1],)),
        Principal("anon", "anon", (owner,)),
        Principal("service_role", "service_role", ("",)),
    )
    return found | {principal.name: principal for principal in others}


def malformed(one: Organization) -> tuple[str, ...]:
    organization = str(one.id)
    claims: list[object] = [
        [],
        "owner",
        {},
        {"sub": 7, "org_id": organization},
        {"sub": None, "org_id": organization},
        {"sub": ["owner"], "org_id": organization},
        {"sub": "owner", "app_metadata": {"organization_id": None}, "org_id": organization},
        {"sub": "owner", "app_metadata": {"organization_id": [organization]}},
        {"sub": "owner", "organization_id": organization + " "},
    ]
    return tuple(json.dumps(claim) for claim in claims)


@contextmanager
def staged(dsn: str) -> Iterator[Stage]:
    """The stage, built in an empty migrated database, on a superuser's connection."""
    with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
        world = World(connection)
        one, two = settle(world, "acme"), settle(world, "acme")
        connection.execute("delete from agent_memory.members where user_id = 'rex'")
        yield Stage(connection, one, two, principals(one, two), stores_vectors(dsn))
