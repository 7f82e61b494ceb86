"""Measure searches on what is stored, by index against one by one.

All of it reads only, in a transaction that is rolled back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any

import psycopg
from psycopg import Rollback

from pgrecall._sync.session import Session
from pgrecall.ops.tuning.facts import Measurement, Search

TRIED = (40, 100, 200, 400, 800)
_NEAREST = 10
_QUERIES = 20
_STATEMENT_MILLISECONDS = "60000"


def measure(session: Session, ef_search: int) -> Measurement:
    """What can be measured here; `notes` says what could not, and why."""
    found = Measurement()
    try:
        with session.connection.transaction():
            session.rows(
                "set_for_transaction", name="statement_timeout", value=_STATEMENT_MILLISECONDS
            )
            found = _measure_searches(session, ef_search)
            raise Rollback
    except psycopg.Error as error:
        return Measurement(notes=(f"not measured: {error.diag.message_primary or error}",))
    return found


def _measure_searches(session: Session, now: int) -> Measurement:
    indexed = session.run_composed("compose_find_indexed")
    if not indexed:
        return Measurement(notes=("no organization has so many vectors that an index holds them",))
    [largest] = indexed
    whose = {"organization_id": largest["organization_id"], "model": largest["model"]}
    sample = session.run_composed("compose_sample_vectors", **whose, count=_QUERIES)
    best, took = _find_exactly(session, whose, sample)
    searches = tuple(_search(session, whose, sample, best, each) for each in sorted({*TRIED, now}))
    return Measurement(
        searches=searches,
        queries=len(sample),
        vectors=largest["vectors"],
        exact_milliseconds=took,
    )


def _find_exactly(
    session: Session, whose: Mapping[str, Any], sample: Sequence[Mapping[str, Any]]
) -> tuple[list[set[Any]], float]:
    best, times = [], []
    for each in sample:
        # Composed first: making the statement is no part of the time.
        [composed] = session.compose(
            "compose_find_nearest", **whose, vector=each["vector"], count=_NEAREST
        )
        began = time.perf_counter()
        nearest = session.execute(composed)
        times.append(time.perf_counter() - began)
        best.append({hit["memory_id"] for hit in nearest})
    return best, median(times) * 1000


def _search(
    session: Session,
    whose: Mapping[str, Any],
    sample: Sequence[Mapping[str, Any]],
    best: Sequence[set[Any]],
    ef_search: int,
) -> Search:
    session.rows("set_for_transaction", name="pgrecall.ef_search", value=str(ef_search))
    shares, times = [], []
    for each, wanted in zip(sample, best, strict=True):
        began = time.perf_counter()
        hits = session.rows("find_nearest_indexed", **whose, vector=each["vector"], count=_NEAREST)
        times.append(time.perf_counter() - began)
        shares.append(len(wanted & {hit["memory_id"] for hit in hits}) / len(wanted))
    return Search(ef_search, mean(shares), median(times) * 1000)
