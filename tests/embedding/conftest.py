"""A small embeddings server over real HTTP, and the local model loaded once."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pgrecall.embedding.local import LocalEmbedder
from pgrecall.testing.embedder import HashingEmbedder

DIMENSION = 32
Answer = tuple[int, dict[str, str], str]


class EmbeddingServer:
    """Answers `/v1/embeddings` with hashed vectors, or with the next answer of `script`."""

    def __init__(self) -> None:
        self.dimension = DIMENSION
        self.script: deque[Callable[[dict[str, Any]], Answer]] = deque()
        self.requests: list[dict[str, Any]] = []
        self.released = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def close(self) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def entries(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        vectors = HashingEmbedder(self.dimension).embed(request["input"])
        return [
            {"object": "embedding", "index": index, "embedding": (3 * vector).tolist()}
            for index, vector in enumerate(vectors)
        ]

    def good(self, request: dict[str, Any]) -> Answer:
        return ok(self.entries(request))

    def answer(self, request: dict[str, Any]) -> Answer:
        self.requests.append(request)
        return (self.script.popleft() if self.script else self.good)(request)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                request = json.loads(self.rfile.read(size))
                request["path"] = self.path
                request["authorization"] = self.headers["Authorization"]
                status, headers, body = server.answer(request)
                try:
                    self._send(status, headers, body.encode())
                except ConnectionError:
                    self.close_connection = True

            def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def ok(entries: list[dict[str, Any]]) -> Answer:
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    body = {"object": "list", "data": entries, "model": "test", "usage": usage}
    return 200, {}, json.dumps(body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    running = EmbeddingServer()
    yield running
    running.close()


@pytest.fixture(scope="session")
def local() -> LocalEmbedder:
    return LocalEmbedder()
