"""pgrecall doctor."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg

from pgrecall import Memory
from tests.cli.conftest import Shell
from tests.doctor.memory_faults import BACKED_UP

OPEN = "grant select on public.ai_memories to anon"


def run(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(statement.encode())


def test_a_healthy_database(pgrecall_dsn: str) -> None:
    result = Shell().run("doctor", "--dsn", pgrecall_dsn)
    assert result.exit_code == 0, result.output
    assert "healthy: " in result.stdout
    assert "releases: PostgreSQL " in result.stderr


def test_the_gravest_finding_decides_the_exit_code(pgrecall_dsn: str) -> None:
    doctor = ("doctor", "--dsn", pgrecall_dsn)
    run(pgrecall_dsn, "create function agent_memory.peek() returns int language sql as 'select 1'")
    run(pgrecall_dsn, "revoke execute on function agent_memory.peek() from public")
    assert Shell().run(*doctor).exit_code == 10
    run(pgrecall_dsn, "drop index public.ai_memories_user_idx")
    assert Shell().run(*doctor).exit_code == 11
    run(pgrecall_dsn, OPEN)
    result = Shell().run(*doctor)
    assert result.exit_code == 12
    assert "run: REVOKE SELECT ON TABLE public.ai_memories FROM anon CASCADE;" in result.stdout
    assert "see: docs/doctor.md#grants" in result.stdout


def test_notices_are_no_failure(pgrecall_dsn: str) -> None:
    run(pgrecall_dsn, "drop table agent_memory.fingerprints")
    with Memory(pgrecall_dsn, embedder=None) as memory:
        memory.remember("I'm vegetarian.")
    for age in ("40 days", "1 hour"):
        run(pgrecall_dsn, BACKED_UP.format(state="done", age=age, reason=""))
    result = Shell().run("doctor", "--dsn", pgrecall_dsn)
    assert result.exit_code == 0, result.stdout
    assert "notice    backups: " in result.stdout
    assert "needs: pgrecall migrate --repair, which records a reference" in result.stdout


def test_json_has_everything(pgrecall_dsn: str) -> None:
    run(pgrecall_dsn, OPEN)
    result = Shell().run("doctor", "--dsn", pgrecall_dsn, "--only", "grants", "--json")
    assert result.exit_code == 12
    document = json.loads(result.stdout)
    assert document["worst"] == "critical"
    [check] = document["checks"]
    assert (check["check"], check["page"]) == ("grants", "docs/doctor.md#grants")
    [finding] = check["findings"]
    assert finding["cure"] == {
        "kind": "sql",
        "text": "REVOKE SELECT ON TABLE public.ai_memories FROM anon CASCADE;",
        "is_safe": True,
    }


def test_nothing_is_changed_without_fix(pgrecall_dsn: str) -> None:
    run(pgrecall_dsn, OPEN)
    for _ in range(2):
        assert Shell().run("doctor", "--dsn", pgrecall_dsn).exit_code == 12


def test_fix_asks_first(pgrecall_dsn: str) -> None:
    run(pgrecall_dsn, OPEN)
    result = Shell().run("doctor", "--dsn", pgrecall_dsn, "--fix")
    assert result.exit_code == 7
    assert "nobody to ask" in result.stderr
    assert Shell().run("doctor", "--dsn", pgrecall_dsn).exit_code == 12


def test_fix_does_what_is_safe_and_leaves_the_rest(pgrecall_dsn: str) -> None:
    run(pgrecall_dsn, OPEN)
    run(pgrecall_dsn, "drop policy ai_memories_select on public.ai_memories")
    run(pgrecall_dsn, "drop index public.ai_memories_user_idx")
    run(pgrecall_dsn, "create function agent_memory.peek() returns int language sql as 'select 1'")
    run(pgrecall_dsn, "revoke execute on function agent_memory.peek() from public")
    result = Shell().run("doctor", "--dsn", pgrecall_dsn, "--fix", "--yes")
    assert result.exit_code == 10, result.output
    assert "agent_memory.peek()" in result.stdout
    assert "grants" not in result.stdout


def test_secrets_that_stop_every_other_command_do_not_stop_the_doctor(
    pgrecall_dsn: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"DATABASE_URL={pgrecall_dsn}\nNEXT_PUBLIC_SECRET=x\n")
    assert Shell().run("list").exit_code == 2
    assert Shell().run("doctor").exit_code == 12


def test_a_server_that_is_not_there() -> None:
    result = Shell().run("doctor", "--dsn", "postgresql://127.0.0.1:1/x?connect_timeout=2")
    assert result.exit_code == 12
    assert "connection: database x at 127.0.0.1:1" in result.stdout
