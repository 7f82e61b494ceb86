"""One memory system as a program: requests as JSON lines on stdin, answers on stdout.

    python -I serving.py ADAPTER.py URL VECTORS.npz FOLDER

Runs in the peer's own virtual environment, so it imports nothing of ours. The adapter has
`connect(url, embed, dimension, folder)`, which gives an object with

    prepare(scope)              what a scope needs before its first use
    write(scope, messages)      one call of the peer, committed; returns an id per message
    search(scope, query, limit) the ids found, best first

Only the last two are timed: not the JSON, not the pipe, not the looking up of vectors beyond what
a dictionary takes. A request is {"do", "scope", ...}; an answer holds "seconds" of every call.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np

Message = dict[str, Any]
Embed = Callable[[str], Any]


class Peer(Protocol):
    def prepare(self, scope: str) -> None: ...

    def write(self, scope: str, messages: list[Message]) -> list[str]: ...

    def search(self, scope: str, query: str, limit: int) -> list[str]: ...

    def close(self) -> None: ...


class Session:
    """Answers requests; knows which id of the peer's is which turn."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._turn_of: dict[str, str] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        does: dict[str, Callable[..., dict[str, Any]]] = {
            "prepare": self.prepare,
            "write": self.write,
            "write_each": self.write_each,
            "search": self.search,
        }
        return does[request.pop("do")](**request)

    def prepare(self, scope: str) -> dict[str, Any]:
        self._peer.prepare(scope)
        return {"seconds": []}

    def write(self, scope: str, messages: list[Message]) -> dict[str, Any]:
        """All messages in one call."""
        started = perf_counter()
        ids = self._peer.write(scope, messages)
        seconds = perf_counter() - started
        self._note(ids, messages)
        return {"seconds": [seconds]}

    def write_each(self, scope: str, messages: list[Message]) -> dict[str, Any]:
        """One call per message."""
        answers = [self.write(scope, [message]) for message in messages]
        return {"seconds": [answer["seconds"][0] for answer in answers]}

    def search(self, scope: str, query: str, limit: int) -> dict[str, Any]:
        started = perf_counter()
        found = self._peer.search(scope, query, limit)
        seconds = perf_counter() - started
        return {"seconds": [seconds], "turns": [self._turn_of[id_] for id_ in found]}

    def _note(self, ids: list[str], messages: list[Message]) -> None:
        if len(ids) != len(messages):
            raise RuntimeError(f"{len(messages)} messages were written, {len(ids)} ids came back")
        self._turn_of.update(zip(ids, (message["turn"] for message in messages), strict=True))


def key(text: str) -> str:
    """How a text is called in the file of vectors; mem0 trims what it is asked."""
    return hashlib.sha256(text.strip().encode()).hexdigest()


def main(adapter: str, url: str, vectors: str, folder: str) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a peer prints must not be taken for an answer
    sys.addaudithook(_refuse_network)
    peer = _connected(adapter, url, vectors, folder)
    session = Session(peer)
    _send(answers, {"ready": True})
    for line in sys.stdin:
        _send(answers, session.answer(json.loads(line)))
    peer.close()


def _connected(adapter: str, url: str, vectors: str, folder: str) -> Peer:
    with np.load(vectors) as stored:
        known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
    spec = importlib.util.spec_from_file_location("adapter", adapter)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dimension = len(next(iter(known.values())))
    peer: Peer = module.connect(url, lambda text: known[key(text)], dimension, Path(folder))
    return peer


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's own sockets may reach this machine only; the database is reached by libpq."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        raise ConnectionRefusedError(f"no network while peers are measured: {arguments[1]}")


def _send(answers: Any, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
