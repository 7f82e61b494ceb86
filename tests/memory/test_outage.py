"""A server that is away for a while, longer than any pause between two tries."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrecall import AsyncMemory, Memory, Settings
from pgrecall.errors import DatabaseUnavailableError, PgRecallError

SOON_SECONDS = 1.0


class Relay:
    """A way to the server that can be taken away: its connections end, and it refuses new ones."""

    def __init__(self, dsn: str) -> None:
        parts = conninfo_to_dict(dsn)
        self._target = f"{parts['host']}/.s.PGSQL.{parts['port']}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.dsn = make_conninfo(dsn, host="127.0.0.1", port=self.port, sslmode="disable")
        self._open: list[socket.socket] = []
        self._listening: socket.socket | None = None

    def start(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def stop(self) -> None:
        assert self._listening is not None
        listening, self._listening = self._listening, None
        for each in (listening, *self._open):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                each.close()
        self._open.clear()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                here, _ = listening.accept()
            except OSError:
                return
            there = socket.socket(socket.AF_UNIX)
            there.connect(self._target)
            self._open += [here, there]
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _copy(self, one: socket.socket, other: socket.socket) -> None:
        with closing(one), closing(other):
            try:
                while heard := one.recv(65536):
                    other.sendall(heard)
                other.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


@pytest.fixture
def relay(pgrecall_dsn: str) -> Iterator[Relay]:
    if not str(conninfo_to_dict(pgrecall_dsn).get("host", "")).startswith("/"):
        pytest.skip("the server is not reached by a socket of this machine")
    relay = Relay(pgrecall_dsn)
    relay.start()
    yield relay
    if relay._listening is not None:
        relay.stop()


def test_the_first_call_after_an_outage_succeeds(relay: Relay) -> None:
    settings = Settings(pool_timeout=0.5)
    with Memory(relay.dsn, embedder=None, settings=settings) as memory:
        database, _ = memory.open()._store.open()
        with database.link.connection(), database.link.connection(), database.link.connection():
            memory.remember("Tea.")
        relay.stop()
        # As many failures as made psycopg's pool wait for a minute and more between two tries.
        for _ in range(8):
            with pytest.raises(DatabaseUnavailableError):
                memory.recall("tea")
        relay.start()
        began = time.monotonic()
        assert len(memory.recall("tea")) == 1
        assert time.monotonic() - began < SOON_SECONDS
        assert memory.remember("More tea.").status == "added"


def test_a_write_is_the_first_call_too(relay: Relay) -> None:
    with Memory(relay.dsn, embedder=None) as memory:
        memory.remember("Tea.")
        relay.stop()
        relay.start()
        assert memory.remember("More tea.").status == "added"


def test_a_call_waits_for_a_server_that_is_just_starting_again(relay: Relay) -> None:
    with Memory(relay.dsn, embedder=None) as memory:
        memory.remember("Tea.")
        relay.stop()
        answers: list[int] = []
        waiting = threading.Thread(target=lambda: answers.append(len(memory.recall("tea"))))
        waiting.start()
        database, _ = memory._store.open()
        pool = database.link._pool
        assert pool is not None
        while pool.stats().get("connections_errors", 0) < 2:
            time.sleep(0.001)
        relay.start()
        waiting.join()
    assert answers == [1]


async def test_asynchronous_ones_too(relay: Relay) -> None:
    settings = Settings(pool_timeout=0.5)
    async with AsyncMemory(relay.dsn, embedder=None, settings=settings) as memory:
        await memory.remember("Tea.")
        await asyncio.gather(*[memory.recall("tea") for _ in range(5)])
        relay.stop()
        for _ in range(3):
            with pytest.raises(DatabaseUnavailableError):
                await memory.recall("tea")
        relay.start()
        began = time.monotonic()
        assert len(await memory.recall("tea")) == 1
        assert time.monotonic() - began < SOON_SECONDS


PROGRAM = """
import sys
from pgrecall import Memory, Settings
from pgrecall.errors import PgRecallError

with Memory(sys.argv[1], embedder=None, settings=Settings(pool_timeout=0.2)) as memory:
    memory.remember("Tea.")
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(3):
        try:
            memory.recall("tea")
        except PgRecallError as error:
            print(error.code, flush=True)
    print("over", flush=True)
    sys.stdin.readline()
    memory.recall("tea")
"""


def test_nothing_is_printed(relay: Relay) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, relay.dsn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None and program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        relay.stop()
        program.stdin.write("\n")
        program.stdin.flush()
        told = [program.stdout.readline().strip() for _ in range(4)]
        relay.start()
        _, printed = program.communicate("\n", timeout=60)
    assert (program.returncode, printed) == (0, "")
    assert told == [DatabaseUnavailableError.code] * 3 + ["over"]
    assert issubclass(DatabaseUnavailableError, PgRecallError)
