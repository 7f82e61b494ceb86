"""What a recall did: steps, signals, times, and what each hit's score is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pgrecall.domain.documents import Json
from pgrecall.domain.hit import Hit
from pgrecall.domain.times import moment

SIGNALS = ("semantic", "lexical", "recency", "importance")
_STEPS = {
    "sample": "of a large organization, to see how much is in scope",
    "scope": "visible, valid and passing the filters",
    "words": "by the text index",
    "meaning": "by the vectors",
    "filters": "of those in scope",
    "conversations": "with the conversations of the best",
    "whole scope": "all in scope, since the filters left too few",
    "scoring": "compared by every signal",
}


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds: of the embedder, of the database with the way there and back, of all."""

    embedding: float
    database: float
    total: float


@dataclass(frozen=True, slots=True)
class Step:
    """A step in the database: how many memories it looked at or left, and its milliseconds."""

    name: str
    rows: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Part:
    """One signal's part of a score.

    `raw` is the signal as computed, None where there is none (no vector, or a signal that is yes
    or no). `scaled` is from 0 to 1 within the recall; `contribution` is what weight and scaled
    value add to the score, 0 or more.
    """

    name: str
    raw: float | None
    scaled: float
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True)
class HitExplanation:
    """Why a memory was found: the parts of its score, the largest first."""

    id: UUID
    content: str
    score: float
    parts: tuple[Part, ...]

    def __str__(self) -> str:
        lines = [f"{self.score:.2f}  {' '.join(self.content.split())[:80]}"]
        for part in self.parts:
            raw = "" if part.raw is None else f", raw {part.raw:.3f}"
            lines.append(
                f"      +{part.contribution:.3f}  {part.name:<16}"
                f"{part.scaled:.2f} × {part.weight:.2f}{raw}"
            )
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a recall came to its hits; `str()` of it is a text to read.

    `signals` are those that ran. `unavailable` says of each other one why it did not. `compared`
    is the number of memories that were scored: all in scope if `is_exact`, else the candidates
    that the indexes chose. `without_vector` says how many of them have no vector of `model`, the
    embedder's; None without one, and where that was not counted. `scores` has the parts of each
    hit's score, if `recall` was asked for them.
    """

    query: str
    signals: tuple[str, ...]
    unavailable: Mapping[str, str]
    compared: int
    is_exact: bool
    terms: int
    hits: int
    model: str | None
    without_vector: int | None
    valid_at: datetime | None
    steps: tuple[Step, ...]
    timings: Timings
    scores: tuple[HitExplanation, ...] = ()

    def __str__(self) -> str:
        how = "all in scope, exactly" if self.is_exact else "candidates chosen by index"
        lines = [
            f"query       {self.query[:100]!r}, {self.terms} search terms",
            f"signals     {', '.join(self.signals)}",
            *(f"without     {name}: {why}" for name, why in self.unavailable.items()),
            f"compared    {self.compared:,} memories ({how}), {self.hits} hits",
            f"valid at    {self.valid_at.isoformat() if self.valid_at else 'unknown'}",
            *(
                f"step        {step.name}: {step.rows:,} {_STEPS.get(step.name, 'memories')}, "
                f"{step.milliseconds:.1f} ms"
                for step in self.steps
            ),
            f"time        {self.timings.total:.1f} ms: embedding {self.timings.embedding:.1f}, "
            f"database {self.timings.database:.1f}",
        ]
        if self.without_vector:
            lines.insert(-1, f"no vector   {self.without_vector:,} of those compared")
        return "\n".join([*lines, *map(str, self.scores)])


def explanation(
    query: str, said: Mapping[str, Any], hits: int, model: str | None, timings: Timings
) -> Explanation:
    """The explanation from what recall_memories() left in the setting pgrecall.last_recall."""
    terms = _whole(said.get("terms"))
    unavailable = _unavailable(said, terms, model)
    without_vector = said.get("without_vector")
    return Explanation(
        query=query,
        signals=tuple(name for name in SIGNALS if name not in unavailable),
        unavailable=unavailable,
        compared=_whole(said.get("compared")),
        is_exact=said.get("is_exact") is not False,
        terms=terms,
        hits=hits,
        model=model,
        without_vector=None if without_vector is None else _whole(without_vector),
        valid_at=moment("valid_at", said.get("valid_at")),
        steps=tuple(
            Step(step["step"], _whole(step["rows"]), step["milliseconds"])
            for step in said.get("steps", ())
        ),
        timings=timings,
    )


def hit_explanations(
    hits: Iterable[Hit], signals: Mapping[UUID, Mapping[str, Any]]
) -> tuple[HitExplanation, ...]:
    """What explain_memories() says of each hit, in their order."""
    return tuple(
        HitExplanation(hit.id, hit.content, hit.score, _parts(signals[hit.id]))
        for hit in hits
        if hit.id in signals
    )


def _parts(signals: Mapping[str, Any]) -> tuple[Part, ...]:
    parts = (Part(name, **values) for name, values in signals.items())
    return tuple(sorted(parts, key=lambda part: (-part.contribution, part.name)))


def _unavailable(said: Mapping[str, Json], terms: int, model: str | None) -> dict[str, str]:
    reasons: dict[str, str] = {}
    if not said.get("has_vector"):
        reasons["semantic"] = "the server has no pgvector"
    elif model is None:
        reasons["semantic"] = "this client has no embedder"
    elif not said.get("has_meaning"):
        reasons["semantic"] = f"no vector of {model} is stored, or it is still being filled in"
    if terms == 0:
        reasons["lexical"] = "the query has no word to search for"
    return reasons


def _whole(value: Json) -> int:
    return int(value) if isinstance(value, (int, float)) else 0
