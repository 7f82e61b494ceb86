import asyncio

import pytest
from psycopg.conninfo import make_conninfo

from pgrecall.errors import EditedMigrationError, MigrationError
from pgrecall.sql.migration_files import parse_migration, read_migrations

NAMES = [file.name for file in read_migrations()]
VECTORS = next(name for name in NAMES if name.endswith("_memory_embeddings.sql"))

WITHOUT_RLS = """
select c.oid::regclass::text from pg_class c
where c.relkind in ('r', 'p') and not c.relrowsecurity
  and c.relnamespace::regnamespace::text in ('public', 'agent_memory')
"""
LEDGER = "select name from agent_memory.migrations order by applied_at"


def names(migrations):
    return [migration.name for migration in migrations]


def edited(name, text=None):
    """The packaged files, one of them with another text."""
    return tuple(
        parse_migration(file.name, text or f"{file.text}\n-- edited") if file.name == name else file
        for file in read_migrations()
    )


async def test_a_fresh_database_gets_everything(runner, database, ask):
    before = await runner.plan(database)
    assert names(before.pending) == NAMES
    report = await runner.migrate(database)
    assert report.applied == before.pending
    assert ask(database, LEDGER) == NAMES
    assert ask(database, WITHOUT_RLS) == []
    assert (await runner.status(database)).is_current


async def test_a_second_run_does_nothing_and_needs_no_write(runner, database, ask):
    await runner.migrate(database)
    ledger = ask(database, "select m::text from agent_memory.migrations as m")
    read_only = make_conninfo(database, options="-c default_transaction_read_only=on")
    assert (await runner.migrate(read_only)).applied == ()
    assert ask(database, "select m::text from agent_memory.migrations as m") == ledger


async def test_every_file_can_run_again(runner, database, ask):
    await runner.migrate(database)
    ask(database, "delete from agent_memory.migrations")
    assert names((await runner.migrate(database)).applied) == NAMES


async def test_eight_runners_at_once_apply_each_file_once(runner, database, ask):
    reports = await asyncio.gather(*(runner.migrate(database) for _ in range(8)))
    assert sorted(name for report in reports for name in names(report.applied)) == NAMES
    assert ask(database, LEDGER) == NAMES


async def test_what_psql_applied_is_recorded(runner, database, ask, psql, pytestconfig):
    folder = pytestconfig.rootpath / "src" / "pgrecall" / "sql" / "migrations"
    done = psql(database, *(option for name in NAMES for option in ("-f", folder / name)))
    assert done.returncode == 0, done.stderr
    assert names((await runner.migrate(database)).applied) == NAMES
    assert ask(database, LEDGER) == NAMES


async def test_the_ledger_says_who_applied_what_and_with_which_extensions(runner, database, ask):
    await runner.migrate(database)
    [first, *_] = (await runner.status(database)).migrations
    assert (first.state, first.reason) == ("applied", None)
    assert first.applied.checksum == read_migrations()[0].checksum
    assert first.applied.applied_by == ask(database, "select session_user::text")[0]
    versions = "select extname || ' ' || extversion from pg_extension where extname <> 'plpgsql'"
    assert set(first.applied.features) <= set(ask(database, versions))


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
async def test_clients_have_no_right_on_the_ledger(runner, database, ask, role):
    await runner.migrate(database)
    rights = "select, insert, update, delete, truncate, references, trigger"
    has_any = "select has_table_privilege(%s, 'agent_memory.migrations', %s)"
    assert ask(database, has_any, role, rights) == [False]


async def test_missing_extensions_are_reported(runner, database, ask):
    available = ask(database, "select name::text from pg_available_extensions")
    missing = {"uuid-ossp", "pgcrypto", "btree_gin", "vector"} - set(available)
    report = await runner.migrate(database)
    assert len(report.notices) == len(missing)
    for extension in missing:
        assert any(f"extension {extension} " in notice for notice in report.notices)
    assert not any("skipping" in notice for notice in report.notices)


async def test_an_edited_file_is_refused_until_it_is_accepted(runner, database, ask):
    await runner.migrate(database)
    files = edited(NAMES[3])
    for attempt in (runner.migrate, runner.plan):
        with pytest.raises(EditedMigrationError, match=NAMES[3]):
            await attempt(database, files=files)
    states = {
        state.name: state.state for state in (await runner.status(database, files=files)).migrations
    }
    assert states == {**dict.fromkeys(NAMES, "applied"), NAMES[3]: "edited"}
    report = await runner.migrate(database, files=files, accept=[NAMES[3]])
    assert names(report.applied) == NAMES[3:]
    assert (await runner.migrate(database, files=files)).applied == ()


async def test_other_line_endings_are_no_edit(runner, database):
    await runner.migrate(database)
    windows = [parse_migration(f.name, f.text.replace("\n", "\r\n")) for f in read_migrations()]
    assert (await runner.migrate(database, files=windows)).applied == ()


async def test_a_database_of_a_newer_pgrecall_is_left_alone(runner, database):
    future = parse_migration("29990101_future.sql", "create table public.future (x int);")
    await runner.migrate(database, files=(*read_migrations(), future))
    with pytest.raises(MigrationError, match=r"newer pgrecall.*29990101_future"):
        await runner.migrate(database)
    assert (await runner.status(database)).migrations[-1].state == "unknown"


def answering(name):
    """A file that replaces what others of its kind define."""
    function = "create or replace function public.answer() returns text language sql"
    return parse_migration(name, f"{function} as $$ select '{name}' $$;")


async def test_later_files_follow_a_file_that_is_applied_late(runner, database, ask):
    base, *_ = read_migrations()
    early, late = answering("30000101_early.sql"), answering("30000102_late.sql")
    await runner.migrate(database, files=(base, late))
    report = await runner.migrate(database, files=(base, early, late))
    assert names(report.applied) == [early.name, late.name]
    assert ask(database, "select public.answer()") == [late.name]


@pytest.fixture
def without_extensions(database, ask):
    """A database whose server has no extension to give, until they are installed."""
    [version] = ask(database, "show server_version_num")
    available = "select name from pg_available_extensions where name = 'vector'"
    if int(version) < 180000 or not ask(database, available):
        pytest.skip("needs PostgreSQL 18 with pgvector")
    [name] = ask(database, "select current_database()::text")
    ask(database, f"alter database {name} set extension_control_path = '/nowhere'")
    assert ask(database, available) == []

    def install():
        ask(database, f"alter database {name} reset extension_control_path")

    return install


async def test_vectors_come_when_the_extension_comes(runner, database, ask, without_extensions):
    report = await runner.migrate(database)
    assert any("extension vector is not available" in notice for notice in report.notices)
    assert ask(database, "select agent_memory.has_vector()") == [False]

    without_extensions()
    assert VECTORS in names((await runner.plan(database)).pending)
    ask(database, "create extension vector")
    report = await runner.migrate(database)
    assert names(report.applied)[-1:] == NAMES[-1:], "whatever follows is applied again"
    assert ask(database, "select agent_memory.has_vector()") == [True]
    assert ask(database, WITHOUT_RLS) == []
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
    assert (await runner.migrate(database)).applied == (), "it does not try again at every start"

    ask(database, "drop event trigger forbid; create extension vector")
    assert VECTORS in names((await runner.migrate(database)).applied)
    assert ask(database, "select agent_memory.has_vector()") == [True]
