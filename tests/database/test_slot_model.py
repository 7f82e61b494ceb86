"""Slots against a model: random telling, importing, moving, forgetting, restoring and erasing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.conftest import Client, World
from tests.database.test_slots import bring, forget, restore, update, wrong

START = datetime(2000, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
OPERATIONS = (
    "tell", "tell", "tell", "tell now", "import", "move", "end", "forget", "restore", "erase",
)  # fmt: skip


@dataclass
class Value:
    """What the model knows of a value; `cut` is who ended it, and when."""

    id: UUID
    text: str
    begins: datetime
    own_end: datetime
    is_forgotten: bool = False
    cut: tuple[UUID, datetime] | None = None

    @property
    def end(self) -> datetime:
        return self.cut[1] if self.cut else self.own_end


class Timeline:
    """One slot, written through the client's functions and, beside that, in the model.

    The model looks at all values after each change, in the one order that they have; the database
    looks at the neighbours of what was changed.
    """

    def __init__(self, client: Client, slot: str) -> None:
        self.client, self.slot = client, slot
        self.values: dict[UUID, Value] = {}
        # No two values begin at once: which of these holds is another test's.
        self.days = 0

    def run(self, operation: str, number: int, days: int) -> None:
        if operation in ("tell", "import"):
            self.tell(operation, number, days)
        elif operation == "tell now":
            self.tell_now(f"text {number % 3}")
        else:
            is_forgotten = operation == "restore"
            chosen = [each for each in self.values.values() if each.is_forgotten == is_forgotten]
            if operation == "move":
                chosen = list(self.values.values())
            if chosen:
                self.change(operation, chosen[number % len(chosen)], number, days)
        self.settle()
        self.compare()

    def day(self, number: int) -> datetime:
        self.days += 1
        return START + timedelta(days=number, minutes=self.days)

    def tell(self, operation: str, number: int, days: int) -> None:
        begins = self.day(number)
        item: dict[str, Any] = {
            "content": f"text {number % 3}", "slot": self.slot, "valid_from": begins.isoformat(),
        }  # fmt: skip
        own_end = begins + timedelta(days=days) if days % 2 else NEVER
        if own_end != NEVER:
            item["valid_to"] = own_end.isoformat()
        [answer] = (
            bring(self.client, [item]) if operation == "import" else self.client.remember(item)
        )
        assert answer["status"] in ("added", "superseded")
        self.values[answer["id"]] = Value(answer["id"], item["content"], begins, own_end)

    def tell_now(self, text: str) -> None:
        [answer] = self.client.remember({"content": text, "slot": self.slot})
        [row] = self.client.rows(
            "select valid_from, now() as now from ai_memories where id = %s", answer["id"]
        )
        begun = [each for each in self.live() if each.begins <= row["now"]]
        is_known = bool(begun) and begun[-1].text == text and begun[-1].end > row["now"]
        assert (answer["code"] == "same_text") == is_known
        if not is_known:
            self.values[answer["id"]] = Value(answer["id"], text, row["valid_from"], NEVER)

    def change(self, operation: str, value: Value, number: int, days: int) -> None:
        if operation in ("move", "end"):
            begins = self.day(number) if operation == "move" else value.begins
            own_end = self.held_end(value)
            if operation == "end":
                own_end = begins + timedelta(days=days) if days % 2 else NEVER
            told = None if own_end == NEVER else own_end.isoformat()
            changes = (
                {"valid_to": told} if operation == "end" else {"valid_from": begins.isoformat()}
            )
            if own_end < begins:
                with pytest.raises(psycopg.Error) as refused:
                    update(self.client, value.id, **changes)
                assert refused.value.sqlstate == "PM003"
                return
            update(self.client, value.id, **changes)
            value.begins, value.own_end, value.cut = begins, own_end, None
        elif operation == "erase":
            scope = json.dumps({"ids": [str(value.id)]})
            self.client.rows("select erase_memories(%s)", scope)
            del self.values[value.id]
            for each in self.values.values():
                if each.cut and each.cut[0] == value.id:
                    each.own_end, each.cut = each.cut[1], None
        else:
            (forget if operation == "forget" else restore)(self.client, value.id)
            value.is_forgotten = operation == "forget"

    def live(self) -> list[Value]:
        return sorted(
            (each for each in self.values.values() if not each.is_forgotten),
            key=lambda each: each.begins,
        )

    def held_end(self, value: Value) -> datetime:
        """A value's own end; what a value that is forgotten now put to it, is."""
        is_cut = value.cut is not None and self.values[value.cut[0]].is_forgotten
        return value.end if is_cut else value.own_end

    def settle(self) -> None:
        live = self.live()
        for value, successor in zip_longest(live, live[1:]):
            own_end = self.held_end(value)
            if successor is not None and own_end >= successor.begins:
                value.own_end, value.cut = own_end, (successor.id, successor.begins)
            elif value.cut and not self.values[value.cut[0]].is_forgotten:
                value.cut = None

    def compare(self) -> None:
        rows = self.client.rows(
            "select id, valid_from, coalesce(valid_to, '9999-01-01Z') as ends, superseded_by"
            " from ai_memories where slot = %s and forgotten_at is null order by valid_from",
            self.slot,
        )
        expected = [
            (each.id, each.begins, each.end, each.cut and each.cut[0]) for each in self.live()
        ]
        assert [tuple(row.values()) for row in rows] == expected


@given(
    st.lists(
        st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 12000), st.integers(0, 5000)),
        min_size=5,
        max_size=35,
    )
)
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_slots_do_as_the_model_does(world: World, operations: list[tuple[str, int, int]]) -> None:
    timeline = Timeline(world.program(world.organization()), "s")
    for operation, number, days in operations:
        timeline.run(operation, number, days)
    assert wrong(world) == []
