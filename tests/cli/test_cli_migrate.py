"""pgrecall migrate."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest

from pgrecall.cli import migrate
from pgrecall.sql.migration_files import read_release
from pgrecall.testing import cloned
from tests.cli.conftest import Shell

NAMES = [file.name for file in read_release().install]


@pytest.fixture
def bare(pgrecall_server: str) -> Iterator[Shell]:
    """pgrecall on a database without its schema."""
    with cloned(pgrecall_server, "template0") as dsn:
        yield Shell({"DATABASE_URL": dsn, "PGRECALL_EMBEDDER": "none"})


def test_what_is_pending_is_applied_once(bare: Shell) -> None:
    report = bare.json("migrate")
    assert [file["name"] for file in report["applied"]] == NAMES
    assert set(report) == {"database", "applied", "notices", "seconds", "drift"}
    again = bare.run("migrate")
    assert (again.exit_code, again.stdout) == (0, "up to date\n")
    assert bare.json("remember", "it works")["counts"] == {"added": 1}


def test_text_names_each_file(bare: Shell) -> None:
    result = bare.run("migrate")
    assert [line.split()[0] for line in result.stdout.splitlines()] == NAMES
    assert f"{len(NAMES)} applied in " in result.stderr


def test_plan_changes_nothing(bare: Shell) -> None:
    assert [file["name"] for file in bare.json("migrate", "--plan")["pending"]] == NAMES
    assert len(bare.run("migrate", "--plan").stdout.splitlines()) == len(NAMES)


def test_status_tells_by_its_exit_code(bare: Shell) -> None:
    before = bare.run("migrate", "--status")
    assert before.exit_code == 6
    assert before.stdout.count("pending") == len(NAMES)
    bare.run("migrate")
    after = bare.json("migrate", "--status")
    assert after["is_current"] is True
    assert {state["state"] for state in after["migrations"]} == {"applied"}
    assert bare.run("migrate", "--plan").stdout == "up to date\n"


def execute(shell: Shell, statement: str) -> None:
    with psycopg.connect(shell.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(statement.encode())


def test_status_names_what_differs_and_repair_mends_it(bare: Shell) -> None:
    bare.run("migrate")
    execute(bare, "drop policy ai_memories_select on ai_memories")
    execute(bare, "create policy everyone on ai_memories using (true)")
    result = bare.run("migrate", "--status")
    assert result.exit_code == 6
    missing, added = result.stdout.splitlines()[-2:]
    assert missing == (
        "missing   policy ai_memories_select on public.ai_memories  cure: pgrecall migrate --repair"
    )
    assert added.endswith("cure: DROP POLICY everyone ON public.ai_memories;")

    repaired = bare.run("migrate", "--repair")
    assert repaired.exit_code == 6
    assert repaired.stdout.splitlines()[len(NAMES) :] == [added]
    document = json.loads(bare.run("migrate", "--status", "--json").stdout)
    assert document["is_current"] is False
    assert document["drift_unknown"] is None
    [drift] = document["drift"]
    assert drift == {
        "kind": "policy",
        "name": "everyone on public.ai_memories",
        "change": "added",
        "was": None,
        "now": "permissive for all to public using true",
        "cure": "DROP POLICY everyone ON public.ai_memories;",
        "statements": ["DROP POLICY everyone ON public.ai_memories;"],
    }
    execute(bare, drift["cure"])
    assert bare.run("migrate", "--repair").exit_code == 0
    assert bare.run("migrate", "--status").exit_code == 0


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch, bare: Shell) -> Iterator[str]:
    """The name of the login that is created; roles are the server's."""
    role = f"app_{uuid.uuid4().hex[:12]}"
    create = migrate.login.create_login
    monkeypatch.setattr(migrate.login, "create_login", partial(create, role=role))
    yield role
    execute(bare, f"drop owned by {role}; drop role {role}")


def test_create_login_migrates_and_prints_an_address(bare: Shell, login: str) -> None:
    result = bare.run("migrate", "--create-login")
    assert result.exit_code == 0, result.stderr
    [line] = result.stdout.splitlines()
    assert line.startswith(f"DATABASE_URL=postgresql://{login}:")
    assert f"CREATE ROLE {login} LOGIN NOINHERIT" in result.stderr
    assert "The password is shown this once." in result.stderr
    password = line.partition(f"{login}:")[2].partition("@")[0]
    assert password not in result.stderr
    assert bare.json("remember", "it works")["counts"] == {"added": 1}
    app = Shell({**bare.environment, "DATABASE_URL": line.removeprefix("DATABASE_URL=")})
    assert app.json("remember", "it works here, too")["counts"] == {"added": 1}
    assert app.run("migrate", "--status").exit_code == 6

    again = bare.json("migrate", "--create-login")
    assert (again["is_new"], again["changes"], again["password"]) == (False, [], None)
    assert f"{login}:PASSWORD@" in again["url"]


def test_a_logins_password_can_come_from_a_variable(bare: Shell, login: str) -> None:
    options = ("migrate", "--create-login", "--login-password-from-env", "APP_PASSWORD")
    missing = bare.run(*options)
    assert missing.exit_code == 2
    assert "the environment has no APP_PASSWORD" in missing.stderr
    given = Shell({**bare.environment, "APP_PASSWORD": "correct horse battery"})
    result = given.run(*options)
    assert result.exit_code == 0, result.stderr
    assert f"{login}:PASSWORD@" in result.stdout
    assert "correct horse" not in result.stdout + result.stderr


def test_a_password_is_for_a_login(bare: Shell) -> None:
    result = bare.run("migrate", "--login-password-from-env", "HOME")
    assert result.exit_code == 2
    assert "goes with --create-login" in result.stderr


def test_sql_is_printed_without_a_connection() -> None:
    unreachable = Shell({"DATABASE_URL": "postgresql://nowhere.invalid/none"})
    result = unreachable.run("migrate", "--sql")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "create or replace function public.recall_memories(" in result.stdout
    assert unreachable.json("migrate", "--sql") == {"sql": result.stdout.removesuffix("\n")}


def test_modes_exclude_one_another(bare: Shell) -> None:
    result = bare.run("migrate", "--plan", "--status")
    assert result.exit_code == 2
    assert "exclude one another" in result.stderr


def test_an_unknown_file_can_not_be_accepted(bare: Shell) -> None:
    result = bare.run("migrate", "--accept", "nothing.sql")
    assert result.exit_code == 2
    assert "'nothing.sql'" in result.stderr


@pytest.mark.parametrize(
    "command", [["remember", "x"], ["recall", "x"], ["list"], ["forget", "--user", "x"], ["demo"]]
)
def test_without_its_schema_every_command_says_what_to_run(bare: Shell, command: list[str]) -> None:
    result = bare.run(*command)
    assert result.exit_code == 6
    assert "error PM523: " in result.stderr
    assert "hint: Run `pgrecall migrate`." in result.stderr
