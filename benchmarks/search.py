"""The search for recall's weights: what it goes for, and where it begins; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.annealing import Cooling, anneal
from benchmarks.floors import Floors
from benchmarks.signals import SIGNALS, Asked, Numbers
from benchmarks.stacked import Ranks, Scored, Stacked, stacked

GIVEN = {"words": 3.1, "recency": 0.1, "latest": 1.0, "importance": 0.4}
"""Not searched for: `words` sets the scale, the others say nothing about what the sets ask."""
SEARCHED = [place for place, name in enumerate(SIGNALS) if name not in GIVEN]
START = 2.0
"""What each of the others begins at."""
FIRST = 100
"""How many memories of a question compete in a search: the best at its start."""
COOLINGS = (Cooling(12000, 6, 0.15, 0.004), Cooling(10000, 2, 0.01, 0.0005))
"""One after the other, each from where the one before it ended."""
SEED = 0
SHORT = 30.0
"""What falling short of a floor, or of what was reached before, costs beside what figures count."""
SPARED = 0.001
"""How far below what was reached before a figure may come for nothing."""

TEXT = "locomo, text"
"""LoCoMo as it is asked where there is no embedder."""


@dataclass(frozen=True)
class Goal:
    """A figure of a set at k, of its memories or its sessions, and what it counts for.

    `before` is what the weights before these reached: a gain on one set is not paid for by another.
    """

    set_name: str
    name: str
    ranks: Callable[[Stacked, Numbers], Ranks]
    figure: Callable[[Ranks, int], float]
    k: int
    before: float
    counts: float

    def worth(self, reached: float) -> float:
        """What the figure adds to the worth of some weights."""
        return self.counts * reached - SHORT * max(0.0, self.before - SPARED - reached)


GOALS = (
    Goal("locomo", "R@5", Stacked.memory_ranks, Ranks.recall, 5, 0.7542, 0.5),
    Goal("locomo", "R@10", Stacked.memory_ranks, Ranks.recall, 10, 0.8177, 4),
    Goal("locomo", "S@10", Stacked.session_ranks, Ranks.recall, 10, 0.9432, 10),
    Goal(TEXT, "R@10", Stacked.memory_ranks, Ranks.recall, 10, 0.7857, 4),
    Goal("beam", "R@10", Stacked.memory_ranks, Ranks.recall, 10, 0.7841, 4),
    Goal("longmemeval", "S@5", Stacked.session_ranks, Ranks.recall, 5, 0.9477, 6),
    Goal("longmemeval", "all S@10", Stacked.session_ranks, Ranks.all_found, 10, 0.9668, 1),
)
FITTED_TO = ("locomo", "beam", "longmemeval")


def search(
    asked: Mapping[str, Sequence[Asked]], floors: Floors, coolings: Sequence[Cooling] = COOLINGS
) -> Numbers:
    """The weights at which the goals add up to most, from equal ones on; multiples of .1."""
    start = np.array([GIVEN.get(name, START) for name in SIGNALS], dtype=np.float32)
    near = scored({name: [_best(one, start) for one in each] for name, each in asked.items()})

    def value(weights: Numbers, least: float) -> float:
        figures = figures_of(near, weights)
        worth = sum(goal.worth(figure) for goal, figure in figures.items())
        if worth < least:
            return worth
        return worth - SHORT * floors.shortfall(weights, (worth - least) / SHORT)

    weights = start
    for cooling in coolings:
        weights = anneal(value, weights, SEARCHED, cooling, SEED)
    return weights


def figures_of(asked: Mapping[str, Scored], weights: Numbers) -> dict[Goal, float]:
    """The figure of each goal whose set there is."""
    scores = {name: each.scores(weights) for name, each in asked.items()}
    ranks = {
        (name, ranked): ranked(asked[name].stacked, scores[name])
        for name, ranked in {(goal.set_name, goal.ranks) for goal in GOALS}
        if name in asked
    }
    return {
        goal: goal.figure(ranks[goal.set_name, goal.ranks], goal.k)
        for goal in GOALS
        if goal.set_name in asked
    }


def scored(asked: Mapping[str, Sequence[Asked]]) -> dict[str, Scored]:
    return {name: Scored(stacked(each)) for name, each in asked.items()}


def _best(asked: Asked, weights: Numbers) -> Asked:
    """The question among its best memories, each session's best and its evidence alone."""
    scores = asked.signals @ weights
    is_kept = np.zeros(len(scores), dtype=bool)
    is_kept[np.argsort(-scores, kind="stable")[:FIRST]] = True
    is_kept[asked.evidence] = True
    for rows in np.split(np.arange(len(scores)), asked.starts[1:]):
        is_kept[rows[np.argmax(scores[rows])]] = True
    place = np.cumsum(is_kept) - is_kept
    return Asked(asked.signals[is_kept], place[asked.evidence], place[asked.starts], asked.wanted)
