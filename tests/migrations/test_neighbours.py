"""Other applications in the same database: their names stop an installation, and nothing of theirs
is changed."""

import psycopg
import pytest

from pgrecall._sync.migrate import migrate, plan, status
from pgrecall.errors import MigrationError
from pgrecall.sql.migration_files import read_release
from tests.migrations.catalog import changed, everything

INSTALL = read_release().install
RIGHTS = ("functions", "tables", "sequences", "types", "schemas")
# What another application has made, by the name that is given back.
TAKEN = {
    "table public.ai_memories": "create table public.ai_memories (id bigint, content text)",
    "table public.agent_memory_config": "create table public.agent_memory_config (agent_id text)",
    "table public.ai_memory_contexts": "create unlogged table ai_memory_contexts (x int)",
    "view public.agent_memory_stats": "create view public.agent_memory_stats as select 1 as x",
    "materialized view public.ai_memories": "create materialized view ai_memories as select 1 as x",
    "sequence public.ai_memories": "create sequence public.ai_memories",
    "index public.ai_memories_dedup_idx": "create index ai_memories_dedup_idx on theirs (x)",
    "index public.ai_memories_pkey": (
        "alter table theirs add constraint ai_memories_pkey primary key (x)"
    ),
    "index public.ai_memories_one_slot_value": (
        "alter table theirs add constraint ai_memories_one_slot_value unique (x)"
    ),
    "index public.ai_memories_search_idx": "create index ai_memories_search_idx on theirs (x)",
    "type public.ai_memories": "create type public.ai_memories as (x int)",
    "type public.agent_memory_config": "create type public.agent_memory_config as enum ('a')",
    "domain public.ai_memories": "create domain public.ai_memories as text",
    "function public.recall_memories(text)": (
        "create function public.recall_memories(a text) returns text language sql as 'select $1'"
    ),
    "function public.forget_memories(jsonb,boolean)": (
        "create function public.forget_memories(jsonb, boolean) returns int"
        " language sql as 'select 1'"
    ),
    "procedure public.memory_history()": (
        "create procedure public.memory_history() language sql as 'select 1'"
    ),
    "aggregate public.memory_config(integer)": (
        "create aggregate public.memory_config(int) (sfunc = int4pl, stype = int)"
    ),
    "schema agent_memory, of": (
        "create schema agent_memory; create table agent_memory.migrants (version int)"
    ),
    "schema agent_memory, of postgres": (
        "create schema agent_memory; create type agent_memory.principal as (x int)"
    ),
}


@pytest.fixture
def folder(tmp_path):
    for file in INSTALL:
        (tmp_path / file.name).write_text(file.text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", TAKEN)
def test_a_name_that_is_taken_stops_it_before_anything_is_changed(
    database, ask, psql, folder, name
):
    ask(database, f"create table public.theirs (x int); {TAKEN[name]}")
    before = everything(database)
    for attempt in (plan, migrate):
        with pytest.raises(MigrationError) as caught:
            attempt(database)
        assert name in str(caught.value)
        assert "rename" not in f"{caught.value} {caught.value.hint}".lower()
        assert "database of its own" in caught.value.hint
    done = psql(database, "-f", folder / INSTALL[0].name)
    assert done.returncode == 3
    assert "in the way, and not pgrecall's: " in done.stderr
    assert changed(before, everything(database)) == {}


def test_all_that_is_in_the_way_is_named_at_once(database, ask):
    ask(database, "create table ai_memories (x int); create view agent_memory_stats as select 1")
    with pytest.raises(MigrationError) as caught:
        plan(database)
    assert "table public.ai_memories, view public.agent_memory_stats" in str(caught.value)


def test_a_schema_that_another_role_made_is_not_moved_into(database, owner, ask):
    name = psycopg.conninfo.conninfo_to_dict(owner)["user"]
    ask(database, f"create schema agent_memory authorization {name}")
    with pytest.raises(MigrationError, match="schema agent_memory, of"):
        migrate(database)
    ask(database, "alter schema agent_memory owner to postgres")
    migrate(database)


def test_an_empty_schema_that_was_made_for_it_is_used(database, ask):
    ask(database, "create schema agent_memory")
    migrate(database)
    assert status(database).is_current


# An application with the names that pgrecall had, or keeps in its own schema, and with default
# privileges that would give all that is made to somebody.
NEIGHBOUR = """
create table organizations (id uuid primary key, name text);
create table members (id integer, organization integer);
create table api_keys (key text primary key);
create table backups (id bigint generated always as identity primary key);
create table embeddings (id integer, embedding real[]);
create index organization_members_user_id_idx on members (id);
create index api_keys_hash_idx on api_keys (key);
create index backups_newest_idx on backups (id);
create index keys_hash_idx on api_keys (key);
create index history_memory_idx on members (id);
create type principal as (x int);
create domain history as text;
create view audit as select 1 as x;
create function set_member(integer, text) returns integer language sql as 'select 1';
create function authenticate_api_key(text) returns text language sql as 'select $1';
create function agent_config(text) returns text language sql as 'select $1';
create function now_or_never() returns timestamptz language sql as 'select now()';
insert into organizations values (gen_random_uuid(), 'theirs');
"""


@pytest.fixture
def stranger(database, ask):
    """A role to which default privileges give all that is made."""
    [name] = ask(database, "select 'stranger_' || pg_backend_pid()")
    ask(database, f"create role {name}")
    yield name
    ask(database, f"drop owned by {name} cascade; drop role {name}")


@pytest.mark.parametrize("who", ["database", "owner"])
@pytest.mark.parametrize("by_psql", [False, True], ids=["by the runner", "by psql"])
def test_a_full_house_is_left_as_it_is(
    request, database, ask, psql, folder, stranger, who, by_psql
):
    dsn = request.getfixturevalue(who)
    ask(dsn, NEIGHBOUR)
    for kind in RIGHTS:
        ask(dsn, f"alter default privileges grant all on {kind} to {stranger}, public")
    before = everything(database)
    for _ in range(2):
        if by_psql:
            for file in INSTALL:
                done = psql(dsn, "-1", "-f", folder / file.name)
                assert done.returncode == 0, done.stderr
        migrate(dsn)
    differs = changed(before, everything(database))
    touched = {key: values for key, values in differs.items() if values[0] is not None}
    # Of what was there, nothing but who may look into schema public.
    assert set(touched) <= {("schema", "public")}
    assert ask(database, "select * from agent_memory.wrong_rights()") == []
    assert status(dsn).is_current
    for role, has in ((stranger, False), ("authenticated", True)):
        may = "select has_function_privilege(%s, p.oid, 'execute') from pg_proc as p where"
        recall = "p.pronamespace = 'public'::regnamespace and p.proname = 'recall_memories'"
        assert ask(database, f"{may} {recall}", role) == [has]
        [used] = ask(database, "select has_schema_privilege(%s, 'agent_memory', 'usage')", role)
        assert not used
    [theirs] = ask(database, "select count(*) from organizations")
    assert theirs == 1
