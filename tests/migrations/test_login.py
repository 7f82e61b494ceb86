"""The login of a service: it can act for callers, and without one can do nothing."""

import json
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrecall import Memory
from pgrecall._sync.login import create_login
from pgrecall._sync.migrate import migrate, status
from pgrecall.errors import (
    ConfigurationError,
    MigrationError,
    MissingPrivilegeError,
    NoOrganizationError,
)
from pgrecall.sql.address import for_login
from pgrecall.testing import HashingEmbedder

ATTRIBUTES = """
select (rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb)::text
from pg_roles where rolname = %s
"""
MEMBERSHIPS = "select roleid::regrole::text from pg_auth_members where member = %s::regrole"
VERIFIER = "select rolpassword from pg_authid where rolname = %s"
BARE = "(t,f,f,f,f,f)"


@pytest.fixture
def role(pgrecall_dsn, ask):
    """A name for a login; roles are the server's, so no other test has it."""
    name = f"app_{uuid.uuid4().hex[:12]}"
    yield name
    if ask(pgrecall_dsn, "select oid from pg_roles where rolname = %s", name):
        ask(pgrecall_dsn, f"drop owned by {name} cascade; drop role {name}")


def open_memory(dsn, **options):
    return Memory(dsn, embedder=HashingEmbedder(), **options)


@pytest.fixture
def app(pgrecall_dsn, role):
    """The login's connection string, in a database where the organization `default` is settled."""
    create_login(pgrecall_dsn, role=role)
    with open_memory(pgrecall_dsn) as memory:
        memory.remember("The owner was here.")
    return make_conninfo(pgrecall_dsn, user=role)


def test_a_login_is_bare(pgrecall_dsn, role, ask):
    report = create_login(pgrecall_dsn, role=role)
    assert report.is_new
    assert report.changes[0].startswith(f"CREATE ROLE {role} LOGIN NOINHERIT ")
    assert ask(pgrecall_dsn, ATTRIBUTES, role) == [BARE]
    assert ask(pgrecall_dsn, MEMBERSHIPS, role) == ["authenticated"]
    [version] = ask(pgrecall_dsn, "show server_version_num")
    if int(version) >= 160000:
        options = "select inherit_option::text || set_option from pg_auth_members"
        assert ask(pgrecall_dsn, f"{options} where member = %s::regrole", role) == ["falsetrue"]
    assert status(pgrecall_dsn).is_current


def test_its_password_is_shown_once_and_stored_as_a_verifier(pgrecall_dsn, role, ask):
    report = create_login(pgrecall_dsn, role=role)
    assert len(report.password) == 32
    assert report.password not in repr(report)
    assert conninfo_to_dict(report.url)["password"] == report.password
    assert conninfo_to_dict(report.url)["user"] == role
    [verifier] = ask(pgrecall_dsn, VERIFIER, role)
    assert verifier.startswith("SCRAM-SHA-256$")
    again = create_login(pgrecall_dsn, role=role)
    assert (again.changes, again.password, again.is_new) == ((), None, False)
    assert conninfo_to_dict(again.url)["password"] == "PASSWORD"
    assert ask(pgrecall_dsn, VERIFIER, role) == [verifier]


def test_a_given_password_is_set_and_not_repeated(pgrecall_dsn, role, ask):
    create_login(pgrecall_dsn, role=role)
    [before] = ask(pgrecall_dsn, VERIFIER, role)
    report = create_login(pgrecall_dsn, role=role, password="correct horse battery")
    assert report.password is None
    assert "correct horse" not in f"{report} {report.url} {report.changes}"
    assert ask(pgrecall_dsn, VERIFIER, role) != [before]


def test_a_weak_password_is_refused(pgrecall_dsn, role, ask):
    with pytest.raises(ConfigurationError, match="12 characters") as caught:
        create_login(pgrecall_dsn, role=role, password="swordfish")
    assert "swordfish" not in str(caught.value)
    assert ask(pgrecall_dsn, ATTRIBUTES, role) == []


def test_the_password_is_not_in_the_servers_log(new_server, ask):
    migrate(new_server)
    ask(new_server, "alter role postgres set log_statement = 'all'")
    report = create_login(new_server)
    given = create_login(new_server, password="correct horse battery")
    [log] = ask(new_server, "select pg_current_logfile()")
    text = logged(new_server, ask, log)
    assert "ALTER ROLE pgrecall_app PASSWORD" in text
    assert report.password not in text
    assert "correct horse" not in text
    assert (report.role, given.is_new) == ("pgrecall_app", False)


def logged(dsn, ask, log):
    """All that the server has written, wherever it writes to."""
    [folder] = ask(dsn, "show data_directory")
    paths = [Path(folder, log)] if log else list(Path(folder).parent.rglob("*log*"))
    return "".join(path.read_text(errors="replace") for path in paths if path.is_file())


def test_the_library_works_with_it(app):
    with open_memory(app) as memory:
        memory.remember("I'm vegetarian.", user_id="maria")
        assert len(memory.recall("vegetarian", user_id="maria")) == 1


def test_it_settles_no_organization(app):
    with pytest.raises(NoOrganizationError), open_memory(app, organization="others") as memory:
        memory.remember("Mine now.")
    with pytest.raises(NoOrganizationError), open_memory(app, agent_id="another") as memory:
        memory.remember("Mine now.")


def roles(dsn, ask):
    others = "select rolname::text from pg_roles where not pg_has_role(%s, oid, 'member')"
    return ask(dsn, others, conninfo_to_dict(dsn)["user"])


def test_it_can_become_nobody_else(app, ask):
    for name in {"anon", "service_role", "postgres", *roles(app, ask)}:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(app, f'set role "{name}"')
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(app, f'set session authorization "{name}"')
    ask(app, "set role authenticated")


@pytest.mark.parametrize(
    "statement",
    [
        "select * from ai_memories",
        "insert into agent_memory.organizations (name) values ('mine')",
        "select * from agent_memory.migrations",
        "select agent_memory.settle_agent(gen_random_uuid(), 'mine', 'default')",
        "select recall_memories('owner')",
        "create table public.mine ()",
        "create role mine",
        "alter table ai_memories disable row level security",
        "grant authenticated to anon",
    ],
)
def test_reset_role_leaves_it_with_nothing(app, ask, statement):
    [version] = ask(app, "show server_version_num")
    if "create table" in statement and int(version) < 150000:
        pytest.skip("before 15, everybody may create in schema public")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(app) as connection:
        connection.execute("select set_config('role', 'authenticated', false)")
        connection.execute("reset role")
        connection.execute(statement.encode())


def test_it_sees_what_the_claims_allow(app, ask):
    claims = json.dumps({"sub": "agent:default"})
    acting = (
        "set role authenticated; select set_config('request.jwt.claims', '{}', false);"
        " select content from ai_memories"
    )
    assert ask(app, acting.format(claims)) == ["The owner was here."]
    assert ask(app, acting.format('{"sub": "nobody"}')) == []


def test_what_is_wrong_with_it_is_mended(pgrecall_dsn, role, ask):
    ask(pgrecall_dsn, f"create role {role} nologin inherit createdb createrole bypassrls superuser")
    ask(pgrecall_dsn, f"grant authenticated to {role} with admin option")
    report = create_login(pgrecall_dsn, role=role)
    assert not report.is_new
    assert ask(pgrecall_dsn, ATTRIBUTES, role) == [BARE]
    admin = "select admin_option from pg_auth_members where member = %s::regrole"
    assert ask(pgrecall_dsn, admin, role) == [False]
    assert create_login(pgrecall_dsn, role=role).changes == ()


def test_a_database_that_is_closed_to_the_public_is_opened_to_it(pgrecall_dsn, role, ask):
    [here] = ask(pgrecall_dsn, "select current_database()::text")
    ask(pgrecall_dsn, f"revoke connect on database {here} from public")
    report = create_login(pgrecall_dsn, role=role)
    assert report.changes[-1] == f"GRANT CONNECT ON DATABASE {here} TO {role};"
    assert create_login(pgrecall_dsn, role=role).changes == ()


@pytest.mark.parametrize(
    ("statement", "what", "cure"),
    [
        (
            "grant service_role to {0}",
            "is a member of service_role",
            "REVOKE service_role FROM {0}",
        ),
        ("grant pg_monitor to {0}", "is a member of pg_monitor", "REVOKE pg_monitor FROM {0}"),
        (
            "alter table ai_memories owner to {0}",
            "owns table",
            "REASSIGN OWNED BY {0} TO postgres",
        ),
        (
            "grant select on ai_memories to {0}",
            "has rights of its own on table public.ai_memories",
            "REVOKE ALL ON TABLE public.ai_memories FROM {0}",
        ),
    ],
)
def test_what_it_should_not_have_is_named(pgrecall_dsn, role, ask, statement, what, cure):
    create_login(pgrecall_dsn, role=role)
    ask(pgrecall_dsn, statement.format(role))
    with pytest.raises(MigrationError, match=what) as caught:
        create_login(pgrecall_dsn, role=role)
    assert cure.format(role) in caught.value.hint
    ask(pgrecall_dsn, caught.value.hint)
    assert create_login(pgrecall_dsn, role=role).changes == ()


def test_who_may_not_create_roles_is_told_what_to_ask_for(pgrecall_dsn, make_role, role, ask):
    migrator = make_role(pgrecall_dsn)
    with pytest.raises(MissingPrivilegeError) as caught:
        create_login(migrator, role=role)
    assert f"As a superuser: CREATE ROLE {role} LOGIN NOINHERIT" in caught.value.hint
    asked = []
    for _ in range(3):
        statement = caught.value.hint.removeprefix("As a superuser: ").partition(" Then")[0]
        asked.append(statement)
        ask(pgrecall_dsn, statement)
        try:
            report = create_login(migrator, role=role)
        except MissingPrivilegeError as error:
            caught = type("Caught", (), {"value": error})
        else:
            break
    assert report.changes == ()
    assert [statement.split()[0] for statement in asked] == ["CREATE", "GRANT"]


def test_who_may_create_roles_needs_no_superuser(pgrecall_dsn, make_role, role, ask):
    migrator = make_role(pgrecall_dsn)
    name = conninfo_to_dict(migrator)["user"]
    ask(pgrecall_dsn, f"alter role {name} createrole")
    ask(pgrecall_dsn, f"grant authenticated to {name} with admin option")
    report = create_login(migrator, role=role)
    assert report.is_new
    assert ask(pgrecall_dsn, ATTRIBUTES, role) == [BARE]
    assert create_login(migrator, role=role, password="correct horse battery").changes == ()
    # Created by it, and so in 16 and later granted to it: it goes first.
    ask(pgrecall_dsn, f"drop owned by {role}; drop role {role}")


def test_a_superuser_among_logins_is_not_mended_by_who_may_not(pgrecall_dsn, make_role, role, ask):
    migrator = make_role(pgrecall_dsn)
    name = conninfo_to_dict(migrator)["user"]
    ask(pgrecall_dsn, f"alter role {name} createrole; create role {role} login noinherit superuser")
    with pytest.raises(MissingPrivilegeError) as caught:
        create_login(migrator, role=role)
    assert f"As a superuser: ALTER ROLE {role} NOSUPERUSER;" in caught.value.hint


@pytest.mark.parametrize(
    ("dsn", "url"),
    [
        ("postgresql://me:secret@db.example.org/app", "app:PASSWORD@db.example.org/app"),
        ("postgresql://me@db:6432/app?sslmode=require", "app:PASSWORD@db:6432/app?sslmode=require"),
        (
            "host=/run/pg port=5433 user=me sslpassword=secret",
            "app:PASSWORD@/app?host=/run/pg&port=5433",
        ),
        ("host=::1 dbname=app", "app:PASSWORD@[::1]/app"),
        (
            "postgresql://postgres.abc:secret@aws-0-eu.pooler.supabase.com:6543/app",
            "app.abc:PASSWORD@aws-0-eu.pooler.supabase.com:6543/app",
        ),
    ],
)
def test_the_address_is_the_databases_with_the_logins_name(dsn, url):
    made = for_login(dsn, "app", "app", None)
    assert made == f"postgresql://{url}"
    assert urlsplit(made).scheme == "postgresql"
    assert conninfo_to_dict(made)["dbname"] == "app"


def test_a_password_with_any_characters_is_quoted():
    made = for_login("host=db", "a b", "app", "p@ss/word")
    assert conninfo_to_dict(made)["password"] == "p@ss/word"
    assert conninfo_to_dict(made)["dbname"] == "a b"
