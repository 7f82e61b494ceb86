"""From the process into the table: nothing is lost in order, little in a crash, nothing twice."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrecall import AsyncMemory, Memory, Settings
from pgrecall.testing import HashingEmbedder
from tests.abilities import stores_vectors
from tests.statistics.conftest import Counts

Client = Callable[..., Memory]
Program = Callable[..., "subprocess.Popen[str]"]


def test_every_operation_is_counted_once(client: Client, counts: Counts) -> None:
    with client() as memory:
        first = memory.remember("Tea is green.", slot="tea/colour")
        memory.remember("Tea is white.", slot="tea/colour")
        memory.remember(["Milk is white.", "Milk is white.", "Coffee is black."])
        memory.update(first.id, importance=0.9)
        memory.context("one").append("How do you do?")
        memory.recall("milk")
        memory.recall("zebra", kinds=["event"])
        memory.forget(memory.remember("Salt.").id, dry_run=True)
        memory.forget(memory.recall("coffee")[0].id)
        memory.erase(memory.remember("Pepper.").id)
        assert counts.rows() == []
    [row] = counts.rows()
    expected = {
        "added": 7, "duplicates": 1, "superseded": 1, "updated": 1, "forgotten": 1, "erased": 1,
        "recalls": 3, "empty_recalls": 1,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert sum(row["latencies"]) == 3


def test_an_erased_agent_does_not_come_back(client: Client, counts: Counts) -> None:
    with client() as memory:
        memory.remember("Tea is green.")
        memory.stats()
        memory.recall("tea")
        memory.erase(agent_id="default")
    assert counts.rows() == []


def test_tokens_are_counted(client: Client, counts: Counts, has_vectors: bool) -> None:
    with client() as memory:
        memory.remember("x" * 400)
        memory.recall("y" * 40)
    assert counts.sum("embedding_tokens") == (100 if has_vectors else 0)
    assert counts.sum("query_tokens") == (10 if has_vectors else 0)


def test_threads_clients_and_processes_add_up(
    client: Client, program: Program, counts: Counts
) -> None:
    code = "with memory:\n    for n in range(20): memory.recall(str(n))"
    others = [program(code, 0.05) for _ in range(2)]
    with client(0.02) as one, client() as two:

        def work(memory: Memory) -> None:
            for number in range(25):
                memory.recall(str(number))

        threads = [threading.Thread(target=work, args=(m,)) for m in (one, one, two, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [other.wait() for other in others] == [0, 0]
    assert counts.sum("recalls") == counts.sum("empty_recalls") == 4 * 25 + 2 * 20
    assert sum(sum(row["latencies"]) for row in counts.rows()) == 140


def test_the_background_brings_what_waits(client: Client, counts: Counts) -> None:
    with client(0.05) as memory:
        memory.recall("tea")
        counts.reach("recalls", 1)
        memory.recall("tea")
        counts.reach("recalls", 2)


async def test_the_async_client_brings_it_too(pgrecall_dsn: str, counts: Counts) -> None:
    options = {"embedder": HashingEmbedder()}
    for seconds in (3600.0, 0.05):
        settings = Settings(stats_interval=seconds)
        async with AsyncMemory(pgrecall_dsn, settings=settings, **options) as memory:
            await memory.recall("tea")
            if seconds < 1:
                deadline = time.monotonic() + 60
                while (await memory.stats()).total.recalls < 2:
                    assert time.monotonic() < deadline
            await memory.remember("Tea.")
    assert counts.sum("recalls") == 2
    assert counts.sum("added") == 1


def test_a_process_that_ends_without_closing_loses_nothing(
    program: Program, counts: Counts
) -> None:
    process = program("for n in range(7): memory.remember(str(n) + ' apples')")
    assert process.wait() == 0
    assert counts.sum("added") == 7


def test_a_fork_brings_nothing_twice(program: Program, counts: Counts) -> None:
    code = (
        "import os, sys\n"
        "memory.recall('tea')\n"
        "child = os.fork()\n"
        "if child == 0: sys.exit(0)\n"
        "os.waitpid(child, 0)"
    )
    assert program(code).wait() == 0
    assert counts.sum("recalls") == 1


def test_a_killed_process_loses_at_most_the_window(program: Program, counts: Counts) -> None:
    code = "n = 0\nwhile True:\n    memory.recall('tea'); n += 1\n    print(n, flush=True)"
    process = program(code, 0.5)
    assert process.stdout is not None
    noted = [int(process.stdout.readline()) for _ in range(100)]
    began = time.monotonic()
    reader = threading.Thread(target=lambda: noted.extend(map(int, process.stdout or ())))
    reader.start()
    # Each count is in the table after the interval, while more of them come in.
    for _ in range(3):
        counts.reach("recalls", noted[-1])
    written_after = (time.monotonic() - began) / 3
    process.send_signal(signal.SIGKILL)
    process.wait()
    reader.join()
    assert 100 < counts.sum("recalls") <= noted[-1] + 1
    assert written_after < 0.5 + 10, "the interval, and time for a machine that is busy"


def test_recall_writes_nothing_and_needs_no_right_to(
    client: Client, pgrecall_dsn: str, counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    with client() as memory:
        memory.remember("Tea is green.")
    replica = make_conninfo(pgrecall_dsn, options="-c default_transaction_read_only=on")
    with Memory(replica, embedder=HashingEmbedder()) as memory:
        assert memory.recall("tea")[0].content == "Tea is green."
        assert memory.stats().total.recalls == 0
        caplog.set_level(logging.WARNING)
    assert counts.sum("recalls") == 0
    assert "could not be written" in caplog.text


def test_counts_wait_for_a_table_that_is_locked(pgrecall_dsn: str, counts: Counts) -> None:
    settings = Settings(stats_interval=0.02, statement_timeout=0.2)
    with Memory(pgrecall_dsn, embedder=None, settings=settings) as memory:
        memory.recall("tea")
        memory.stats()
        with psycopg.connect(pgrecall_dsn) as connection:
            connection.execute("lock table agent_memory_stats in access exclusive mode")
            for _ in range(3):
                memory.recall("tea")
                time.sleep(0.3)
        counts.reach("recalls", 4)
    assert counts.sum("recalls") == 4


def test_a_dead_server_does_not_hold_up_the_end(
    client: Client, pgrecall_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    memory = client()
    memory.recall("tea")
    database = conninfo_to_dict(pgrecall_dsn)["dbname"]
    allow = f'alter database "{database}" allow_connections '
    elsewhere = make_conninfo(pgrecall_dsn, dbname="postgres")
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute(f"{allow} false".encode())
        try:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                (database,),
            )
            began = time.monotonic()
            memory.close()
            assert time.monotonic() - began < 9
        finally:
            connection.execute(f"{allow} true".encode())
    # Whether the end of the connection was known before or after it was sent.
    assert re.search("counts of agent default (could not be written|may be lost)", caplog.text)


def test_counting_can_be_switched_off(client: Client, counts: Counts) -> None:
    with client(0) as memory:
        memory.remember("Tea.")
        memory.recall("tea")
    assert counts.rows() == []


@pytest.fixture
def has_vectors(pgrecall_dsn: str) -> bool:
    return stores_vectors(pgrecall_dsn)
