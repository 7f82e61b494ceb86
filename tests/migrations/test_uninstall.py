"""Uninstalling leaves the database, and the server's roles, as they were."""

from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrecall import Memory
from pgrecall._sync.login import create_login
from pgrecall._sync.migrate import migrate, status
from pgrecall.errors import ConflictError, MigrationError, MissingPrivilegeError
from pgrecall.ops.backup.restore import restore
from pgrecall.ops.uninstall import plan_uninstall, uninstall, uninstall_sql
from pgrecall.testing import HashingEmbedder
from tests.migrations.catalog import changed, everything


def use(dsn, organization="default"):
    with Memory(dsn, embedder=HashingEmbedder(), organization=organization) as memory:
        memory.remember("I'm vegetarian.", user_id="maria")
        memory.context("chat").append("Hello.")
        memory.configure(language="english")
        memory.forget(user_id="maria")


@pytest.fixture
def app(new_server, ask):
    """An owner who is no superuser, on a server that has no role of pgrecall."""
    ask(new_server, "create role app login createrole createdb bypassrls")
    ask(new_server, "alter database pgrecall owner to app; alter schema public owner to app")
    return make_conninfo(new_server, user="app")


@pytest.mark.parametrize("who", ["new_server", "app"])
@pytest.mark.parametrize("by_psql", [False, True], ids=["by the command", "by psql"])
def test_afterwards_all_is_as_before(request, ask, psql, tmp_path, who, by_psql):
    dsn, server = (request.getfixturevalue(name) for name in (who, "new_server"))
    ask(server, "revoke all on schema public from public")
    before = everything(server)
    migrate(dsn)
    use(dsn)
    create_login(dsn)
    assert status(dsn).is_current
    if by_psql:
        path = tmp_path / "uninstall.sql"
        path.write_text(uninstall_sql(), encoding="utf-8")
        for _ in range(2):
            done = psql(dsn, "-f", path)
            assert (done.returncode, done.stderr) == (0, "")
    else:
        planned = plan_uninstall(dsn)
        done = uninstall(dsn)
        assert done.gone == planned.gone
        assert {"table", "function", "schema", "role"} <= {part.kind for part in done.gone}
        assert (done.stays, done.organizations, done.memories) == ((), 1, 2)
        assert uninstall(dsn).gone == ()
    assert changed(before, everything(server)) == {}
    # And it can come again.
    migrate(dsn)
    use(dsn)


def test_a_plan_changes_nothing(pgrecall_dsn):
    use(pgrecall_dsn)
    before = everything(pgrecall_dsn)
    plan_uninstall(pgrecall_dsn)
    assert changed(before, everything(pgrecall_dsn)) == {}


PG_CRON = """
    create schema cron;
    create table cron.job (
      jobid bigserial, jobname text, database text default current_database(),
      username text default current_user);
    create function cron.unschedule(job_id bigint) returns boolean language sql
      as 'delete from cron.job where jobid = job_id returning true';
    insert into cron.job (jobname) values ('pgrecall-retain'), ('own');
    insert into cron.job (jobname, database) values ('pgrecall-retain', 'elsewhere');
"""


def test_what_pg_cron_runs_of_it_ends(pgrecall_dsn, ask):
    """pg_cron needs to be preloaded, so its table and its function stand in for it."""
    ask(pgrecall_dsn, PG_CRON)
    done = uninstall(pgrecall_dsn)
    assert [part.name for part in done.gone if part.kind == "schedule"] == ["pgrecall-retain"]
    assert sorted(ask(pgrecall_dsn, "select jobname from cron.job")) == ["own", "pgrecall-retain"]


def test_every_organization_can_be_kept(new_server, ask, tmp_path):
    migrate(new_server)
    for organization in ("acme", "beta"):
        use(new_server, organization)
    heard = []
    done = uninstall(new_server, keep=str(tmp_path), on_kept=heard.append)
    assert [Path(kept).name.split("-")[0] for kept in done.kept] == ["acme", "beta"]
    assert heard == list(done.kept)
    migrate(new_server)
    for kept in done.kept:
        restore(new_server, kept)
    contents = "select content from public.ai_memories order by content, organization_id"
    assert ask(new_server, contents) == ["Hello."] * 2 + ["I'm vegetarian."] * 2


BUILT_ON_IT = {
    "view": "create view public.report as select content from public.ai_memories",
    "table": (
        "create table public.theirs (organization_id uuid references agent_memory.organizations)"
    ),
    "function": (
        "create function public.theirs(agent_memory.memory_change) returns int"
        " language sql as 'select 1'"
    ),
    "column": "create table public.theirs (was agent_memory.memory_change)",
}


@pytest.mark.parametrize("kind", BUILT_ON_IT)
def test_what_others_built_on_it_is_named_and_stops_it(pgrecall_dsn, ask, psql, tmp_path, kind):
    ask(pgrecall_dsn, BUILT_ON_IT[kind])
    before = everything(pgrecall_dsn)
    name = "report" if kind == "view" else "theirs"
    assert [name in part.name for part in plan_uninstall(pgrecall_dsn).dependents] == [True]
    with pytest.raises(ConflictError, match=name):
        uninstall(pgrecall_dsn)
    path = tmp_path / "uninstall.sql"
    path.write_text(uninstall_sql(), encoding="utf-8")
    done = psql(pgrecall_dsn, "-f", path)
    assert done.returncode == 3
    assert name in done.stderr
    assert changed(before, everything(pgrecall_dsn)) == {}


def stays(found):
    return {f"{part.kind} {part.name}": part.used_by for part in found.stays}


def test_what_others_use_stays_and_is_named(new_server, ask):
    migrate(new_server)
    use(new_server)
    ask(new_server, "create table public.theirs (x int); grant select on theirs to anon")
    ask(new_server, "create role colleague; grant service_role to colleague")
    ask(new_server, "create database other")
    other = make_conninfo(new_server, dbname="other")
    migrate(other)
    ask(new_server, "create table public.points (at extensions.vector)")
    found = stays(uninstall(new_server))
    assert found["role anon"] == "table public.theirs"
    assert found["role authenticated"] == "database other"
    assert "role colleague" in found["role service_role"]
    assert "theirs" not in found["extension vector"]
    assert "column at of table public.points" in found["extension vector"]
    assert found["schema extensions"] == "extension vector"
    use(other)
    assert status(other).is_current


def test_an_extension_that_a_functions_body_calls_stays(new_server, ask):
    migrate(new_server)
    ask(
        new_server,
        "create function public.near(a text, b text) returns float8 language plpgsql"
        " as 'begin return extensions.cosine_distance(a::extensions.vector, b); end'",
    )
    assert "public.near(text,text)" in stays(uninstall(new_server))["extension vector"]


def test_what_was_there_before_stays(new_server, ask):
    ask(new_server, "create schema extensions; create extension vector with schema extensions")
    ask(new_server, "create role anon; create role authenticated; create role app login")
    before = everything(new_server)
    migrate(new_server)
    use(new_server)
    uninstall(new_server)
    assert changed(before, everything(new_server)) == {}


def test_only_its_owner_uninstalls(pgrecall_dsn, make_role):
    role = make_role(pgrecall_dsn)
    before = everything(pgrecall_dsn)
    for attempt in (plan_uninstall, uninstall):
        with pytest.raises(MissingPrivilegeError, match="pgrecall belongs to "):
            attempt(role)
    assert changed(before, everything(pgrecall_dsn)) == {}
    assert conninfo_to_dict(role)["user"] in str(everything(pgrecall_dsn).keys())


def test_a_schema_that_is_not_pgrecalls_is_left_alone(database, ask, psql):
    ask(database, "create schema agent_memory; create table agent_memory.mine (x int)")
    before = everything(database)
    assert plan_uninstall(database).gone == ()
    assert uninstall(database).gone == ()
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        ask(database, uninstall_sql())
    assert changed(before, everything(database)) == {}


def test_it_waits_for_no_reader_longer_than_it_may(pgrecall_dsn):
    impatient = make_conninfo(pgrecall_dsn, options="-c pgrecall.lock_timeout=200ms")
    before = everything(pgrecall_dsn)
    with psycopg.connect(pgrecall_dsn) as other:
        other.execute("select count(*) from public.ai_memories")
        with pytest.raises(MigrationError, match="a lock could not be had"):
            uninstall(impatient)
    assert changed(before, everything(pgrecall_dsn)) == {}


def test_the_file_is_in_the_package():
    assert (files("pgrecall.sql") / "uninstall.sql").is_file()
