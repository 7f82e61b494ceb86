"""The fit of recall's weights: the figures that it climbs, and what it climbs from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import locomo_data
from benchmarks.conversations import Question
from benchmarks.databases import database
from benchmarks.fitting import FOLDS, fit, fit_folds, main
from benchmarks.memories import Target
from benchmarks.scoring import score
from benchmarks.signals import SIGNALS, Asked, ask, built_in_weights
from benchmarks.stacked import stacked
from benchmarks.vectors import CachedEmbedder
from pgrecall.testing import HashingEmbedder

SESSIONS = 12
TURNS = 8


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
    scores = both.scores(weights)
    for k in (5, 10):
        assert both.recall(scores, k, 0) == expected.turn_recall[k]
        assert both.session_recall(scores, k, 0) == expected.session_recall[k]
        assert both.all_sessions(scores, k, 0) == expected.all_sessions[k]


def test_what_is_softly_among_the_first_is_near_what_is() -> None:
    many = stacked([asked(seed) for seed in range(20)])
    scores = 100 * many.scores(np.ones(len(SIGNALS), dtype=np.float32))
    assert many.recall(scores, 10, 0.15) == pytest.approx(many.recall(scores, 10, 0), abs=0.01)


def test_a_fit_finds_the_signal_that_tells() -> None:
    questions = {"locomo": stacked([asked(seed) for seed in range(10)])}
    start = np.ones(len(SIGNALS), dtype=np.float32)
    weights = fit(questions, start, 0.15)
    before, after = (
        questions["locomo"].recall(questions["locomo"].scores(each), 5, 0)
        for each in (start, weights)
    )
    assert before < 0.9
    assert after == 1
    assert start.tolist() == [1] * len(SIGNALS)
    assert weights.min() >= 0


def test_a_fit_does_not_see_the_fold_that_it_leaves_out() -> None:
    folds = [
        [[asked(9 * fold + at, "speaker" if fold else "date")] for at in range(4)]
        for fold in range(FOLDS)
    ]
    built_in = np.ones(len(SIGNALS), dtype=np.float32)
    fitted = fit_folds({"locomo": folds}, built_in, samples=2)
    date, speaker = SIGNALS.index("date"), SIGNALS.index("speaker")
    assert fitted.to_folds[0][date] < min(1, *(each[date] for each in fitted.to_folds[1:]))
    assert fitted.to_folds[0][speaker] > 1
    again = fit_folds({"locomo": folds}, built_in, samples=2)
    assert again.to_all.tolist() == fitted.to_all.tolist()


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
    written = tmp_path / "figures.json"

    assert main(["--locomo", str(tmp_path), "--json", str(written)]) == 0

    report = json.loads(written.read_text())
    assert [each["schema"] for each in report["figures"]] == [1, 1, 1]
    assert [each["left out"] for each in report["figures"]] == [1, 1, 1]
    assert report["weights"]["words"]["schema"] == report["weights"]["words"]["without 2"] == 3.1
    assert "left out" in capsys.readouterr().out


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
