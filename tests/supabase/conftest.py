"""A database as a Supabase project has it, with pgrecall's schema, and its Data API."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrecall._sync.migrate import migrate
from pgrecall.testing import cloned
from tests.supabase.postgrest import DataApi

FOLDER = Path(__file__).parent
POSTGRES = "supabase_postgres_like"
VECTOR = "create extension vector with schema extensions"


@dataclass(frozen=True)
class Project:
    """A project's database; `dsn` is its superuser's, whom a customer never is."""

    dsn: str
    has_vector: bool
    password: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    def dsn_of(self, role: str) -> str:
        """The connection string of one of the roles that may log in."""
        return make_conninfo(self.dsn, user=role, password=self.password)

    @property
    def url(self) -> str:
        """The connection string of the project's `postgres`, as an address that every tool takes.

        A folder of sockets is named beside the host, since tools refuse addresses without one.
        """
        parts = conninfo_to_dict(self.dsn)
        host = str(parts.get("host") or "localhost")
        socket = f"?host={host}" if host.startswith("/") else ""
        place = f"{'localhost' if socket else host}:{parts.get('port', 5432)}"
        return f"postgresql://{POSTGRES}:{self.password}@{place}/{parts['dbname']}{socket}"

    def ask(self, statement: str, *parameters: object, role: str | None = None) -> list[Any]:
        """The rows of a statement, as the superuser or as a role that may log in."""
        dsn = self.dsn_of(role) if role else self.dsn
        with psycopg.connect(dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def has_extension(self, name: str) -> bool:
        """Whether the server could give it."""
        return bool(self.ask("select 1 from pg_available_extensions where name = %s", name))


@contextmanager
def new_project(server: str, defaults: str, *, with_vector: bool) -> Iterator[Project]:
    """A project's database before pgrecall; `defaults` names the file of its default privileges."""
    with cloned(server, "template0") as dsn:
        project = Project(dsn, has_vector=False)
        project.ask((FOLDER / "project.sql").read_text("utf-8"))
        project.ask((FOLDER / defaults).read_text("utf-8"))
        for role in (POSTGRES, "authenticator"):
            project.ask(f"alter role {role} password '{project.password}'")
        if with_vector and project.has_extension("vector"):
            project.ask(VECTOR)
            project = Project(dsn, has_vector=True, password=project.password)
        yield project


@pytest.fixture(params=["older", "newer"])
def empty_project(request: pytest.FixtureRequest, pgrecall_server: str) -> Iterator[Project]:
    """A project without pgrecall, as they were until 2026 and as they are since."""
    defaults = f"{request.param}_defaults.sql"
    with new_project(pgrecall_server, defaults, with_vector=request.param == "older") as project:
        yield project


@pytest.fixture
def project(empty_project: Project) -> Project:
    """A project with pgrecall, put there by its `postgres`."""
    migrate(empty_project.dsn_of(POSTGRES))
    return empty_project


@dataclass(frozen=True)
class Gate:
    """The way in: a connection of PostgREST's, and people to come through it."""

    connection: psycopg.Connection[Any]

    def anonymous(self) -> DataApi:
        """Whoever has the project's public key."""
        return DataApi(self.connection, None)

    def service(self) -> DataApi:
        """Whoever has its secret key."""
        return DataApi(self.connection, {"role": "service_role"})

    def person(self, organization: str | None = None, user_id: str | None = None) -> DataApi:
        """A person who signed in, with an organization in the token if one is given."""
        claims: dict[str, Any] = {
            "sub": user_id or str(uuid4()),
            "role": "authenticated",
            "aud": "authenticated",
            "app_metadata": {"organization_id": organization} if organization else {},
        }
        return DataApi(self.connection, claims)

    def member(self, role: str = "member") -> DataApi:
        """A person of a new organization that the service settled."""
        service = self.service().of("agent_memory")
        [organization] = service.insert("organizations", [{"name": "Acme"}])
        person = self.person(organization["organization_id"])
        assert person.claims is not None
        member = {"organization_id": organization["organization_id"], "role": role}
        service.insert("members", [{**member, "user_id": person.claims["sub"]}])
        return person


@pytest.fixture
def gate(project: Project) -> Iterator[Gate]:
    """The Data API of the project."""
    with psycopg.connect(project.dsn_of("authenticator"), autocommit=True) as connection:
        yield Gate(connection)
