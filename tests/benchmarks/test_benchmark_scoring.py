from __future__ import annotations

import pytest

from benchmarks.conversations import Question
from benchmarks.scoring import (
    Score,
    mean,
    mean_by_category,
    rank_sessions,
    recall_at,
    reciprocal_rank,
    score,
)

SESSION_OF = {"D1:1": "session_1", "D1:2": "session_1", "D2:1": "session_2", "D3:1": "session_3"}


def test_recall_is_the_share_of_the_evidence_that_was_found() -> None:
    ranked = ["D1:1", "D2:1", "D3:1"]
    assert recall_at(1, ranked, ["D2:1", "D3:1"]) == 0
    assert recall_at(2, ranked, ["D2:1", "D3:1"]) == 0.5
    assert recall_at(5, ranked, ["D2:1", "D3:1"]) == 1


def test_recall_counts_evidence_beyond_the_cutoff_as_missed() -> None:
    assert recall_at(1, ["D1:1"], ["D1:1", "D2:1", "D3:1"]) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [(["D1:1", "D2:1"], 1.0), (["D2:1", "D3:1", "D1:1"], 1 / 3), (["D2:1"], 0.0), ([], 0.0)],
)
def test_reciprocal_rank_is_that_of_the_first_evidence(ranked: list[str], expected: float) -> None:
    assert reciprocal_rank(ranked, ["D1:1", "D1:2"]) == pytest.approx(expected)


def test_sessions_come_in_the_order_in_which_hits_name_them() -> None:
    ranked = ["D2:1", "D1:2", "D1:1", "D3:1"]
    assert rank_sessions(ranked, SESSION_OF) == ["session_2", "session_1", "session_3"]


def test_two_turns_of_one_session_are_one_session_of_evidence() -> None:
    question = Question("who?", "single-hop", ("D1:1", "D1:2"))
    scored = score(["D1:2"], question, SESSION_OF)
    assert scored.turn_recall[5] == 0.5
    assert scored.session_recall[5] == 1
    assert scored.reciprocal_rank == 1


def test_means_are_over_questions() -> None:
    found = score(["D1:1"], Question("a", "temporal", ("D1:1",)), SESSION_OF)
    missed = score(["D1:1"], Question("b", "temporal", ("D2:1",)), SESSION_OF)
    both = mean([found, missed])
    assert (both.turn_recall[10], both.session_recall[10]) == (0.5, 0.5)
    assert (both.reciprocal_rank, both.questions) == (0.5, 2)


def test_categories_are_averaged_apart() -> None:
    one, nothing = _constant(1), _constant(0)
    scored = [
        (Question("a", "temporal", ("D1:1",)), one),
        (Question("b", "multi-hop", ("D1:1",)), nothing),
        (Question("c", "temporal", ("D1:1",)), nothing),
    ]
    means = mean_by_category(scored)
    assert list(means) == ["multi-hop", "temporal"]
    assert means["temporal"].turn_recall[5] == 0.5
    assert means["temporal"].questions == 2


def _constant(value: float) -> Score:
    share = dict.fromkeys((5, 10, 20, 50), value)
    return Score(share, share, value)
