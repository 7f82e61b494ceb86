"""Texts to vectors: one protocol, one file per provider.

Importing this package imports neither numpy nor a model's runtime; the providers do,
`pgrecall.embedding.local` and `pgrecall.embedding.remote`, once one of them is chosen.
"""

from __future__ import annotations

from pgrecall.embedding.checks import checked_texts, checked_vectors, embed_query, embed_texts
from pgrecall.embedding.choice import EMBEDDER_CHOICES, default_embedder, embedder_named
from pgrecall.embedding.protocol import Embedder, Vector, Vectors

__all__ = [
    "EMBEDDER_CHOICES",
    "Embedder",
    "Vector",
    "Vectors",
    "checked_texts",
    "checked_vectors",
    "default_embedder",
    "embed_query",
    "embed_texts",
    "embedder_named",
]
