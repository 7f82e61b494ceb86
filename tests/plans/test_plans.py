"""No search reads a big table from end to end, whoever asks and however large the organization."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from benchmarks.population import AGENT, CONVERSATION, MODEL, Population
from tests.plans.conftest import Caller
from tests.plans.plan import Plan, Recorder

LAST_YEAR = datetime.now(UTC) - timedelta(days=365)
PAGE = {
    "after": None,
    "user_id": None,
    "context_key": None,
    "kinds": None,
    "include_forgotten": False,
    "include_superseded": False,
    "row_limit": 20,
}

FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "user": {"user_id": "u1"},
    "agent": {"agent_id": AGENT},
    "kinds": {"kinds": ["preference"]},
    "metadata": {"metadata": json.dumps({"project": "p7"})},
    "since": {"since": LAST_YEAR},
    "until": {"until": LAST_YEAR},
    "as_of": {"as_of": LAST_YEAR},
    "context": {"context_key": "conversation 77"},
}

Ask = Callable[[Caller, Population, int], object]
"""Something that a caller asks about memory n of its organization."""


def listing(**asked: Any) -> Ask:
    return lambda caller, _, __: caller.ask("list_memories", **PAGE | asked)


def by_id(name: str) -> Ask:
    return lambda caller, population, n: caller.ask(name, memory_id=population.memory_id(n))


def remembering(**item: Any) -> Ask:
    memories = json.dumps([{"content": "Something new to tell", "user_id": "u1", **item}])
    return lambda caller, _, __: caller.ask("remember_memories", memories=memories)


def forgetting(caller: Caller, population: Population, n: int) -> object:
    scope = json.dumps({"ids": [str(population.memory_id(n)), str(population.memory_id(n + 1))]})
    return caller.ask("forget_memories", scope=scope, dry_run=False)


def updating(caller: Caller, population: Population, n: int) -> object:
    changes = json.dumps({"content": "Something else"})
    return caller.ask("update_memory", memory_id=population.memory_id(n), changes=changes)


STATEMENTS: dict[str, Ask] = {
    "get": by_id("get_memory"),
    "history": by_id("memory_history"),
    "list": listing(),
    "list by user": listing(user_id="u1"),
    "list by context": listing(context_key="conversation 77"),
    "remember": remembering(),
    "remember a message": remembering(kind="message", context_key="conversation 77"),
    "remember a slot": remembering(slot="user:u1/diet"),
    "remember a vector": remembering(embedding=[1.0] * 256, embedding_model=MODEL),
    "update": updating,
    "forget": forgetting,
}


@pytest.fixture(params=["large", "small"])
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[f"agent:{AGENT}", "u1"])
def caller(
    request: pytest.FixtureRequest,
    connection: psycopg.Connection[dict[str, Any]],
    population: Population,
    size: str,
) -> Caller:
    """A program or a person, of the large organization or of a small one."""
    organization = population.organization_id(0 if size == "large" else 101)
    return Caller(connection, organization, request.param)


@pytest.fixture
def number(population: Population, size: str) -> int:
    """A message of the caller's organization that is about u1."""
    first = population.sizes.large + 100 * population.sizes.small
    return CONVERSATION + (0 if size == "large" else first)


@pytest.fixture
def recorder(connection: psycopg.Connection[dict[str, Any]]) -> Recorder:
    try:
        return Recorder(connection)
    except psycopg.errors.UndefinedFile:
        pytest.skip("this server comes without auto_explain")


def sequential(plans: list[Plan]) -> list[tuple[set[str], str]]:
    assert plans
    return [(plan.sequential_scans, plan.query) for plan in plans if plan.sequential_scans]


def test_a_sequential_scan_is_seen(
    connection: psycopg.Connection[dict[str, Any]], recorder: Recorder
) -> None:
    connection.execute("select from ai_memories where content = 'nothing has an index for this'")
    [(tables, _)] = sequential(recorder.plans)
    assert tables == {"ai_memories"}


@pytest.mark.parametrize("with_vector", [False, True], ids=["words", "vector"])
@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
def test_recall_scans_no_big_table(
    caller: Caller,
    population: Population,
    recorder: Recorder,
    has_vector: bool,
    filters: dict[str, Any],
    with_vector: bool,
) -> None:
    if with_vector and not has_vector:
        pytest.skip("this server comes without pgvector")
    recorder.plans.clear()
    [question] = population.questions(1)
    caller.recall(question, with_vector=with_vector, **filters)
    assert sequential(recorder.plans) == []


@pytest.mark.parametrize("how", ["recall_in_context", "explain_memories"])
def test_what_is_around_a_recall_scans_no_big_table(
    caller: Caller, population: Population, recorder: Recorder, has_vector: bool, how: str
) -> None:
    recorder.plans.clear()
    [question] = population.questions(1)
    caller.recall(question, with_vector=has_vector, how=how, context_key="conversation 77")
    assert sequential(recorder.plans) == []


@pytest.mark.parametrize("ask", STATEMENTS.values(), ids=STATEMENTS)
def test_no_statement_scans_a_big_table(
    caller: Caller, population: Population, recorder: Recorder, number: int, ask: Ask
) -> None:
    ask(caller, population, number)
    assert sequential(recorder.plans) == []


def test_a_large_organization_is_searched_by_the_indexes(
    program: Caller, population: Population, recorder: Recorder, has_vector: bool
) -> None:
    [question] = population.questions(1)
    program.recall(question, with_vector=has_vector)
    used = set().union(*(plan.indexes for plan in recorder.plans))
    assert used & {"ai_memories_organization_search_idx", "ai_memories_search_idx"}
    assert not has_vector or "embeddings_hnsw_256_idx" in used


def test_a_conversation_of_a_large_organization_is_searched_by_its_index(
    program: Caller, population: Population, recorder: Recorder
) -> None:
    [question] = population.questions(1)
    recorder.plans.clear()
    program.recall(question, with_vector=False, context_key="conversation 77")
    own, _ = scopes(recorder.plans)
    [condition] = own.conditions("ai_memories_context_idx")
    assert "context_id = " in condition


FEW: dict[str, tuple[dict[str, Any], set[str], str]] = {
    "user": ({"user_id": "u1"}, {"ai_memories_user_idx"}, "user_id = "),
    "agent": ({"agent_id": "another"}, {"ai_memories_agent_idx"}, "agent_id = "),
    "kinds": ({"kinds": ["procedure"]}, {"ai_memories_kind_idx"}, "kind = "),
    "since": ({"since": datetime.now(UTC)}, {"ai_memories_time_idx"}, "occurred_at >= "),
    "metadata": (
        {"metadata": json.dumps({"project": "none"})},
        {"ai_memories_metadata_idx", "ai_memories_organization_metadata_idx"},
        "metadata @> ",
    ),
}
"""Filters that few or no memories pass; the indexes that are for them, and by what."""


@pytest.mark.parametrize("size", ["large"])
@pytest.mark.parametrize(("filters", "indexes", "condition"), FEW.values(), ids=FEW)
def test_what_few_pass_is_searched_by_its_index(
    caller: Caller,
    population: Population,
    recorder: Recorder,
    filters: dict[str, Any],
    indexes: set[str],
    condition: str,
) -> None:
    [question] = population.questions(1)
    recorder.plans.clear()
    caller.recall(question, with_vector=False, **filters)
    conditions = [
        found for plan in recorder.plans for index in indexes for found in plan.conditions(index)
    ]
    assert any(condition in found for found in conditions)


def test_an_agent_among_many_is_searched_by_its_index(
    program: Caller, population: Population, recorder: Recorder
) -> None:
    [question] = population.questions(1)
    with program.connection.transaction(force_rollback=True):
        program.connection.execute(
            "insert into agent_memory.members (organization_id, user_id, role)"
            " values (%s, 'agent:another', 'agent')",
            (program.organization_id,),
        )
        recorder.plans.clear()
        hits = replace(program, user_id="agent:another").recall(question, with_vector=False)
    # After the sample, none of which it sees.
    *_, own, shared = scopes(recorder.plans)
    assert hits == []
    assert "agent_id = " in own.conditions("ai_memories_agent_idx")[0]
    assert shared.indexes == {"ai_memories_shared_idx"}


SCOPES: dict[str, tuple[dict[str, str], str, str]] = {
    "user": ({"user_id": "u1"}, "ai_memories_user_idx", "user_id = "),
    "agent": ({"agent_id": "none"}, "ai_memories_agent_idx", "agent_id = "),
    "context": ({"context_key": "conversation 77"}, "ai_memories_context_idx", "context_id = "),
}


@pytest.mark.parametrize("how", ["forget_memories", "erase_memories"])
@pytest.mark.parametrize(("scope", "index", "condition"), SCOPES.values(), ids=SCOPES)
def test_what_is_to_be_forgotten_is_searched_by_its_index(
    connection: psycopg.Connection[dict[str, Any]],
    population: Population,
    recorder: Recorder,
    how: str,
    scope: dict[str, str],
    index: str,
    condition: str,
) -> None:
    organization = population.organization_id(0)
    with connection.transaction(force_rollback=True):
        connection.execute(
            "insert into agent_memory.members (organization_id, user_id, role)"
            " values (%s, 'an owner', 'owner')",
            (organization,),
        )
        recorder.plans.clear()
        Caller(connection, organization, "an owner").ask(how, scope=json.dumps(scope), dry_run=True)
    conditions = [found for plan in recorder.plans for found in plan.conditions(index)]
    assert any(condition in found for found in conditions)


def scopes(plans: list[Plan]) -> list[Plan]:
    """How the memories in reach are found, the caller's own and those that others share."""
    return [plan for plan in plans if "m.id = any (among)" in plan.query]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("memory_models", {}),
        ("add_memory_model", {"model": "other", "dimension": 256}),
        ("missing_memory_embeddings", {"model": "other", "after": None, "match_limit": 128}),
        ("missing_memory_embeddings", {"model": MODEL, "after": None, "match_limit": 128}),
    ],
)
def test_no_look_at_the_models_scans_a_big_table(
    program: Caller, recorder: Recorder, has_vector: bool, name: str, given: dict[str, Any]
) -> None:
    if not has_vector:
        pytest.skip("this server comes without pgvector")
    program.ask(name, agent_id=AGENT, **given)
    assert sequential(recorder.plans) == []
