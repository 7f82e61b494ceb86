"""Recall of the labelled set stays as good as it was, and each mutant of it falls below a floor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.quality.figures import ALL, Figures, Scored, by_category, with_all
from tests.quality.floors import MARGIN, MEASURED
from tests.quality.labelled import load
from tests.quality.mutants import CONTROLS, MUTANTS, Mutant
from tests.quality.written import Written


def test_the_labels_name_messages_and_no_question_is_asked_twice() -> None:
    labelled = load().conversation
    ids = [turn.id for turn in labelled.turns]
    asked = Counter(question.text for question in labelled.questions)
    assert max(Counter(ids).values()) == 1
    assert max(asked.values()) == 1
    assert {id_ for question in labelled.questions for id_ in question.evidence} <= {*ids}
    assert {question.category for question in labelled.questions} == {*MEASURED["text"]} - {ALL}


@pytest.mark.parametrize("variant", MEASURED)
def test_recall_is_as_good_as_it_was(written: Written, variant: str) -> None:
    assert list(breaches(variant, with_all(written.ask(variant)))) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_falls_below_a_floor(written: Written, mutant: Mutant) -> None:
    found = list(breaches(mutant.variant, written.ask_mutant(mutant)))
    print(f"{mutant.name}: {'; '.join(found)}")  # noqa: T201
    assert found


@pytest.mark.parametrize("mutant", CONTROLS, ids=lambda mutant: mutant.name)
def test_what_is_not_spoiled_stays_above_the_floors(written: Written, mutant: Mutant) -> None:
    assert list(breaches(mutant.variant, written.ask_mutant(mutant))) == []


def breaches(variant: str, scored: Scored) -> Iterator[str]:
    """The figures that are below their floors, and prints all of them as MEASURED has them."""
    for category, figures in by_category(scored).items():
        print(f'"{category}": ({", ".join(f"{x:.3f}" for x in figures)}),')  # noqa: T201
        measured = Figures(*MEASURED[variant][category])
        for name, figure, before in zip(Figures._fields, figures, measured, strict=True):
            if figure < before - MARGIN:
                yield f"{name} of {category} is {figure:.3f}, and was {before:.3f}"
