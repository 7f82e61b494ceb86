"""Counting in the process, without a database."""

from __future__ import annotations

import threading

import pytest

from pgrecall.domain.documents import Json
from pgrecall.domain.erasure import Receipt
from pgrecall.domain.remembered import Remembered, RememberedItem
from pgrecall.domain.scope import Forgotten
from pgrecall.domain.statistics import COUNTS
from pgrecall.telemetry import tally as tallies
from pgrecall.telemetry.counts import counts_of
from pgrecall.telemetry.embedder import tokens
from pgrecall.telemetry.tally import LATENCIES, MAX_HOURS, Tally, items
from pgrecall.telemetry.watch import Watch


def answers(*statuses: str) -> Remembered:
    return Remembered(tuple(RememberedItem(1, None, status, status, None) for status in statuses))


def receipt_of(scope: dict[str, Json], *, dry_run: bool) -> Receipt:
    return Receipt(2, {}, scope, None, dry_run, None, None, None)


@pytest.mark.parametrize(
    ("operation", "answer", "counts"),
    [
        ("remember", answers("added"), {"added": 1}),
        ("remember", answers("rejected"), {}),
        ("remember", answers("superseded"), {"added": 1, "superseded": 1}),
        (
            "remember",
            answers("added", "duplicate", "superseded", "duplicate", "rejected"),
            {"added": 2, "duplicates": 2, "superseded": 1},
        ),
        ("remember", answers(), {}),
        ("update", object(), {"updated": 1}),
        ("forget", Forgotten(3, dry_run=False), {"forgotten": 3}),
        ("forget", Forgotten(3, dry_run=True), {}),
        ("restore", Forgotten(3, dry_run=False), {}),
        ("erase", receipt_of({"user_id": "maria"}, dry_run=False), {"erased": 2}),
        ("erase", receipt_of({"user_id": "maria"}, dry_run=True), {}),
        ("erase", receipt_of({"agent_id": "alpha"}, dry_run=False), {}),
        ("get", object(), {}),
    ],
)
def test_what_an_answer_adds(operation: str, answer: object, counts: dict[str, int]) -> None:
    assert counts_of(operation, answer) == counts


def test_threads_lose_nothing() -> None:
    tally = Tally()
    taken: list[tallies.Hours] = []

    def add() -> None:
        for _ in range(5000):
            tally.add({"recalls": 1}, 3.0)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken.append(tally.take())
    taken.append(tally.take())
    place = COUNTS.index("recalls")
    assert sum(numbers[place] for hours in taken for numbers in hours.values()) == 20_000
    assert sum(sum(numbers[LATENCIES:]) for hours in taken for numbers in hours.values()) == 20_000


def test_what_is_given_back_is_added_to_what_came_meanwhile() -> None:
    tally = Tally()
    tally.add({"added": 2})
    taken = tally.take()
    tally.add({"added": 1})
    tally.give_back(taken)
    [numbers] = tally.take().values()
    assert numbers[COUNTS.index("added")] == 3


def test_counts_that_cannot_be_written_do_not_grow_for_ever() -> None:
    tally = Tally()
    tally.give_back({hour: [1] * (LATENCIES + 32) for hour in range(3 * MAX_HOURS)})
    assert sorted(tally.take()) == list(range(2 * MAX_HOURS, 3 * MAX_HOURS))


def test_one_alone_is_told_to_see_to_the_writing() -> None:
    tally = Tally()
    assert not tally.is_neglected()
    tally.add({"added": 1})
    assert [tally.is_neglected(), tally.is_neglected()] == [True, False]
    tally.take()
    assert not tally.is_neglected()


def test_an_item_has_no_noughts() -> None:
    tally = Tally()
    tally.add({"updated": 4})
    [item] = items("alpha", tally.take())
    assert str(item.pop("hour")).endswith(":00:00Z")
    assert item == {"agent_id": "alpha", "updated": 4, "latencies": []}


def test_a_failed_operation_is_not_counted() -> None:
    watch = Watch(is_counting=True)
    with pytest.raises(KeyError), watch.operation("update"):
        raise KeyError
    assert watch.tally.take() == {}


def test_where_counting_is_off_nothing_waits() -> None:
    watch = Watch(is_counting=False)
    with watch.operation("update"):
        pass
    assert watch.tally.take() == {}


@pytest.mark.parametrize(("text", "count"), [("", 0), ("tea", 1), ("x" * 9, 3), ("日本語", 3)])
def test_tokens_are_estimated_by_bytes(text: str, count: int) -> None:
    assert tokens(text) == count
