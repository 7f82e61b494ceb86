import asyncio
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrecall.sql.migration_files import parse_migration, read_release
from tests.migrations.catalog import changed, ours

RELEASE = read_release()
NAMES = [file.name for file in RELEASE.install]

WITHOUT_RLS = """
select c.oid::regclass::text from pg_class c
where c.relkind in ('r', 'p') and not c.relrowsecurity
  and c.relnamespace::regnamespace::text in ('public', 'agent_memory')
"""
LEDGER = "select name from agent_memory.migrations order by name"
RECORDS = "select m::text from agent_memory.migrations as m order by 1"
REMEMBER = """
set request.jwt.claims = '{"sub": "agent:default"}';
select agent_memory.settle_agent(gen_random_uuid(), 'acme', 'default');
select id::text from public.remember_memories('[{"content": "It rained in Lisbon."}]');
"""
LOCKS = """
select distinct l.relation::regclass::text || ' ' || l.mode
from pg_locks as l join pg_database as d on d.oid = l.database
where d.datname = current_database() and l.pid <> pg_backend_pid() and l.locktype = 'relation'
  and l.relation::regclass::text ~ 'memor|agent'
  and l.mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
  and l.mode <> 'ShareUpdateExclusiveLock'
"""


def names(migrations):
    return [migration.name for migration in migrations]


async def test_a_fresh_database_gets_everything(runner, database, ask):
    before = await runner.plan(database)
    assert names(before.pending) == NAMES
    report = await runner.migrate(database)
    assert report.applied == before.pending
    assert ask(database, LEDGER) == NAMES
    assert ask(database, WITHOUT_RLS) == []
    assert (await runner.status(database)).is_current


async def test_a_plan_changes_nothing(runner, database, ask):
    before = ours(database)
    await runner.plan(database)
    assert changed(before, ours(database)) == {}
    assert ask(database, "select to_regnamespace('agent_memory')::text") == [None]


async def test_a_second_run_does_nothing_and_needs_no_write(runner, database, ask):
    await runner.migrate(database)
    ledger = ask(database, RECORDS)
    read_only = make_conninfo(database, options="-c default_transaction_read_only=on")
    assert (await runner.migrate(read_only)).applied == ()
    assert ask(database, RECORDS) == ledger


async def test_a_second_run_takes_no_lock_on_any_table(runner, database, ask):
    await runner.migrate(database)
    # The ledger and the reference are read; for all else even a reader would have to wait.
    read = ["agent_memory.migrations", "agent_memory.fingerprints"]
    unread = [table for table in RELEASE.tables if table not in read]
    with psycopg.connect(database) as other:
        other.execute(f"lock table {', '.join(unread)} in access exclusive mode".encode())
        other.execute(f"lock table {', '.join(read)} in exclusive mode".encode())
        impatient = make_conninfo(database, options="-c lock_timeout=200ms")
        assert (await runner.migrate(impatient)).applied == ()


async def test_applying_all_again_waits_for_no_reader_or_writer(runner, database, ask):
    await runner.migrate(database)
    with psycopg.connect(database, prepare_threshold=None) as other:
        other.execute(REMEMBER.encode())
        other.execute("set local role authenticated")
        other.execute("select * from public.recall_memories('Lisbon')")
        report = await runner.migrate(database, repair=True, lock_timeout=0.5)
    assert names(report.applied) == NAMES
    assert (await runner.status(database)).is_current


async def test_readers_and_writers_wait_for_no_run_that_applies_all_again(runner, database, ask):
    await runner.migrate(database)
    ask(database, REMEMBER)
    # The last file waits here, while the run holds all locks that it takes.
    with psycopg.connect(database) as other:
        other.execute("alter function agent_memory.retain_all(integer) cost 2")
        run = asyncio.create_task(runner.migrate(database, repair=True, lock_timeout=60))
        while not ask(database, "select pid from pg_stat_activity where wait_event_type = 'Lock'"
                      " and datname = current_database()"):  # fmt: skip
            await asyncio.sleep(0.02)
        impatient = make_conninfo(database, options="-c lock_timeout=200ms")
        assert ask(database, LOCKS) == []
        claims = """set request.jwt.claims = '{"sub": "agent:default"}'; set role authenticated;"""
        write = """select id from remember_memories('[{"content": "It rained again."}]')"""
        assert len(ask(impatient, f"{claims} {write}")) == 1
        assert len(ask(impatient, f"{claims} select id from recall_memories('rained')")) == 2
        other.rollback()
        await run


async def test_every_file_can_run_again(runner, database, ask):
    await runner.migrate(database)
    before = ours(database)
    ask(database, "delete from agent_memory.migrations")
    assert names((await runner.migrate(database)).applied) == NAMES
    assert changed(before, ours(database)) == {}


async def test_eight_runners_at_once_apply_each_file_once(runner, database, ask):
    reports = await asyncio.gather(*(runner.migrate(database) for _ in range(8)))
    assert sorted(names(report.applied) for report in reports) == [[]] * 7 + [NAMES]
    assert ask(database, LEDGER) == NAMES


async def test_runners_at_once_on_two_databases_of_a_new_server(runner, new_server, ask):
    ask(new_server, "create database other")
    both = (new_server, make_conninfo(new_server, dbname="other"))
    await asyncio.gather(*(runner.migrate(database) for database in both))
    for database in both:
        assert (await runner.status(database)).is_current


async def test_the_ledger_says_who_applied_what_and_with_which_extensions(runner, database, ask):
    await runner.migrate(database)
    [first, *_] = (await runner.status(database)).migrations
    assert (first.state, first.reason) == ("applied", None)
    assert first.applied.checksum == RELEASE.install[0].checksum
    assert first.applied.release == RELEASE.version
    assert first.applied.applied_by == ask(database, "select session_user::text")[0]
    versions = "select extname || ' ' || extversion from pg_extension where extname <> 'plpgsql'"
    assert set(first.applied.features) <= set(ask(database, versions))


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
async def test_clients_have_no_right_on_the_ledger(runner, database, ask, role):
    await runner.migrate(database)
    rights = "select, insert, update, delete, truncate, references, trigger"
    has_any = "select has_table_privilege(%s, 'agent_memory.' || t, %s) from (values"
    ledgers = "('migrations'), ('fingerprints'), ('additions')) as l (t)"
    assert ask(database, f"{has_any} {ledgers}", role, rights) == [False] * 3


async def test_missing_extensions_are_reported(runner, database, ask):
    available = ask(database, "select name::text from pg_available_extensions")
    missing = {"uuid-ossp", "pgcrypto", "btree_gin", "vector"} - set(available)
    report = await runner.migrate(database)
    assert len(report.notices) == len(missing)
    for extension in missing:
        assert any(f"extension {extension} " in notice for notice in report.notices)
    assert not any("skipping" in notice for notice in report.notices)


async def test_extensions_stand_in_a_schema_of_their_own(runner, database, ask):
    await runner.migrate(database)
    homes = ask(
        database,
        "select distinct extnamespace::regnamespace::text from pg_extension"
        " where extname in ('uuid-ossp', 'pgcrypto', 'btree_gin', 'vector')",
    )
    assert set(homes) <= {"extensions"}


async def test_an_extension_stays_where_it_is(runner, database, ask):
    if not ask(database, "select name from pg_available_extensions where name = 'vector'"):
        pytest.skip("needs pgvector")
    ask(database, "create schema mine; create extension vector with schema mine")
    await runner.migrate(database)
    home = "select extnamespace::regnamespace::text from pg_extension where extname = 'vector'"
    assert ask(database, home) == ["mine"]
    assert ask(database, "select agent_memory.has_vector()") == [True]
    assert (await runner.status(database)).is_current


async def test_other_line_endings_are_no_edit(runner, database):
    await runner.migrate(database)
    install = (parse_migration(f.text.replace("\n", "\r\n")) for f in RELEASE.install)
    windows = replace(RELEASE, install=tuple(install))
    assert (await runner.migrate(database, release=windows)).applied == ()


async def test_a_run_that_was_killed_is_done_again(runner, database, ask):
    await runner.migrate(database)
    ask(database, f"delete from agent_memory.migrations where name = '{NAMES[-1]}'")
    assert names((await runner.migrate(database)).applied) == NAMES


async def test_vectors_come_when_the_extension_comes(runner, database, ask, without_vector):
    report = await runner.migrate(database)
    assert any("extension vector is not available" in notice for notice in report.notices)
    assert ask(database, "select agent_memory.has_vector()") == [False]

    without_vector()
    assert names((await runner.plan(database)).pending) == NAMES
    # Beside who reads and writes.
    with psycopg.connect(database) as other:
        other.execute(REMEMBER.encode())
        other.execute("select * from public.recall_memories('Lisbon')")
        await runner.migrate(database, lock_timeout=0.5)
    assert ask(database, "select agent_memory.has_vector()") == [True]
    assert ask(database, WITHOUT_RLS) == []
    assert (await runner.status(database)).is_current
    assert (await runner.migrate(database)).applied == ()


FORBID = """
create function public.forbid() returns event_trigger language plpgsql as $$
begin
  raise insufficient_privilege using message = 'this provider does not allow extensions';
end $$;
create event trigger forbid on ddl_command_start when tag in ('CREATE EXTENSION')
  execute function public.forbid();
"""


async def test_an_extension_that_may_not_be_created_is_asked_for_once(runner, database, ask):
    if not ask(database, "select name from pg_available_extensions where name = 'vector'"):
        pytest.skip("needs pgvector")
    ask(database, FORBID)
    report = await runner.migrate(database)
    [notice] = [notice for notice in report.notices if notice.startswith("extension vector")]
    assert 'CREATE EXTENSION "vector"' in notice
    assert ask(database, "select count(*) from agent_memory.additions where kind = 'schema'") == [0]
    assert (await runner.migrate(database)).applied == (), "it does not try again at every start"

    ask(database, "drop event trigger forbid; create extension vector")
    assert names((await runner.migrate(database)).applied) == NAMES
    assert ask(database, "select agent_memory.has_vector()") == [True]
