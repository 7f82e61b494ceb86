"""Writes a population straight into the tables, past the functions: only a superuser may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg import Connection

from benchmarks.population import AGENT, CONVERSATION, MODEL, Population, binary_rows
from benchmarks.statements import statement

Rows: TypeAlias = Connection[tuple[Any, ...]]


def fill(dsn: str, population: Population) -> None:
    """Memories, vectors where the server has pgvector, indexes and statistics."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement("rls_fill_settings"), {"memory": _memory(population)})
        with _without_indexes(connection):
            _insert_rows(connection, population)
            _copy_vectors(connection, population)
        connection.execute(statement("rls_vacuum"))


def _memory(population: Population) -> str:
    """Room for building an index: of vectors, all of it or it takes many times as long."""
    sizes = population.sizes
    return f"{max(512, sizes.memories * (4 * sizes.dimension + 2048) // 2**20)}MB"


@contextmanager
def _without_indexes(connection: Rows) -> Iterator[None]:
    statements = connection.execute(statement("rls_indexes")).fetchall()
    for dropping, _ in statements:
        connection.execute(dropping.encode())
    yield
    for _, making in statements:
        connection.execute(making.encode())


def _insert_rows(connection: Rows, population: Population) -> None:
    sizes = population.sizes
    values = {
        "ids": [population.organization_id(number) for number in range(sizes.organizations)],
        "agent_id": AGENT,
        "model": MODEL,
        "dimension": sizes.dimension,
        "conversation": CONVERSATION,
        "memories": sizes.memories,
    }
    with connection.transaction():
        connection.execute(statement("rls_create_source"))
        with connection.cursor().copy(statement("rls_copy_source")) as copy:
            for number, text in enumerate(population.texts()):
                organization = population.organization_of(number)
                copy.write_row((organization, number, population.memory_id(number), text))
        for name in ("organizations", "members", "config", "contexts", "memories", "history"):
            connection.execute(statement(f"rls_insert_{name}"), values)


def _copy_vectors(connection: Rows, population: Population) -> None:
    row = connection.execute(statement("rls_exact_limit")).fetchone()
    has_vector, exact_limit = row or (False, 0)
    if has_vector:
        with connection.cursor().copy(statement("rls_copy_vectors")) as copy:
            copy.write(binary_rows(population, exact_limit))
