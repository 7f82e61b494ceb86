"""The guide's script, and the one that writes schema.sql."""

import importlib.util
import os
import subprocess
import sys

import pytest


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
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
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
    ask(database, "create view public.organizations as select 1 as id")
    done = apply(database_url=database)
    assert done.returncode == 1
    assert done.stderr.startswith("PM530: 20230901_memory_context_management.sql failed")
    assert "view public.organizations" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def snapshot_schema(scripts):
    spec = importlib.util.spec_from_file_location("snapshot_schema", scripts / "snapshot_schema.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_snapshot_is_the_same_twice_and_has_no_noise(snapshot_schema):
    first, second = (snapshot_schema.normalise(snapshot_schema.dump_schema()) for _ in range(2))
    assert first == second
    for noise in ("\\restrict", "Dumped by", "\nSET ", "CREATE EXTENSION", "OWNER TO", "CREATE SCHEMA public"):
        assert noise not in first
    for wanted in ("CREATE TABLE public.ai_memories", "CREATE TABLE agent_memory.migrations", "CREATE POLICY"):
        assert wanted in first


def test_a_snapshot_can_be_restored(snapshot_schema, database, ask, psql, tmp_path):
    if not ask(database, "select 1 from pg_available_extensions where name = 'vector'"):
        pytest.skip("needs pgvector")
    ask(database, "create extension vector; create extension if not exists btree_gin")
    snapshot = tmp_path / "schema.sql"
    snapshot.write_text("set check_function_bodies = off;\n" + snapshot_schema.normalise(snapshot_schema.dump_schema()))
    for role in ("anon", "authenticated", "service_role"):
        ask(database, f"do $$ begin create role {role}; exception when duplicate_object then null; end $$")
    done = psql(database, "-f", snapshot)
    assert done.returncode == 0, done.stderr
