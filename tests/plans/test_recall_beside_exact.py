"""Recall of a large organization finds what comparing all its memories one by one would find."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import mean
from typing import Any

import pytest

from benchmarks.population import Population, Question
from tests.plans.conftest import Caller
from tests.plans.test_plans import FILTERS, LAST_YEAR

QUESTIONS = 30


@contextmanager
def compared_one_by_one(caller: Caller) -> Iterator[None]:
    """Meanwhile no index chooses candidates, whatever the size of the scope."""
    with caller.connection.transaction(force_rollback=True):
        caller.connection.execute("set local pgrecall.exact_limit = '999999999'")
        yield


def ids(caller: Caller, question: Question, **asked: Any) -> list[Any]:
    return [row["id"] for row in caller.recall(question, **asked)]


FEWER: dict[str, dict[str, Any]] = {
    "all": {},
    "a third": {"since": LAST_YEAR},
    "a fifth": {"kinds": ["fact"]},
    "a tenth": {"kinds": ["preference"]},
    "a fiftieth": {"metadata": json.dumps({"project": "p7"})},
}
"""Filters that so many memories pass."""


@pytest.mark.nightly
@pytest.mark.parametrize("with_vector", [False, True], ids=["words", "vector"])
@pytest.mark.parametrize("filters", FEWER.values(), ids=FEWER)
def test_finds_nearly_what_exact_search_finds(
    program: Caller,
    population: Population,
    has_vector: bool,
    with_vector: bool,
    filters: dict[str, Any],
) -> None:
    if with_vector and not has_vector:
        pytest.skip("this server comes without pgvector")
    assert overlap(program, population, with_vector=with_vector, **filters) >= 0.95


def overlap(caller: Caller, population: Population, **asked: Any) -> float:
    """The share of exact search's ten hits that recall finds."""
    questions = population.questions(QUESTIONS)
    found = [ids(caller, question, **asked) for question in questions]
    with compared_one_by_one(caller):
        exact = [ids(caller, question, **asked) for question in questions]
    assert [len(hits) for hits in found] == [len(hits) for hits in exact]
    shared = mean(
        len({*hits} & {*best}) / len(best) for hits, best in zip(found, exact, strict=True)
    )
    print(f"recall@10 beside exact search: {shared:.3f} over {QUESTIONS} questions")  # noqa: T201
    return shared


def test_asks_once_for_what_a_sample_shows_to_be_few(
    program: Caller, population: Population, has_vector: bool
) -> None:
    for question in population.questions(5):
        asked = program.steps(question, with_vector=has_vector, kinds=["fact"])
        before = ["sample", "words", "meaning", "filters", "cues"]
        assert list(asked) == [*before, "conversations", "scoring"]


def test_compares_one_by_one_what_candidates_would_take_longer_to_find(
    program: Caller, population: Population, has_vector: bool
) -> None:
    for question in population.questions(5):
        asked = program.steps(question, with_vector=has_vector, kinds=["preference"])
        assert asked == {"scope": 10_000, "scoring": 10_000}


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
def test_finds_as_many_as_exact_search(
    program: Caller, population: Population, has_vector: bool, filters: dict[str, Any]
) -> None:
    [question] = population.questions(1)
    asked = {"with_vector": has_vector, "limit": 500, **filters}
    found = len(ids(program, question, **asked))
    with compared_one_by_one(program):
        assert found == len(ids(program, question, **asked))
