"""Simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983) of weights; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from benchmarks.signals import Numbers

STEP = 0.1
"""Weights are multiples of it, as they ship."""
MOST = 10.0
"""What an agent may set a weight to at most."""
Value: TypeAlias = "Callable[[Numbers, float], float]"
"""What some weights are worth; where that is below the second argument, anything below it."""


@dataclass(frozen=True)
class Cooling:
    """How often a move is tried, and by how many steps at most.

    `hot` and `cold` are the first and the last temperature, in units of what weights are worth; in
    between it falls by the same factor each time.
    """

    tries: int
    reach: int
    hot: float
    cold: float

    def temperature(self, number: int) -> float:
        return float(self.hot * (self.cold / self.hot) ** (number / self.tries))


def anneal(
    value: Value, start: Numbers, places: Sequence[int], cooling: Cooling, seed: int
) -> Numbers:
    """The best weights met, of which those at `places` are moved, one at a time, up or down.

    What a move costs is taken with the probability of Metropolis. The same arguments give the same
    weights.
    """
    drawn = np.random.default_rng(seed)
    steps = np.rint(start / STEP)
    worth = best_worth = value(_weights(steps), -np.inf)
    best = steps
    for number in range(cooling.tries):
        moved = steps.copy()
        moved[drawn.choice(places)] += drawn.integers(1, cooling.reach + 1) * drawn.choice([-1, 1])
        least = worth + cooling.temperature(number) * np.log(1 - drawn.random())
        if moved.min() < 0 or moved.max() > MOST / STEP:
            continue
        moved_worth = value(_weights(moved), least)
        if moved_worth < least:
            continue
        steps, worth = moved, moved_worth
        if worth > best_worth:
            best, best_worth = steps, worth
    return _weights(best)


def _weights(steps: Numbers) -> Numbers:
    return np.asarray(np.round(steps * STEP, 1), dtype=np.float32)
