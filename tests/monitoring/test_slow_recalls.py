"""Slow recalls are counted and sampled, and no word of them is kept."""

from __future__ import annotations

import json
import logging

import pytest

from pgrecall import Memory, Settings
from pgrecall.telemetry import process as processes
from pgrecall.telemetry import slow
from pgrecall.testing import HashingEmbedder


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> processes.Process:
    fresh = processes.Process()
    monkeypatch.setattr(slow, "PROCESS", fresh)
    return fresh


def recalls(dsn: str, seconds: float) -> None:
    settings = Settings(slow_recall=seconds)
    with Memory(dsn, embedder=HashingEmbedder(), settings=settings) as memory:
        memory.remember("SECRET tea is green.", user_id="maria")
        for _ in range(3):
            memory.recall("SECRET tea", user_id="maria")


def test_one_a_minute_is_logged_with_its_steps(
    pgrecall_dsn: str, process: processes.Process, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "pgrecall.slow")
    recalls(pgrecall_dsn, 1e-6)
    assert process.slow_recalls() == 3
    [record] = [record for record in caplog.records if record.name == "pgrecall.slow"]
    told = json.loads(record.getMessage().removeprefix("slow recall: "))
    assert told["hits"] == told["compared"] == 1
    assert told["milliseconds"] >= told["database"] > 0
    assert {"scope", "scoring"} <= {step["step"] for step in told["steps"]}
    assert "SECRET" not in record.getMessage()
    assert "maria" not in record.getMessage()


def test_what_is_fast_enough_is_not(
    pgrecall_dsn: str, process: processes.Process, caplog: pytest.LogCaptureFixture
) -> None:
    recalls(pgrecall_dsn, 3600)
    recalls(pgrecall_dsn, 0)
    assert process.slow_recalls() == 0
    assert "slow recall" not in caplog.text


def test_the_next_minute_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(processes.time, "monotonic", lambda: now[0])
    process = processes.Process()
    seen = []
    for now[0] in (1.0, 30.0, 60.9, 61.1, 100.0, 121.2):
        seen.append(process.note_slow())
    assert seen == [True, False, False, True, False, True]
