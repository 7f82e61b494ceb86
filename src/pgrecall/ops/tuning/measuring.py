"""Measure recall on what is stored: by index against one by one, and with and without jit.

All of it reads only, in transactions that are rolled back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean, median
from typing import Any

import psycopg
from psycopg import Rollback

from pgrecall._sync.pool import DictConnection
from pgrecall.ops.server_settings import rows
from pgrecall.ops.tuning.reading import Measured, Search

TRIED = (40, 100, 200, 400, 800)
_NEAREST = 10
_QUERIES = 20
_FEWEST = 5
_STATEMENT_MILLISECONDS = "60000"
_NO_FILTERS: dict[str, object] = dict.fromkeys(
    ("agent_id", "user_id", "context_key", "kinds", "metadata", "since", "until", "as_of")
)


def measure(connection: DictConnection, ef_search: int) -> Measured:
    """What can be measured here; `notes` says what could not, and why."""
    found = Measured()
    for step in (_measure_searches, _measure_jit):
        try:
            with connection.transaction():
                _set(connection, "statement_timeout", _STATEMENT_MILLISECONDS)
                found = step(connection, found, ef_search)
                raise Rollback
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error)
            found = replace(found, notes=(*found.notes, f"not measured: {said}"))
    return found


def _measure_searches(connection: DictConnection, found: Measured, now: int) -> Measured:
    indexed = _composed(connection, "compose_find_indexed", {})
    if not indexed:
        note = "no organization has so many vectors that an index holds them"
        return replace(found, notes=(*found.notes, note))
    [largest] = indexed
    whose = {"organization_id": largest["organization_id"], "model": largest["model"]}
    sample = _composed(connection, "compose_sample_vectors", {**whose, "count": _QUERIES})
    best, took = _find_exactly(connection, whose, sample)
    searches = tuple(
        _search(connection, whose, sample, best, each) for each in sorted({*TRIED, now})
    )
    return replace(
        found,
        searches=searches,
        queries=len(sample),
        vectors=largest["vectors"],
        exact_milliseconds=took,
    )


def _find_exactly(
    connection: DictConnection, whose: Mapping[str, Any], sample: Sequence[Mapping[str, Any]]
) -> tuple[list[set[Any]], float]:
    best, times = [], []
    for each in sample:
        asked = {**whose, "vector": each["vector"], "count": _NEAREST}
        # Composed first: making the statement is no part of the time.
        [row] = rows(connection, "compose_find_nearest", asked)
        began = time.perf_counter()
        nearest = connection.execute(row["composed"].encode()).fetchall()
        times.append(time.perf_counter() - began)
        best.append({hit["memory_id"] for hit in nearest})
    return best, median(times) * 1000


def _search(
    connection: DictConnection,
    whose: Mapping[str, Any],
    sample: Sequence[Mapping[str, Any]],
    best: Sequence[set[Any]],
    ef_search: int,
) -> Search:
    _set(connection, "pgrecall.ef_search", str(ef_search))
    shares, times = [], []
    for each, wanted in zip(sample, best, strict=True):
        asked = {**whose, "vector": each["vector"], "count": _NEAREST}
        began = time.perf_counter()
        hits = rows(connection, "find_nearest_indexed", asked)
        times.append(time.perf_counter() - began)
        shares.append(len(wanted & {hit["memory_id"] for hit in hits}) / len(wanted))
    return Search(ef_search, mean(shares), median(times) * 1000)


def _measure_jit(connection: DictConnection, found: Measured, _: int) -> Measured:
    organizations = rows(connection, "find_largest_organization")
    if not organizations:
        return found
    [largest] = organizations
    asked = {"organization_id": largest["organization_id"], "count": _QUERIES}
    questions = [row["question"] for row in rows(connection, "sample_questions", asked)]
    if len(questions) < _FEWEST:
        note = "fewer than five memories: too few to measure a recall"
        return replace(found, notes=(*found.notes, note))
    _act_as(connection, largest)
    times = {each: _time_recalls(connection, questions, each) for each in ("off", "on")}
    return replace(found, without_jit=times["off"], with_jit=times["on"])


def _act_as(connection: DictConnection, member: Mapping[str, Any]) -> None:
    """Recall as a program of the organization does, under the same rules."""
    claims = {
        "sub": member["user_id"],
        "app_metadata": {"organization_id": str(member["organization_id"])},
    }
    told = {
        "claims": json.dumps(claims),
        "claims_expire": "",
        "claims_signature": "",
        "statement_timeout": _STATEMENT_MILLISECONDS,
    }
    rows(connection, "act_as", told)


def _time_recalls(connection: DictConnection, questions: Sequence[str], jit: str) -> float:
    """The median of a recall by words, in milliseconds; the first of each is for the caches."""
    _set(connection, "jit", jit)
    times = []
    for question in (questions[0], *questions):
        asked: dict[str, object] = {**_NO_FILTERS, "query": question, "match_limit": _NEAREST}
        asked |= {"query_embedding": None, "embedding_model": None, "min_score": 0}
        began = time.perf_counter()
        rows(connection, "recall_memories", asked)
        times.append(time.perf_counter() - began)
    return median(times[1:]) * 1000


def _set(connection: DictConnection, name: str, value: str) -> None:
    rows(connection, "set_for_transaction", {"name": name, "value": value})


def _composed(
    connection: DictConnection, name: str, parameters: Mapping[str, object]
) -> list[dict[str, Any]]:
    """The rows of the statement that another one composes, if it composes one."""
    found = rows(connection, name, parameters)
    return connection.execute(found[0]["composed"].encode()).fetchall() if found else []
