"""An embedder that computes each vector once and keeps it in a file across runs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import platformdirs

from pgrecall.embedding import Embedder, Vector, Vectors

_SAME = 0.999
"""Cosine above which a stored vector counts as this model's."""


class CachedEmbedder:
    """Another embedder's vectors by text, kept in a file named by its model when it is left.

    `misses` counts the texts that were not stored. Vectors are float32, (n, d) and (d,).
    """

    def __init__(self, embedder: Embedder, folder: Path | None = None) -> None:
        self._embedder = embedder
        self.model = embedder.model
        self.dimension = embedder.dimension
        self._is_live = False
        self.misses = 0
        folder = folder or platformdirs.user_cache_path("pgrecall") / "benchmarks"
        self._path = folder / (re.sub(r"[^\w.-]", "_", self.model) + ".npz")
        self._vectors = _load(self._path)
        self._is_checked = not self._vectors

    def embed(self, texts: Sequence[str], /) -> Vectors:
        keys = [_key("text", text) for text in texts]
        self._check(texts, keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self}
        if missing:
            self.misses += len(missing)
            computed = self._embedder.embed(list(missing.values()))
            self._vectors.update(zip(missing, computed, strict=True))
        return np.stack([self._vectors[key] for key in keys])

    def embed_query(self, text: str, /) -> Vector:
        if self._is_live:
            return self._embedder.embed_query(text)
        key = _key("query", text)
        if key not in self:
            self.misses += 1
            self._vectors[key] = self._embedder.embed_query(text)
        return self._vectors[key]

    @contextmanager
    def live_queries(self) -> Iterator[None]:
        """Meanwhile queries are computed anew each time, so that their time can be taken."""
        self._is_live = True
        try:
            yield
        finally:
            self._is_live = False

    def __enter__(self) -> CachedEmbedder:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.misses:
            self.save()

    def save(self) -> None:
        """Writes the file, whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(f".{os.getpid()}.npz")
        np.savez(
            unfinished,
            keys=np.array(list(self._vectors)),
            vectors=np.stack([*self._vectors.values()]),
        )
        unfinished.replace(self._path)

    def __contains__(self, key: str) -> bool:
        return key in self._vectors

    def _check(self, texts: Sequence[str], keys: Sequence[str]) -> None:
        """Drops what is stored if the model now answers otherwise, once per run."""
        stored = [(text, key) for text, key in zip(texts, keys, strict=True) if key in self]
        if self._is_checked or not stored:
            return
        self._is_checked = True
        text, key = stored[0]
        if _cosine(self._vectors[key], self._embedder.embed([text])[0]) < _SAME:
            self._vectors.clear()


def _key(role: str, text: str) -> str:
    return hashlib.sha256(f"{role}\0{text}".encode()).hexdigest()


def _load(path: Path) -> dict[str, Vector]:
    if not path.exists():
        return {}
    with np.load(path) as stored:
        return dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))


def _cosine(a: Vector, b: Vector) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
