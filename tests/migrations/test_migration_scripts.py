"""The guide's script, and the one that writes schema.sql."""

import importlib.util
import os
import subprocess
import sys

import pytest

from pgrecall._sync.migrate import migrate


@pytest.fixture
def scripts(pytestconfig):
    return pytestconfig.rootpath / "scripts"


@pytest.fixture
def apply(scripts, tmp_path):
    """Run apply_memory_migrations.py in an empty folder, with DATABASE_URL or without."""

    def apply(*arguments, database_url=None):
        environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        if database_url:
            environment["DATABASE_URL"] = database_url
        return subprocess.run(
            [sys.executable, scripts / "apply_memory_migrations.py", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return apply


def test_the_guides_script_takes_database_url(apply, database, ask):
    done = apply(database_url=database)
    assert done.returncode == 0, done.stderr
    assert "applied 20230901_memory_context_management.sql" in done.stdout
    assert ask(database, "select to_regclass('public.ai_memories')::text") == ["ai_memories"]
    again = apply(database_url=database)
    assert (again.returncode, again.stdout.count("applied")) == (0, 0)
    assert "is up to date" in again.stdout


def test_the_guides_script_takes_dotenv(apply, database, tmp_path):
    (tmp_path / ".env").write_text(f'DATABASE_URL="{database}"\n')
    done = apply()
    assert done.returncode == 0, done.stderr


def test_the_guides_script_needs_a_database(apply):
    done = apply()
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr


def test_the_guides_script_says_what_went_wrong_in_two_lines(apply, database, ask):
    ask(database, "create view agent_memory.organizations as select 1 as id")
    done = apply(database_url=database)
    assert done.returncode == 1
    assert done.stderr.startswith("PM530: In the way, and not pgrecall's: view")
    assert "view agent_memory.organizations" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def snapshot_schema(scripts):
    spec = importlib.util.spec_from_file_location("snapshot_schema", scripts / "snapshot_schema.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NOISE = [r"\restrict", "Dumped by", "\nSET ", "CREATE EXTENSION", "OWNER TO", "SCHEMA public;"]
CONTENT = [
    "CREATE TABLE public.ai_memories",
    "CREATE TABLE agent_memory.migrations",
    "CREATE POLICY",
]


def test_a_snapshot_is_the_same_twice_and_has_no_noise(snapshot_schema):
    first, second = (snapshot_schema.normalise(snapshot_schema.dump_schema()) for _ in range(2))
    assert first == second
    assert [noise for noise in NOISE if noise in first] == []
    assert [content for content in CONTENT if content not in first] == []


def test_a_snapshot_is_sql(snapshot_schema, database, ask, psql, tmp_path):
    if not ask(database, "select name from pg_available_extensions where name = 'vector'"):
        pytest.skip("needs pgvector")
    migrate(database)  # for the server's roles
    ask(database, "drop schema agent_memory cascade; drop owned by authenticated, service_role")
    ask(database, "drop schema public cascade; create schema public")
    ask(database, "create extension vector; create extension btree_gin")
    snapshot = tmp_path / "schema.sql"
    text = snapshot_schema.normalise(snapshot_schema.dump_schema())
    snapshot.write_text(f"set check_function_bodies = off;\n{text}")
    done = psql(database, "-f", snapshot)
    assert done.returncode == 0, done.stderr
