"""pgrecall as the peers are measured: an organization per conversation, a context per session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pgrecall import Memory
from pgrecall.embedding import Vector, Vectors


class Known:
    """Vectors that are there already."""

    model = "known"

    def __init__(self, embed: Callable[[str], Vector], dimension: int) -> None:
        self.embed_query = embed
        self.dimension = dimension

    def embed(self, texts: Sequence[str], /) -> Vectors:
        return np.stack([self.embed_query(text) for text in texts])


class Pgrecall:
    def __init__(self, url: str, embedder: Known) -> None:
        self._url = url
        self._embedder = embedder
        self._memories: dict[str, Memory] = {}

    def prepare(self, scope: str) -> None:
        """Connected, which `open` alone does not wait for."""
        self._open(scope).list(limit=1)

    def write(self, scope: str, messages: list[dict[str, Any]]) -> list[str]:
        told = [
            {"role": each["role"], "content": each["content"], "created_at": each["said_at"]}
            for each in messages
        ]
        content = told[0] if len(told) == 1 else told
        remembered = self._open(scope).remember(content, context=messages[0]["session"])
        return [str(id_) for id_ in remembered.ids]

    def search(self, scope: str, query: str, limit: int) -> list[str]:
        return [str(hit.id) for hit in self._open(scope).recall(query, limit=limit)]

    def close(self) -> None:
        for memory in self._memories.values():
            memory.close()

    def _open(self, scope: str) -> Memory:
        if scope not in self._memories:
            self._memories[scope] = Memory(self._url, organization=scope, embedder=self._embedder)
        return self._memories[scope]


def connect(url: str, embed: Callable[[str], Any], dimension: int, folder: Path) -> Pgrecall:
    return Pgrecall(url, Known(embed, dimension))
