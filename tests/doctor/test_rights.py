"""Rights are the declared ones, whatever the database gives to others by default."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgrecall._sync.migrate import migrate
from pgrecall.ops.doctor.examination import examine
from tests.doctor.databases import sandbox
from tests.doctor.fault import Fault, Sandbox

EMPTY = Fault("empty", "", "", "", (), is_empty=True)
KINDS = ("schemas", "tables", "sequences", "functions", "types")
# What somebody has of pgrecall's objects, by the catalogs alone.
HELD = """
select o.name || ' ' || g.privilege_type
from (
  select n.oid::regnamespace::text, n.nspacl from pg_namespace as n where n.nspname = 'agent_memory'
  union all
  select c.oid::regclass::text, c.relacl from pg_class as c
  where c.relnamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)
  union all
  select p.oid::regprocedure::text, p.proacl from pg_proc as p
  where p.pronamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)
    and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
  union all
  select t.oid::regtype::text, t.typacl from pg_type as t
  where t.typnamespace = 'agent_memory'::regnamespace
) as o (name, acl)
cross join aclexplode(o.acl) as g
where g.grantee = %s::regrole
order by 1
"""
REMADE = """
do $$
declare
  made text := pg_get_functiondef('public.memory_status()'::regprocedure);
begin
  drop function public.memory_status();
  execute made;
end
$$
"""


@pytest.fixture
def empty(healthy: str) -> Iterator[Sandbox]:
    with sandbox(EMPTY, healthy) as made:
        yield made


@pytest.fixture
def database(healthy: str) -> Iterator[Sandbox]:
    with sandbox(None, healthy) as made:
        yield made


@pytest.fixture
def stranger(healthy: str) -> Iterator[str]:
    """A role that is nobody's client; dropped when the databases of the test are."""
    role = f"stranger_{secrets.token_hex(6)}"
    with psycopg.connect(healthy, autocommit=True) as admin:
        admin.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
    yield role
    with psycopg.connect(healthy, autocommit=True) as admin:
        admin.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


def open_to(database: Sandbox, role: str) -> None:
    """Whatever is made in the database from now on is a role's, too."""
    database.run(*(f"alter default privileges grant all on {kind} to {role}" for kind in KINDS))


def held(database: Sandbox, role: str) -> list[str]:
    with psycopg.connect(database.dsn) as connection:
        return [name for (name,) in connection.execute(HELD.encode(), (role,))]


def wrong(database: Sandbox) -> list[tuple[str, ...]]:
    with psycopg.connect(database.dsn) as connection:
        return connection.execute("select * from agent_memory.wrong_rights()").fetchall()


def test_the_migrations_leave_nothing_to_a_stranger(stranger: str, empty: Sandbox) -> None:
    open_to(empty, stranger)
    migrate(empty.dsn)
    assert held(empty, stranger) == []
    assert wrong(empty) == []
    assert examine(empty.surroundings, ["grants"]).worst is None


def test_what_a_stranger_was_given_later_is_found_and_taken(
    stranger: str, database: Sandbox
) -> None:
    open_to(database, stranger)
    database.run(REMADE)
    assert held(database, stranger) == ["memory_status() EXECUTE"]
    found = [
        (finding.severity, finding.subject, finding.cure.text)
        for each in examine(database.surroundings, ["grants"]).examinations
        for finding in each.findings
    ]
    place = "FUNCTION public.memory_status()"
    assert (
        "critical",
        f"grant ON {place} TO {stranger}",
        f"REVOKE EXECUTE ON {place} FROM {stranger} CASCADE;",
    ) in found
    migrate(database.dsn, repair=True)
    assert held(database, stranger) == []
    assert examine(database.surroundings, ["grants"]).worst is None


def test_a_right_that_was_handed_on_goes_with_the_one_it_came_from(
    stranger: str, database: Sandbox
) -> None:
    database.run(
        "grant select on public.ai_memories to service_role with grant option",
        "set role service_role; grant select on public.ai_memories to " + stranger,
    )
    assert held(database, stranger) == ["ai_memories SELECT"]
    database.run("select agent_memory.apply_rights()")
    assert held(database, stranger) == []
    assert wrong(database) == []


def test_an_installer_is_told_what_it_lacks_and_how_it_gets_it(
    stranger: str, empty: Sandbox
) -> None:
    password = secrets.token_hex(8)
    empty.run(f"alter role {stranger} login password '{password}'")
    dsn = make_conninfo(empty.dsn, user=stranger, password=password)
    asked = replace(empty.surroundings, dsn=dsn)
    first, *_ = examine(asked, ["migrations"]).examinations[0].findings
    assert first.severity == "error"
    assert first.evidence.startswith(f"{stranger} lacks CREATE on the database")
    cure = re.fullmatch(r"Nothing was changed\. As a superuser: (.*) Then .*", first.cure.text)
    assert cure
    empty.run(*cure[1].split("; "))
    migrate(dsn)
    assert examine(asked, ["migrations", "grants", "functions", "objects"]).worst is None
