"""Memories that were used, and then inherited by forked processes."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any

import pytest

from pgrecall import AsyncMemory, Memory, Settings
from pgrecall import forks as forks_of_process
from pgrecall.embedding.local import LocalEmbedder
from pgrecall.errors import DatabaseUnavailableError
from pgrecall.testing import HashingEmbedder
from tests.memory.forks import fork

USERS = [f"user {number}" for number in range(4)]
CALLS = 40


def texts(user: str) -> list[str]:
    return [f"{user} drinks tea {turn}." for turn in range(5)]


@pytest.fixture
def memory(shared_dsn: str, organization: str) -> Iterator[Memory]:
    """One that is open and holds memories of each user."""
    with Memory(shared_dsn, organization=organization, embedder=HashingEmbedder()) as memory:
        for user in USERS:
            memory.remember(texts(user), user_id=user)
        yield memory


def foreign_rows(memory: Memory, user: str) -> list[str]:
    """What is answered to a user that is not theirs; or `nothing`, where that lacks."""
    found = []
    for _ in range(CALLS):
        hits = memory.recall("tea", user_id=user)
        found += [hit.content for hit in hits if hit.content not in texts(user)]
        found += [] if len(hits) == 5 else ["nothing"]
    return found


def asked_in_worker(memory: Memory, user: str, answers: SimpleQueue[list[str]]) -> None:
    answers.put(foreign_rows(memory, user))


def test_workers_never_get_each_others_rows(memory: Memory) -> None:
    children = [fork(lambda user=user: foreign_rows(memory, user)) for user in USERS]
    own = foreign_rows(memory, USERS[0])
    assert [child.answer() for child in children] == [[]] * len(USERS)
    assert own == foreign_rows(memory, USERS[1]) == []


def test_nor_do_those_of_multiprocessing(memory: Memory) -> None:
    context = multiprocessing.get_context("fork")
    answers: SimpleQueue[list[str]] = context.SimpleQueue()
    workers = [
        context.Process(target=asked_in_worker, args=(memory, user, answers)) for user in USERS
    ]
    for worker in workers:
        worker.start()
    assert [answers.get() for _ in workers] == [[]] * len(USERS)
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0


def test_grandchildren_too(memory: Memory) -> None:
    def in_child() -> list[Any]:
        own = foreign_rows(memory, USERS[1])
        other = fork(lambda: foreign_rows(memory, USERS[2]))
        return [own, foreign_rows(memory, USERS[1]), other.answer()]

    assert fork(in_child).answer() == [[], [], []]


def test_asynchronous_memories_are_inherited_too(shared_dsn: str, organization: str) -> None:
    memory = AsyncMemory(shared_dsn, organization=organization, embedder=HashingEmbedder())

    async def prepare() -> None:
        for user in USERS:
            await memory.remember(texts(user), user_id=user)

    async def ask(user: str) -> list[str]:
        found = []
        for _ in range(CALLS // 4):
            hits = await memory.recall("tea", user_id=user)
            found += [hit.content for hit in hits if hit.content not in texts(user)]
            found += [] if len(hits) == 5 else ["nothing"]
        return found

    with asyncio.Runner() as runner:
        runner.run(prepare())

        def in_child(user: str) -> list[str]:
            return asyncio.run(ask(user))

        children = [fork(lambda user=user: in_child(user)) for user in USERS]
        own = runner.run(ask(USERS[0]))
        assert [child.answer() for child in children] == [[]] * len(USERS)
        assert own == runner.run(ask(USERS[0])) == []
        runner.run(memory.close())


def backends(memory: Memory) -> set[int]:
    """The server's processes that the pool's connections belong to."""
    database, _ = memory._store.open()
    with contextlib.ExitStack() as held:
        taken = [held.enter_context(database.link.connection()) for _ in range(2)]
        return {connection.info.backend_pid for connection in taken}


def test_the_parents_connections_hear_nothing_of_the_child(memory: Memory) -> None:
    before = backends(memory)
    assert fork(memory.close).answer() is None
    assert backends(memory) == before


def test_the_child_holds_no_socket_of_its_parent(memory: Memory) -> None:
    backends(memory)

    def sockets() -> int:
        count = 0
        for each in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                count += str(each.readlink()).startswith("socket:")
        return count

    before = sockets()
    inherited = fork(sockets).answer()
    assert inherited <= before - 2


def test_a_connection_in_use_is_not_used_by_the_child(memory: Memory) -> None:
    export = memory.transfer.export()
    next(export)

    def in_child() -> list[str]:
        with pytest.raises(DatabaseUnavailableError):
            list(export)
        return foreign_rows(memory, USERS[3])

    assert fork(in_child).answer() == []
    assert len(list(export)) == 4 * 5 - 1


def test_counts_are_written_by_the_process_that_made_them(
    shared_dsn: str, organization: str
) -> None:
    settings = Settings(stats_interval=3600)
    with Memory(shared_dsn, organization=organization, embedder=None, settings=settings) as memory:
        for _ in range(3):
            memory.recall("tea")

        def in_child() -> int:
            memory.recall("tea")
            return memory.stats(by="total")[0].recalls

        assert fork(in_child).answer() == 1
        assert memory.stats(by="total")[0].recalls == 4


def test_locks_that_others_held_when_it_was_forked_are_new(memory: Memory) -> None:
    """Other threads are in the midst of everything while the process forks."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            memory.recall("tea", user_id=USERS[0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(25):
            assert fork(lambda: foreign_rows(memory, USERS[1])[:1]).answer() == []
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def test_an_embedder_whose_lock_was_held_embeds_in_the_child() -> None:
    embedder = LocalEmbedder()
    with embedder._lock:
        child = fork(lambda: embedder.embed_query("tea").shape[0])
    assert child.answer() == 384


PRELOADING = """
import json, os, socket, sys
from pgrecall import Memory

dsn, organization = sys.argv[1:]
memory = Memory(dsn, organization=organization, embedder=None)
for number in range(4):
    memory.remember(f"I am user {number}.", user_id=f"user {number}")

listening = socket.create_server(("127.0.0.1", 0))
workers = []
for _ in range(4):
    if (worker := os.fork()) == 0:
        while True:
            conversation, _ = listening.accept()
            user = conversation.recv(100).decode()
            if not user:
                os._exit(0)
            hits = memory.recall("user", user_id=user)
            conversation.sendall(json.dumps([hit.content for hit in hits]).encode())
            conversation.close()
    workers.append(worker)
print(listening.getsockname()[1], flush=True)
sys.stdin.read()
for worker in workers:
    os.kill(worker, 9)
"""


def test_a_preloading_server_answers_each_with_its_own(shared_dsn: str, organization: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PRELOADING, shared_dsn, organization],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None and server.stderr is not None and server.stdin is not None
        port = int(server.stdout.readline())
        foreign: list[str] = []

        def ask(number: int) -> None:
            for _ in range(50):
                with socket.create_connection(("127.0.0.1", port), timeout=30) as conversation:
                    conversation.sendall(f"user {number}".encode())
                    told = conversation.recv(65536).decode()
                if told != f'["I am user {number}."]':
                    foreign.append(told)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        server.stdin.close()
        assert server.stderr.read() == ""
    assert foreign == []


def test_one_that_fails_to_begin_anew_keeps_no_other_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Failing:
        def after_fork(self) -> None:
            raise AttributeError

    class Renewed:
        renewed = 0

        def after_fork(self) -> None:
            self.renewed += 1

    every = [Failing(), Renewed(), Failing(), Renewed()]
    # Those of this process go on as they are.
    monkeypatch.setattr(forks_of_process, "_inherited", every)
    forks_of_process._renew_all()
    assert [each.renewed for each in every if isinstance(each, Renewed)] == [1, 1]
