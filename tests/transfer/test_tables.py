"""The tables of mem0 and LangGraph, of the shape that their packages make."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from tests.cli.conftest import Shell

# mem0's vectors are of pgvector's type, which some of the servers lack; nobody reads them.
MEM0 = "create table {} (id uuid primary key, vector real[], payload jsonb)"
STORE = """
create table store (
  prefix text not null, key text not null, value jsonb not null,
  created_at timestamptz default current_timestamp,
  updated_at timestamptz default current_timestamp, {more} primary key (prefix, key))
"""


@pytest.fixture
def tables(pgrecall_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(pgrecall_dsn, autocommit=True) as connection:
        yield connection


def fill_mem0(tables: psycopg.Connection, table: str, count: int) -> None:
    tables.execute(MEM0.format(table).encode())
    for number in range(count):
        payload = {
            "data": f"likes tea number {number}", "user_id": "maria", "run_id": "r",
            "created_at": f"2024-05-06T07:08:{number % 60:02}+00:00", "hash": "x",
        }  # fmt: skip
        tables.execute(
            f"insert into {table} (id, payload) values (%s, %s)".encode(),
            (uuid.uuid4(), json.dumps(payload)),
        )


def test_mem0(shell: Shell, tables: psycopg.Connection, pgrecall_dsn: str) -> None:
    fill_mem0(tables, "mem0", 1203)
    tables.execute("insert into mem0 (id, payload) values (gen_random_uuid(), '{}')")
    url = postgres_url(pgrecall_dsn)
    result = shell.run("import", url, "--from", "mem0")
    assert (result.stdout, result.exit_code) == ("1,203 added, 1 rejected\n", 1)
    assert "its payload has no text in data" in result.stderr
    assert shell.run("import", url, "--from", "mem0").stdout == "1,203 duplicate, 1 rejected\n"
    assert tables.execute("select count(*), min(created_at)::date::text, min(user_id) from ai_memories").fetchone() == (1203, "2024-05-06", "maria")  # fmt: skip # noqa: E501
    assert tables.execute("select count(*) from mem0").fetchone() == (1204,)
    found = shell.json("recall", "tea number 1117", "--user", "maria", "--limit", "1")
    assert found["hits"][0]["content"] == "likes tea number 1117"


def test_another_table_whatever_its_name(
    shell: Shell, tables: psycopg.Connection, pgrecall_dsn: str
) -> None:
    fill_mem0(tables, '"My ""memories"";"', 3)
    url = postgres_url(pgrecall_dsn)
    result = shell.run("import", url, "--from", "mem0", "--table", '"My ""memories"";"')
    assert result.stdout == "3 added\n"
    for missing in ("nowhere", "mem0; drop table agent_memory.organizations"):
        result = shell.run("import", url, "--from", "mem0", "--table", missing)
        assert result.exit_code in (1, 3)
        assert "error PM" in result.stderr
    assert shell.run("import", url).exit_code == 2


@pytest.mark.parametrize("more", ["", "expires_at timestamptz, ttl_minutes int,"])
def test_langgraph(shell: Shell, tables: psycopg.Connection, pgrecall_dsn: str, more: str) -> None:
    tables.execute(STORE.format(more=more).encode())
    for prefix, key, value in (
        ("memories.maria", "1", {"content": {"content": "Likes tea."}, "kind": "Memory"}),
        ("memories.paul", "1", {"text": "Likes milk."}),
        ("settings", "1", {"colour": "red"}),
    ):
        tables.execute(
            "insert into store (prefix, key, value) values (%s, %s, %s)",
            (prefix, key, json.dumps(value)),
        )
    url = postgres_url(pgrecall_dsn)
    dry = shell.run("import", url, "--from", "langgraph", "--dry-run")
    assert dry.stdout == "would be: 3 added\n"
    done = shell.run("import", url, "--from", "langgraph", "--namespace", "memories.{user}")
    assert done.stdout == "2 added, 1 rejected\n"
    assert "rejected settings/1: its namespace is not of the form memories.{user}" in done.stderr
    rows = tables.execute("select user_id, content from ai_memories order by 1").fetchall()
    assert rows == [("maria", "Likes tea."), ("paul", "Likes milk.")]


def postgres_url(dsn: str) -> str:
    """A connection string as an address, whichever way it is written."""
    if dsn.startswith("postgresql://"):
        return dsn
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    named = "&".join(f"{k}={str(v).replace('/', '%2F')}" for k, v in parts.items() if k != "dbname")
    return f"postgresql:///{parts['dbname']}?{named}"
