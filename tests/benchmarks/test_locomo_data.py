from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.locomo_data import load, parse_conversation, parse_evidence, parse_time

SESSIONS: dict[str, Any] = {
    "speaker_a": "Ana",
    "speaker_b": "Ben",
    "session_10_date_time": "12:09 am on 13 September, 2023",
    "session_10": [{"speaker": "Ana", "dia_id": "D10:1", "text": "Bye."}],
    "session_2_date_time": "1:56 pm on 8 May, 2023",
    "session_2": [
        {"speaker": "Ana", "dia_id": "D2:1", "text": "Hi!"},
        {"speaker": "Ben", "dia_id": "D2:2", "text": "Look.", "blip_caption": "a red boat"},
    ],
    "session_11_date_time": "1:56 pm on 8 May, 2024",
    "events_session_2": {"Ana": ["sails"]},
}
QUESTIONS: list[dict[str, Any]] = [
    {"question": "When?", "answer": "May", "category": 2, "evidence": ["D2:1"]},
    {"question": "Both?", "answer": "yes", "category": 1, "evidence": ["D2:1; D2:2", "D10:1"]},
    {"question": "None?", "answer": "no", "category": 3, "evidence": []},
    {"question": "Gone?", "answer": "no", "category": 4, "evidence": ["D99:1"]},
    {"question": "Trap?", "adversarial_answer": "no", "category": 5, "evidence": ["D2:1"]},
]
RAW = {**SESSIONS, "qa": QUESTIONS}


def test_turns_come_in_the_order_of_the_sessions_numbers() -> None:
    conversation = parse_conversation("conv-1", RAW)
    assert [turn.id for turn in conversation.turns] == ["D2:1", "D2:2", "D10:1"]
    assert [(name, len(turns)) for name, turns in conversation.sessions()] == [
        ("session_2", 2),
        ("session_10", 1),
    ]


def test_a_turn_has_its_speaker_its_caption_and_its_sessions_time() -> None:
    turn = parse_conversation("conv-1", RAW).turns[1]
    assert turn.content == "Ben: Look. [shares a red boat]"
    assert turn.said_at == datetime(2023, 5, 8, 13, 56, tzinfo=UTC)


def test_midnight_is_hour_zero() -> None:
    assert parse_time("12:09 am on 13 September, 2023").hour == 0


def test_questions_without_evidence_and_adversarial_ones_are_left_out() -> None:
    questions = parse_conversation("conv-1", RAW).questions
    assert [(question.text, question.category) for question in questions] == [
        ("When?", "temporal"),
        ("Both?", "multi-hop"),
    ]
    assert questions[1].evidence == ("D2:1", "D2:2", "D10:1")


@pytest.mark.parametrize(
    ("strings", "expected"),
    [
        (["D2:1; D2:2"], ("D2:1", "D2:2")),
        (["D2:2", "D2:1", "D2:2"], ("D2:2", "D2:1")),
        (["D", "D:2:1", "D9:9"], ()),
        ([], ()),
    ],
)
def test_evidence(strings: list[str], expected: tuple[str, ...]) -> None:
    assert parse_evidence(strings, {"D2:1", "D2:2"}) == expected


def test_one_file_per_conversation_and_the_published_file_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "each").mkdir()
    (tmp_path / "each" / "26.json").write_text(json.dumps(RAW))
    (tmp_path / "published").mkdir()
    published = [{"sample_id": "conv-26", "conversation": SESSIONS, "qa": QUESTIONS}]
    (tmp_path / "published" / "locomo10.json").write_text(json.dumps(published))
    assert load(tmp_path / "each") == load(tmp_path / "published")


def test_a_directory_without_conversations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path)
