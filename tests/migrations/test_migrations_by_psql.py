"""The files alone, by psql, without the runner."""

import pytest

from pgrecall._sync.migrate import migrate, plan, status
from pgrecall.sql.migration_files import read_release
from tests.migrations.catalog import changed, ours

INSTALL = read_release().install
NAMES = [file.name for file in INSTALL]
BY = pytest.mark.parametrize("options", [[], ["-1"]], ids=["one by one", "in one transaction"])
TABLES = """
select c.oid::regclass::text from pg_class c
where c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text in ('public', 'agent_memory')
  and c.relrowsecurity = %s order by 1
"""
SETTINGS = """
select concat_ws(' ', current_setting('search_path'), current_setting('lock_timeout'),
                 current_setting('check_function_bodies'), current_setting('jit'))
"""
USE = """
select set_config('request.jwt.claims', '{"sub": "agent:default"}', false);
select agent_memory.settle_agent(gen_random_uuid(), 'acme', 'default');
set role authenticated;
select id from public.remember_memories('[{"content": "It rained in Lisbon."}]');
select content from public.recall_memories('Lisbon');
"""
MINE = "select count(*) from public.ai_memories"


@pytest.fixture
def folder(tmp_path):
    """The files as the runner has read them, wherever they may be edited meanwhile."""
    for file in INSTALL:
        (tmp_path / file.name).write_text(file.text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("who", ["database", "owner"])
@BY
def test_the_guides_three_files_make_all_of_it(request, ask, psql, folder, options, who):
    dsn = request.getfixturevalue(who)
    seen = []
    for _ in range(2):
        for name in NAMES:
            done = psql(dsn, *options, "-f", folder / name)
            assert done.returncode == 0, done.stderr
        seen.append(ours(dsn))
    assert changed(*seen) == {}
    assert ask(dsn, TABLES, False) == []
    assert ask(dsn, "select * from agent_memory.wrong_rights()") == []
    assert ask(dsn, USE) == ["It rained in Lisbon."]
    # The policy holds: another caller sees nothing.
    stranger = """set request.jwt.claims = '{"sub": "stranger"}'; set role authenticated;"""
    assert ask(dsn, f"{stranger} {MINE}") == [0]
    assert ask(dsn, MINE) == [1]


@BY
def test_all_files_in_one_call(database, ask, psql, folder, options):
    files = [option for name in NAMES for option in ("-f", folder / name)]
    done = psql(database, *options, *files)
    assert done.returncode == 0, done.stderr
    assert ask(database, USE) == ["It rained in Lisbon."]


def test_a_session_has_its_own_settings_again(database, ask):
    text = "".join(file.text for file in INSTALL)
    assert ask(database, f"{text}\n{SETTINGS}") == ask(database, SETTINGS)


def test_psql_and_the_runner_make_the_same_schema(make_database, psql, folder):
    by_psql, by_runner = make_database(), make_database()
    done = psql(by_psql, *(option for name in NAMES for option in ("-f", folder / name)))
    assert done.returncode == 0, done.stderr
    migrate(by_runner)
    assert changed(ours(by_psql), ours(by_runner)) == {}
    # The files have recorded themselves; what they made is noted by the next run.
    assert plan(by_psql).pending == ()
    assert "no reference was recorded yet" in status(by_psql).drift_unknown
    assert migrate(by_psql).applied == ()
    assert status(by_psql).is_current


def test_a_later_file_wants_the_first_one(database, psql, folder):
    done = psql(database, "-f", folder / NAMES[2])
    assert done.returncode == 3
    assert 'schema "agent_memory" does not exist' in done.stderr


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_psql_is_told_of_the_wrong_encoding_by_the_file(make_database, psql, folder, encoding):
    done = psql(make_database(encoding), "-f", folder / NAMES[0])
    assert done.returncode == 3
    assert f"pgrecall needs a database in UTF8; this one is in {encoding}" in done.stderr
    assert "HINT:" in done.stderr
