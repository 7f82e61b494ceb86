"""What is planned from what was found, and windows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pgrecall.domain.maintenance import HourFacts, IndexFacts, MaintenanceFacts, TableFacts
from pgrecall.ops.maintenance import plan_tasks, render_schedule, window

TABLE = TableFacts("t", 10_000, 0, 0, True, 10_000, 0.2, "vacuum t", "analyze t", "alter t")
INDEX = IndexFacts("i", True, False, False, 100 * 2**20, 90 * 2**20, "reindex i", "drop i")

MIDNIGHT = datetime(2026, 11, 24)
MINUTE = timedelta(minutes=1)
JOB = re.compile(r"cron\.schedule\('([a-z0-9-]+)', '([^']+)'")


def statements(facts: MaintenanceFacts) -> list[str]:
    return [task.sql for task in plan_tasks(facts, batch=10, days=90)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"dead_rows": 1000}, []),
        ({"dead_rows": 1001}, ["vacuum t"]),
        ({"dead_rows": 1001, "is_analyzed": False}, ["vacuum t"]),
        ({"changed_rows": 1000}, []),
        ({"changed_rows": 1001}, ["analyze t"]),
        ({"is_analyzed": False}, ["analyze t"]),
        ({"is_analyzed": False, "live_rows": 0, "rows": -1}, []),
        ({"rows": 2_000_000}, ["alter t"]),
        ({"rows": 2_000_000, "vacuum_share": 0.02}, []),
        ({"rows": 2_000_000, "dead_rows": 100_000}, ["alter t"]),
    ],
)
def test_tables(changed: dict[str, int], expected: list[str]) -> None:
    table = replace(TABLE, **changed)  # type: ignore[arg-type]
    assert statements(MaintenanceFacts(tables=(table,))) == expected


def test_what_holds_dead_rows_is_said() -> None:
    table = replace(TABLE, dead_rows=5000)
    [task] = plan_tasks(
        MaintenanceFacts(tables=(table,), oldest_transaction=7200), batch=10, days=90
    )
    assert "none since the oldest transaction began, 2 h ago, can go" in task.reason


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"needed": 39 * 2**20}, ["reindex i"]),
        ({"needed": 41 * 2**20}, []),
        ({"needed": None}, []),
        ({"needed": 1.0, "size": 16 * 2**20}, []),
        ({"is_valid": False}, ["reindex i"]),
        ({"is_valid": False, "is_leftover": True}, ["drop i"]),
        ({"is_valid": False, "is_being_built": True}, []),
        ({"is_leftover": True}, []),
    ],
)
def test_indexes(changed: dict[str, object], expected: list[str]) -> None:
    index = replace(INDEX, **changed)  # type: ignore[arg-type]
    assert statements(MaintenanceFacts(indexes=(index,))) == expected


def test_what_deletes_comes_before_what_clears_up() -> None:
    dirty = replace(TABLE, dead_rows=5000)
    facts = MaintenanceFacts(tables=(dirty,), hours=HourFacts(5, "roll up"))
    assert statements(facts) == ["roll up", "vacuum t"]


@pytest.mark.parametrize(
    ("hours", "at", "is_inside"),
    [
        ("02:00-04:00", "02:00", True),
        ("02:00-04:00", "03:59", True),
        ("02:00-04:00", "04:00", False),
        ("02:00-04:00", "01:59", False),
        ("23:30-01:00", "23:30", True),
        ("23:30-01:00", "00:59", True),
        ("23:30-01:00", "01:00", False),
        ("23:30-01:00", "12:00", False),
    ],
)
def test_windows(hours: str, at: str, is_inside: bool) -> None:
    assert window(hours).holds(datetime.fromisoformat(f"2026-11-24T{at}")) is is_inside


@pytest.mark.parametrize(
    "hours",
    [
        "02:00-04:00", "23:30-02:00", "22:00-00:00", "00:00-00:30", "02:10-02:50", "02:58-03:01",
        "04:30-04:15", "23:59-00:00",
    ],
)  # fmt: skip
def test_pg_cron_begins_everything_in_the_window(hours: str) -> None:
    wanted = window(hours)
    text = render_schedule("pg_cron", wanted, 90)
    starts = {name: list(cron_times(when)) for name, when in JOB.findall(text)}
    assert all(wanted.holds(at) for times in starts.values() for at in times)
    retained = sorted(at for name in starts if "retain" in name for at in starts[name])
    inside = [at for minute in range(1440) if wanted.holds(at := MIDNIGHT + minute * MINUTE)]
    assert len(retained) == -(-len(inside) // 5)
    assert len(starts["pgrecall-roll-up"]) == len(starts["pgrecall-vacuum-history"]) == 1


def cron_times(when: str) -> Iterator[datetime]:
    """The times of a day that the minutes and hours of a cron line name."""
    minutes, hours = when.split()[:2]
    first, _, last = minutes.removesuffix("/5").partition("-")
    for hour in hours.split(","):
        for minute in range(int(first), int(last or first) + 1, 5):
            yield MIDNIGHT + (int(hour) * 60 + minute) * MINUTE
