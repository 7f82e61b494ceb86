"""The guide's script."""

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
    ask(database, "create view public.ai_memories as select 1 as id")
    done = apply(database_url=database)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "PM530: in the way, and not pgrecall's: view public.ai_memories.\nHint: "
    )
    assert "Traceback" not in done.stderr
