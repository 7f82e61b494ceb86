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
from pgrecall.ops.doctor.patient import Patient, Row

_ENOUGH, _LITTLE = 0.9, 0.6
_QUERIES, _ORGANIZATIONS, _ALL = 6, 3, 999_999_999
_CLASSES = ((50_000, "above 50,000"), (0, "up to 50,000"))


@dataclass(frozen=True)
class Measured:
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
class Reading:
    """`unseen` says why nothing could be measured, with what would help; None if it could."""

    measured: Sequence[Measured]
    compared_exactly: int
    too_large: Sequence[str] = ()
    unseen: tuple[str, str] | None = None


@dataclass(frozen=True)
class _Large:
    organization_id: UUID
    organization: str
    memories: int
    size_class: str


def read(patient: Patient) -> Reading:
    """Ask, and ask again with everything compared."""
    if not patient.outlook.reads_memories:
        return Reading((), 0, unseen=("how much recall finds", "a role that sees organizations"))
    if patient.row("doctor_signed_claims")["are_signed"]:
        needs = "claims that need no signature; this doctor has no secret"
        return Reading((), 0, unseen=("how much recall finds", needs))
    sizes = patient.rows("doctor_organization_sizes")
    limit = patient.row("doctor_exact_limit")["exact_limit"]
    found: list[Measured] = []
    too_large: list[str] = []
    for large in _chosen(sizes, limit):
        try:
            with patient.session.connection.transaction(force_rollback=True):
                found += _measure(patient, large)
        except psycopg.errors.QueryCanceled:
            too_large.append(large.organization)
    exact = sum(row["memories"] <= limit for row in sizes)
    return Reading(found, exact, too_large)


def judge(reading: Reading) -> Iterator[Sign]:
    """Organizations whose recall is cut."""
    if reading.unseen is not None:
        yield Unseen(*reading.unseen)
        return
    for name in reading.too_large:
        yield Unseen(f"how much recall finds in {name}", "more time, by --statement-timeout")
    if reading.compared_exactly:
        yield Fact(f"{reading.compared_exactly} organizations are compared exactly")
    for each in reading.measured:
        told = f"{each.found:.2f} of the exact answer, by {each.way}, over {each.queries} questions"
        subject = f"organization {each.organization} ({each.memories:,} memories)"
        if each.found >= _ENOUGH:
            yield Fact(f"{subject}: {told}")
            continue
        cure = (
            advice("VACUUM (ANALYZE) public.ai_memories, then look again.")
            if each.index is None
            else sql(f"REINDEX INDEX CONCURRENTLY {each.index};", is_safe=True)
        )
        yield Finding("error" if each.found < _LITTLE else "warning", subject, told, cure)


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


def _measure(patient: Patient, large: _Large) -> Iterator[Measured]:
    wanted = {"organization_id": large.organization_id, "memories": large.memories}
    if patient.outlook.has_vector:
        samples = patient.composed("doctor_compose_vector_samples", **wanted, queries=_QUERIES)
        yield from _compared(patient, large, "meaning", samples)
    samples = patient.rows("doctor_text_samples", **wanted, queries=_QUERIES)
    yield from _compared(patient, large, "words", samples)


def _compared(
    patient: Patient, large: _Large, way: str, samples: Sequence[Row]
) -> Iterator[Measured]:
    parts: list[float] = []
    for sample in samples:
        claims = json.dumps(agent_claims(large.organization_id, sample["agent_id"]))
        usual = _asked(patient, claims, sample, None)
        exact = _asked(patient, claims, sample, _ALL)
        if exact:
            parts.append(len(usual & exact) / len(exact))
    if parts:
        index = samples[0].get("index")
        found = sum(parts) / len(parts)
        yield Measured(
            large.organization, large.size_class, large.memories, way, len(parts), found, index
        )


def _asked(patient: Patient, claims: str, sample: Row, limit: int | None) -> set[Any]:
    with patient.session.connection.transaction(force_rollback=True):
        exact_limit = "" if limit is None else str(limit)
        patient.rows("doctor_act_as", claims=claims, exact_limit=exact_limit)
        rows = patient.rows(
            "doctor_recall",
            query=sample["query"],
            embedding=sample["embedding"],
            model=sample["model"],
        )
        return {row["id"] for row in rows}


CHECK = Check("recall", "Recall, measured", read, judge)
