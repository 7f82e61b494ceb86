"""The floors of the labelled set (tests/quality), which the weights that ship must keep.

Its questions are asked as those of the other sets are, with vectors and from the text alone. Each
category's figures stay above their floors; and each signal's absence is noticed, so that a figure
falls below its floor where the signal's weight is 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.databases import Database
from benchmarks.memories import Target
from benchmarks.signals import SIGNALS, Asked, Numbers, ask
from benchmarks.stacked import Scored, stacked
from benchmarks.vectors import CachedEmbedder
from tests.quality.figures import ALL, LIMIT, remember
from tests.quality.floors import MARGIN, MEASURED
from tests.quality.labelled import load
from tests.quality.mutants import SIGNALS as MUTANTS

SLACK = MARGIN / 4
"""How far from its floor each figure stays, since vectors differ a little between processors."""

Figures: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Labelled:
    """Questions, and the floors of their categories' recall@5, recall@10 and reciprocal rank.

    `members`: (categories, questions), what each question counts for. `floors`: (categories, 3).
    """

    asked: Scored
    members: Figures
    floors: Figures

    def above(self, weights: Numbers) -> Figures:
        """How far each figure is above its floor, shape (categories, 3); negative below it."""
        ranks = self.asked.stacked.memory_ranks(self.asked.scores(weights))
        found = np.stack([ranks.shares(5), ranks.shares(LIMIT), ranks.reciprocals(LIMIT)], axis=1)
        return np.asarray(self.members @ found - self.floors)


@dataclass(frozen=True)
class Floors:
    """All questions, and those of the category that each signal is told from its absence by."""

    whole: Sequence[Labelled]
    without: Sequence[tuple[str, Labelled]]
    """The signal whose weight is 0, and where that is noticed."""

    def shortfall(self, weights: Numbers, most: float = np.inf) -> float:
        """By how much figures are on the wrong side of their floors, together; 0 if none is.

        Where it is more than `most`, anything that is.
        """
        below = sum(float(np.maximum(0, SLACK - each.above(weights)).sum()) for each in self.whole)
        if below > most:
            return below
        unnoticed = sum(
            max(0.0, SLACK + float(category.above(_without(weights, signal)).min()))
            for signal, category in self.without
        )
        return below + unnoticed


def ask_labelled(place: Database, embedder: CachedEmbedder) -> dict[str, list[Asked]]:
    """Writes the labelled set and asks its questions, in each variant of MEASURED."""
    told = load()
    questions = [replace(one, asked_at=told.asked_at) for one in told.conversation.questions]
    conversation = replace(told.conversation, questions=tuple(questions))
    asked = {}
    for name in MEASURED:
        target = Target(place, embedder, f"labelled-{name}", name == "vectors")
        [asked[name]] = ask(target, [conversation], lambda memory, _: remember(memory, told))
    return asked


def floors_of(asked: Mapping[str, Sequence[Asked]]) -> Floors:
    """Of the labelled set's questions, as asked in each variant of MEASURED."""
    categories = [question.category for question in load().conversation.questions]
    whole = [labelled(asked[name], categories, MEASURED[name]) for name in MEASURED]
    without = []
    for mutant in MUTANTS:
        chosen = [
            one
            for one, category in zip(asked[mutant.variant], categories, strict=True)
            if category == mutant.category
        ]
        measured = {ALL: MEASURED[mutant.variant][mutant.category]}
        noticed = labelled(chosen, [mutant.category] * len(chosen), measured)
        without += [(signal, noticed) for signal in mutant.weights]
    return Floors(whole, without)


def labelled(
    asked: Sequence[Asked], categories: Sequence[str], measured: Mapping[str, Sequence[float]]
) -> Labelled:
    """Questions with the category of each, and the figures of categories, ALL being one."""
    members = np.array(
        [[float(name in (ALL, category)) for category in categories] for name in measured]
    )
    floors = np.array(list(measured.values())) - MARGIN
    return Labelled(Scored(stacked(asked)), members / members.sum(axis=1, keepdims=True), floors)


def _without(weights: Numbers, signal: str) -> Numbers:
    changed = weights.copy()
    changed[SIGNALS.index(signal)] = 0
    return changed
