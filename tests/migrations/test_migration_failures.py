import asyncio
import re

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrecall import Memory
from pgrecall._async.migrate import migrate
from pgrecall.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    MigrationError,
    MissingPrivilegeError,
)
from pgrecall.sql.migration_files import read_release
from tests.migrations.catalog import changed, everything, ours
from tests.migrations.releases import ended_by, with_text

RELEASE = read_release()
NAMES = [file.name for file in RELEASE.install]
OURS = "select nspname from pg_namespace where nspname = 'agent_memory'"
WAITING = """
select pid from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock'
"""
STATEMENT = re.compile(r"(?:GRANT|CREATE ROLE) [^;]+;")


async def test_a_lock_that_others_hold_is_named(runner, database, ask):
    await runner.migrate(database)
    ask(database, "drop policy ai_memories_select on public.ai_memories")
    before = ours(database)
    with psycopg.connect(database, application_name="an old report") as other:
        other.execute("select count(*) from public.ai_memories")
        pid = other.info.backend_pid
        with pytest.raises(MigrationError) as caught:
            await runner.migrate(database, repair=True, lock_timeout=0.2)
    message = str(caught.value)
    assert NAMES[0] in message
    assert "table public.ai_memories, AccessShareLock" in message
    assert "an old report" in message
    assert "idle in transaction" in message
    assert f"pg_terminate_backend({pid})" in caught.value.hint
    assert changed(before, ours(database)) == {}
    assert len((await runner.migrate(database, repair=True)).applied) == len(NAMES)
    assert (await runner.status(database)).is_current


async def test_a_lock_on_no_table_is_a_clear_error_too(runner, database, ask):
    await runner.migrate(database)
    with psycopg.connect(database) as other:
        other.execute("alter function agent_memory.exact_limit() cost 2")
        with pytest.raises(MigrationError, match="lock_timeout"):
            await runner.migrate(database, repair=True, lock_timeout=0.2)


async def test_a_role_is_told_at_once_of_all_that_it_lacks(runner, new_server, ask):
    ask(new_server, "create role app login")
    ask(new_server, "revoke all on schema public from public")
    app, before = make_conninfo(new_server, user="app"), everything(new_server)
    for attempt in (runner.plan, runner.migrate):
        with pytest.raises(MissingPrivilegeError, match="CREATE on the database") as caught:
            await attempt(app)
        assert "USAGE and CREATE on schema public" in str(caught.value)
        assert all(f"the role {role}" in str(caught.value)
                   for role in ("anon", "authenticated", "service_role"))  # fmt: skip
    assert changed(before, everything(new_server)) == {}
    for statement in STATEMENT.findall(caught.value.hint):
        ask(new_server, statement)
    await runner.migrate(app)
    assert (await runner.status(app)).is_current


async def test_an_owner_of_a_database_needs_no_superuser(runner, new_server, ask):
    ask(new_server, "create role app login createrole createdb bypassrls")
    ask(new_server, "alter database pgrecall owner to app; alter schema public owner to app")
    app = make_conninfo(new_server, user="app")
    [version] = ask(new_server, "show server_version_num")
    if int(version) < 160000:
        # Before 16 only a superuser gives the right to bypass Row Level Security.
        with pytest.raises(MissingPrivilegeError, match="the role service_role") as caught:
            await runner.plan(app)
        for statement in STATEMENT.findall(caught.value.hint):
            ask(new_server, statement)
    await runner.migrate(app)
    assert (await runner.status(app)).is_current
    with Memory(app, embedder=None) as memory:
        memory.remember("It rained in Lisbon.")
        assert [hit.content for hit in memory.recall("Lisbon")] == ["It rained in Lisbon."]


async def test_who_does_not_own_the_schema_is_told_who_does(runner, database, make_role, ask):
    owner, other = make_role(database), make_role(database)
    names = [conninfo_to_dict(dsn)["user"] for dsn in (owner, other)]
    [here] = ask(database, "select current_database()::text")
    for name in names:
        ask(database, f"grant usage, create on schema public to {name}")
        ask(database, f"grant create on database {here} to {name}")
        ask(database, f"grant authenticated, service_role to {name}")
    await runner.migrate(owner)
    ask(database, "update agent_memory.migrations set features = '{}'")
    ask(database, f"grant usage on schema agent_memory to {names[1]}")
    ask(database, f"grant select on agent_memory.migrations to {names[1]}")
    with pytest.raises(MissingPrivilegeError, match=f"ownership of what {names[0]} owns") as caught:
        await runner.migrate(other)
    assert f"GRANT {names[0]} TO {names[1]};" in caught.value.hint
    ask(database, f"GRANT {names[0]} TO {names[1]};")
    await runner.migrate(other)


async def test_nobody_is_told_to_grant_a_superuser(runner, database, make_role, ask):
    await runner.migrate(database)
    role = make_role(database)
    name = conninfo_to_dict(role)["user"]
    ask(database, "update agent_memory.migrations set features = '{}'")
    ask(database, f"grant usage on schema agent_memory to {name}")
    ask(database, f"grant select on agent_memory.migrations to {name}")
    with pytest.raises(MissingPrivilegeError) as caught:
        await runner.plan(role)
    assert "GRANT postgres" not in caught.value.hint
    assert "run the migrations as postgres" in caught.value.hint


async def test_a_failing_statement_is_quoted(runner, database, ask):
    broken = with_text(RELEASE, NAMES[2], ended_by("select 1 / 0;"))
    with pytest.raises(MigrationError, match=rf"{NAMES[2]} failed .*division by zero"):
        await runner.migrate(database, release=broken)
    assert ask(database, OURS) == []


async def waiting_pid(dsn, ask):
    """The process of a runner that waits for a lock."""
    while not (pids := ask(dsn, WAITING)):
        await asyncio.sleep(0.02)
    return pids[0]


async def test_a_crash_in_the_middle_of_a_file_leaves_nothing(runner, database, ask):
    before = everything(database)
    with psycopg.connect(database) as other:
        # The file has made its first tables and waits to make this schema.
        other.execute("create schema extensions")
        run = asyncio.create_task(runner.migrate(database, lock_timeout=60))
        pid = await asyncio.wait_for(waiting_pid(database, ask), 30)
        ask(database, "select pg_terminate_backend(%s)", pid)
        with pytest.raises(DatabaseUnavailableError, match=NAMES[0]):
            await run
        other.rollback()
    assert changed(before, everything(database)) == {}
    assert len((await runner.migrate(database)).applied) == len(NAMES)
    assert (await runner.status(database)).is_current


async def test_a_cancelled_run_leaves_nothing(database, ask):
    with psycopg.connect(database) as other:
        other.execute("create schema extensions")
        run = asyncio.create_task(migrate(database, lock_timeout=60))
        await asyncio.wait_for(waiting_pid(database, ask), 30)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        other.rollback()
    assert ask(database, OURS) == []
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
