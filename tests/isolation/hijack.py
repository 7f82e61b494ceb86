"""Objects that a member plants in places of their own, to be run by somebody with more rights.

Functions of the owner that name a type or a table without its schema would find these first, and
functions that are inlined into a caller's statement would find these operators.
"""

from __future__ import annotations

from typing import Any

import psycopg

from tests.database.conftest import Rows
from tests.isolation.cells import ACT
from tests.isolation.matrix import MATRIX
from tests.isolation.stage import LABELS, Stage

TYPES = (
    "uuid",
    "text",
    "jsonb",
    "timestamptz",
    "tsquery",
    "tsvector",
    "bytea",
    "regconfig",
    "name",
)
TABLES = {
    **dict.fromkeys(
        ("ai_memories", "ai_memory_contexts", "agent_memory_config", "agent_memory_stats"),
        "like public.{table}",
    ),
    # Whose columns a client can't copy.
    **dict.fromkeys(
        ("organizations", "members", "keys", "history", "config_history", "audit", "erasures"),
        "organization_id pg_catalog.uuid, id pg_catalog.uuid, user_id pg_catalog.text,"
        " role pg_catalog.text",
    ),
}
PATH = "own, pg_catalog, pg_temp, public"
OPERATORS = {"=": "uuid text jsonb", "<>": "text uuid", "@>": "jsonb", "->>": "", "~": "text"}

# Answers that everything is true and, if somebody with more rights asks, says so.
SPY = """
create function {schema}.spy(value {type}) returns boolean language plpgsql as $$
begin
  if current_user <> 'authenticated' then
    raise exception 'hijacked: {schema}.{type} ran as %', current_user;
  end if;
  return true;
end $$;
create function {schema}.spy(one {type}, other {type}) returns boolean language sql as
  $$ select {schema}.spy(one) $$
"""


def plant(connection: psycopg.Connection[Any]) -> None:
    """As a caller who owns the schema `own`: domains, tables, functions and operators."""
    for name in TYPES:
        kind = f"pg_catalog.{name}"
        for schema in ("own", "pg_temp"):
            connection.execute(SPY.replace("{type})", kind + ")").replace("{type},", kind + ",")
                               .format(schema=schema, type=name).encode())  # fmt: skip
            domain = f"create domain {schema}.{name} as {kind} check ({schema}.spy(value))"
            connection.execute(domain.encode())
    for operator, kinds in OPERATORS.items():
        for kind in kinds.split():
            connection.execute(
                f"create operator own.{operator} (leftarg = pg_catalog.{kind},"
                f" rightarg = pg_catalog.{kind}, function = own.spy)".encode()
            )
    for table, columns in TABLES.items():
        planted = f"create temp table {table} ({columns.format(table=table)})"
        connection.execute(planted.encode())


def calls(stage: Stage) -> list[tuple[str, dict[str, Any]]]:
    """Every function that clients call, with good arguments."""
    visibility, user, agent = LABELS["O"]
    known = {"letter": "O", "id": stage.one.memories["O"], "visibility": visibility}
    key = stage.one.keys["recall"]
    known |= {"user": user, "agent": agent, "key": key["id"], "secret": key["key"]}
    known |= {"ids": list(stage.one.memories.values()), "organization": str(stage.one.id)}
    return [(row.call.replace("::uuid", "::pg_catalog.uuid").replace("::text", "::pg_catalog.text"),
             known) for row in MATRIX if row.call]  # fmt: skip


def hijacks(stage: Stage, name: str) -> list[str]:
    """What a principal's planted objects changed or ran."""
    with stage.connection.transaction(force_rollback=True):
        honest = stage.client(name).ids()
    with stage.connection.transaction(force_rollback=True):
        stage.connection.execute("create schema own authorization authenticated")
        stage.connection.execute(ACT, ("authenticated", stage.principals[name].claims[0]))
        plant(stage.connection)
        stage.connection.execute(f"set local search_path = {PATH}".encode())
        found = [ran(stage.connection, *call) for call in calls(stage)]
        return [it for it in (*found, seen(stage.connection, honest)) if it]


def ran(connection: psycopg.Connection[Any], call: str, parameters: dict[str, Any]) -> str:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(call.encode(), parameters)
    except psycopg.Error as error:
        return str(error).splitlines()[0] if "hijacked" in str(error) else ""
    return ""


def seen(connection: psycopg.Connection[Any], honest: set[Any]) -> str:
    look = "select id from public.ai_memories"
    if found := ran(connection, look, {}):
        return found
    rows: Rows = connection.execute(look.encode()).fetchall()
    more = {row["id"] for row in rows} - honest
    return f"operators of one's own show {len(more)} more memories" if more else ""
