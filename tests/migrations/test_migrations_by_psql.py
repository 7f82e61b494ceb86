"""The files alone, by psql, without the runner."""

import pytest

from pgrecall._sync.migrate import migrate, plan
from pgrecall.sql.migration_files import read_migrations

NAMES = [file.name for file in read_migrations()]
GUIDE = [
    "20230901_memory_context_management.sql",
    "20250706_agent_memory_config.sql",
    "20250707_agent_memory_stats.sql",
]
TABLES = """
select c.relname::text from pg_class c
where c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text in ('public', 'agent_memory')
  and c.relrowsecurity = %s order by 1
"""
# What the catalogs say of the schema, the runner's own tables left out.
SHAPE = """
select line from (
  select pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '')
         || coalesce(obj_description(p.oid, 'pg_proc'), '')
  from pg_proc as p
  where p.pronamespace::regnamespace::text in ('public', 'agent_memory') and p.prokind = 'f'
  union all
  select c.oid::regclass::text || coalesce(c.relacl::text, '')
         || coalesce(obj_description(c.oid, 'pg_class'), '')
         || case when c.relkind = 'i' then pg_get_indexdef(c.oid) else '' end
  from pg_class as c
  where c.relnamespace::regnamespace::text in ('public', 'agent_memory')
    and c.relname !~ '^(migrations|fingerprints)'
  union all
  select c.conname || pg_get_constraintdef(c.oid)
  from pg_constraint as c where c.conname !~ '^(migrations|fingerprints)'
  union all
  select p.policyname || p.tablename || p.cmd || coalesce(p.qual, '') || coalesce(p.with_check, '')
  from pg_policies as p
) as lines (line)
order by 1
"""


@pytest.fixture
def folder(tmp_path):
    """The files as the runner has read them, wherever they may be edited meanwhile."""
    for file in read_migrations():
        (tmp_path / file.name).write_text(file.text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("options", [[], ["-1"]], ids=["one by one", "in one transaction"])
def test_the_guides_files_run_twice_with_every_table_secured(database, ask, psql, folder, options):
    for _ in range(2):
        for name in GUIDE:
            done = psql(database, *options, "-f", folder / name)
            assert done.returncode == 0, done.stderr
    assert set(ask(database, TABLES, True)) >= {
        "organizations",
        "agent_memory.members",
        "ai_memory_contexts",
        "ai_memories",
        "agent_memory_config",
        "agent_memory_stats",
    }
    assert ask(database, TABLES, False) == []


@pytest.mark.parametrize("options", [[], ["-1"]], ids=["one by one", "in one transaction"])
def test_all_files_run_twice_and_the_second_is_idle(database, ask, psql, folder, options):
    shapes = []
    for _ in range(2):
        for name in NAMES:
            done = psql(database, *options, "-f", folder / name)
            assert done.returncode == 0, done.stderr
        shapes.append(ask(database, SHAPE))
    assert shapes[0] == shapes[1]
    assert ask(database, TABLES, False) == []


def test_psql_and_the_runner_make_the_same_schema(make_database, ask, psql, folder):
    by_psql, by_runner = make_database(), make_database()
    done = psql(by_psql, *(option for name in NAMES for option in ("-f", folder / name)))
    assert done.returncode == 0, done.stderr
    migrate(by_runner)
    assert ask(by_psql, SHAPE) == ask(by_runner, SHAPE)
    assert [pending.name for pending in plan(by_psql).pending] == NAMES


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_psql_is_told_of_the_wrong_encoding_by_the_file(make_database, psql, folder, encoding):
    done = psql(make_database(encoding), "-f", folder / GUIDE[0])
    assert done.returncode == 3
    assert f"pgrecall needs a database in UTF8; this one is in {encoding}" in done.stderr
    assert "HINT:" in done.stderr
