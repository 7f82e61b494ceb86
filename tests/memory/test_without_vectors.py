"""A server without pgvector, and the same once it has it."""

from __future__ import annotations

from importlib import resources

import psycopg
import pytest

from pgrecall import Memory
from pgrecall.errors import ConflictError
from pgrecall.testing import HashingEmbedder

VECTORS = resources.files("pgrecall") / "sql" / "source" / "vectors.sql"


@pytest.fixture
def dsn(pgrecall_dsn: str) -> str:
    """A database from which pgvector was removed, as if it had never been there."""
    with psycopg.connect(pgrecall_dsn, autocommit=True) as connection:
        connection.execute("drop extension if exists vector cascade")
        connection.execute(VECTORS.read_text("utf-8").encode())
    return pgrecall_dsn


class CountingEmbedder(HashingEmbedder):
    """Counts what it is asked."""

    asked = 0

    def embed(self, texts):  # type: ignore[no-untyped-def]
        self.asked += len(texts)
        return super().embed(texts)


def test_without_pgvector_the_text_is_searched(dsn: str) -> None:
    embedder = CountingEmbedder()
    with Memory(dsn, embedder=embedder) as memory:
        told = memory.remember(["Green tea.", "Rain."])
        found = memory.recall("tea")
        assert found[0].content == "Green tea."
        assert found[0].signals.semantic is None
        assert found.explain().unavailable == {"semantic": "the server has no pgvector"}
        assert memory.update(told.ids[0], content="Black tea.").content == "Black tea."
    assert embedder.asked == 0


def test_without_pgvector_there_is_no_model_to_move_to(dsn: str) -> None:
    with Memory(dsn, embedder=HashingEmbedder()) as memory:
        memory.remember("Green tea.")
        for ask in (
            memory.embeddings.status,
            memory.embeddings.backfill,
            lambda: memory.embeddings.switch("hashing-64"),
            lambda: memory.embeddings.drop("hashing-64"),
        ):
            with pytest.raises(ConflictError, match="no pgvector"):
                ask()


def test_a_long_text_is_found_by_its_end_without_pgvector(dsn: str) -> None:
    text = f"{'The ferry was late again. ' * 4_000}The keeper collects barometers."
    with Memory(dsn, embedder=HashingEmbedder()) as memory:
        told = memory.remember([text, "Rain."])
        assert memory.recall("barometers")[0].id == told.ids[0]
        assert memory.update(told.ids[0], content=f"{text} Twice.").content.endswith("Twice.")
