"""Many questions' signals as arrays, so that the figures of some weights take milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.signals import Asked, Numbers, Places

Flags: TypeAlias = npt.NDArray[np.bool_]
Shares: TypeAlias = npt.NDArray[np.float64]

MOST_CHANGED = 4
"""Places of the weights; of more than these the whole sum is as fast."""
_NOWHERE = np.float32(-1e9)


@dataclass(frozen=True)
class Answers:
    """Which of some questions' values answer them: (answers,) each, grouped by question."""

    question: Places
    column: Places


@dataclass(frozen=True)
class Ranks:
    """Where the answers of some questions come, from 1 on: (answers,) each, grouped by question."""

    question: Places
    rank: Places

    def recall(self, k: int) -> float:
        """The mean share of a question's answers among the first k."""
        return float(self.shares(k).mean())

    def all_found(self, k: int) -> float:
        """The share of questions all of whose answers are among the first k."""
        return float((self.shares(k) == 1).mean())

    def shares(self, k: int) -> Shares:
        """By question the share of its answers among the first k."""
        return np.asarray(np.bincount(self.question, self.rank <= k) / np.bincount(self.question))

    def reciprocals(self, k: int) -> Shares:
        """By question one over the rank of its first answer, 0 if it is not among the first k."""
        first = np.minimum.reduceat(self.rank, np.flatnonzero(np.diff(self.question, prepend=-1)))
        return np.where(first <= k, 1 / first, 0)


@dataclass(frozen=True)
class Stacked:
    """Questions of any number of memories, one after another.

    `signals`: (signals, memories). `is_memory` (questions, most memories of one) and `is_session`
    say where a question has one; `session_starts` the first row of each session.
    """

    signals: Numbers
    is_memory: Flags
    is_session: Flags
    session_starts: Places
    evidence: Answers
    wanted: Answers

    def scores(self, weights: Numbers) -> Numbers:
        """The weighted sum of each memory, shape (memories,)."""
        # By one thread, unlike `@`: searches run beside one another.
        return np.asarray(np.einsum("s,sm->m", weights, self.signals))

    def memory_ranks(self, scores: Numbers) -> Ranks:
        """Of the evidence among the memories of its question."""
        return _ranks(_grid(scores, self.is_memory), self.evidence)

    def session_ranks(self, scores: Numbers) -> Ranks:
        """Of the wanted among the sessions of its question, each as good as its best memory."""
        best = np.maximum.reduceat(scores, self.session_starts)
        return _ranks(_grid(best, self.is_session), self.wanted)


class Scored:
    """Questions whose memories are scored by one weights after another.

    Most weights differ at a place or two from some before them; only that is added up again.
    """

    def __init__(self, stacked: Stacked) -> None:
        self.stacked = stacked
        self._weights: Numbers = np.full(len(stacked.signals), np.nan, dtype=np.float32)
        self._scores: Numbers = np.empty(0, dtype=np.float32)

    def scores(self, weights: Numbers) -> Numbers:
        """The weighted sum of each memory, shape (memories,)."""
        changed = np.flatnonzero(weights != self._weights)
        if len(changed) > MOST_CHANGED:
            self._weights, self._scores = weights.copy(), self.stacked.scores(weights)
            return self._scores
        scores = self._scores
        for place in changed:
            scores = scores + (weights[place] - self._weights[place]) * self.stacked.signals[place]
        return scores


def stacked(asked: Sequence[Asked]) -> Stacked:
    """Questions as one; ValueError if there are none."""
    memories = np.array([len(one.signals) for one in asked])
    before = np.cumsum(memories) - memories
    return Stacked(
        np.ascontiguousarray(np.concatenate([one.signals for one in asked]).T),
        _present(memories),
        _present(np.array([len(one.starts) for one in asked])),
        np.concatenate([start + one.starts for start, one in zip(before, asked, strict=True)]),
        _answers([one.evidence for one in asked]),
        _answers([one.wanted for one in asked]),
    )


def _present(counts: Places) -> Flags:
    return np.arange(counts.max()) < counts[:, np.newaxis]


def _answers(columns: Sequence[Places]) -> Answers:
    counts = [len(each) for each in columns]
    return Answers(np.repeat(np.arange(len(columns)), counts), np.concatenate(columns))


def _grid(values: Numbers, is_there: Flags) -> Numbers:
    grid = np.full(is_there.shape, _NOWHERE, dtype=np.float32)
    grid[is_there] = values
    return grid


def _ranks(values: Numbers, answers: Answers) -> Ranks:
    """Of two that are as good the later one comes first, as in recall."""
    others = values[answers.question]
    own = others[np.arange(len(others)), answers.column][:, np.newaxis]
    is_later = np.arange(values.shape[1]) > answers.column[:, np.newaxis]
    ahead = (others > own) | ((others == own) & is_later)
    return Ranks(answers.question, 1 + ahead.sum(axis=1))
