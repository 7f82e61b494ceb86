"""An embedder whose work is counted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from pgrecall.embedding import Embedder, Vector, Vectors
from pgrecall.telemetry.tracing import tracing
from pgrecall.telemetry.watch import Watch

BYTES_PER_TOKEN = 4


class WatchedEmbedder:
    """The same embedder, counting the tokens of what it embeds."""

    def __init__(self, embedder: Embedder, watch: Watch) -> None:
        self._embedder = embedder
        self._watch = watch

    @property
    def model(self) -> str:
        """As the embedder says."""
        return self._embedder.model

    @property
    def dimension(self) -> int:
        """As the embedder says."""
        return self._embedder.dimension

    def embed(self, texts: Sequence[str], /) -> Vectors:
        """As the embedder does."""
        with self._span():
            vectors = self._embedder.embed(texts)
        self._watch.count({"embedding_tokens": sum(map(tokens, texts))})
        return vectors

    def embed_query(self, text: str, /) -> Vector:
        """As the embedder does."""
        with self._span():
            vector = self._embedder.embed_query(text)
        self._watch.count({"query_tokens": tokens(text)})
        return vector

    def _span(self) -> AbstractContextManager[None]:
        found = tracing()
        return nullcontext() if found is None else found.embedding(self.model, self.dimension)


def tokens(text: str) -> int:
    """About how many tokens a text has: a quarter of its bytes in UTF-8, rounded up."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
