"""How a ranking is scored against a question's evidence; pure.

Recall@k is the share of the evidence among the first k; a mean is over questions. Sessions are
ranked in the order in which hits first name them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from statistics import fmean

from benchmarks.conversations import Question

CUTOFFS = (5, 10, 20, 50)


@dataclass(frozen=True)
class Score:
    """Recall by cutoff, of turns and of sessions, and the reciprocal rank of the first evidence.

    `gain` is nDCG@10 of the turns; `all_sessions` is 1 where every session of the evidence is
    among the first k. All in 0..1; of one question, or the mean over `questions` of them.
    """

    turn_recall: Mapping[int, float]
    session_recall: Mapping[int, float]
    reciprocal_rank: float
    questions: int = 1
    gain: float = 0.0
    all_sessions: Mapping[int, float] = field(default_factory=lambda: dict.fromkeys(CUTOFFS, 0.0))


def recall_at(k: int, ranked: Sequence[str], evidence: Collection[str]) -> float:
    """The share of the evidence among the first `k`."""
    return len(set(evidence).intersection(ranked[:k])) / len(set(evidence))


def reciprocal_rank(ranked: Iterable[str], evidence: Collection[str]) -> float:
    """One over the rank of the first evidence; 0 if none was found."""
    ranks = (rank for rank, id_ in enumerate(ranked, start=1) if id_ in evidence)
    return 1 / first if (first := next(ranks, None)) else 0.0


def discounted_gain(k: int, ranked: Sequence[str], evidence: Collection[str]) -> float:
    """nDCG@k with a gain of 1 for each of the evidence (Järvelin and Kekäläinen 2002)."""
    discounts = [1 / log2(rank + 1) for rank in range(1, k + 1)]
    found = sum(
        discount for id_, discount in zip(ranked, discounts, strict=False) if id_ in evidence
    )
    return found / sum(discounts[: len(set(evidence))])


def rank_sessions(ranked: Iterable[str], session_of: Mapping[str, str]) -> list[str]:
    """Each session once, where a hit first names it."""
    return list(dict.fromkeys(session_of[id_] for id_ in ranked))


def score(ranked: Sequence[str], question: Question, session_of: Mapping[str, str]) -> Score:
    """One question's score; `ranked` holds turn ids, best first."""
    sessions = rank_sessions(ranked, session_of)
    wanted = question.sessions or rank_sessions(question.evidence, session_of)
    session_recall = {k: recall_at(k, sessions, wanted) for k in CUTOFFS}
    return Score(
        {k: recall_at(k, ranked, question.evidence) for k in CUTOFFS},
        session_recall,
        reciprocal_rank(ranked, question.evidence),
        gain=discounted_gain(10, ranked, question.evidence),
        all_sessions={k: float(share == 1) for k, share in session_recall.items()},
    )


def mean(scores: Sequence[Score]) -> Score:
    """The mean over questions; ValueError if there are none."""
    return Score(
        {k: fmean(score.turn_recall[k] for score in scores) for k in CUTOFFS},
        {k: fmean(score.session_recall[k] for score in scores) for k in CUTOFFS},
        fmean(score.reciprocal_rank for score in scores),
        sum(score.questions for score in scores),
        fmean(score.gain for score in scores),
        {k: fmean(score.all_sessions[k] for score in scores) for k in CUTOFFS},
    )


def mean_by_category(scored: Iterable[tuple[Question, Score]]) -> dict[str, Score]:
    """The mean of each category, by its name."""
    groups: defaultdict[str, list[Score]] = defaultdict(list)
    for question, score_ in scored:
        groups[question.category].append(score_)
    return {category: mean(groups[category]) for category in sorted(groups)}
