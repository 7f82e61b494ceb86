"""The schema in a database of Supabase: whose it is, where it is, and who may do what."""

from __future__ import annotations

import pytest
from psycopg import errors

from pgrecall import Memory
from pgrecall._sync.migrate import migrate, status
from pgrecall.sql.migration_files import read_release
from pgrecall.testing import HashingEmbedder
from tests.supabase.conftest import POSTGRES, VECTOR, Project

TABLE_RIGHTS = """
select c.oid::regclass::text, coalesce(r.rolname, 'public'),
       array_agg(a.privilege_type::text order by a.privilege_type)
from pg_class as c
cross join aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) as a
left join pg_roles as r on r.oid = a.grantee
where c.relnamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)
  and c.relkind in ('r', 'p', 'v', 'm', 'S') and a.grantee <> c.relowner
group by 1, 2
"""
COLUMN_RIGHTS = "select attname from pg_attribute where attacl is not null and attrelid > 16384"
FUNCTION_RIGHTS = """
select p.oid::regprocedure::text, p.pronamespace::regnamespace::text, coalesce(r.rolname, 'public')
from pg_proc as p
cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
left join pg_roles as r on r.oid = a.grantee
where p.pronamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)
  and a.grantee <> p.proowner
"""
OWNERS = """
select distinct owner::regrole::text
from (
  select relowner, relnamespace from pg_class
  union all select proowner, pronamespace from pg_proc
  union all select typowner, typnamespace from pg_type) as owned (owner, schema)
where schema = any (array['public', 'agent_memory']::regnamespace[])
"""
# What the owner alone may run, never the API, is left out.
UNCONDITIONAL = r"""
select p.oid::regprocedure::text
from pg_proc as p
cross join regexp_split_to_table(lower(p.prosrc), ';') as statement
where p.pronamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)
  and p.proname <> 'require_signed_claims'
  and statement ~ '\m(update|delete from)\s+(public|agent_memory)\.' and statement !~ '\mwhere\M'
"""


def test_its_postgres_is_no_superuser(project: Project) -> None:
    rights = "select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = %s"
    assert project.ask(rights, POSTGRES) == [(False, True, True)]
    assert status(project.dsn_of(POSTGRES)).is_current


def test_all_belongs_to_postgres(project: Project) -> None:
    assert project.ask(OWNERS) == [(POSTGRES,)]


def test_extensions_stay_in_their_schema(project: Project) -> None:
    places = dict(
        project.ask(
            "select extname, extnamespace::regnamespace::text from pg_extension"
            " where extname <> 'plpgsql'"
        )
    )
    assert set(places.values()) == {"extensions"}
    assert ("vector" in places) == project.has_vector


def test_tables_have_exact_rights_in_spite_of_the_defaults(project: Project) -> None:
    rights = {(table, role): granted for table, role, granted in project.ask(TABLE_RIGHTS)}
    assert {role for _, role in rights} == {"authenticated", "service_role"}
    for (_, role), granted in rights.items():
        writes = ["DELETE", "INSERT"] if role == "service_role" else []
        assert granted == [*writes, "SELECT", *(["UPDATE"] if writes else [])]
    clients = {table for table, role in rights if role == "authenticated"}
    assert clients == {
        "agent_memory_config", "agent_memory_stats", "ai_memories", "ai_memory_contexts"
    }  # fmt: skip
    assert project.ask("select * from agent_memory.wrong_rights()") == []
    assert project.ask(COLUMN_RIGHTS) == []


def test_functions_have_exact_rights_in_spite_of_the_defaults(project: Project) -> None:
    granted = project.ask(FUNCTION_RIGHTS)
    assert {role for *_, role in granted} == {"authenticated", "service_role"}
    clients = {name for name, schema, role in granted if schema == "public"}
    assert any(name.startswith("recall_memories(") for name in clients)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_clients_may_neither_empty_nor_trap_a_table(project: Project, role: str) -> None:
    for right in ("truncate", "trigger", "references", "insert", "update", "delete"):
        found = project.ask(
            f"select has_table_privilege('{role}', 'public.ai_memories', '{right}')"
        )
        assert found == [(False,)], right


def test_the_service_role_settles_agents(project: Project) -> None:
    settle = (
        "set role service_role; "
        "select agent_memory.settle_agent(gen_random_uuid(), 'Acme', 'helper')"
    )
    project.ask(settle, role="authenticator")
    members = "select role from agent_memory.members where user_id = 'agent:helper'"
    assert project.ask(members) == [("agent",)]


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_nobody_else_settles_agents(project: Project, role: str) -> None:
    settle = "select agent_memory.settle_agent(gen_random_uuid(), 'Acme', 'helper')"
    with pytest.raises(errors.InsufficientPrivilege):
        project.ask(f"set role {role}; {settle}", role="authenticator")


def test_the_library_works_as_postgres(project: Project) -> None:
    with Memory(project.dsn_of(POSTGRES), embedder=HashingEmbedder()) as memory:
        memory.remember("Maria is vegetarian.", user_id="maria")
        hits = memory.recall("what does Maria eat?")
        assert [hit.content for hit in hits] == ["Maria is vegetarian."]
        assert (hits[0].signals.semantic is not None) == project.has_vector


def test_vectors_can_be_switched_on_later(project: Project) -> None:
    if project.has_vector or not project.has_extension("vector"):
        pytest.skip("the project has pgvector already, or the server lacks it")
    project.ask(VECTOR)
    again = migrate(project.dsn_of(POSTGRES))
    assert [file.name for file in again.applied] == [file.name for file in read_release().install]
    with Memory(project.dsn_of(POSTGRES), embedder=HashingEmbedder()) as memory:
        memory.remember("Maria is vegetarian.")
        assert memory.recall("Maria")[0].signals.semantic is not None


def test_statements_of_the_api_all_have_a_condition(project: Project) -> None:
    """Supabase loads safeupdate for PostgREST: UPDATE and DELETE without WHERE are refused."""
    assert project.ask(UNCONDITIONAL) == []


TRAP = """
create schema trap;
create function trap.says(text, text) returns boolean language plpgsql
  as $$begin raise exception 'trapped'; end$$;
create operator trap.= (leftarg = text, rightarg = text, function = trap.says);
create operator trap.<> (leftarg = text, rightarg = text, function = trap.says);
"""


@pytest.mark.parametrize(
    "call",
    [
        "agent_memory.may_read('agent', 'a', 'b', 'c', 'd')",
        "agent_memory.may_write('agent', 'a', 'b', 'owner', 'c', 'd')",
        "agent_memory.text_config('german')",
        "count(*) from agent_memory.memberships('agent:a')",
    ],
)
def test_inlined_functions_do_not_follow_the_callers_path(project: Project, call: str) -> None:
    """They have no search path of their own, which the advisors warn of."""
    settle = "select agent_memory.settle_agent(gen_random_uuid(), 'Acme', 'a')"
    project.ask(settle)
    project.ask(TRAP)
    with pytest.raises(errors.RaiseException, match="trapped"):
        project.ask("set search_path = trap, pg_catalog; select 'a'::text = 'b'")
    project.ask(f"set search_path = trap, pg_catalog; select {call}")
