"""Counts in the database: who may add and see them, and what is refused."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from pgrecall import Memory
from pgrecall.domain.identity import agent_claims
from tests.database.conftest import Client, World

NOW = datetime.now(UTC)
HOUR = NOW.isoformat()
LATENCIES = [0] * 6 + [3] + [0] * 25


def add(client: Client, *items: dict[str, Any]) -> int:
    [row] = client.rows("select add_memory_stats(%s) as n", json.dumps(items))
    return int(row["n"])


def seen(client: Client) -> list[tuple[str, int]]:
    rows = client.rows("select agent_id, recalls from agent_memory_stats order by agent_id, hour")
    return [(row["agent_id"], row["recalls"]) for row in rows]


def test_counts_are_summed(world: World) -> None:
    organization = world.organization()
    program = world.program(organization, "alpha")
    item = {"agent_id": "alpha", "hour": HOUR, "recalls": 3, "latencies": LATENCIES, "added": 2}
    assert add(program, item) == 1
    assert add(program, item, {**item, "hour": (NOW - timedelta(hours=5)).isoformat()}) == 2
    rows = program.rows("select * from agent_memory_stats order by hour desc")
    assert [(row["added"], row["recalls"]) for row in rows] == [(4, 6), (2, 3)]
    assert rows[0]["latencies"] == [2 * count for count in LATENCIES]
    assert add(program) == 0


def test_everybody_adds_to_the_own_organization_and_sees_it(world: World) -> None:
    one, two = world.organization(), world.organization()
    item = {"agent_id": "alpha", "hour": HOUR, "recalls": 1}
    viewer, owner = world.member(one, "vic", "viewer"), world.member(one, "olga", "owner")
    foreign = world.member(two, "olga2", "owner")
    programs = [world.program(each, "alpha") for each in (one, two)]
    for client in (viewer, owner, *programs):
        add(client, item)
    add(foreign, {**item, "recalls": 7})
    assert seen(viewer) == seen(owner) == seen(programs[0]) == [("alpha", 3)]
    assert seen(foreign) == seen(programs[1]) == [("alpha", 8)]


def test_a_program_counts_for_itself_alone(world: World) -> None:
    program = world.program(world.organization(), "alpha")
    with pytest.raises(psycopg.Error, match="own agent alone") as error:
        add(program, {"agent_id": "beta", "hour": HOUR, "recalls": 1})
    assert error.value.sqlstate == "PM002"


def test_nobody_writes_the_table_itself(world: World) -> None:
    owner = world.member(world.organization(), "olga", "owner")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.rows("update agent_memory_stats set recalls = 0")


@pytest.mark.parametrize(
    "item",
    [
        [],
        {},
        {"agent_id": 7},
        {"agent_id": ""},
        {"agent_id": "alpha", "hour": None},
        {"agent_id": "alpha", "hour": "soon"},
        {"agent_id": "alpha", "hour": "2001-01-01"},
        {"agent_id": "alpha", "hour": (NOW + timedelta(days=3)).isoformat()},
        {"agent_id": "alpha", "hour": HOUR, "recalls": -1},
        {"agent_id": "alpha", "hour": HOUR, "recalls": 1.5},
        {"agent_id": "alpha", "hour": HOUR, "recalls": "1"},
        {"agent_id": "alpha", "hour": HOUR, "recalls": None},
        {"agent_id": "alpha", "hour": HOUR, "recalls": 10**12},
        {"agent_id": "alpha", "hour": HOUR, "organization_id": 1},
        {"agent_id": "alpha", "hour": HOUR, "latencies": [1]},
        {"agent_id": "alpha", "hour": HOUR, "latencies": {"1": 1}},
        {"agent_id": "alpha", "hour": HOUR, "latencies": [None] * 32},
    ],
)
def test_what_is_no_count_is_refused(world: World, item: object) -> None:
    program = world.program(world.organization(), "alpha")
    with pytest.raises(psycopg.Error) as error:
        program.rows("select add_memory_stats(%s)", json.dumps([item]))
    assert error.value.sqlstate == "PM003"
    assert seen(program) == []


@pytest.mark.parametrize("counts", ["{}", "null", "7"])
def test_what_is_no_list_is_refused(world: World, counts: str) -> None:
    program = world.program(world.organization(), "alpha")
    with pytest.raises(psycopg.Error) as error:
        program.rows("select add_memory_stats(%s)", counts)
    assert error.value.sqlstate == "PM003"


def test_an_hour_is_named_once(world: World) -> None:
    program = world.program(world.organization(), "alpha")
    item = {"agent_id": "alpha", "hour": HOUR, "recalls": 1}
    with pytest.raises(psycopg.Error, match="may be named once"):
        add(program, item, item)


def test_who_adds_to_the_same_rows_waits(world: World, pgrecall_dsn: str) -> None:
    owner = world.member(world.organization(), "olga", "owner")
    items = [{"agent_id": f"a{n}", "hour": HOUR, "recalls": 1} for n in range(50)]
    failures: list[Exception] = []

    def work(given: list[dict[str, Any]]) -> None:
        with psycopg.connect(pgrecall_dsn, autocommit=True, row_factory=dict_row) as connection:
            for _ in range(20):
                try:
                    add(Client(connection, owner.claims), *given)
                except psycopg.Error as error:
                    failures.append(error)

    threads = [threading.Thread(target=work, args=(each,)) for each in (items, items[::-1]) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert seen(owner) == sorted((item["agent_id"], 80) for item in items)


def test_periods(world: World, pgrecall_dsn: str) -> None:
    organization = world.organization()
    world.program(organization, "alpha")
    world.program(organization, "beta")
    for agent, hour, recalls in (
        ("alpha", "2026-03-01T00:00Z", 1),
        ("alpha", "2026-03-01T23:00Z", 2),
        ("alpha", "2026-03-02T00:00Z", 4),
        ("beta", "2026-03-02T00:00Z", 8),
    ):
        world.connection.execute(
            "insert into agent_memory_stats (organization_id, agent_id, hour, recalls, latencies)"
            " values (%s, %s, %s, %s, %s)",
            (organization, agent, hour, recalls, [recalls] + [0] * 31),
        )
    claims = agent_claims(organization, "alpha")
    with Memory(pgrecall_dsn, agent_id="alpha", embedder=None, claims=claims) as memory:

        def counted(**asked: Any) -> list[tuple[str | None, str | None, int]]:
            found = memory.stats(**asked)
            assert all(sum(row.latencies) == row.recalls for row in found)
            return [(r.start and f"{r.start:%d %H}", r.agent_id, r.recalls) for r in found]  # type: ignore[misc]

        assert counted() == [("01 00", "alpha", 3), ("02 00", "alpha", 4), ("02 00", "beta", 8)]
        assert counted(by="total") == [(None, "alpha", 7), (None, "beta", 8)]
        assert counted(by="hour", agent_id="alpha", until="2026-03-02") == [
            ("01 00", "alpha", 1),
            ("01 23", "alpha", 2),
        ]
        assert counted(since="2026-03-01T23:00Z", by="total", agent_id="alpha") == [
            (None, "alpha", 6)
        ]
        assert memory.stats().total.recalls == 15
