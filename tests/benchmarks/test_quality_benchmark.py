"""benchmarks/quality.py from a set's files to its table: what is drawn at random is drawn anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import quality
from benchmarks.longmemeval_data import SESSIONS

QUESTIONS = 2


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """More sessions than a haystack holds, each with the answer to a question of its own."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    folder.mkdir()
    entries = [entry(number) for number in range(SESSIONS + 4)]
    (folder / "dev.json").write_text(json.dumps(entries))
    return folder


def entry(number: int) -> dict[str, Any]:
    message = {"role": "user", "content": f"Parcel {number} went to Lisbon.", "has_answer": True}
    return {
        "question_id": f"q{number}",
        "question_type": "single-session-user",
        "question": f"Where did parcel {number} go?",
        "question_date": "2023/05/01 (Mon) 10:00",
        "haystack_session_ids": [f"s{number}"],
        "haystack_dates": [f"2023/04/10 (Mon) {number % 24:02}:07"],
        "haystack_sessions": [[message]],
        "answer_session_ids": [f"s{number}"],
    }


def test_haystacks_are_drawn_as_often_as_told(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = []
    measure = quality.measure

    def watched(conversations: Any, options: Any) -> quality.Scores:
        drawn.append([conversation.contents for conversation in conversations])
        return measure(conversations, options)

    monkeypatch.setattr(quality, "measure", watched)
    written = data.parent / "figures.json"
    asked = ["--data", str(data), "--set", "longmemeval", "--embedder", "none", "--runs", "2"]
    asked += ["--limit-conversations", str(QUESTIONS), "--json", str(written)]

    assert quality.main(asked) == 0

    first, second = drawn
    assert [len(contents) for contents in first] == [SESSIONS] * QUESTIONS
    assert first != second
    for scores in json.loads(written.read_text()):
        assert scores["pgrecall"]["all"]["questions"] == QUESTIONS
        assert scores["pgrecall"]["all"]["session_recall"]["5"] == 1
    printed = capsys.readouterr().out
    assert f"all ({QUESTIONS})" in printed
    assert "lowest, highest of 2" in printed


def test_the_mean_of_the_runs_is_shown_and_their_range(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def score(share: float) -> quality.Scores:
        found = dict.fromkeys((5, 10, 20, 50), share)
        one = quality.Score(found, found, share, 7, share, found)
        return {"pgrecall": {"all": one}}

    runs = iter([score(0.2), score(0.6), score(0.4)])
    monkeypatch.setattr(quality, "measure", lambda *_: next(runs))
    assert quality.main(["--data", str(data), "--set", "longmemeval"]) == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines() if "0." in line]
    assert [set(line) - {"pgrecall"} for line in shown] == [{"0.400"}, {"0.200"}, {"0.600"}]


def test_what_is_not_drawn_is_measured_once() -> None:
    assert quality.draws("locomo", 3) == [quality.SETS["locomo"]]
