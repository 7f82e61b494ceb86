"""The benchmark of backups, small: a process of bounded memory, and nothing that differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.backup import measure
from benchmarks.population import Sizes


def test_a_small_one(pgrecall_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGRECALL_EMBEDDER", "none")
    steps, different = measure(pgrecall_server, Sizes(2_000, 0, 1, 64), tmp_path)
    assert different == []
    backup, restore = steps
    assert backup.rows == restore.rows > 4_000
    assert backup.written_meanwhile > 0
    assert max(step.peak_mb for step in steps) < 200
