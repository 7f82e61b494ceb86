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

_NOWHERE = np.float32(-1e9)


@dataclass(frozen=True)
class Answers:
    """Which of some questions' values answer them: (answers,) each, grouped by question."""

    question: Places
    column: Places

    def by_question(self) -> Places:
        """The first answer of each question."""
        return np.flatnonzero(np.diff(self.question, prepend=-1))


@dataclass(frozen=True)
class Stacked:
    """Questions of any number of memories, one after another.

    `signals`: (signals, memories). `is_memory` (questions, most memories of one) and `is_session`
    say where a question has one; `session_starts` the first row of each session.

    `softness`, in units of the weighted sum, is the scale of the logistic that stands for "among
    the first k"; with 0 something is or is not.
    """

    signals: Numbers
    is_memory: Flags
    is_session: Flags
    session_starts: Places
    evidence: Answers
    wanted: Answers

    def scores(self, weights: Numbers) -> Numbers:
        """The weighted sum of each memory, shape (memories,)."""
        return weights @ self.signals

    def recall(self, scores: Numbers, k: int, softness: float) -> float:
        """The mean share of the evidence among the first k memories."""
        found = _found(_grid(scores, self.is_memory), self.evidence, k, softness)
        return float(_shares(found, self.evidence).mean())

    def session_recall(self, scores: Numbers, k: int, softness: float) -> float:
        """The mean share of the wanted among the first k sessions, each as good as its best."""
        return float(_shares(self._sessions(scores, k, softness), self.wanted).mean())

    def all_sessions(self, scores: Numbers, k: int, softness: float) -> float:
        """The share of questions all of whose wanted sessions are among the first k."""
        found = self._sessions(scores, k, softness)
        return float(np.multiply.reduceat(found, self.wanted.by_question()).mean())

    def _sessions(self, scores: Numbers, k: int, softness: float) -> Shares:
        best = np.maximum.reduceat(scores, self.session_starts)
        return _found(_grid(best, self.is_session), self.wanted, k, softness)


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


def _found(values: Numbers, answers: Answers, k: int, softness: float) -> Shares:
    """How far each answer is among the first k of its question: 0 or 1, or softly in between.

    Softly: the logistic of how far it is above the k-th best of the others.
    """
    own = values[answers.question, answers.column]
    if values.shape[1] <= k:
        return np.ones(len(own))
    first = -np.partition(-values, [k - 1, k])[answers.question, k - 1 : k + 1]
    others = np.where(own >= first[:, 0], first[:, 1], first[:, 0])
    if not softness:
        return (own > others).astype(float)
    ahead: Shares = np.clip((own - others) / softness, -60, 60).astype(float)
    return 1 / (1 + np.exp(-ahead))


def _shares(found: Shares, answers: Answers) -> Shares:
    """The mean of each question's answers."""
    return np.asarray(np.bincount(answers.question, found) / np.bincount(answers.question))
