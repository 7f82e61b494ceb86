from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks.baselines import rank_by_bm25, rank_by_vector
from benchmarks.conversations import Conversation, Turn
from benchmarks.vectors import CachedEmbedder
from pgrecall.embedding import Vector, Vectors

SAID_AT = datetime(2023, 5, 8, tzinfo=UTC)
TEXTS = ["Ana: the boat is red", "Ben: my dog sleeps", "Ana: the boat sinks, poor boat"]


class LetterEmbedder:
    """How often each letter occurs."""

    model = "letters"
    dimension = 26

    def embed(self, texts: Sequence[str], /) -> Vectors:
        letters = "abcdefghijklmnopqrstuvwxyz"
        return np.array([[text.count(letter) for letter in letters] for text in texts], np.float32)

    def embed_query(self, text: str, /) -> Vector:
        return np.asarray(self.embed([text])[0], np.float32)


@pytest.fixture
def conversation() -> Conversation:
    turns = (Turn(f"D1:{n}", "session_1", text, SAID_AT) for n, text in enumerate(TEXTS, start=1))
    return Conversation("conv-1", tuple(turns), ())


def test_bm25_finds_what_shares_words_and_nothing_else(conversation: Conversation) -> None:
    rank = rank_by_bm25(conversation, limit=10)
    assert rank("which boat sinks?") == ["D1:3", "D1:1"]
    assert rank("giraffe") == []


def test_the_vector_baseline_orders_by_cosine(conversation: Conversation, tmp_path: Path) -> None:
    rank = rank_by_vector(conversation, CachedEmbedder(LetterEmbedder(), tmp_path), limit=2)
    assert rank(TEXTS[1])[0] == "D1:2"
    assert len(rank("boat")) == 2
