"""When a memory is valid, and what a time without a zone means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.database.conftest import Client, World

UTC = UTC


@pytest.fixture
def client(world: World) -> Client:
    return world.program(world.organization())


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize(
    "ahead", [timedelta(days=40), timedelta(minutes=4), timedelta(microseconds=1)]
)
@pytest.mark.parametrize("fields", [{"kind": "event"}, {"kind": "message", "context_key": "talk"}])
def test_what_is_to_come_is_recalled_at_once(
    client: Client, ahead: timedelta, fields: dict[str, Any]
) -> None:
    at = now() + ahead
    client.remember({"content": "Dentist.", "occurred_at": at.isoformat(), **fields})
    [hit] = client.recall("dentist")
    assert hit["occurred_at"] == at
    assert hit["valid_from"] <= now()
    assert len(client.rows("select * from recall_in_context('dentist')")) == 1


def test_what_was_said_is_valid_from_then_on(client: Client) -> None:
    client.remember({"content": "Anna moved.", "occurred_at": "2025-03-01T12:00:00Z"})
    assert client.recall("Anna", as_of="2025-02-01T00:00:00Z") == []
    [hit] = client.recall("Anna", as_of="2025-03-02T00:00:00Z")
    assert hit["valid_from"] == datetime(2025, 3, 1, 12, tzinfo=UTC)


def test_a_told_validity_holds(client: Client) -> None:
    client.remember({"content": "The office opens.", "valid_from": "2999-01-01"})
    assert client.recall("office") == []
    assert len(client.recall("office", as_of="2999-01-02T00:00:00Z")) == 1


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_a_time_without_a_zone_is_utc_whatever_the_session_has(client: Client, zone: str) -> None:
    client.connection.execute(f"set timezone = '{zone}'".encode())
    wanted = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for place, written in enumerate(
        ("2026-03-01T12:00:00", "2026-03-01 12:00", "2026-03-01T12:00:00Z", "2026-03-01T21:00+09")
    ):
        client.remember({"content": f"Log {place}.", "kind": "event", "occurred_at": written})
    rows = client.rows("select occurred_at at time zone 'UTC' as at from ai_memories")
    assert {row["at"] for row in rows} == {wanted.replace(tzinfo=None)}


def test_a_corrected_time_without_a_zone_is_utc(client: Client) -> None:
    client.connection.execute("set timezone = 'Asia/Tokyo'")
    [row] = client.remember({"content": "Log."})
    client.rows('select update_memory(%s, \'{"occurred_at": "2026-03-01T12:00:00"}\')', row["id"])
    [row] = client.rows("select occurred_at at time zone 'UTC' as at from ai_memories")
    assert row["at"] == datetime(2026, 3, 1, 12)


def test_a_log_of_this_hour_without_a_zone_is_recalled_at_once(client: Client) -> None:
    """Imported by a client far in the east, whose hour is later than that of UTC."""
    client.connection.execute("set timezone = 'Pacific/Kiritimati'")
    local = (now() + timedelta(hours=14)).strftime("%Y-%m-%dT%H:%M:%S")
    client.rows(
        "select import_memories(jsonb_build_array(jsonb_build_object("
        "'content', 'The pump stopped.', 'kind', 'event', 'occurred_at', %s::text)))",
        local,
    )
    assert len(client.recall("pump")) == 1


def test_notes_are_a_kind(client: Client) -> None:
    [row] = client.remember({"content": "Water the plants.", "kind": "note"})
    assert row["code"] == "added"
    [hit] = client.rows("select * from recall_memories('plants', kinds => array['note'])")
    assert hit["kind"] == "note"
    client.rows('select configure_memory(\'default\', \'{"retention": {"max_age": {"note": 7}}}\')')
