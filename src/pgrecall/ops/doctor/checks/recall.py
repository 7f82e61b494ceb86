"""Recall compares everything in an organization's reach one by one up to 5,000 memories
(`agent_memory.exact_limit()`); above that, indexes choose candidates first, and a damaged or aged
HNSW index leaves some out without a word. So recall is measured: a few stored memories of the
largest organizations of each size class are asked for, by their vector and by their words, once as
clients do and once with everything compared, and the ten best of both are put side by side. What is
measured is `found`, the part of the exact answer that clients get.

It acts as a program of the organization, in a transaction that can't write, and so needs a role
that sees organizations and may call `recall_memories`. Where claims must be signed it can't act,
and says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from pgrecall.domain.diagnosis import Fact, Finding, Sign, Unseen, advice, sql
from pgrecall.domain.identity import agent_claims
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase, Row

_ENOUGH, _LITTLE = 0.9, 0.6
_QUERIES, _ORGANIZATIONS, _ALL = 6, 3, 999_999_999
_CLASSES = ((50_000, "above 50,000"), (0, "up to 50,000"))


@dataclass(frozen=True, kw_only=True)
class RecallMeasurement:
    """Questions to one organization by one way; `found` is the mean part of the exact answer.

    `index` is the HNSW index that chose the candidates, None by words.
    """

    organization: str
    size_class: str
    memories: int
    way: str
    queries: int
    found: float
    index: str | None


@dataclass(frozen=True)
class RecallFacts:
    """`unseen` says why nothing could be measured, with what would help; None if it could."""

    measured: Sequence[RecallMeasurement]
    compared_exactly: int
    too_large: Sequence[str] = ()
    unseen: tuple[str, str] | None = None


@dataclass(frozen=True)
class _Large:
    organization_id: UUID
    organization: str
    memories: int
    size_class: str


def read(database: CheckedDatabase) -> RecallFacts:
    """Ask, and ask again with everything compared."""
    if not database.outlook.reads_memories:
        return RecallFacts(
            (), 0, unseen=("how much recall finds", "a role that sees organizations")
        )
    if database.row("doctor_signed_claims")["are_signed"]:
        needs = "claims that need no signature; this doctor has no secret"
        return RecallFacts((), 0, unseen=("how much recall finds", needs))
    sizes = database.rows("doctor_organization_sizes")
    limit = database.row("doctor_exact_limit")["exact_limit"]
    found: list[RecallMeasurement] = []
    too_large: list[str] = []
    for large in _chosen(sizes, limit):
        try:
            with database.session.connection.transaction(force_rollback=True):
                found += _measure(database, large)
        except psycopg.errors.QueryCanceled:
            too_large.append(large.organization)
    exact = sum(row["memories"] <= limit for row in sizes)
    return RecallFacts(found, exact, too_large)


def judge(facts: RecallFacts) -> Iterator[Sign]:
    """Organizations whose recall is cut."""
    if facts.unseen is not None:
        yield Unseen(*facts.unseen)
        return
    for name in facts.too_large:
        yield Unseen(f"how much recall finds in {name}", "more time, by --statement-timeout")
    if facts.compared_exactly:
        yield Fact(f"{facts.compared_exactly} organizations are compared exactly")
    for each in facts.measured:
        evidence = (
            f"{each.found:.2f} of the exact answer, by {each.way}, over {each.queries} questions"
        )
        subject = f"organization {each.organization} ({each.memories:,} memories)"
        if each.found >= _ENOUGH:
            yield Fact(f"{subject}: {evidence}")
            continue
        cure = (
            advice("VACUUM (ANALYZE) public.ai_memories, then look again.")
            if each.index is None
            else sql(f"REINDEX INDEX CONCURRENTLY {each.index};", is_safe=True)
        )
        yield Finding("error" if each.found < _LITTLE else "warning", subject, evidence, cure)


def _chosen(sizes: Sequence[Row], limit: int) -> list[_Large]:
    """The largest of each class, of those that are not compared exactly anyway."""
    chosen: list[_Large] = []
    taken: dict[str, int] = {}
    for row in sizes:
        if row["memories"] > limit:
            size_class = next(name for least, name in _CLASSES if row["memories"] > least)
            taken[size_class] = taken.get(size_class, 0) + 1
            if taken[size_class] <= _ORGANIZATIONS:
                chosen.append(_Large(**row, size_class=size_class))
    return chosen


def _measure(database: CheckedDatabase, large: _Large) -> Iterator[RecallMeasurement]:
    wanted = {"organization_id": large.organization_id, "memories": large.memories}
    if database.outlook.has_vector:
        samples = database.composed("doctor_compose_vector_samples", **wanted, queries=_QUERIES)
        yield from _compared(database, large, "meaning", samples)
    samples = database.rows("doctor_text_samples", **wanted, queries=_QUERIES)
    yield from _compared(database, large, "words", samples)


def _compared(
    database: CheckedDatabase, large: _Large, way: str, samples: Sequence[Row]
) -> Iterator[RecallMeasurement]:
    parts: list[float] = []
    for sample in samples:
        claims = json.dumps(agent_claims(large.organization_id, sample["agent_id"]))
        usual = _asked(database, claims, sample, None)
        exact = _asked(database, claims, sample, _ALL)
        if exact:
            parts.append(len(usual & exact) / len(exact))
    if parts:
        index = samples[0].get("index")
        found = sum(parts) / len(parts)
        yield RecallMeasurement(
            organization=large.organization,
            size_class=large.size_class,
            memories=large.memories,
            way=way,
            queries=len(parts),
            found=found,
            index=index,
        )


def _asked(database: CheckedDatabase, claims: str, sample: Row, limit: int | None) -> set[Any]:
    with database.session.connection.transaction(force_rollback=True):
        exact_limit = "" if limit is None else str(limit)
        database.rows("doctor_act_as", claims=claims, exact_limit=exact_limit)
        rows = database.rows(
            "doctor_recall",
            query=sample["query"],
            embedding=sample["embedding"],
            model=sample["model"],
        )
        return {row["id"] for row in rows}


CHECK = Check("recall", "Recall, measured", read, judge)
