"""A maintenance that is killed at random points: the database stays usable, a rerun completes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Mapping

from pgrecall.errors import ConflictError
from pgrecall.ops.maintenance import maintain
from tests.cli.conftest import COMMAND
from tests.database.conftest import Client, World

ROUNDS = 10
# Work of every kind, which takes a second or two: memories to erase, an invalid index, one that is
# left over, dead rows, hours to be added up.
WORK = (
    "update agent_memory.organizations set agent_settings ="
    """ '{"retention": {"max_age": {"message": 30}, "max_count": 50, "action": "erase"}}'""",
    "insert into ai_memory_contexts (organization_id, agent_id, context_key)"
    " select organization_id, 'alpha', 'c' || c"
    " from agent_memory.organizations, generate_series(1, 20) c"
    " on conflict do nothing",
    "insert into ai_memories (organization_id, agent_id, context_id, kind, content, created_at)"
    " select c.organization_id, 'alpha', c.id, 'message', 'Old words ' || n,"
    " now() - interval '60 days' from ai_memory_contexts c, generate_series(1, 150) n",
    "create index if not exists ai_memories_user_idx_ccnew on ai_memories (user_id)",
    "update pg_index set indisvalid = false where indexrelid in"
    " ('ai_memories_user_idx_ccnew'::regclass, 'ai_memories_slot_values_idx'::regclass,"
    " 'ai_memories_search_idx'::regclass, 'ai_memories_context_idx'::regclass)",
    "insert into agent_memory_stats (organization_id, agent_id, hour, added)"
    " select organization_id, 'alpha', date_trunc('hour', now(), 'UTC') - h * interval '1 hour', 1"
    " from agent_memory.organizations, generate_series(2400, 4800) h on conflict do nothing",
)
SEARCH_INDEX = "select to_regclass('ai_memories_search_idx') is not null as it"
INVALID = "select indexrelid::regclass::text as it from pg_index where not indisvalid"
HALVES = """
select (select count(*) from ai_memories where kind = 'message'
        and created_at < now() - interval '30 days') as old,
       (select coalesce(sum((counts ->> 'memories')::bigint), 0)
        from agent_memory.erasures) as erased,
       (select count(*) from agent_memory.tombstones) as tombstones,
       (select sum(added) from agent_memory_stats) as added
"""


def work(world: World) -> int:
    """Make some; how many hours of statistics it added."""
    [found] = world.connection.execute(SEARCH_INDEX.encode()).fetchall()
    for statement in WORK:
        name = "ai_memories_search_idx" if found["it"] else "ai_memories_organization_search_idx"
        cursor = world.connection.execute(
            statement.replace("ai_memories_search_idx", name).encode()
        )
    return cursor.rowcount


def killed(dsn: str, seconds: float) -> bool:
    """Whether a run was killed after so many seconds, and was not at its end by then."""
    environment: Mapping[str, str] = {**os.environ, "DATABASE_URL": dsn}
    command = [*COMMAND, "maintain", "--apply"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        # With its first line a task is done, and the others are still to come.
        running.stdout.readline()
        time.sleep(seconds)
        is_at_work = running.poll() is None
        running.send_signal(signal.SIGKILL)
    return is_at_work


def completed(dsn: str) -> float:
    """The seconds from the first task's end to the run's, of one that nobody kills.

    It begins once the server has noticed that a killed one before it is gone.
    """
    ended: list[float] = []

    def note(_: object) -> None:
        ended.append(time.monotonic())

    for _ in range(6):
        try:
            done = maintain(dsn, is_applied=True, on_outcome=note)
        except ConflictError:
            continue
        assert done.failed == ()
        return time.monotonic() - ended[0]
    raise AssertionError("the lock of the killed run is never given back")


def is_usable(client: Client, number: int) -> bool:
    [told] = client.remember({"content": f"Parsnips, number {number}.", "kind": "fact"})
    hits = client.recall(f"parsnips number {number}")
    return told["status"] == "added" and any(hit["id"] == told["id"] for hit in hits)


def test_a_killed_run_leaves_a_usable_database_and_the_next_one_completes(
    world: World, pgrecall_dsn: str
) -> None:
    alpha = world.program(world.organization(), "alpha")
    turn = random.Random(20261124)
    hours = work(world)
    seconds = completed(pgrecall_dsn)
    interrupted = 0
    for number in range(ROUNDS):
        hours += work(world)
        interrupted += killed(pgrecall_dsn, turn.uniform(0, 0.7 * seconds))
        assert is_usable(alpha, number)
        [halves] = world.connection.execute(HALVES.encode()).fetchall()
        # Each batch is erased with its record and its tombstones, or not at all.
        assert halves["erased"] == halves["tombstones"]
    assert interrupted > ROUNDS / 2
    hours += work(world)
    completed(pgrecall_dsn)
    [halves] = world.connection.execute(HALVES.encode()).fetchall()
    assert (halves["old"], halves["added"]) == (0, hours)
    assert world.connection.execute(INVALID.encode()).fetchall() == []
    assert {o.task.kind for o in maintain(pgrecall_dsn).outcomes} <= {"analyze", "vacuum"}
    assert is_usable(alpha, ROUNDS)
