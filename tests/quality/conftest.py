"""The labelled set, written once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.vectors import CachedEmbedder
from pgrecall import Memory
from pgrecall.embedding.local import LocalEmbedder
from pgrecall.testing import cloned
from tests.abilities import stores_vectors
from tests.quality.figures import remember
from tests.quality.labelled import load
from tests.quality.written import Written


@pytest.fixture(scope="session")
def written(pgrecall_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    labelled = load()
    with cloned(pgrecall_template) as dsn:
        embedder = _embedder(tmp_path_factory.mktemp("vectors")) if stores_vectors(dsn) else None
        with Memory(dsn, embedder=embedder) as memory:
            turn_of = remember(memory, labelled)
        yield Written(pgrecall_template, dsn, labelled, turn_of, embedder)


def _embedder(empty: Path) -> CachedEmbedder:
    """What it has embedded once it knows until the end of the tests, and nothing before them."""
    return CachedEmbedder(LocalEmbedder(), empty)
