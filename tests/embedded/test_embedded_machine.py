"""The embedded server's buffers follow the machine's memory."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from pgrecall import embedded
from pgrecall.embedded import machine

MB = 2**20


@pytest.mark.parametrize(
    ("memory", "expected"),
    [(256, 128), (1024, 128), (2048, 256), (8 * 1024 + 3, 1024), (512 * 1024, 1024)],
)
def test_an_eighth_within_bounds(memory: int, expected: int) -> None:
    assert machine.buffers(memory * MB) == expected * MB


def test_a_server_has_them(home: Path) -> None:
    with embedded.join(home) as lease, psycopg.connect(lease.dsn) as connection:
        [(found,)] = connection.execute(
            "select pg_size_bytes(current_setting('shared_buffers'))"
        ).fetchall()
    assert found == machine.buffers(machine.memory())


def test_the_limit_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(machine, "_LIMITS", (limit,))
    whole = machine.memory()
    limit.write_text("max\n")
    assert machine.memory() == whole
    limit.write_text(f"{200 * MB}\n")
    assert machine.memory() == 200 * MB
