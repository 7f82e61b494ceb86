"""LangGraph's PostgresStore with a vector index, a namespace per conversation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from langgraph.store.base import PutOp
from langgraph.store.postgres import PostgresStore


class LangGraph:
    def __init__(self, store: PostgresStore, stack: ExitStack) -> None:
        self._store = store
        self._stack = stack

    def prepare(self, scope: str) -> None:
        """A namespace comes to be with its first item."""

    def write(self, scope: str, messages: list[dict[str, Any]]) -> list[str]:
        """`put` for one; `batch` for several, its way to write them in one transaction."""
        puts = [PutOp((scope,), message["turn"], _value(message)) for message in messages]
        if len(puts) == 1:
            self._store.put(puts[0].namespace, puts[0].key, puts[0].value)
        else:
            self._store.batch(puts)
        return [_id(scope, put.key) for put in puts]

    def search(self, scope: str, query: str, limit: int) -> list[str]:
        items = self._store.search((scope,), query=query, limit=limit)
        return [_id(scope, item.key) for item in items]

    def close(self) -> None:
        self._stack.close()


def connect(url: str, embed: Callable[[str], Any], dimension: int, folder: Path) -> LangGraph:
    def embed_all(texts: list[str]) -> list[list[float]]:
        return [embed(text).tolist() for text in texts]

    index = {"dims": dimension, "embed": embed_all, "fields": ["content"]}
    stack = ExitStack()
    store = stack.enter_context(PostgresStore.from_conn_string(url, index=index))
    store.setup()
    return LangGraph(store, stack)


def _value(message: dict[str, Any]) -> dict[str, Any]:
    return {name: message[name] for name in ("role", "content", "session", "said_at")}


def _id(scope: str, key: str) -> str:
    return f"{scope} {key}"
