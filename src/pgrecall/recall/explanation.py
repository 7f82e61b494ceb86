"""What a recall did: the signals that ran, what was compared, and the times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pgrecall.domain.documents import Json
from pgrecall.domain.times import moment


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds: of the embedder, of the database with the way there and back, of all."""

    embedding: float
    database: float
    total: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a recall came to its hits; `str()` of it is a text to read.

    `signals` are those that ran. `unavailable` says of each other one why it did not. `compared`
    is the number of memories that were scored: all in scope if `is_exact`, else the candidates
    that the indexes chose. `model` is the embedder's, None without one.
    """

    query: str
    signals: tuple[str, ...]
    unavailable: Mapping[str, str]
    compared: int
    is_exact: bool
    terms: int
    hits: int
    model: str | None
    valid_at: datetime | None
    timings: Timings

    def __str__(self) -> str:
        how = "all in scope, exactly" if self.is_exact else "candidates chosen by index"
        lines = [
            f"query       {self.query[:100]!r}, {self.terms} search terms",
            f"signals     {', '.join(self.signals)}",
            *(f"without     {name}: {why}" for name, why in self.unavailable.items()),
            f"compared    {self.compared:,} memories ({how}), {self.hits} hits",
            f"valid at    {self.valid_at.isoformat() if self.valid_at else 'unknown'}",
            f"time        {self.timings.total:.1f} ms: embedding {self.timings.embedding:.1f}, "
            f"database {self.timings.database:.1f}",
        ]
        return "\n".join(lines)


def explanation(
    query: str, said: Mapping[str, Json], hits: int, model: str | None, timings: Timings
) -> Explanation:
    """The explanation from what recall_memories() left in the setting pgrecall.last_recall."""
    terms = _whole(said.get("terms"))
    unavailable = _unavailable(said, terms, model)
    valid_at = said.get("valid_at")
    return Explanation(
        query=query,
        signals=tuple(
            name
            for name in ("semantic", "lexical", "recency", "importance")
            if name not in unavailable
        ),
        unavailable=unavailable,
        compared=_whole(said.get("compared")),
        is_exact=said.get("is_exact") is not False,
        terms=terms,
        hits=hits,
        model=model,
        valid_at=moment("valid_at", valid_at),
        timings=timings,
    )


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
