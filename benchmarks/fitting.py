"""Fits recall's weights to labelled sets, and tells how they do on what the fit has not seen.

    python -m benchmarks.fitting --locomo DIR --beam DIR --longmemeval DIR

The database computes each signal of each memory for each question; the fit adds them up as
score_memories() does, and changes one weight at a time. What it gives is the mean of fits to
sixteen samples of the questions, drawn with replacement (bagging, Breiman 1996), since the best
weights for some questions follow chance as well. Each fold leaves out a conversation of LoCoMo and
a sixth of the others; the figures to report are those of what was left out. LongMemEval's
haystacks are drawn three times. A set that is not named takes no part.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, TypeAlias

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.databases import Database, database
from benchmarks.memories import Target
from benchmarks.quality import RUNS, WIDTH, draws
from benchmarks.signals import SIGNALS, Asked, Numbers, ask, built_in_weights
from benchmarks.stacked import Stacked, stacked
from benchmarks.vectors import CachedEmbedder
from pgrecall.embedding.local import LocalEmbedder

FITTED = tuple(name for name in SIGNALS if name not in ("words", "recency", "latest", "importance"))
"""`words` sets the scale; the last three say nothing about what these sets ask."""
START = 1.0
STEPS = (1.0, 0.5, 0.25, 0.1)
ROUNDS = 12
"""How often at most all weights are tried with one step."""
LEAST = 1e-6
"""A gain that is less is one of rounding."""
FOLDS = 6
SAMPLES = 16
SOFTNESS = (0.1, 0.15, 0.25, 0.4)
"""Of one sample after another: how softly a memory is among the first k (`Stacked`)."""

Figure: TypeAlias = "Callable[[Stacked, Numbers, int, float], float]"
Fold: TypeAlias = "Sequence[Sequence[Asked]]"
"""Questions, each as asked in one draw or several."""
Folds: TypeAlias = "Mapping[str, Sequence[Fold]]"
"""By set."""


@dataclass(frozen=True)
class Goal:
    """A figure of a set at k, its bar, and what it counts for in the fit."""

    set_name: str
    name: str
    figure: Figure
    k: int
    bar: float
    counts: float


GOALS = (
    Goal("locomo", "R@5", Stacked.recall, 5, 0.72, 0.5),
    Goal("locomo", "R@10", Stacked.recall, 10, 0.81, 4),
    Goal("locomo", "S@10", Stacked.session_recall, 10, 0.94, 10),
    Goal("beam", "R@10", Stacked.recall, 10, 0.76, 0.8),
    Goal("longmemeval", "S@5", Stacked.session_recall, 5, 0.95, 3),
    Goal("longmemeval", "all S@10", Stacked.all_sessions, 10, 0.95, 1),
)
FITTED_TO = tuple(dict.fromkeys(goal.set_name for goal in GOALS))


@dataclass(frozen=True)
class Fit:
    """Weights in the order of SIGNALS: those of the schema, of a fit to all, and of each fold."""

    built_in: Numbers
    to_all: Numbers
    to_folds: Sequence[Numbers]


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    folders = {name: folder for name in FITTED_TO if (folder := vars(options)[name])}
    if not folders:
        _parser().error("name the folder of one set at least, such as --locomo DIR")
    with CachedEmbedder(LocalEmbedder()) as embedder, database(options.dsn) as place:
        folds = {name: _ask(name, folder, place, embedder) for name, folder in folders.items()}
        built_in = built_in_weights(place.dsn)
    fitted = fit_folds(folds, built_in)
    figures = list(_figures(folds, fitted))
    _print(fitted, figures, Console(markup=False, highlight=False, width=WIDTH))
    if options.json:
        report = json.dumps({"figures": figures, "weights": _named(fitted)}, indent=2)
        options.json.write_text(report + "\n", encoding="utf-8")
    return 0


def fit_folds(folds: Folds, built_in: Numbers, samples: int = SAMPLES) -> Fit:
    """A fit to all, and one to all but each fold in turn, from the same start."""
    start = np.where(np.isin(SIGNALS, FITTED), np.float32(START), built_in)
    with ProcessPoolExecutor() as pool:
        fits = [
            [
                pool.submit(_fit_sample, folds, left_out, seed, start, softness)
                for seed, softness in zip(range(samples), cycle(SOFTNESS), strict=False)
            ]
            for left_out in (None, *range(FOLDS))
        ]
        to_all, *to_folds = (np.mean([one.result() for one in each], axis=0) for each in fits)
    return Fit(built_in, to_all, to_folds)


def fit(asked: Mapping[str, Stacked], start: Numbers, softness: float) -> Numbers:
    """The weights at which the goals, softly, add up to most; none is negative."""
    climb = _Climb(asked, start.copy(), softness)
    places = np.flatnonzero(np.isin(SIGNALS, FITTED))
    for step in STEPS:
        for _ in range(ROUNDS):
            moves = [climb.move(place, step) or climb.move(place, -step) for place in places]
            if not any(moves):
                break
    return climb.weights


class _Climb:
    """Weights on their way up, and what they give."""

    def __init__(self, asked: Mapping[str, Stacked], weights: Numbers, softness: float) -> None:
        self._asked = asked
        self._softness = softness
        self._scores = {name: of.scores(weights) for name, of in asked.items()}
        self._worth = self._worth_of(self._scores)
        self.weights = weights

    def move(self, place: int, change: float) -> bool:
        """Change one weight if that is worth it."""
        if self.weights[place] + change < 0:
            return False
        scores = {
            name: self._scores[name] + np.float32(change) * of.signals[place]
            for name, of in self._asked.items()
        }
        worth = self._worth_of(scores)
        if worth <= self._worth + LEAST:
            return False
        self._scores, self._worth = scores, worth
        self.weights[place] += change
        return True

    def _worth_of(self, scores: Mapping[str, Numbers]) -> float:
        return sum(
            goal.counts
            * goal.figure(self._asked[goal.set_name], scores[goal.set_name], goal.k, self._softness)
            for goal in GOALS
            if goal.set_name in self._asked
        )


def _ask(name: str, folder: Path, place: Database, embedder: CachedEmbedder) -> list[Fold]:
    """The questions of each fold; what is drawn several times is asked in each draw."""
    drawn = [
        _folds(ask(Target(place, embedder, f"{name}-{number}"), load(folder)))
        for number, load in enumerate(draws(name, RUNS))
    ]
    return [list(zip(*parts, strict=True)) for parts in zip(*drawn, strict=True)]


def _folds(conversations: Iterable[Sequence[Asked]]) -> list[list[Asked]]:
    folds: list[list[Asked]] = [[] for _ in range(FOLDS)]
    for number, asked in enumerate(conversations):
        folds[number % FOLDS] += asked
    return folds


def _fit_sample(
    folds: Folds, left_out: int | None, seed: int, start: Numbers, softness: float
) -> Numbers:
    """A fit to one sample, which is drawn where it is fitted: all of them would take gigabytes."""
    return fit(_sample(folds, left_out, seed), start, softness)


def _sample(folds: Folds, left_out: int | None, seed: int) -> dict[str, Stacked]:
    """As many questions as there are in all folds but one, drawn with replacement from each."""
    drawn = np.random.default_rng(seed)
    sampled = {
        name: [[part[at] for at in drawn.choice(len(part), len(part))] for part in parts]
        for name, parts in folds.items()
    }
    return _without(sampled, left_out)


def _without(folds: Folds, left_out: int | None) -> dict[str, Stacked]:
    kept = {
        name: [each for number, part in enumerate(parts) if number != left_out for each in part]
        for name, parts in folds.items()
    }
    return {name: _stacked(fold) for name, fold in kept.items() if fold}


def _stacked(fold: Fold) -> Stacked:
    return stacked([asked for question in fold for asked in question])


def _figures(folds: Folds, fitted: Fit) -> Iterator[dict[str, Any]]:
    """Each goal by the schema's weights, by the fit to all, and on what was left out of one."""
    whole = _without(folds, None)
    for goal in GOALS:
        if goal.set_name in folds:
            asked = whole[goal.set_name]
            yield {
                "set": goal.set_name,
                "figure": goal.name,
                "bar": goal.bar,
                "schema": _value(goal, asked, fitted.built_in),
                "fitted to all": _value(goal, asked, fitted.to_all),
                "left out": _left_out(goal, folds[goal.set_name], fitted.to_folds),
            }


def _left_out(goal: Goal, parts: Sequence[Fold], to_folds: Sequence[Numbers]) -> float:
    """The mean over all questions, each by the weights that have not seen it."""
    values = [
        (len(part), _value(goal, _stacked(part), weights))
        for part, weights in zip(parts, to_folds, strict=True)
        if part
    ]
    return sum(n * value for n, value in values) / sum(n for n, _ in values)


def _value(goal: Goal, asked: Stacked, weights: Numbers) -> float:
    return goal.figure(asked, asked.scores(weights), goal.k, 0)


def _named(fitted: Fit) -> dict[str, dict[str, float]]:
    """By signal its weights: the schema's, the fit's to all, and the fits' without each fold."""
    rows = {"schema": fitted.built_in, "fitted to all": fitted.to_all}
    rows |= {f"without {number}": row for number, row in enumerate(fitted.to_folds, start=1)}
    return {
        signal: {name: round(float(row[place]), 2) for name, row in rows.items()}
        for place, signal in enumerate(SIGNALS)
    }


def _print(fitted: Fit, figures: Sequence[Mapping[str, Any]], console: Console) -> None:
    for rows in (figures, [{"signal": name} | row for name, row in _named(fitted).items()]):
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name, value in rows[0].items():
            table.add_column(name, justify="left" if isinstance(value, str) else "right")
        for row in rows:
            table.add_row(*(x if isinstance(x, str) else f"{x:.3f}" for x in row.values()))
        console.print(table, "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/fitting.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for name in FITTED_TO:
        parser.add_argument(f"--{name}", type=Path, metavar="DIR", help="that set's folder")
    parser.add_argument(
        "--dsn", help="database to write to; default: DATABASE_URL, or a fresh embedded server"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
