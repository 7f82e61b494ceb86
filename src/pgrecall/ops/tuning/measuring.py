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

from pgrecall._sync.pool import DictConnection
from pgrecall.ops.server_settings import rows
from pgrecall.ops.tuning.reading import Measured, Search

TRIED = (40, 100, 200, 400, 800)
_NEAREST = 10
_QUERIES = 20
_STATEMENT_MILLISECONDS = "60000"


def measure(connection: DictConnection, ef_search: int) -> Measured:
    """What can be measured here; `notes` says what could not, and why."""
    found = Measured()
    try:
        with connection.transaction():
            _set(connection, "statement_timeout", _STATEMENT_MILLISECONDS)
            found = _measure_searches(connection, ef_search)
            raise Rollback
    except psycopg.Error as error:
        return Measured(notes=(f"not measured: {error.diag.message_primary or error}",))
    return found


def _measure_searches(connection: DictConnection, now: int) -> Measured:
    indexed = _composed(connection, "compose_find_indexed", {})
    if not indexed:
        return Measured(notes=("no organization has so many vectors that an index holds them",))
    [largest] = indexed
    whose = {"organization_id": largest["organization_id"], "model": largest["model"]}
    sample = _composed(connection, "compose_sample_vectors", {**whose, "count": _QUERIES})
    best, took = _find_exactly(connection, whose, sample)
    searches = tuple(
        _search(connection, whose, sample, best, each) for each in sorted({*TRIED, now})
    )
    return Measured(
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


def _set(connection: DictConnection, name: str, value: str) -> None:
    rows(connection, "set_for_transaction", {"name": name, "value": value})


def _composed(
    connection: DictConnection, name: str, parameters: Mapping[str, object]
) -> list[dict[str, Any]]:
    """The rows of the statement that another one composes, if it composes one."""
    found = rows(connection, name, parameters)
    return connection.execute(found[0]["composed"].encode()).fetchall() if found else []
