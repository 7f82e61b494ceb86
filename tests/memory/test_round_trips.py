"""How often a call goes to the server and back: a recall once."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrecall import Memory, Settings
from pgrecall.testing import HashingEmbedder


class Proxy:
    """Passes bytes on, and counts how often the client speaks after the server did."""

    def __init__(self, target: socket.SocketType, address: object) -> None:
        self.turns = 0
        self._family, self._address = target.family, address
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.socket(self._family)
        server.connect(self._address)
        is_clients_turn = True
        with client, server, contextlib.suppress(OSError):
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(1 << 20)
                    if not data:
                        return
                    self.turns += ready is client and is_clients_turn
                    is_clients_turn = ready is server
                    (server if ready is client else client).sendall(data)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def proxy(shared_dsn: str) -> Iterator[Proxy]:
    parts = conninfo_to_dict(shared_dsn)
    host, port = str(parts["host"]), int(str(parts.get("port", 5432)))
    if host.startswith("/"):
        target, address = socket.socket(socket.AF_UNIX), f"{host}/.s.PGSQL.{port}"
    else:
        target, address = socket.socket(), (host, port)
    proxy = Proxy(target, address)
    yield proxy
    proxy.close()


def turns_of(proxy: Proxy, dsn: str, organization: str, *, pipeline: bool) -> list[int]:
    through = make_conninfo(dsn, host="127.0.0.1", port=proxy.port, sslmode="disable")
    settings, counts = Settings(pipeline=pipeline), []
    with Memory(
        through, organization=organization, embedder=HashingEmbedder(), settings=settings
    ) as memory:
        memory.recall("warm")
        for call in (
            lambda: memory.recall("tea"),
            lambda: memory.remember("Tea."),
            lambda: memory.list(),
            lambda: memory.remember([f"Tea {n}" for n in range(2000)]),
        ):
            before = proxy.turns
            call()
            counts.append(proxy.turns - before)
    return counts


def test_a_recall_is_one_round_trip(proxy: Proxy, shared_dsn: str, organization: str) -> None:
    recall, remember, listing, many = turns_of(proxy, shared_dsn, organization, pipeline=True)
    assert (recall, remember, listing) == (1, 1, 1)
    assert many <= 5


def test_without_pipelines_it_is_more(proxy: Proxy, shared_dsn: str, organization: str) -> None:
    recall, *_ = turns_of(proxy, shared_dsn, organization, pipeline=False)
    assert recall == 5
