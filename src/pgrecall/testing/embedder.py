"""An embedder without a model: texts that share words are near, and every run agrees."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from pgrecall.embedding import Vector, Vectors, checked_texts
from pgrecall.errors import ConfigurationError

_WORD = re.compile(r"\w+")


class HashingEmbedder:
    """Signed feature hashing of lower-case words: deterministic, instant, thread-safe.

    The cosine of two texts estimates that of their word counts, with a standard error of about
    1 / sqrt(dimension) (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask
    Learning"). It knows no synonyms and no word order. `dimension` is 1 or more; it is part of
    the model's name.
    """

    def __init__(self, dimension: int = 64) -> None:
        if dimension < 1:
            raise ConfigurationError(f"HashingEmbedder can't have dimension {dimension}")
        self.dimension = dimension
        self.model = f"hashing-{dimension}"

    def embed(self, texts: Sequence[str], /) -> Vectors:
        """Unit vectors of shape (len(texts), dimension), float32, in the order of `texts`.

        Raises InvalidInputError for a text that is no valid Unicode.
        """
        checked = checked_texts(texts)
        vectors = np.zeros((len(checked), self.dimension), dtype=np.float32)
        for row, text in zip(vectors, checked, strict=True):
            self._fill(row, text)
        return vectors

    def embed_query(self, text: str, /) -> Vector:
        """The unit vector of a query, shape (dimension,): the same as if it were stored."""
        query: Vector = self.embed([text])[0]
        return query

    def _fill(self, row: Vector, text: str) -> None:
        for word in _WORD.findall(text.lower()):
            place, sign = self._place(word)
            row[place] += sign
        if not row.any():
            # No words, or words that cancel out: such a text is near to itself alone.
            row[self._place(text)[0]] = 1.0
        row /= np.linalg.norm(row)

    def _place(self, feature: str) -> tuple[int, float]:
        digest = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "big")
        return (digest >> 1) % self.dimension, 1.0 if digest & 1 else -1.0

    def __repr__(self) -> str:
        return f"HashingEmbedder(dimension={self.dimension})"
