"""The sets of benchmarks/quality.py, read from files of their forms, and its measures."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks import beam_data, longmemeval_data, xquad_data
from benchmarks.baselines import rank_by_fusion
from benchmarks.conversations import Question
from benchmarks.scoring import discounted_gain, score


def test_gain_is_one_where_all_evidence_comes_first() -> None:
    assert discounted_gain(10, ["a", "b", "c"], ["a", "b"]) == 1
    assert discounted_gain(10, ["c", "a"], ["a"]) == pytest.approx(0.6309, abs=1e-4)
    assert discounted_gain(1, ["c", "a"], ["a"]) == 0


def test_the_sessions_that_a_set_names_count() -> None:
    question = Question("?", "c", ("a:1",), sessions=("a", "b"))
    found = score(["a:1", "c:1"], question, {"a:1": "a", "c:1": "c"})
    assert (found.turn_recall[5], found.session_recall[5], found.all_sessions[10]) == (1, 0.5, 0)


def test_fusion_prefers_what_both_rank() -> None:
    rank = rank_by_fusion([lambda _: ["a", "b"], lambda _: ["b", "c"]], limit=2)
    assert rank("?") == ["b", "a"]


def entry(number: int, **more: object) -> dict[str, object]:
    return {
        "question_id": f"q{number}",
        "question_type": "single-session-user",
        "question": "Where?",
        "question_date": "2023/05/01 (Mon) 10:00",
        "haystack_session_ids": [f"s{number}"],
        "haystack_dates": ["2023/04/10 (Mon) 23:07"],
        "haystack_sessions": [
            [
                {"role": "user", "content": "Hello."},
                {"role": "user", "content": "In Lisbon.", "has_answer": True},
            ]
        ],
        "answer_session_ids": [f"s{number}"],
        **more,
    }


def test_a_haystack_holds_its_evidence_and_others(tmp_path: Path) -> None:
    unanswerable = entry(4, question_id="q4_abs")
    (tmp_path / "dev.json").write_text(json.dumps([*(entry(n) for n in range(4)), unanswerable]))
    found = longmemeval_data.load(tmp_path)
    assert [conversation.name for conversation in found] == ["q0", "q1", "q2", "q3"]
    assert {turn.session for turn in found[0].turns} == {"s0", "s1", "s2", "s3", "s4"}
    [question] = found[0].questions
    assert (question.evidence, question.sessions) == (("s0:1",), ("s0",))
    assert question.asked_at == datetime(2023, 5, 1, 10, tzinfo=UTC)
    assert found == longmemeval_data.load(tmp_path)


def test_beam_keeps_roles_and_flattens_evidence(tmp_path: Path) -> None:
    chat = [
        {
            "turns": [
                [
                    {"id": 1, "role": "user", "content": "Hi. ->-> 1", "time_anchor": None},
                    {"id": 2, "role": "assistant", "content": "Hello."},
                ]
            ]
        }
    ]
    asked = {
        "fact": [{"question": "What?", "source_chat_ids": {"a": [1, [2]], "b": 9}}],
        "abstention": [{"question": "Who?", "source_chat_ids": [1]}],
    }
    folder = tmp_path / "1"
    folder.mkdir()
    (folder / "chat.json").write_text(json.dumps(chat))
    (folder / "probing_questions.json").write_text(json.dumps(asked))
    [conversation] = beam_data.load(tmp_path)
    told = [(turn.id, turn.role, turn.content) for turn in conversation.turns]
    assert told == [("1", "user", "Hi."), ("2", "assistant", "Hello.")]
    assert [(q.category, q.evidence) for q in conversation.questions] == [("fact", ("1", "2"))]


def test_xquad_has_a_conversation_a_language(tmp_path: Path) -> None:
    paragraph = {"context": "Maria lives in Lisbon.", "qas": [{"question": "Where?"}]}
    raw = {"data": [{"paragraphs": [paragraph, {"context": "Another.", "qas": []}]}]}
    (tmp_path / "xquad.de.json").write_text(json.dumps(raw))
    [conversation] = xquad_data.load(tmp_path)
    assert (conversation.name, len(conversation.turns)) == ("de", 2)
    assert conversation.questions == (Question("Where?", "de", ("0",)),)


@pytest.mark.parametrize("load", [beam_data.load, longmemeval_data.load, xquad_data.load])
def test_an_empty_folder_is_an_error(tmp_path: Path, load: object) -> None:
    assert callable(load)
    with pytest.raises(FileNotFoundError, match=tmp_path.name):
        load(tmp_path)
