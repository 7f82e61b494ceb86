from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.locomo import main

TEXTS = [
    "I adopted a dog named Rufus last week.",
    "How lovely! What breed is it?",
    "A beagle. We walk along the river every morning.",
    "I started to learn the cello.",
]


def test_a_small_set_is_written_asked_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data = tmp_path / "data"
    data.mkdir()
    (data / "1.json").write_text(json.dumps(_conversation()))
    written = tmp_path / "figures.json"

    assert main(["--data", str(data), "--rates", "--json", str(written)]) == 0

    figures = json.loads(written.read_text())
    assert set(figures["scores"]["pgrecall"]) == {"all", "single-hop"}
    for scores in figures["scores"].values():
        assert scores["all"]["turn_recall"]["5"] == 1
        assert scores["all"]["questions"] == 2
    assert [times["calls"] for times in figures["times"].values()] == [2, 2, 2, 2]
    assert [rate["memories"] for rate in figures["rates"].values()] == [4, 4, 4]
    assert "ts_rank" in capsys.readouterr().out


def _conversation() -> dict[str, Any]:
    turns = [
        {"speaker": "AB"[at % 2], "dia_id": f"D1:{at + 1}", "text": text}
        for at, text in enumerate(TEXTS)
    ]
    questions = [
        {"question": "What is the name of the dog?", "category": 4, "evidence": ["D1:1"]},
        {"question": "Who plays the cello?", "category": 4, "evidence": ["D1:4"]},
    ]
    return {
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": turns,
        "qa": questions,
    }
