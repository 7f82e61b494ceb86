"""An issuer that publishes its keys by HTTP, on a good day and on bad ones."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.auth.signing import SigningKey, document

PATH = "/auth/v1/.well-known/jwks.json"


class Issuer(ThreadingHTTPServer):
    """What it answers can be changed at any time; `paths` are those it was asked for."""

    daemon_threads = True

    def __init__(self, *keys: SigningKey) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.paths: list[str] = []
        self.agents: list[str | None] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        self.pause_between_bytes = 0.0
        self.publish(*keys)

    def publish(self, *keys: SigningKey) -> None:
        self.body = json.dumps(document(*keys)).encode()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def jwks_url(self) -> str:
        return self.url + PATH

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what some tests are about."""


class _Answering(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        issuer = self.server
        issuer.paths.append(self.path)
        issuer.agents.append(self.headers["User-Agent"])
        time.sleep(issuer.delay)
        self.send_response(issuer.status)
        for name, value in issuer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if not issuer.pause_between_bytes:
            self.wfile.write(issuer.body)
            return
        for byte in issuer.body:
            self.wfile.write(bytes([byte]))
            time.sleep(issuer.pause_between_bytes)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def issuing(*keys: SigningKey) -> Iterator[Issuer]:
    with Issuer(*keys) as issuer:
        thread = threading.Thread(target=issuer.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield issuer
        finally:
            issuer.shutdown()
            thread.join()
