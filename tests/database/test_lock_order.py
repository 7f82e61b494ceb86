"""Who writes locks conversations, then texts, then values: nobody waits for another in a circle."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.database.conftest import Client, World
from tests.database.test_erasure import message
from tests.database.test_erasure_concurrency import another, is_waiting

REMEMBER = "select * from remember_memories(%s::jsonb)"
FORGET = "select forget_memories(%s::jsonb)"
Step = tuple[str, object]


def scope(**named: object) -> str:
    return json.dumps(named)


def in_a_circle(
    world: World, dsn: str, claims: dict[str, Any], first: Step, then: Step, other: Step
) -> None:
    """`first` and `then` in one transaction; between the two another one waits for `first`."""
    with another(dsn, claims) as one, another(dsn, claims) as two, ThreadPoolExecutor(1) as pool:
        pid = two.connection.info.backend_pid
        with one.connection.transaction():
            one.rows(*first)
            waiting = pool.submit(two.rows, *other)
            while not is_waiting(world, pid) and not waiting.done():
                time.sleep(0.01)
            one.rows(*then)
        waiting.result(timeout=30)


@pytest.fixture
def alpha(world: World) -> Client:
    return world.program(world.organization(), "alpha")


def updating(**changes: object) -> Callable[[str], Step]:
    return lambda id: (f"select update_memory('{id}', %s::jsonb)", json.dumps(changes))


CHANGES: dict[str, Callable[[str], Step]] = {
    "update": updating(content="Changed."),
    "forget": lambda id: (FORGET, scope(ids=[id])),
    "forget the conversation": lambda _: (FORGET, scope(context_key="thread")),
    "erase": lambda id: ("select erase_memories(%s::jsonb)", scope(ids=[id])),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_change_waits_for_the_conversation_before_it_holds_a_message(
    world: World, alpha: Client, pgrecall_dsn: str, change: Callable[[str], Step]
) -> None:
    told, _ = alpha.remember(message("First."), message("Second."))
    in_a_circle(
        world, pgrecall_dsn, alpha.claims,
        (REMEMBER, json.dumps([message("Third.")])),
        ("select update_memory(%s, '{\"importance\": 0.9}')", told["id"]),
        change(str(told["id"])),
    )  # fmt: skip


def test_a_message_comes_back_beside_a_writer_to_its_conversation(
    world: World, alpha: Client, pgrecall_dsn: str
) -> None:
    told, _ = alpha.remember(message("First."), message("Second."))
    forgotten = scope(ids=[str(told["id"])])
    alpha.rows(FORGET, forgotten)
    in_a_circle(
        world, pgrecall_dsn, alpha.claims,
        (REMEMBER, json.dumps([message("Third.")])),
        ("select update_memory(%s, '{\"importance\": 0.9}')", told["id"]),
        ("select restore_memories(%s::jsonb)", forgotten),
    )  # fmt: skip


@pytest.mark.parametrize("verb", ["forget_memories", "erase_memories"])
def test_values_are_locked_in_the_order_of_their_slots(
    world: World, alpha: Client, pgrecall_dsn: str, verb: str
) -> None:
    """As a writer of both slots goes through them, whichever was there first."""
    later, sooner = (
        alpha.remember({"content": slot, "slot": slot})[0]["id"] for slot in ("b", "a")
    )
    in_a_circle(
        world, pgrecall_dsn, alpha.claims,
        (REMEMBER, json.dumps([{"content": "new a", "slot": "a"}])),
        (REMEMBER, json.dumps([{"content": "new b", "slot": "b"}])),
        (f"select {verb}(%s::jsonb)", scope(ids=[str(later), str(sooner)])),
    )  # fmt: skip


def test_an_erased_value_is_held_together_with_the_one_that_it_ended(
    world: World, alpha: Client, pgrecall_dsn: str
) -> None:
    """A writer between the two holds the first, and links it to the second."""
    told: list[dict[str, Any]] = []
    for day in (1, 20):
        told += alpha.remember(
            {"content": f"since {day}", "slot": "a", "valid_from": f"2026-01-{day:02}T00:00:00Z"}
        )
    in_a_circle(
        world, pgrecall_dsn, alpha.claims,
        ("select update_memory(%s, '{\"importance\": 0.9}')", told[0]["id"]),
        (
            REMEMBER,
            json.dumps([{"content": "x", "slot": "a", "valid_from": "2026-01-10T00:00:00Z"}]),
        ),
        ("select erase_memories(%s::jsonb)", scope(ids=[str(told[1]["id"])])),
    )  # fmt: skip
