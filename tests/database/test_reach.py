"""Among many memories, what is in reach is found by the filters' indexes, and is the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.database.conftest import Client, World

KINDS = ["fact", "preference", "event"]
MANY = 240
FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "agent": {"agent_id": "one"},
    "another agent": {"agent_id": "two"},
    "no agent": {"agent_id": "none"},
    "user": {"user_id": "u45"},
    "kinds": {"kinds": ["event"]},
    "metadata": {"metadata": json.dumps({"project": "rare"})},
    "frequent metadata": {"metadata": json.dumps({"source": "test"})},
    "any metadata": {"metadata": "{}"},
    **{
        f"metadata and {user_id}": {"metadata": json.dumps({"project": "rare"}), "user_id": user_id}
        for user_id in ("u45", "u130", "u220")
    },
    "since": {"since": "2024-06-01Z"},
    "until": {"until": "2024-02-01Z"},
}


@pytest.fixture
def callers(world: World) -> dict[str, Client]:
    """Two programs that keep memories of every visibility, and a person whom some are about."""
    organization = world.organization()
    programs = [world.program(organization, agent) for agent in ("one", "two")]
    for place, program in enumerate(programs):
        told = (told_of(number) for number in range(MANY) if number % 5 % 2 == place)
        assert {answer["status"] for answer in program.remember(*told)} == {"added"}
    world.connection.execute("analyze ai_memories")
    person = world.member(organization, "ana")
    return {"one": programs[0], "two": programs[1], "ana": person}


def told_of(number: int) -> dict[str, Any]:
    tags = {"source": "test"} if number % 3 else {}
    rare = {"project": "rare"} if number % 5 == 0 else {}
    return {
        "content": f"The number {number} was told.",
        "user_id": f"u{number}" if number % 5 == 0 else "ana",
        "kind": KINDS[number % 3],
        "visibility": ["private", "agent", "organization"][number % 7 % 3],
        "metadata": tags | rare,
        "occurred_at": f"2024-{1 + number % 12:02}-01",
    }


@pytest.mark.parametrize("name", ["one", "two", "ana"])
@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
def test_what_is_in_reach_is_the_same_among_many(
    world: World, callers: dict[str, Client], name: str, filters: dict[str, Any]
) -> None:
    # None has the word: all that is in reach makes up the number.
    asked = {"query": "nothingofthesort", "match_limit": 1000, **filters}
    among_few = {hit["id"] for hit in callers[name].recall(**asked)}
    world.connection.execute("set pgrecall.exact_limit = 1")
    among_many = callers[name].recall(**asked)
    world.connection.execute("reset pgrecall.exact_limit")
    assert len(among_many) == len(among_few)
    assert {hit["id"] for hit in among_many} == among_few
    assert among_few or name != "one" or filters == FILTERS["no agent"]
