"""pgrecall demo: its five answers, what changed, and the stranger."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from pgrecall.cli.demo_story import read_story
from pgrecall.testing import cloned
from tests.abilities import stores_vectors
from tests.cli.conftest import Shell

ANSWERS = [
    "17 March at half past eight",
    "hazelnuts and walnuts",
    "Yes, the blue one",
    "the gas stove",
    "Maria eats a vegetarian diet.",
]
TOTAL = 69


@pytest.fixture(scope="module")
def demo_dsn(pgrecall_template: str) -> Any:
    with cloned(pgrecall_template) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def shell(demo_dsn: str) -> Shell:
    """pgrecall with the embedder that ships with it."""
    return Shell({"DATABASE_URL": demo_dsn})


@pytest.fixture(scope="module")
def first(shell: Shell) -> Any:
    """What the first run saw."""
    return shell.json("demo")


@pytest.fixture(scope="module")
def has_vector(demo_dsn: str) -> bool:
    return stores_vectors(demo_dsn)


def test_story_has_about_sixty_turns_over_months() -> None:
    story = read_story()
    assert 55 <= story.turns <= 65
    assert len(story.sessions) == 6
    assert {message["role"] for session in story.sessions for message in session.messages} == {
        "user",
        "assistant",
    }
    assert len(story.questions) == len(ANSWERS)


def test_all_is_remembered(first: Any) -> None:
    ingested = first["ingested"]
    assert ingested["statuses"] == {"added": TOTAL - 4, "superseded": 4}
    assert ingested["turns"] + ingested["facts"] == TOTAL


@pytest.mark.parametrize("place", range(len(ANSWERS)))
def test_each_question_is_answered(first: Any, has_vector: bool, place: int) -> None:
    answer = first["answers"][place]
    hits = [hit["content"] for hit in answer["found"]["hits"]]
    assert len(hits) == 3
    if has_vector:
        assert ANSWERS[place] in hits[0], hits
    elif place != 1:  # the one that has no word in common with its answer
        assert any(ANSWERS[place] in hit for hit in hits), hits


def test_the_answer_that_has_no_word_in_common_is_found_by_meaning(first: Any) -> None:
    signals = first["answers"][1]["found"]["hits"][0]["signals"]
    assert signals["lexical"] == pytest.approx(0, abs=0.01)


def test_what_changed_over_time(first: Any) -> None:
    values = first["slot"]["values"]
    diets = [value["content"].split()[3] for value in values]
    assert diets == ["vegetarian", "pescatarian", "vegan"]
    ends, begins = ([value[name] for value in values] for name in ("valid_to", "valid_from"))
    assert ends == [*begins[1:], None]
    assert [change["change"] for change in first["slot"]["changes"]].count("superseded") == 2


def test_a_stranger_sees_nothing(first: Any) -> None:
    stranger = first["stranger"]
    assert (stranger["questions"], stranger["hits"]) == (5, 0)
    assert stranger["memory_id"] == first["slot"]["values"][2]["id"]
    assert stranger["error"].startswith("NotFoundError: no memory ")


def test_the_second_run_recognises_everything(shell: Shell, first: Any) -> None:
    second = shell.json("demo")
    assert second["ingested"]["statuses"] == {"duplicate": TOTAL}
    assert hit_ids(second) == hit_ids(first)


def test_text(shell: Shell, first: Any) -> None:
    result = shell.run("demo")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Remembered 62 messages in 6 conversations and 7 facts in ")
    assert lines[0].endswith(" s: all duplicates, so nothing was stored twice")
    for place, answer in enumerate(first["answers"], 1):
        assert any(line.startswith(f"{place}. {answer['question']['query']}") for line in lines)
    assert sum("importance ███" in line for line in lines) == 15
    assert "    14 Jan 2026 to 21 Apr 2026   Maria eats a vegetarian diet." in lines
    assert "    since 1 Oct 2026             Maria eats a vegan diet." in lines
    assert "    the same 5 questions: 0 hits" in lines
    assert any(line.startswith("    a memory by its id: NotFoundError: ") for line in lines)
    assert any(line.startswith("First recall ") for line in lines)


def test_it_stays_in_its_own_organization(shell: Shell, first: Any) -> None:
    assert shell.json("list")["items"] == []
    explored = ["--organization", "pgrecall-demo", "--agent", "atlas"]
    assert shell.json("recall", "Who is Pixel?", *explored)["hits"]


def hit_ids(seen: Any) -> list[str]:
    return [hit["id"] for answer in seen["answers"] for hit in answer["found"]["hits"]]


def test_its_seconds_are_no_more_than_have_passed() -> None:
    """The time of the boot is known to a second, which is a third of what the demo takes."""
    told = []
    for _ in range(4):
        began = time.monotonic()
        asking = [sys.executable, "-c", "from pgrecall.cli.demo_run import _age; print(_age())"]
        age = float(subprocess.run(asking, capture_output=True, check=True, text=True).stdout)
        told.append(0 < age <= time.monotonic() - began + 0.02)
    assert all(told)
