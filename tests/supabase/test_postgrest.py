"""The functions and tables through PostgREST's conventions."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from tests.supabase.conftest import Gate, Project

MODEL = "test-model"
TEA = {"content": "Maria drinks green tea.", "kind": "preference"}


def test_a_person_remembers_and_recalls(gate: Gate) -> None:
    maria = gate.member()
    answers = maria.rpc("remember_memories", memories=[TEA, {"content": ""}])
    assert [answer["status"] for answer in answers] == ["added", "rejected"]
    [hit] = maria.rpc("recall_memories", query="which tea?")
    assert (hit["id"], hit["content"]) == (answers[0]["id"], TEA["content"])
    assert hit["user_id"] == maria.claims["sub"]  # type: ignore[index]
    assert [row["id"] for row in maria.select("ai_memories")] == [hit["id"]]


def test_embeddings_are_arrays_of_numbers(gate: Gate, project: Project) -> None:
    maria = gate.member()
    near = {**TEA, "embedding": [0.6, 0.8], "embedding_model": MODEL}
    far = {"content": "The car is red.", "embedding": [-0.8, 0.6], "embedding_model": MODEL}
    maria.rpc("remember_memories", memories=[near, far])
    hits = maria.rpc("recall_memories", query="", query_embedding=[0.6, 0.8], embedding_model=MODEL)
    similarities = {hit["content"]: hit["semantic"] for hit in hits}
    expected = 1 if project.has_vector else None
    assert similarities[TEA["content"]] == pytest.approx(expected, abs=0.01)


def test_every_filter_arrives_as_its_type(gate: Gate) -> None:
    maria = gate.member()
    item = {**TEA, "context_key": "thread-1", "metadata": {"source": "chat"}, "importance": 0.9}
    maria.rpc("remember_memories", memories=[{**item, "occurred_at": "2026-01-02T03:04:05Z"}])
    found = {
        "query": "tea",
        "query_embedding": None,
        "kinds": ["preference", "fact"],
        "metadata": {"source": "chat"},
        "context_key": "thread-1",
        "since": "2026-01-01T00:00:00Z",
        "until": "2026-01-03T00:00:00+02:00",
        "as_of": None,
        "match_limit": 5,
        "min_score": 0,
    }
    assert len(maria.rpc("recall_memories", **found)) == 1
    for missed in ({"kinds": ["event"]}, {"metadata": {"source": "mail"}}, {"until": "2026-01-01"}):
        assert maria.rpc("recall_memories", **{**found, **missed}) == []


def test_the_other_functions_answer_as_well(gate: Gate) -> None:
    maria = gate.member()
    messages = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi!"}]
    said = maria.rpc("append_memories", messages=messages, context_key="thread-1")
    assert [answer["status"] for answer in said] == ["added", "added"]
    first = said[0]["id"]
    maria.rpc("update_memory", memory_id=first, changes={"content": "Good morning."})
    counts = maria.rpc("forget_memories", scope={"context_key": "thread-1"}, dry_run=True)
    assert counts == {"memories": 2, "dry_run": True}
    maria.rpc("forget_memories", scope={"ids": [first]})
    maria.rpc("restore_memories", scope={"ids": [first]})
    changes = [step["change"] for step in maria.rpc("memory_history", memory_id=first)]
    assert changes == ["added", "updated", "forgotten", "restored"]


def test_people_of_other_organizations_find_nothing(gate: Gate) -> None:
    maria, stranger = gate.member(), gate.member("owner")
    maria.rpc("remember_memories", memories=[{**TEA, "visibility": "organization"}])
    assert stranger.rpc("recall_memories", query="tea") == []
    assert stranger.select("ai_memories") == []
    assert [each["role"] for each in stranger.rpc("list_memory_members")] == ["owner"]
    assert stranger.rpc("memory_audit") == []


def test_a_claimed_organization_is_not_believed(gate: Gate) -> None:
    maria = gate.member()
    assert maria.claims is not None
    liar = gate.person(maria.claims["app_metadata"]["organization_id"])
    with pytest.raises(psycopg.Error) as caught:
        liar.rpc("recall_memories", query="tea")
    # PostgREST answers with status 400 and this code.
    assert caught.value.sqlstate == "PM001"
    assert liar.rpc("memory_status")["organization_id"] is None


def test_nobody_gets_in_without_a_token(gate: Gate) -> None:
    for attempt in (
        lambda: gate.anonymous().rpc("recall_memories", query="tea"),
        lambda: gate.anonymous().rpc("remember_memories", memories=[TEA]),
        lambda: gate.anonymous().select("ai_memories"),
        lambda: gate.anonymous().rpc("memory_status"),
        lambda: gate.anonymous().of("agent_memory").select("organizations"),
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            attempt()


def test_clients_write_by_functions_alone(gate: Gate) -> None:
    maria = gate.member("owner")
    with pytest.raises(errors.InsufficientPrivilege):
        maria.insert("ai_memories", [{"content": "x"}])


@pytest.mark.parametrize("table", ["organizations", "members", "audit", "keys"])
def test_an_exposed_private_schema_is_the_services_alone(gate: Gate, table: str) -> None:
    """Where a project lists agent_memory among the schemas of its Data API."""
    maria = gate.member("owner").of("agent_memory")
    for attempt in (
        lambda: maria.select(table),
        lambda: maria.insert(table, [{"organization_id": str(uuid4())}]),
    ):
        with pytest.raises(errors.InsufficientPrivilege, match="schema agent_memory"):
            attempt()


def test_what_is_no_table_of_clients_functions_tell(gate: Gate) -> None:
    maria = gate.member("owner")
    [said] = maria.rpc("remember_memories", memories=[TEA])
    maria.rpc("set_memory_member", user_id=str(uuid4()), role="viewer")
    maria.rpc("update_memory", memory_id=said["id"], changes={"importance": 0.9})
    assert maria.rpc("memory_status")["role"] == "owner"
    roles = [each["role"] for each in maria.rpc("list_memory_members")]
    assert sorted(roles) == ["owner", "viewer"]
    assert [each["action"] for each in maria.rpc("memory_audit", match_limit=5)] == ["member_set"]
    assert [each["change"] for each in maria.rpc("memory_changes", ids=[said["id"]])] == ["updated"]
    maria.rpc("erase_memories", scope={"ids": [said["id"]]})
    [erased] = maria.rpc("memory_erasures")
    assert erased["counts"]["memories"] == 1


def test_a_client_function_has_one_form(project: Project) -> None:
    """PostgREST can't choose between two functions of one name."""
    names = project.ask(
        "select proname from pg_proc where pronamespace = 'public'::regnamespace"
        " group by 1 having count(*) > 1"
    )
    assert names == []
