"""Who shares a server, and when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import psycopg
import pytest

from pgrecall import embedded

JOIN_AND_WAIT = """
import sys
from pathlib import Path
from pgrecall import embedded
lease = embedded.join(Path(sys.argv[1]))
print(lease.started, embedded.status(lease.home).pid, flush=True)
sys.stdin.readline()
"""


def is_running(home: Path) -> bool:
    return embedded.status(home).is_running


def test_first_lease_starts_and_last_release_stops(home, query):
    first, second = embedded.join(home), embedded.join(home)
    assert (first.started, second.started) == (True, False)
    assert first.dsn == second.dsn
    assert (
        query(first.dsn, "select current_database() || '/' || current_user") == "pgrecall/postgres"
    )
    first.release()
    first.release()
    assert is_running(home)
    second.release()
    assert not is_running(home)
    assert embedded.status(home).pid is None


def test_a_lease_is_a_context(home):
    with embedded.join(home) as lease:
        assert lease.started
        assert 0 < lease.seconds < 30
    assert not is_running(home)


def test_a_new_home_is_ready_for_text_beyond_ascii(new_home, query):
    with embedded.join(new_home) as lease:
        assert query(lease.dsn, "select lower('ÀÉ ДЖ')") == "àé дж"
        found = query(lease.dsn, "select to_tsvector('simple', '“Café” — «été»')::text")
        assert found == "'café':1 'été':2"
        assert query(lease.dsn, "select 1 from pg_available_extensions where name = 'vector'") == 1


def test_two_processes_share_one_new_server(new_home, python):
    processes = [python(JOIN_AND_WAIT, new_home) for _ in range(2)]
    lines = [process.stdout.readline().split() for process in processes]
    assert sorted(line[0] for line in lines) == ["False", "True"]
    assert len({line[1] for line in lines}) == 1
    processes[0].communicate("\n")
    assert is_running(new_home)
    processes[1].communicate("\n")
    assert not is_running(new_home)


def test_many_threads_share_one_server(home, query):
    leases: list[embedded.ServerLease] = []
    threads = [
        threading.Thread(target=lambda: leases.append(embedded.join(home))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [lease.started for lease in leases].count(True) == 1
    for lease in leases:
        assert query(lease.dsn, "select 1") == 1
        lease.release()
    assert not is_running(home)


def test_a_killed_process_leaves_no_lease(home, python):
    process = python(JOIN_AND_WAIT, home)
    assert process.stdout.readline().startswith("True")
    lease = embedded.join(home)
    assert not lease.started
    process.kill()
    process.wait()
    assert is_running(home)
    lease.release()
    assert not is_running(home)


def test_the_server_of_a_killed_process_is_taken_over(home, python):
    process = python(JOIN_AND_WAIT, home)
    process.stdout.readline()
    process.kill()
    process.wait()
    status = embedded.status(home)
    assert (status.is_running, status.is_used) == (True, False)
    with embedded.join(home) as lease:
        assert not lease.started
    assert not is_running(home)


def test_a_process_that_ends_without_release_stops_the_server(home, python):
    process = python(JOIN_AND_WAIT, home)
    process.communicate("\n")
    assert process.returncode == 0
    assert not is_running(home)


def test_a_forked_child_has_a_lease_of_its_own(home):
    lease = embedded.join(home)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)
        lease.release()
        os._exit(0)
    os.close(reader)
    lease.release()
    was_running = is_running(home)
    os.close(writer)
    os.waitpid(child, 0)
    assert was_running
    assert not is_running(home)


def test_a_fork_while_a_thread_joins_holds_no_lock(home):
    thread = threading.Thread(target=lambda: embedded.join(home).release())
    thread.start()
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    try:
        thread.join()
        began = time.monotonic()
        with embedded.join(home):
            assert time.monotonic() - began < 5
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_an_interrupted_terminal_spares_the_server(home, python):
    process = python(
        f"signal.signal(signal.SIGINT, signal.SIG_IGN){JOIN_AND_WAIT}",
        home,
        start_new_session=True,
    )
    pid = int(process.stdout.readline().split()[1])
    assert os.getsid(pid) != os.getsid(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGHUP)
    process.wait(timeout=30)
    with embedded.join(home) as lease:
        assert not lease.started
        assert embedded.status(home).pid == pid


def test_an_interrupted_start_leaves_no_server(new_home, python):
    process = python(JOIN_AND_WAIT, new_home, stderr=subprocess.DEVNULL)
    while not list(new_home.glob("data.new-*")):
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    assert not (new_home / "data").exists()
    assert not list(new_home.glob("data.new-*"))
    assert embedded.status(new_home).pid is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PGHOST", "/nowhere"),
        ("PGHOSTADDR", "192.0.2.1"),
        ("PGPORT", "1"),
        ("PGUSER", "nobody"),
        ("PGDATABASE", "nothing"),
        ("PGSSLMODE", "require"),
        ("PGDATA", "/nowhere"),
    ],
)
def test_the_environment_of_other_clients_does_not_lead_elsewhere(
    home, query, name, value, monkeypatch
):
    monkeypatch.setenv(name, value)
    with embedded.join(home) as lease:
        assert lease.started
        assert query(lease.dsn, "select current_setting('port')") == "5432"
        assert query(lease.dsn, "select current_database()") == "pgrecall"


def test_a_dropped_database_is_made_anew(own_home, query):
    with embedded.join(own_home) as lease:
        query(lease.dsn.replace("dbname=pgrecall", "dbname=postgres"), "drop database pgrecall")
        with embedded.join(own_home) as again:
            assert query(again.dsn, "select current_database()") == "pgrecall"


def test_a_full_server_can_still_be_joined(home):
    with embedded.join(home) as lease:
        connections = []
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            while True:
                connections.append(psycopg.connect(lease.dsn))
        with embedded.join(home) as again:
            assert not again.started
        for connection in connections:
            connection.close()


def test_a_deleted_home_takes_its_server_along(own_home, await_end):
    lease = embedded.join(own_home)
    pid = embedded.status(own_home).pid
    subprocess.run(["rm", "-r", own_home], check=True)
    lease.release()
    await_end(pid)
