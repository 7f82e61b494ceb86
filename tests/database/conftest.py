"""SQL as any client would send it: a connection, and callers of organizations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Client:
    """Runs statements as a member, the way PostgREST does: role and claims for a transaction."""

    connection: psycopg.Connection[dict[str, Any]]
    claims: dict[str, Any]

    def rows(self, sql: str, *parameters: object) -> Rows:
        with self.connection.transaction():
            self.connection.execute(
                "select set_config('role', 'authenticated', true),"
                " set_config('request.jwt.claims', %s, true)",
                (json.dumps(self.claims),),
            )
            cursor = self.connection.execute(sql.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def remember(self, *items: dict[str, Any]) -> Rows:
        return self.rows("select * from remember_memories(%s::jsonb)", json.dumps(items))

    def recall(self, query: str, **filters: object) -> Rows:
        casts = {"query_embedding": "::real[]", "as_of": "::timestamptz", "metadata": "::jsonb"}
        named = "".join(f", {name} => %s{casts.get(name, '')}" for name in filters)
        return self.rows(f"select * from recall_memories(%s{named})", query, *filters.values())

    def ids(self) -> set[uuid.UUID]:
        """Of all memories that Row Level Security shows."""
        return {row["id"] for row in self.rows("select id from ai_memories")}


@dataclass(frozen=True)
class World:
    """A database with the means to settle organizations and members in it."""

    connection: psycopg.Connection[dict[str, Any]]

    @property
    def has_vector(self) -> bool:
        row = self.connection.execute("select agent_memory.has_vector() as it").fetchone()
        return bool(row and row["it"])

    def organization(self, name: str = "acme") -> uuid.UUID:
        organization = uuid.uuid4()
        self.connection.execute(
            "insert into agent_memory.organizations (organization_id, name) values (%s, %s)",
            (organization, name),
        )
        return organization

    def member(self, organization: uuid.UUID, user_id: str, role: str = "member") -> Client:
        self.connection.execute(
            "insert into agent_memory.members (organization_id, user_id, role) values (%s, %s, %s)",
            (organization, user_id, role),
        )
        return self.client(user_id, organization)

    def program(self, organization: uuid.UUID, agent_id: str = "default") -> Client:
        return self.member(organization, f"agent:{agent_id}", "agent")

    def client(self, user_id: str, organization: uuid.UUID | None = None, **claims: Any) -> Client:
        named = {"app_metadata": {"organization_id": str(organization)}} if organization else {}
        return Client(self.connection, {"sub": user_id, **named, **claims})


@pytest.fixture
def world(pgrecall_dsn: str) -> Iterator[World]:
    with psycopg.connect(pgrecall_dsn, autocommit=True, row_factory=dict_row) as connection:
        yield World(connection)
