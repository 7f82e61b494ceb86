import asyncio
import re

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrecall._async.migrate import migrate
from pgrecall.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    MigrationError,
    MissingPrivilegeError,
)
from pgrecall.sql.migration_files import parse_migration, read_migrations

FILES = read_migrations()
BASE = FILES[0].name
HISTORY = next(file.name for file in FILES if file.name.endswith("_memory_history.sql"))
OURS = "select nspname from pg_namespace where nspname = 'agent_memory'"
SHAPE = """
select (c.relkind, c.relrowsecurity, c.relacl, obj_description(c.oid), (
  select array_agg((a.attname, a.atttypid)::text) from pg_attribute as a where a.attrelid = c.oid
))::text
from pg_class as c where c.oid = %s::regclass
"""
WAITING = """
select pid from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock'
"""
EMPTY = """
drop schema public cascade;
drop schema agent_memory cascade;
create schema public;
"""
STATEMENT = re.compile(r"(?:GRANT|CREATE ROLE) [^;]+;")


async def test_a_lock_that_others_hold_is_named(runner, database, ask):
    await runner.migrate(database)
    ask(database, "delete from agent_memory.migrations")
    with psycopg.connect(database, application_name="an old report") as other:
        other.execute("select count(*) from public.ai_memories")
        pid = other.info.backend_pid
        with pytest.raises(MigrationError) as caught:
            await runner.migrate(database, lock_timeout=0.2)
    message = str(caught.value)
    assert BASE in message
    assert "table public.ai_memories, AccessShareLock" in message
    assert "an old report" in message
    assert "idle in transaction" in message
    assert f"pg_terminate_backend({pid})" in caught.value.hint
    assert ask(database, "select name from agent_memory.migrations") == []
    assert len((await runner.migrate(database)).applied) == len(FILES)


async def test_a_lock_on_no_table_is_a_clear_error_too(runner, database, ask):
    await runner.migrate(database)
    ask(database, "delete from agent_memory.migrations")
    with psycopg.connect(database) as other:
        other.execute("alter function agent_memory.exact_limit() cost 2")
        with pytest.raises(MigrationError, match="lock_timeout"):
            await runner.migrate(database, lock_timeout=0.2)


async def follow_hints(runner, superuser, dsn, ask):
    """Do what each hint says until the migrations pass; the statements that it took."""
    done = []
    for _ in range(8):
        try:
            await runner.migrate(dsn)
        except MissingPrivilegeError as error:
            [statement] = STATEMENT.findall(error.hint)
            assert statement not in done
            ask(superuser, statement)
            done.append(statement)
        else:
            break
    return done


async def test_a_role_without_rights_is_told_which_it_lacks(runner, database, make_role, ask):
    await runner.migrate(database)  # for the roles of the server
    ask(database, EMPTY)
    role = make_role(database)
    with pytest.raises(MissingPrivilegeError, match="CREATE on database") as caught:
        await runner.migrate(role)
    assert BASE in str(caught.value)
    assert ask(database, OURS) == []
    done = await follow_hints(runner, database, role, ask)
    assert [statement.split(" ON ")[1].split()[0] for statement in done] == ["DATABASE", "SCHEMA"]
    assert (await runner.status(role)).is_current


async def test_missing_roles_are_asked_for_one_by_one(runner, new_server, ask):
    ask(new_server, "create role app login; grant create on database pgrecall to app")
    ask(new_server, "grant usage, create on schema public to app")
    app = make_conninfo(new_server, user="app")
    with pytest.raises(MissingPrivilegeError, match=r"role anon is missing.*app may not create it"):
        await runner.migrate(app)
    done = await follow_hints(runner, new_server, app, ask)
    assert [statement.split()[2] for statement in done] == ["anon", "authenticated", "service_role"]
    assert (await runner.status(app)).is_current


async def test_who_does_not_own_the_schema_is_told_who_does(runner, database, make_role, ask):
    owner, other = make_role(database), make_role(database)
    names = [conninfo_to_dict(dsn)["user"] for dsn in (owner, other)]
    [here] = ask(database, "select current_database()::text")
    await runner.migrate(database)
    ask(database, EMPTY)
    for name in names:
        ask(database, f"grant usage, create on schema public to {name}")
        ask(database, f"grant create on database {here} to {name}")
    await runner.migrate(owner)
    with pytest.raises(MissingPrivilegeError, match=rf"belongs to {names[0]}") as caught:
        await runner.migrate(other)
    assert f"GRANT {names[0]} TO {names[1]};" in caught.value.hint
    await follow_hints(runner, database, other, ask)
    assert (await runner.status(other)).is_current


async def test_nobody_is_told_to_grant_a_superuser(runner, database, make_role, ask):
    await runner.migrate(database)
    with pytest.raises(MissingPrivilegeError) as caught:
        await runner.plan(make_role(database))
    assert "GRANT postgres" not in caught.value.hint


@pytest.mark.parametrize(
    ("definition", "kind"),
    [
        ("create table agent_memory.organizations (id integer primary key, name text)", "table"),
        ("create table agent_memory.organizations (id uuid primary key, name text)", "table"),
        ("create table agent_memory.organizations (name text)", "table"),
        ("create view agent_memory.organizations as select 1 as organization_id", "view"),
        ("create table public.ai_memories (id bigint primary key, content text)", "table"),
        ("create table agent_memory.members (organization_id int, user_id int)", "table"),
        ("create materialized view agent_memory.history as select 1", "materialized view"),
        ("create table public.agent_memory_config (agent_id text, settings jsonb)", "table"),
        ("create sequence public.ai_memories", "sequence"),
        ("create index ai_memories on public.there (x)", "index"),
    ],
)
async def test_what_is_in_the_way_is_named_and_kept(runner, database, ask, definition, kind):
    ask(database, "create table public.there (x int)")
    ask(database, definition)
    name = re.search(rf"{kind} (?:public\.)?(\w+)", definition)[1]
    name = f"public.{name}"
    before = ask(database, SHAPE, name)
    with pytest.raises(MigrationError) as caught:
        await runner.migrate(database)
    assert f"{kind} {name}" in str(caught.value)
    assert "Rename it" in caught.value.hint
    assert ask(database, SHAPE, name) == before
    ask(database, f"alter {kind} {name} rename to mine")
    await runner.migrate(database)
    assert (await runner.status(database)).is_current


@pytest.mark.parametrize(
    ("definition", "what"),
    [
        (
            "create type agent_memory.recalled_memory as (x int)",
            "type agent_memory.recalled_memory",
        ),
        ("create type agent_memory.memory_change as enum ('a')", "type agent_memory.memory_change"),
        ("create domain public.ai_memories as text", "domain public.ai_memories"),
        (
            "create function public.recall_memories(a text) returns text language sql as $$$$",
            "function public.recall_memories(text)",
        ),
        (
            "create function public.forget_memories(jsonb, boolean) returns int"
            " language sql as 'select 1'",
            "function public.forget_memories(jsonb,boolean)",
        ),
        (
            "create schema agent_memory; create table agent_memory.migrations (version int)",
            "schema agent_memory",
        ),
        (
            "create schema agent_memory; create type agent_memory.principal as (x int)",
            "schema agent_memory",
        ),
    ],
)
async def test_names_that_are_taken_are_refused_with_the_cure(
    runner, database, ask, definition, what
):
    ask(database, "set check_function_bodies = off; " + definition)
    for attempt in (runner.plan, runner.migrate):
        with pytest.raises(MigrationError) as caught:
            await attempt(database)
        assert f"In the way, and not pgrecall's: {what}." in str(caught.value)
    ask(database, caught.value.hint.partition(": ")[2])
    await runner.migrate(database)
    assert (await runner.status(database)).is_current


async def test_a_schema_that_another_role_made_is_not_moved_into(runner, database, make_role, ask):
    role = conninfo_to_dict(make_role(database))["user"]
    ask(database, f"create schema agent_memory authorization {role}")
    with pytest.raises(MigrationError, match="schema agent_memory"):
        await runner.migrate(database)
    ask(database, "alter schema agent_memory owner to postgres")
    await runner.migrate(database)


async def test_an_empty_schema_that_was_made_for_it_is_used(runner, database, ask):
    ask(database, "create schema agent_memory")
    await runner.migrate(database)
    assert (await runner.status(database)).is_current


async def test_a_failing_statement_is_quoted(runner, database, ask):
    text = "create table public.half (x int); select 1 / 0;"
    broken = parse_migration("29990101_broken.sql", text)
    with pytest.raises(MigrationError, match=r"29990101_broken\.sql failed .*division by zero"):
        await runner.migrate(database, files=(*FILES, broken))
    assert ask(database, "select to_regclass('public.half')::text") == [None]
    assert ask(database, "select count(*) from agent_memory.migrations") == [len(FILES)]


async def waiting_pid(dsn, ask):
    """The process of a runner that waits for a lock."""
    while not (pids := ask(dsn, WAITING)):
        await asyncio.sleep(0.02)
    return pids[0]


async def test_a_crash_in_the_middle_of_a_file_leaves_nothing_of_it(runner, database, ask):
    with psycopg.connect(database) as other:
        # The file has created its table and waits to create this type.
        other.execute("create type agent_memory.memory_change as (x int)")
        run = asyncio.create_task(runner.migrate(database, lock_timeout=60))
        pid = await asyncio.wait_for(waiting_pid(database, ask), 30)
        ask(database, "select pg_terminate_backend(%s)", pid)
        with pytest.raises(DatabaseUnavailableError, match=HISTORY):
            await run
        other.rollback()
    before = [file.name for file in FILES if file.name < HISTORY]
    assert ask(database, "select name from agent_memory.migrations order by 1") == before
    assert ask(database, "select to_regclass('agent_memory.history')::text") == [None]
    assert len((await runner.migrate(database)).applied) == len(FILES) - len(before)
    assert (await runner.status(database)).is_current


async def test_a_cancelled_run_leaves_nothing_of_its_file(database, ask):
    with psycopg.connect(database) as other:
        other.execute("create type agent_memory.memory_change as (x int)")
        run = asyncio.create_task(migrate(database, lock_timeout=60))
        await asyncio.wait_for(waiting_pid(database, ask), 30)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        other.rollback()
    assert ask(database, "select to_regclass('agent_memory.history')::text") == [None]
    await migrate(database)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_a_database_that_is_not_in_utf8_is_refused(runner, make_database, ask, encoding):
    database = make_database(encoding)
    with pytest.raises(MigrationError, match=f"this one is in {encoding}") as caught:
        await runner.migrate(database)
    assert "ENCODING 'UTF8'" in caught.value.hint
    assert ask(database, OURS) == []


async def test_a_read_only_database_is_named_as_such(runner, database):
    read_only = make_conninfo(database, options="-c default_transaction_read_only=on")
    with pytest.raises(MigrationError, match="read-only transaction"):
        await runner.migrate(read_only)


async def test_without_a_server_there_is_no_migration(runner, tmp_path):
    with pytest.raises(DatabaseUnavailableError):
        await runner.migrate(f"host={tmp_path} dbname=none")


async def test_a_malformed_address_is_not_repeated(runner):
    with pytest.raises(ConfigurationError) as caught:
        await runner.migrate("postgres//app:secret@db/app")
    assert "secret" not in str(caught.value)
