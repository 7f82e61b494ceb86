"""The set in a database, and questions to copies of it, sound or spoiled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from benchmarks.vectors import CachedEmbedder
from pgrecall import Memory
from pgrecall.testing import cloned
from tests.quality.figures import Scored, ask, remember
from tests.quality.labelled import Labelled
from tests.quality.mutants import Mutant


@dataclass(frozen=True)
class Written:
    """`template` is empty, `dsn` holds the set, and nobody is connected to either.

    `embedder` is None on a server without pgvector.
    """

    template: str
    dsn: str
    labelled: Labelled
    turn_of: dict[str, str]
    embedder: CachedEmbedder | None

    def ask(self, variant: str) -> Scored:
        """Every question."""
        with (
            cloned(self.dsn) as dsn,
            Memory(dsn, embedder=self._embedder_of(variant)) as memory,
        ):
            return ask(memory, self.labelled, self.turn_of)

    def ask_mutant(self, mutant: Mutant) -> Scored:
        """The questions of the mutant's category."""
        source = self.template if mutant.is_before_writing else self.dsn
        with (
            _spoiled(source, mutant.sql) as dsn,
            Memory(dsn, embedder=self._embedder_of(mutant.variant)) as memory,
        ):
            is_new = mutant.is_before_writing
            turn_of = remember(memory, self.labelled) if is_new else self.turn_of
            if mutant.weights:
                memory.configure(weights=mutant.weights)
            return ask(memory, self.labelled, turn_of, mutant.category)

    def _embedder_of(self, variant: str) -> CachedEmbedder | None:
        if variant == "vectors" and self.embedder is None:
            pytest.skip("this server has no pgvector")
        return self.embedder if variant == "vectors" else None


@contextmanager
def _spoiled(source: str, sql: str) -> Iterator[str]:
    """A copy of a database with something done to its functions."""
    with cloned(source) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute(sql.encode())
        yield dsn
