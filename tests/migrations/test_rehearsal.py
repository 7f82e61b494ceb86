"""An upgrade rehearsed: a next release is made from this one, and databases are brought to it."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import replace

import psycopg
import pytest

from pgrecall._async import migrate as _async
from pgrecall._sync.migrate import migrate, plan, status
from pgrecall.errors import DatabaseUnavailableError, EditedMigrationError, MigrationError
from pgrecall.ops.supabase import export_migrations
from pgrecall.sql.migration_files import parse_migration, read_release
from pgrecall.testing.databases import cloned
from tests.migrations.catalog import changed, ours
from tests.migrations.releases import UPGRADE, VERSION, ended_by, next_release, with_text

THIS = read_release()
INSTALL = [file.name for file in THIS.install]
FIRST = INSTALL[0]
REMEMBER = """
set request.jwt.claims = '{"sub": "agent:default"}';
select agent_memory.settle_agent(gen_random_uuid(), 'acme', 'default');
select id::text from public.remember_memories('[{"content": "It rained on ٣ days in Lisbon."}]');
"""
RECALL = """
set request.jwt.claims = '{"sub": "agent:default"}';
set role authenticated;
select m.id::text
from public.recall_memories('Lisbon') as r join public.ai_memories as m using (id);
"""


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    """The next release."""
    return next_release(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def folder(later, tmp_path_factory):
    """Its files, for psql."""
    folder = tmp_path_factory.mktemp("files")
    for file in later.files:
        (folder / file.name).write_text(file.text, encoding="utf-8")
    return folder


@pytest.fixture
def old(pgrecall_dsn, ask):
    """A database that this release has made and used."""
    ask(pgrecall_dsn, REMEMBER)
    return pgrecall_dsn


@pytest.fixture(scope="module")
def fresh_template(pgrecall_server, later):
    with cloned(pgrecall_server, "template0") as database:
        migrate(database, release=later)
        yield database


@pytest.fixture
def fresh(fresh_template):
    """A database that the next release has made."""
    with cloned(fresh_template) as database:
        yield database


@pytest.fixture(scope="module")
def wanted(fresh_template):
    """The catalog of such a database."""
    return ours(fresh_template)


def names(pending):
    return [each.name for each in pending]


def test_a_next_release_differs_in_all_that_is_rehearsed(later, wanted, old):
    kinds = {key[0] for key in changed(ours(old), wanted)}
    assert kinds >= {"type", "function", "column", "policy", "index", "table", "comment"}
    assert (later.version, names(later.upgrades)) == (VERSION, [UPGRADE])


def test_an_upgraded_database_is_as_a_new_one(old, wanted, fresh, later, ask):
    assert names(plan(old, release=later).pending) == [UPGRADE, *INSTALL]
    report = migrate(old, release=later)
    assert names(report.applied) == [UPGRADE, *INSTALL]
    assert not any("are not as the migrations made them" in notice for notice in report.notices)
    assert changed(ours(old), wanted) == {}
    assert ask(old, "select * from agent_memory.wrong_rights()") == []
    assert ask(old, "select has_digits from public.ai_memories") == [True]
    assert ask(old, RECALL) == ask(old, "select id::text from public.ai_memories")
    for database in (old, fresh):
        assert status(database, release=later).is_current
        assert migrate(database, release=later).applied == ()


def test_every_file_runs_again_afterwards(old, wanted, fresh, later, ask):
    migrate(old, release=later)
    for database in (old, fresh):
        ask(database, "update agent_memory.migrations set features = '{}'")
        assert names(migrate(database, release=later).applied) == INSTALL
        report = migrate(database, release=later, repair=True)
        assert (names(report.applied), report.drift) == (INSTALL, ())
    assert changed(ours(old), wanted) == {}


def test_drift_is_cured_by_the_upgrade_or_still_shows(old, wanted, later, ask):
    ask(old, "drop policy ai_memories_select on public.ai_memories")
    ask(old, "create policy everyone on public.ai_memories using (true)")
    report = migrate(old, release=later)
    assert any("2 objects are not as the migrations made them" in each for each in report.notices)
    [left] = status(old, release=later).drift
    assert (left.change, left.name) == ("added", "everyone on public.ai_memories")
    ask(old, left.cure)
    assert changed(ours(old), wanted) == {}


@pytest.mark.parametrize("options", [[], ["-1"]], ids=["one by one", "in one transaction"])
def test_psql_upgrades_and_a_second_time_changes_nothing(
    old, wanted, later, ask, psql, folder, options
):
    for _ in range(2):
        for name in (UPGRADE, *INSTALL):
            done = psql(old, *options, "-f", folder / name)
            assert done.returncode == 0, done.stderr
        assert changed(ours(old), wanted) == {}
    assert migrate(old, release=later).applied == ()
    assert ask(old, RECALL) == ask(old, "select id::text from public.ai_memories")


def test_psql_is_told_the_order(old, fresh, database, psql, folder):
    before = ours(old)
    done = psql(old, "-f", folder / FIRST)
    assert (done.returncode, changed(before, ours(old))) == (3, {})
    assert f"by an earlier release of pgrecall and lacks {UPGRADE}" in done.stderr
    done = psql(old, "-f", folder / INSTALL[1])
    assert f"{INSTALL[1]} is to be applied after {FIRST} of the same release" in done.stderr
    done = psql(database, "-f", folder / UPGRADE)
    assert f"{UPGRADE} has nothing to upgrade" in done.stderr
    # A new database has what the upgrade changes.
    before = ours(fresh)
    done = psql(fresh, "-f", folder / UPGRADE)
    assert (done.returncode, changed(before, ours(fresh))) == (0, {})


def test_this_release_leaves_a_later_ones_database_alone(fresh, psql, tmp_path):
    before = ours(fresh)
    for attempt in (plan, migrate):
        with pytest.raises(MigrationError, match=rf"A newer pgrecall.*{VERSION}"):
            attempt(fresh)
    (tmp_path / FIRST).write_text(THIS.install[0].text, encoding="utf-8")
    done = psql(fresh, "-f", tmp_path / FIRST)
    assert f"this database has pgrecall {VERSION}; this is release" in done.stderr
    assert changed(before, ours(fresh)) == {}
    assert {state.state for state in status(fresh).migrations} >= {"unknown"}


async def test_of_two_runners_at_once_one_upgrades(old, wanted, later):
    reports = await asyncio.gather(*(_async.migrate(old, release=later) for _ in range(2)))
    assert sorted(names(report.applied) for report in reports) == [[], [UPGRADE, *INSTALL]]
    assert changed(ours(old), wanted) == {}


# Where the run dies: at the end of each file, and in the midst of the first.
DEATHS = [(name, None) for name in (UPGRADE, *INSTALL)] + [
    (FIRST, part) for part in (0.1, 0.4, 0.8)
]


def dying(release, name, part):
    """A release whose file ends its own session, at its end or after a part of its functions."""
    kill = "select pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid());"
    if part is None:
        return with_text(release, name, ended_by(kill))

    def edit(text):
        places = [found.start() for found in re.finditer(r"^create or replace", text, re.MULTILINE)]
        place = places[int(len(places) * part)]
        return f"{text[:place]}{kill}\n{text[place:]}"

    return with_text(release, name, edit)


@pytest.mark.parametrize(("name", "part"), DEATHS)
def test_a_crash_leaves_the_old_release_whole(old, wanted, later, ask, name, part):
    before = ours(old)
    with pytest.raises(DatabaseUnavailableError, match=re.escape(name)):
        migrate(old, release=dying(later, name, part))
    assert changed(before, ours(old)) == {}
    assert status(old).is_current
    assert len(ask(old, RECALL)) == 1
    migrate(old, release=later)
    assert changed(ours(old), wanted) == {}


def edited_upgrade(later, addition):
    """The next release with another text of its upgrade."""
    upgrade = later.upgrades[0]
    head, _, rest = upgrade.text.partition("\nend\n$upgrade$;\n")
    text = f"{head}\n{addition}\nend\n$upgrade$;\n{rest}"
    start = text.index("select agent_memory.record_upgrade(")
    digest = hashlib.sha256(text[:start].encode()).hexdigest()
    return parse_migration(text.replace(upgrade.checksum, digest))


def test_an_edited_upgrade_is_refused_until_it_is_accepted(old, later, ask):
    migrate(old, release=later)
    # The new text has to be safe to apply to what is there.
    edited = replace(later, upgrades=(edited_upgrade(later, "create table public.again (x int);"),))
    for attempt in (plan, migrate):
        with pytest.raises(EditedMigrationError, match=UPGRADE):
            attempt(old, release=edited)
    [state, *_] = status(old, release=edited).migrations
    assert (state.name, state.state) == (UPGRADE, "edited")
    report = migrate(old, release=edited, accept=[UPGRADE])
    assert names(report.applied) == [UPGRADE, *INSTALL]
    assert ask(old, "select to_regclass('public.again')::text") == ["again"]
    assert migrate(old, release=edited).applied == ()


def test_psql_does_not_take_an_edited_upgrade_for_applied(old, later, psql, tmp_path):
    migrate(old, release=later)
    edited = edited_upgrade(later, "create table public.again (x int);")
    (tmp_path / UPGRADE).write_text(edited.text, encoding="utf-8")
    assert psql(old, "-f", tmp_path / UPGRADE).returncode == 0
    [state, *_] = status(old, release=replace(later, upgrades=(edited,))).migrations
    assert state.state == "edited"


@pytest.mark.parametrize(
    "definition",
    [
        "create function public.list_memory_notes(x int) returns int language sql as 'select 1'",
        "create procedure public.list_memory_notes() language sql as 'select 1'",
    ],
)
def test_a_name_that_was_taken_since_is_named_and_kept(old, later, ask, psql, folder, definition):
    ask(old, definition)
    before = ours(old)
    for attempt in (plan, migrate):
        with pytest.raises(
            MigrationError, match=r"not pgrecall's: \w+ public\.list_memory_notes\("
        ):
            attempt(old, release=later)
    assert psql(old, "-f", folder / FIRST).returncode == 3
    assert changed(before, ours(old)) == {}


def test_an_upgrade_waits_for_no_reader_longer_than_it_may(old, later):
    with psycopg.connect(old, application_name="a long report") as other:
        other.execute("select count(*) from public.ai_memories")
        with pytest.raises(MigrationError, match="a long report"):
            migrate(old, release=later, lock_timeout=0.2)
    assert status(old).is_current


def test_vectors_may_come_before_or_after_an_upgrade(database, wanted, later, ask, without_vector):
    migrate(database)
    assert ask(database, "select agent_memory.has_vector()") == [False]
    migrate(database, release=later)
    assert ask(database, "select agent_memory.has_vector()") == [False]
    assert status(database, release=later).is_current
    without_vector()
    assert names(migrate(database, release=later).applied) == INSTALL
    assert ask(database, "select agent_memory.has_vector()") == [True]
    assert changed(ours(database), wanted) == {}


def exported(project, release=THIS):
    """What `pgrecall supabase export` did with each file."""
    return {each.name: each.state for each in export_migrations(project, release=release).files}


def test_a_supabase_project_gets_one_file_more(old, wanted, later, ask, psql, tmp_path):
    folder = tmp_path / "supabase" / "migrations"
    assert exported(tmp_path) == dict.fromkeys(INSTALL, "written")
    (folder / "20260101000000_mine.sql").write_text("create table public.mine (id int);")
    states = exported(tmp_path, later)
    *kept, added = states
    assert kept == INSTALL
    assert list(states.values()) == ["unchanged"] * 3 + ["written"]
    # It is pushed after all that the project has, and once.
    assert re.fullmatch(rf"20\d{{12}}_pgrecall_{re.escape(VERSION)}\.sql", added)
    assert added == sorted(path.name for path in folder.iterdir())[-1]
    assert exported(tmp_path, later) == dict.fromkeys(states, "unchanged")
    done = psql(old, "-1", "-f", folder / added)
    assert done.returncode == 0, done.stderr
    assert changed(ours(old), wanted) == {}
    assert migrate(old, release=later).applied == ()


def test_a_supabase_project_can_be_made_again_from_its_files(
    database, wanted, later, psql, tmp_path
):
    exported(tmp_path)
    exported(tmp_path, later)
    for path in sorted((tmp_path / "supabase" / "migrations").iterdir()):
        done = psql(database, "-1", "-f", path)
        assert done.returncode == 0, done.stderr
    assert changed(ours(database), wanted) == {}


def test_a_new_supabase_project_gets_the_later_install_alone(later, tmp_path):
    assert exported(tmp_path, later) == dict.fromkeys(INSTALL, "written")
    assert exported(tmp_path, later) == dict.fromkeys(INSTALL, "unchanged")
