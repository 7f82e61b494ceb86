"""The search for recall's weights: its figures, its floors, and what it finds."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import locomo_data
from benchmarks.annealing import Cooling
from benchmarks.conversations import Question
from benchmarks.databases import database
from benchmarks.fitting import FOLDS, fit_folds, main
from benchmarks.floors import Floors, Labelled, labelled
from benchmarks.memories import Target
from benchmarks.scoring import score
from benchmarks.search import GIVEN, search
from benchmarks.signals import SIGNALS, Asked, Numbers, ask, built_in_weights, digest
from benchmarks.stacked import stacked
from benchmarks.vectors import CachedEmbedder
from pgrecall.testing import HashingEmbedder
from tests.quality.floors import MEASURED
from tests.quality.labelled import load

SESSIONS = 12
TURNS = 8
NO_FLOORS = Floors([], [])


def asked(seed: int, telling: str = "date") -> Asked:
    """96 memories in 12 sessions, of which two answer; only one signal tells which."""
    drawn = np.random.default_rng(seed)
    signals = drawn.random((SESSIONS * TURNS, len(SIGNALS)), dtype=np.float32)
    evidence = drawn.choice(len(signals), 2, replace=False)
    signals[:, SIGNALS.index(telling)] = np.isin(np.arange(len(signals)), evidence)
    starts = np.arange(0, len(signals), TURNS)
    return Asked(signals, evidence, starts, np.unique(evidence // TURNS))


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_those_of_the_ranking(seed: int) -> None:
    one, weights = asked(seed), np.random.default_rng(seed).random(len(SIGNALS), dtype=np.float32)
    both = stacked([one, one])
    ranked = [str(row) for row in np.argsort(-(one.signals @ weights))]
    session_of = {str(row): str(row // TURNS) for row in range(len(one.signals))}
    expected = score(ranked, Question("?", "c", tuple(map(str, one.evidence))), session_of)
    memories, sessions = (
        ranks(both.scores(weights)) for ranks in (both.memory_ranks, both.session_ranks)
    )
    for k in (5, 10):
        assert memories.recall(k) == expected.turn_recall[k]
        assert sessions.recall(k) == expected.session_recall[k]
        assert sessions.all_found(k) == expected.all_sessions[k]
    rank = round(1 / expected.reciprocal_rank)
    assert memories.reciprocals(rank).tolist() == [expected.reciprocal_rank] * 2
    assert memories.reciprocals(rank - 1).tolist() == [0, 0]


def test_of_memories_that_are_as_good_the_later_one_comes_first() -> None:
    alike = Asked(np.ones((3, 1), dtype=np.float32), np.arange(3), np.array([0]), np.array([0]))
    both = stacked([alike])
    assert both.memory_ranks(both.scores(np.ones(1, dtype=np.float32))).rank.tolist() == [3, 2, 1]


def test_a_search_finds_the_signal_that_tells() -> None:
    questions = {"locomo": [asked(seed) for seed in range(10)]}
    weights = search(questions, NO_FLOORS, cooled(1500))
    assert recall_at_5(questions["locomo"], np.ones(len(SIGNALS), dtype=np.float32)) < 0.9
    assert recall_at_5(questions["locomo"], weights) == 1
    assert weights.tolist() == search(questions, NO_FLOORS, cooled(1500)).tolist()


def test_what_is_found_is_as_it_ships() -> None:
    """Tenths from 0 to 10, and those as they are given that are not searched for."""
    weights = search({"locomo": [asked(seed) for seed in range(3)]}, NO_FLOORS, cooled(300))
    assert weights.tolist() == np.round(weights, 1).tolist()
    assert 0 <= weights.min() <= weights.max() <= 10
    assert {name: round(float(weights[SIGNALS.index(name)]), 1) for name in GIVEN} == GIVEN


def test_a_search_keeps_the_floors() -> None:
    """They ask for what the questions have no use for."""
    questions = {"locomo": [asked(seed) for seed in range(10)]}
    told = only_category([asked(seed, "speaker") for seed in range(10)], (0.9, 0.9, 0))
    floors = Floors([told], [("speaker", told)])
    without, kept = (search(questions, each, cooled(3000)) for each in (NO_FLOORS, floors))
    assert floors.shortfall(without) > 0.1
    assert floors.shortfall(kept) == 0
    assert recall_at_5(questions["locomo"], kept) > 0.9


def test_floors_notice_that_a_signal_is_missing() -> None:
    told = only_category([asked(seed, "date") for seed in range(10)], (1, 1, 1))
    only_date = (np.array(SIGNALS) == "date").astype(np.float32)
    assert Floors([told], [("date", told)]).shortfall(only_date) == 0
    assert Floors([told], [("speaker", told)]).shortfall(only_date) > 0
    assert Floors([told], []).shortfall(1 - only_date) > 0


def test_a_search_does_not_see_the_fold_that_it_leaves_out() -> None:
    folds = [
        [[asked(9 * fold + at, "speaker" if fold else "date")] for at in range(4)]
        for fold in range(FOLDS)
    ]
    built_in = np.ones(len(SIGNALS), dtype=np.float32)
    found = fit_folds({"locomo": folds}, NO_FLOORS, built_in, cooled(600))
    unseen = {"locomo": [one for fold in folds[1:] for [one] in fold]}
    assert found.to_folds[0].tolist() == search(unseen, NO_FLOORS, cooled(600)).tolist()
    assert found.to_folds[0].tolist() != found.searched.tolist()


def test_signals_add_up_to_the_order_of_recall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "1.json").write_text(json.dumps(conversation()))
    told = locomo_data.load(tmp_path)
    with database(None) as place:
        target = Target(place, CachedEmbedder(HashingEmbedder(), tmp_path), "order")
        [questions] = ask(target, told)
        weights = built_in_weights(place.dsn)
        with target.open(told[0].name) as memory:
            found = [memory.recall(question.text, limit=50) for question in told[0].questions]
    for question, hits in zip(questions, found, strict=True):
        ranked = np.argsort(-(question.signals @ weights), kind="stable")
        assert [told[0].turns[row].content for row in ranked] == [hit.content for hit in hits]


def test_a_set_is_fitted_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number in (1, 2):
        (tmp_path / f"{number}.json").write_text(json.dumps(conversation()))
    written, signals = tmp_path / "figures.json", tmp_path / "signals"
    signals.mkdir()
    # Writing the labelled set would take most of the time.
    labels = [asked(seed) for seed, _ in enumerate(load().conversation.questions)]
    (signals / f"labelled-{digest()}.pickle").write_bytes(
        pickle.dumps(dict.fromkeys(MEASURED, labels))
    )
    options = ["--locomo", str(tmp_path), "--json", str(written), "--signals", str(signals)]

    assert main([*options, "--tries", "5"]) == 0

    found = written.read_text()
    assert (signals / f"locomo-{digest()}.pickle").exists()
    assert main([*options, "--tries", "5"]) == 0
    assert written.read_text() == found

    report = json.loads(written.read_text())
    assert [each["schema"] for each in report["figures"]] == [1, 1, 1, 1]
    assert [each["left out"] for each in report["figures"]] == [1, 1, 1, 1]
    assert report["weights"]["words"]["schema"] == report["weights"]["words"]["without 2"] == 3.1
    assert "left out" in capsys.readouterr().out


def cooled(tries: int) -> list[Cooling]:
    return [Cooling(tries, 5, 0.02, 0.0005)]


def only_category(asked: Sequence[Asked], measured: tuple[float, float, float]) -> Labelled:
    return labelled(asked, ["one"] * len(asked), {"one": measured})


def recall_at_5(questions: Sequence[Asked], weights: Numbers) -> float:
    every = stacked(questions)
    return every.memory_ranks(every.scores(weights)).recall(5)


def conversation() -> dict[str, Any]:
    texts = ["I adopted a dog named Rufus.", "How lovely!", "I started to learn the cello."]
    turns = [
        {"speaker": "AB"[at % 2], "dia_id": f"D1:{at + 1}", "text": text}
        for at, text in enumerate(texts)
    ]
    questions = [
        {"question": "What is the name of the dog?", "category": 4, "evidence": ["D1:1"]},
        {"question": "Who plays the cello?", "category": 4, "evidence": ["D1:3"]},
    ]
    return {
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": turns,
        "qa": questions,
    }
