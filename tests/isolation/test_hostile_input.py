"""SQL, sizes, depths and numbers meant to break something, in every argument of every function."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from tests.database.conftest import Client
from tests.isolation.cells import Asked
from tests.isolation.expectations import Row, everyone
from tests.isolation.stage import Stage

SQL = (
    "'); delete from public.ai_memories; --",
    "' or '1'='1",
    "$$; drop schema agent_memory cascade; $$",
    "x'::text || (select string_agg(content, '') from public.ai_memories) || '",
    "%s %1$s %I %L {} {0} \\' \\\\ \\x27 U&'\\0027'",
    "a & b | !c <-> 'd':*",
    "$.* ? (@ == 1) || true",
    "\u202e\u0000"[:1] + "\ufeff' --",
)
ARGUMENTS = (
    "recall_memories(%(it)s)",
    "recall_memories('note', embedding_model => %(it)s, query_embedding => '{1,0,0,0.5}')",
    "recall_in_context(%(it)s)",
    "explain_memories(%(it)s)",
    "recall_memories('note', agent_id => %(it)s)",
    "recall_memories('note', user_id => %(it)s)",
    "recall_memories('note', context_key => %(it)s)",
    "recall_memories('note', kinds => array[%(it)s])",
    "recall_memories('note', metadata => jsonb_build_object(%(it)s::text, %(it)s::text))",
    "forget_memories(jsonb_build_object('user_id', %(it)s::text))",
    "forget_memories(jsonb_build_object('agent_id', %(it)s::text))",
    "forget_memories(jsonb_build_object('context_key', %(it)s::text))",
    "forget_memories(jsonb_build_object('ids', jsonb_build_array(%(it)s::text)))",
    "forget_memories(jsonb_build_object(%(it)s::text, '1'))",
    "restore_memories(jsonb_build_object('context_key', %(it)s::text))",
    'append_memories(\'[{"content": "x"}]\', %(it)s)',
    'append_memories(\'[{"content": "x"}]\', null, %(it)s, %(it)s)',
    "append_memories(jsonb_build_array(jsonb_build_object('content', 'x', 'role', %(it)s::text)))",
    "update_memory(%(id)s, jsonb_build_object('content', %(it)s::text))",
    "update_memory(%(id)s, jsonb_build_object(%(it)s::text, 1))",
    "update_memory(%(id)s, jsonb_build_object('valid_to', %(it)s::text))",
    "set_memory_member(%(it)s, 'member')",
    "set_memory_member('new', %(it)s)",
    "inspect_memories(%(it)s, %(it)s)",
    "create_memory_key(%(it)s, %(it)s)",
    "create_memory_key('k', 'a', array[%(it)s])",
    "authenticate_memory_key(%(it)s)",
    "configure_memory(%(it)s, '{\"limit\": 7}')",
    "configure_memory('a', jsonb_build_object(%(it)s::text, 1))",
    "configure_memory('a', jsonb_build_object('language', %(it)s::text))",
    "configure_memory('a', jsonb_build_object('half_life', %(it)s::text))",
    "configure_memory('a', jsonb_build_object('weights', jsonb_build_object(%(it)s::text, 1)))",
    "memory_config(%(it)s)",
    "memory_config_history(%(it)s)",
    "memory_models(%(it)s)",
    "add_memory_model(%(it)s, 4, %(it)s)",
    "missing_memory_embeddings(%(it)s, %(it)s)",
    "store_memory_embeddings('m', jsonb_build_array(jsonb_build_object('id', %(it)s::text,"
    " 'digest', %(it)s::text, 'embedding', %(it)s::text)), 'alpha')",
    "store_memory_embeddings(%(it)s, jsonb_build_array(%(it)s::text), %(it)s)",
    "switch_memory_model(%(it)s, %(it)s)",
    "drop_memory_model(%(it)s, 'alpha')",
)
FIELDS = ("content", "id", "agent_id", "user_id", "context_key", "kind", "speaker", "language",
          "slot", "trust", "visibility", "idempotency_key", "occurred_at", "embedding",
          "embedding_model", "metadata")  # fmt: skip
EXPECTED = "PM"


@pytest.mark.parametrize("text", SQL)
def test_sql_in_a_text_is_a_text(stage: Stage, text: str) -> None:
    """Whatever a foreign owner sends, the organization's rows are as before."""
    asked = Asked(stage, Row("", "", everyone("")), stage.principals["other_owner"],
                  stage.principals["other_owner"].claims[0])  # fmt: skip
    before = asked.fingerprint()
    items = [{"content": "x", field: text} for field in FIELDS]
    calls = [(f"select * from {a}", {"it": text, "id": stage.two.memories["A"]}) for a in ARGUMENTS]
    calls += [("select * from remember_memories(%(it)s::jsonb)", {"it": json.dumps([item])})
              for item in items]  # fmt: skip
    with stage.connection.transaction(force_rollback=True):
        for call, parameters in calls:
            answer = asked.run(call, parameters)
            assert not isinstance(answer, str) or answer[:2] == EXPECTED, call
            shown = json.dumps(answer, default=str)
            assert not any(str(it) in shown for it in stage.one.memories.values())
            assert asked.fingerprint() == before


def test_10_mb_are_refused_and_nothing_else(stage: Stage) -> None:
    huge = "word " * 2_000_000
    client = stage.client("alpha")
    with stage.connection.transaction(force_rollback=True):
        answers = client.remember({"content": huge}, {"content": "Small."},
                                  {"content": "x", "metadata": {"a": huge}},
                                  {"content": "y", "slot": huge})  # fmt: skip
        assert [row["status"] for row in answers] == ["rejected", "added", "rejected", "rejected"]
        assert all(len(str(row["reason"])) < 500 for row in answers)
    refused(client, "PM008", "select update_memory(%s, %s)", stage.one.memories["O"],
            json.dumps({"content": huge}))  # fmt: skip
    refused(client, "PM003", "select * from recall_memories(%s)", huge)
    refused(client, "PM009", "select authenticate_memory_key(%s)", huge)


def refused(client: Client, sqlstate: str, sql: str, *parameters: object) -> None:
    with (
        pytest.raises(psycopg.Error) as failure,
        client.connection.transaction(force_rollback=True),
    ):
        client.rows(sql, *parameters)
    assert failure.value.sqlstate == sqlstate
    assert len(str(failure.value)) < 2000


DEEP = json.loads('{"a":' * 40 + "1" + "}" * 40)


@pytest.mark.parametrize(
    "metadata",
    [DEEP, {"a": "x" * 70_000}, {f"k{n}": n for n in range(20_000)}, [1], "text", 1e301,
     {"a": 10**400}],
    ids=["deep", "long", "wide", "array", "text", "number", "digits"],
)  # fmt: skip
def test_documents_that_break_readers_are_refused(stage: Stage, metadata: Any) -> None:
    client = stage.client("alpha")
    with stage.connection.transaction(force_rollback=True):
        [answer] = client.remember({"content": "x", "metadata": metadata})
        assert answer["status"] == "rejected"
    change = json.dumps({"metadata": metadata})
    refused(client, "PM003", "select update_memory(%s, %s)", stage.one.memories["O"], change)


def test_documents_too_deep_to_read_are_an_error_and_no_crash(stage: Stage) -> None:
    client = stage.client("alpha")
    text = '[{"content": "x", "metadata": ' + '{"a":' * 2_000 + "1" + "}" * 2_000 + "}]"
    with stage.connection.transaction(force_rollback=True):
        [answer] = client.rows("select * from remember_memories(%s::jsonb)", text)
        assert answer["status"] == "rejected"
    refused(client, "54001", "select remember_memories(%s::jsonb)", "[" * 1_000_000)


@pytest.mark.parametrize(
    "embedding",
    ["[NaN,0,0,1]", "[Infinity,0,0,1]", [0, 0, 0, 0], [], [1], [None, 1, 1, 1], "x", {"a": 1},
     [[1, 0, 0, 1]], ["1", "2", "3", "4"]],
    ids=str,
)  # fmt: skip
def test_vectors_that_are_none_are_refused(stage: Stage, embedding: Any) -> None:
    client = stage.client("alpha")
    item = {"content": "A vector.", "embedding": embedding, "embedding_model": "m"}
    with stage.connection.transaction(force_rollback=True):
        try:
            [answer] = client.remember(item)
        except psycopg.Error as error:
            # One dimension only: the wrong one is an error of the whole call.
            assert error.sqlstate == "PM005"
            return
        assert answer["status"] == "rejected" or (embedding == [1] and not stage.has_vector)


@pytest.mark.parametrize(
    "embedding", ["[1,,2,3]", [70_000, 0, 0, 0], [1e-30, 0, 0, 0], "[1e999,0,0,1]"]
)
def test_vectors_that_halfvec_can_not_hold_are_refused(stage: Stage, embedding: Any) -> None:
    test_vectors_that_are_none_are_refused(stage, embedding)


def test_nul_bytes_reach_nothing(stage: Stage) -> None:
    client = stage.client("alpha")
    refused(client, "22P05", "select remember_memories(%s::jsonb)", '[{"content": "a\\u0000b"}]')
    with pytest.raises(psycopg.DataError):
        client.rows("select * from recall_memories(%s)", "a\0b")
    stage.connection.execute("reset role")
