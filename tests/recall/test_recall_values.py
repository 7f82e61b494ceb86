"""The question, the explanation, the result."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pgrecall.errors import InvalidInputError
from pgrecall.recall.explanation import Step, Timings, explanation, hit_explanations
from pgrecall.recall.prompt import block
from pgrecall.recall.question import RecallRequest, question
from pgrecall.recall.result import Recall
from pgrecall.recall.tokens import estimated_tokens
from tests.recall.hits import make_hit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = Timings(embedding=4.0, database=2.0, total=7.0)


def explain(said: dict[str, Any], model: str | None = "minilm") -> Any:
    return explanation("tea", said, 2, model, TIMES)


def test_an_explanation_of_everything() -> None:
    explained = explain(
        {
            "compared": 500,
            "is_exact": False,
            "terms": 1,
            "has_vector": True,
            "has_meaning": True,
            "valid_at": "2026-03-01T12:00:00.5+00:00",
            "steps": [
                {"step": "scope", "rows": 5001, "milliseconds": 3.5},
                {"step": "scoring", "rows": 500, "milliseconds": 2},
            ],
        }
    )
    assert explained.signals == ("semantic", "lexical", "recency", "importance")
    assert explained.unavailable == {}
    assert explained.valid_at == NOON.replace(microsecond=500_000)
    assert explained.steps == (Step("scope", 5001, 3.5), Step("scoring", 500, 2))
    assert "candidates chosen by index" in str(explained)
    assert "scope: 5,001 visible, valid and passing the filters, 3.5 ms" in str(explained)
    assert "7.0 ms" in str(explained)


@pytest.mark.parametrize(
    ("said", "model", "why"),
    [
        ({"has_vector": False, "terms": 1}, "minilm", "the server has no pgvector"),
        ({"has_vector": True, "terms": 1}, None, "this client has no embedder"),
        ({"has_vector": True, "has_meaning": False, "terms": 1}, "minilm", "no vector of minilm"),
    ],
)
def test_an_explanation_says_what_is_missing(said: Any, model: str | None, why: str) -> None:
    explained = explain(said, model)
    assert explained.unavailable["semantic"].startswith(why)
    assert explained.signals == ("lexical", "recency", "importance")
    assert why in str(explained)


def test_a_query_without_words() -> None:
    assert "lexical" in explain({"has_vector": True, "has_meaning": True, "terms": 0}).unavailable


def test_the_parts_of_a_score() -> None:
    one, other = make_hit("Tea."), make_hit("Rain.")
    signals = {
        "own_words": {"raw": 1.5, "scaled": 1.0, "weight": 0.5, "contribution": 0.25},
        "question": {"raw": None, "scaled": 1.0, "weight": 0.6, "contribution": 0.3},
    }
    [score] = hit_explanations([one, other], {one.id: signals})
    assert (score.id, score.content, score.score) == (one.id, "Tea.", one.score)
    assert [part.name for part in score.parts] == ["question", "own_words"]
    told = str(replace(explain({"without_vector": 3}), scores=(score,)))
    assert "0.50  Tea.\n" in told
    assert "+0.300  question        1.00 × 0.60\n" in told
    assert told.endswith("+0.250  own_words       1.00 × 0.50, raw 1.500")
    assert "no vector   3 of those compared" in told


def test_a_recall_is_a_sequence() -> None:
    hits = (make_hit("One."), make_hit("Two."))
    found = Recall("tea", hits, explain({}))
    assert (len(found), found[0], found[1:], list(found)) == (2, hits[0], hits[1:], list(hits))
    assert found.as_prompt() == block(hits, 1200, estimated_tokens)
    assert found.as_prompt(120, count_tokens=len) == ""
    assert found.explain() is found.explanation
    assert not Recall("tea", (), explain({}))


def test_a_question_is_cleaned() -> None:
    asked = question(
        RecallRequest("te\x00a\ud800", kinds="fact", since="2026-03-01", metadata={"a": "\x00"})
    )
    assert (asked.query, asked.kinds, asked.metadata) == ("tea\ufffd", ["fact"], {"a": ""})
    assert asked.since == datetime(2026, 3, 1, tzinfo=UTC)
    assert question(RecallRequest("tea")).kinds is None


@pytest.mark.parametrize(
    "asked",
    [
        {"query": 7},
        {"kinds": ["memo"]},
        {"kinds": [None]},
        {"limit": 0},
        {"limit": 1001},
        {"limit": "10"},
        {"min_score": float("nan")},
        {"min_score": None},
        {"metadata": "a"},
        {"since": "noon"},
        {"user_id": ""},
    ],
)
def test_questions_that_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        question(RecallRequest(**{"query": "tea", **asked}))
