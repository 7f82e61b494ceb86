"""Servers that hold a drawn population, and recall of its largest organization."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.databases import Database, database
from benchmarks.filling import fill
from benchmarks.population import AGENT, MODEL, Population, Question, Sizes
from benchmarks.statements import statement
from pgrecall import Memory, Settings, embedded
from pgrecall._sync.migrate import migrate
from pgrecall.embedding import Vector, Vectors

LIMIT = 10
NEW = "new "
"""What the key of a conversation that a benchmark writes begins with."""


class Drawn:
    """The population's vectors: each question's own, and for new texts those of old memories."""

    model = MODEL

    def __init__(self, population: Population, questions: Sequence[Question]) -> None:
        self.dimension = population.sizes.dimension
        self._vectors = population.vectors
        self._asked = {each.words: np.array(each.vector, np.float32) for each in questions}
        self._next = 0

    def embed(self, texts: Sequence[str], /) -> Vectors:
        places = np.arange(self._next, self._next + len(texts)) % len(self._vectors)
        self._next += len(texts)
        vectors: Vectors = self._vectors[places]
        return vectors

    def embed_query(self, text: str, /) -> Vector:
        return self._asked[text]


@contextmanager
def place_of(sizes: Sizes, homes: Path | None) -> Iterator[Database]:
    """A server that is gone afterwards, or in `homes` one that stays."""
    if homes is None:
        with database(None) as place:
            yield place
        return
    homes.mkdir(parents=True, exist_ok=True)
    with embedded.join(homes / f"{sizes.large}-{sizes.organizations}-{sizes.dimension}") as lease:
        yield Database(lease.dsn, lease.dsn, Settings(home=lease.home))


def fill_once(place: Database, population: Population) -> float:
    """Seconds of writing all and building the indexes; nothing is written twice."""
    with psycopg.connect(place.dsn) as connection:
        row = connection.execute(statement("growth_is_filled")).fetchone()
    if row and row[0]:
        return math.nan
    migrate(place.dsn)
    began = perf_counter()
    fill(place.dsn, population)
    return perf_counter() - began


def delete_written(place: Database, population: Population) -> None:
    """The largest organization as it was filled: without the conversations whose key is NEW."""
    with psycopg.connect(place.dsn) as connection:
        written = {"organization_id": population.organization_id(0), "keys": f"{NEW}%"}
        connection.execute(statement("delete_written"), written)


def comparing_all(place: Database) -> Database:
    """The same, with no scope too large to be compared one by one."""
    dsn = make_conninfo(place.dsn, options="-c pgrecall.exact_limit=999999999")
    return replace(place, memory_dsn=dsn)


def memory_of(place: Database, population: Population, questions: Sequence[Question]) -> Memory:
    return Memory(
        place.memory_dsn,
        organization=population.organization_id(0),
        agent_id=AGENT,
        embedder=Drawn(population, questions),
        settings=place.settings.model_copy(update={"statement_timeout": 0}),
    )


def hits_of(memory: Memory, question: Question, **filters: Any) -> set[str]:
    return {str(hit.id) for hit in memory.recall(question.words, limit=LIMIT, **filters)}
