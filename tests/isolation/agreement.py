"""What the functions show and change is never more than what the policies show the same caller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg

from tests.database.conftest import Client
from tests.isolation.stage import Stage


def disagreements(stage: Stage) -> Iterator[str]:
    """Of every authenticated caller whose claims can be read."""
    for name, principal in stage.principals.items():
        if principal.role == "authenticated" and name not in ("not_json", "malformed", "no_claims"):
            with stage.connection.transaction(force_rollback=True):
                found = list(of_client(stage, stage.client(name)))
            yield from (f"{name}: {it}" for it in found)


def of_client(stage: Stage, client: Client) -> Iterator[str]:
    shown = client.ids()
    ids = [*stage.one.memories.values(), *stage.two.memories.values()]
    for how, found in (
        ("recall", recalled(client)),
        ("recall in context", beside(client)),
        ("history", histories(client, ids)),
        ("changes", changed_memories(client, ids)),
    ):
        if not found <= shown:
            yield f"{how} shows {len(found - shown)} memories that the policies hide"
    for how, call in (
        ("update", "select update_memory(%s, '{\"importance\": 0.7}')"),
        ("forget", "select 1 where (forget_memories(jsonb_build_object('ids',"
                   " jsonb_build_array(%s::uuid)), true) ->> 'memories')::int > 0"),
    ):  # fmt: skip
        changed = {it for it in ids if succeeds(client, call, it)}
        # A key without recall may change what it can't list; it then holds the agent's memories.
        if not changed <= shown and shown:
            yield f"{how} reaches {len(changed - shown)} memories that the policies hide"


def recalled(client: Client) -> set[Any]:
    try:
        return {row["id"] for row in client.recall("note safe", match_limit=1000)}
    except psycopg.Error:
        return set()


def beside(client: Client) -> set[Any]:
    """The messages before and after what was recalled."""
    try:
        rows = client.rows("select before, after from recall_in_context('', match_limit => 1000)")
    except psycopg.Error:
        return set()
    return {UUID(each["id"]) for row in rows for each in row.values() if each is not None}


def histories(client: Client, ids: list[Any]) -> set[Any]:
    found = (client.rows("select memory_id as id from memory_history(%s)", it) for it in ids)
    return {row["id"] for rows in found for row in rows}


def changed_memories(client: Client, ids: list[Any]) -> set[Any]:
    try:
        rows = client.rows("select memory_id as id from memory_changes(%s)", ids)
    except psycopg.Error:
        return set()
    return {row["id"] for row in rows}


def succeeds(client: Client, call: str, memory_id: Any) -> bool:
    try:
        with client.connection.transaction(force_rollback=True):
            return bool(client.rows(call, memory_id))
    except psycopg.Error:
        return False
