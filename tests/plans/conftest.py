"""A database with 100,000 memories in one organization and 199 organizations of 100."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from benchmarks.filling import fill
from benchmarks.population import AGENT, MODEL, Population, Question
from pgrecall.sql import statement
from pgrecall.testing import cloned

Rows = list[dict[str, Any]]

ABSENT: dict[str, Any] = dict.fromkeys(
    "agent_id user_id context_key kinds metadata since until as_of".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Caller:
    """A member of an organization, on a superuser's connection; nothing that it writes stays."""

    connection: psycopg.Connection[dict[str, Any]]
    organization_id: UUID
    user_id: str

    def ask(self, name: str, **parameters: Any) -> Rows:
        """The rows of one of the client's statements, as the client sends it."""
        with self.acting():
            return self._ask(name, parameters)

    @contextmanager
    def acting(self) -> Iterator[None]:
        """A transaction of the caller's, rolled back afterwards."""
        claims = {
            "sub": self.user_id,
            "app_metadata": {"organization_id": str(self.organization_id)},
        }
        with self.connection.transaction(force_rollback=True):
            self.connection.execute(
                "select set_config('role', 'authenticated', true),"
                " set_config('request.jwt.claims', %s, true)",
                (json.dumps(claims),),
            )
            yield

    def recall(
        self,
        question: Question,
        *,
        with_vector: bool = False,
        limit: int = 10,
        how: str = "recall_memories",
        **filters: Any,
    ) -> Rows:
        with self.acting():
            return self._recall(question, with_vector, limit, how, filters)

    def steps(self, question: Question, *, with_vector: bool, **filters: Any) -> dict[str, int]:
        """What a recall did, one step after another, and how many memories each left.

        AssertionError if it did one of them twice.
        """
        with self.acting():
            self._recall(question, with_vector, 10, "recall_memories", filters)
            [row] = self.connection.execute(
                "select current_setting('pgrecall.last_recall')::jsonb -> 'steps' as steps"
            ).fetchall()
        steps = [(step["step"], step["rows"]) for step in row["steps"]]
        assert len(steps) == len(dict(steps))
        return dict(steps)

    def _recall(
        self, question: Question, with_vector: bool, limit: int, how: str, filters: dict[str, Any]
    ) -> Rows:
        vector = {
            "query_embedding": question.vector if with_vector else None,
            "embedding_model": MODEL if with_vector else None,
        }
        page = {"match_limit": limit, "min_score": 0}
        return self._ask(how, {"query": question.words, **vector, **page, **ABSENT, **filters})

    def _ask(self, name: str, parameters: dict[str, Any]) -> Rows:
        asked = statement(name, parameters)
        return self.connection.execute(asked.sql, asked.parameters).fetchall()


@pytest.fixture(scope="session")
def population() -> Population:
    return Population()


@pytest.fixture(scope="session")
def crowded_dsn(pgrecall_template: str, population: Population) -> Iterator[str]:
    """The filled database. Tests leave it as it is."""
    with cloned(pgrecall_template) as dsn:
        fill(dsn, population)
        yield dsn


@pytest.fixture
def connection(crowded_dsn: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    with psycopg.connect(
        crowded_dsn, autocommit=True, prepare_threshold=None, row_factory=dict_row
    ) as connected:
        yield connected


@pytest.fixture
def has_vector(connection: psycopg.Connection[dict[str, Any]]) -> bool:
    [row] = connection.execute("select agent_memory.has_vector() as has_vector").fetchall()
    return bool(row["has_vector"])


@pytest.fixture
def program(connection: psycopg.Connection[dict[str, Any]], population: Population) -> Caller:
    """The program that all memories of the large organization belong to."""
    return Caller(connection, population.organization_id(0), f"agent:{AGENT}")
