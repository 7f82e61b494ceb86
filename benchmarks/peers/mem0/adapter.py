"""mem0 with its pgvector store: messages as they are, no language model (`infer=False`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mem0 import Memory
from mem0.embeddings.base import EmbeddingBase


class Known(EmbeddingBase):
    """Vectors that are there already."""

    def __init__(self, embed: Callable[[str], Any]) -> None:
        super().__init__()
        self._embed = embed

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        vector: list[float] = self._embed(text).tolist()
        return vector


class Mem0:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def prepare(self, scope: str) -> None:
        """A collection holds all scopes."""

    def write(self, scope: str, messages: list[dict[str, Any]]) -> list[str]:
        """A list is mem0's only way to write several; it inserts them one by one."""
        told = [{"role": message["role"], "content": message["content"]} for message in messages]
        answer = self._memory.add(
            told, user_id=scope, metadata={"session": messages[0]["session"]}, infer=False
        )
        return [result["id"] for result in answer["results"]]

    def search(self, scope: str, query: str, limit: int) -> list[str]:
        answer = self._memory.search(query, top_k=limit, filters={"user_id": scope})
        return [result["id"] for result in answer["results"]]

    def close(self) -> None:
        self._memory.close()


def connect(url: str, embed: Callable[[str], Any], dimension: int, folder: Path) -> Mem0:
    # The language model and the embedder are made with the object, and never asked.
    unused = {"provider": "openai", "config": {"api_key": "unused"}}
    store = {"connection_string": url, "embedding_model_dims": dimension}
    memory = Memory.from_config(
        {
            "llm": unused,
            "embedder": unused,
            "vector_store": {"provider": "pgvector", "config": store},
            "history_db_path": str(folder / "history.db"),
        }
    )
    memory.embedding_model = Known(embed)
    return Mem0(memory)
