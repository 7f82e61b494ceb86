"""Killed servers, killed starters, and what they leave behind."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from pgrecall import embedded
from pgrecall.embedded.account import account_for
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.locks import FileLock
from pgrecall.embedded.process import list_processes
from pgrecall.errors import ServerStartError

JOIN = """
import sys
from pathlib import Path
from pgrecall import embedded
embedded.join(Path(sys.argv[1]))
"""


def postmasters(home: Path) -> list[int]:
    """The living servers of a home: processes of its data directory whose parent is not one."""
    pids = list_processes(Layout.of(home), account_for(home))
    parents = {pid: parent for pid in pids if (parent := find_parent(pid)) is not None}
    return [pid for pid, parent in parents.items() if parent not in parents]


def find_parent(pid: int) -> int | None:
    """The pid of the parent; None if the process, such as a worker of the server, just ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def as_owner(home: Path) -> dict[str, object]:
    return dict(account_for(home).identity)


def write_until_broken(dsn: str, number: int, acknowledged: list[int]) -> None:
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            while True:
                connection.execute("insert into numbers values (%s)", (number,))
                acknowledged.append(number)
                number += 1
    except psycopg.OperationalError:
        return


def test_kills_during_writes_lose_no_acknowledged_row(home, query, kill):
    lease, acknowledged = embedded.join(home), list[int]()
    query(lease.dsn, "create table numbers (number bigint primary key)")
    for round_ in range(3):
        first = round_ * 1_000_000
        writer = threading.Thread(target=write_until_broken, args=(lease.dsn, first, acknowledged))
        writer.start()
        time.sleep(0.15)
        kill(embedded.status(home).pid)
        writer.join()
        again = embedded.join(home)
        assert again.started
        again.release()
    with psycopg.connect(lease.dsn) as connection:
        stored = {number for (number,) in connection.execute("select number from numbers")}
    assert len(acknowledged) > 30
    assert not set(acknowledged) - stored
    lease.release()
    assert not postmasters(home)


def test_a_killed_server_is_restarted_in_the_same_process(home, query, kill):
    lease = embedded.join(home)
    kill(embedded.status(home).pid)
    assert not embedded.status(home).is_running
    again = embedded.join(home)
    assert again.started
    assert again.dsn == lease.dsn
    assert query(lease.dsn, "select 1") == 1
    lease.release()
    assert embedded.status(home).is_running
    again.release()
    assert not embedded.status(home).is_running


def test_busy_processes_of_a_killed_server_are_ended_first(home, query, kill):
    lease = embedded.join(home)
    connection = psycopg.connect(lease.dsn, autocommit=True)
    backend = connection.info.backend_pid
    connection.pgconn.send_query(b"select count(*) from generate_series(1, 1e11::bigint)")
    time.sleep(0.1)
    kill(embedded.status(home).pid)
    time.sleep(0.1)
    assert list_processes(Layout.of(home), account_for(home)) == [backend]
    with embedded.join(home) as again:
        assert again.started
        assert again.seconds < 6
        assert backend not in list_processes(Layout.of(home), account_for(home))
        assert query(again.dsn, "select 1") == 1
    connection.close()
    lease.release()


@pytest.mark.parametrize("content", ["", "4194304\n", "nonsense\n"])
def test_a_left_pid_file_is_no_obstacle(home, content):
    (home / "data" / "postmaster.pid").write_text(content)
    os.chown(home / "data" / "postmaster.pid", *owner_ids(home))
    with embedded.join(home) as lease:
        assert lease.started


def owner_ids(home: Path) -> tuple[int, int]:
    found = (home / "data").stat()
    return found.st_uid, found.st_gid


def test_a_pid_that_another_program_got_is_no_server(home):
    other = subprocess.Popen(["sleep", "60"], cwd="/", **as_owner(home))
    try:
        (home / "data" / "postmaster.pid").write_text(f"{other.pid}\n{home}/data\n1\n5432\n")
        os.chown(home / "data" / "postmaster.pid", *owner_ids(home))
        with embedded.join(home) as lease:
            assert lease.started
        assert embedded.stop(home) is False
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def start_by_hand(home: Path) -> subprocess.Popen[bytes]:
    """A server of this home that pgrecall did not start, and that is a child of ours."""
    embedded.join(home).release()
    server = subprocess.Popen(
        [embedded.binary("postgres"), "-D", home / "data"],
        cwd="/",
        stderr=subprocess.DEVNULL,
        **as_owner(home),
    )
    while not embedded.status(home).is_running:
        assert server.poll() is None
        time.sleep(0.01)
    return server


def test_a_zombie_is_not_a_server(home, kill):
    server = start_by_hand(home)
    kill(server.pid)
    assert (home / "data" / "postmaster.pid").read_text().startswith(str(server.pid))
    with embedded.join(home) as lease:
        assert lease.started
        assert postmasters(home) == [embedded.status(home).pid]
    server.wait()


def test_a_server_that_was_started_by_hand_is_joined(home):
    server = start_by_hand(home)
    with embedded.join(home) as lease:
        assert not lease.started
        assert postmasters(home) == [server.pid]
    assert server.wait() == 0


def test_a_server_out_of_sight_is_never_doubled(home):
    """As in another container: its processes hold the lock, but can't be seen from here."""
    layout = Layout.of(home)
    lock = FileLock(layout.server_lock)
    assert lock.take()
    with pytest.raises(ServerStartError, match="still work on"):
        embedded.join(home)
    lock.close()
    assert postmasters(home) == []
    with embedded.join(home) as lease:
        assert lease.started


def test_a_frozen_server_is_not_replaced(home):
    with embedded.join(home):
        pid = embedded.status(home).pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(ServerStartError, match=f"process {pid}.*does not answer"):
                embedded.join(home)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert postmasters(home) == [pid]


def test_a_process_that_is_gone_has_no_parent():
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert find_parent(gone.pid) is None


def test_a_starter_killed_early_leaves_no_half_database(new_home, python):
    starter = python(JOIN, new_home)
    while not list(new_home.glob("data.new-*/global")):
        time.sleep(0.001)
    starter.kill()
    starter.wait()
    assert not (new_home / "data").exists()
    with embedded.join(new_home) as lease:
        assert lease.started
    assert not list(new_home.glob("data.new-*"))


def test_the_server_of_a_starter_killed_late_is_joined_or_replaced(home, python, query):
    starter = python(JOIN, home)
    while not (home / "data" / "postmaster.pid").exists():
        time.sleep(0.0005)
    starter.kill()
    starter.wait()
    with embedded.join(home) as lease:
        assert len(postmasters(home)) == 1
        assert query(lease.dsn, "select 1") == 1
    assert postmasters(home) == []


WITHOUT_SIGHT = """
import os, signal, sys, time
from pathlib import Path
import psycopg
from pgrecall import embedded
home = Path(sys.argv[1])
first = embedded.join(home)
connection = psycopg.connect(first.dsn, autocommit=True)
connection.pgconn.send_query(b"select count(*) from generate_series(1, 1e11::bigint)")
time.sleep(0.1)
os.kill(embedded.status(home).pid, signal.SIGKILL)
second = embedded.join(home)
assert second.started
first.release()
assert embedded.status(home).pid
second.release()
assert embedded.status(home).pid is None
print("stopped")
"""


def test_root_of_a_container_sees_enough(home):
    """Without CAP_SYS_PTRACE, as in most containers, root can't look into others' processes."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root has capabilities to lose")
    command = ["setpriv", "--bounding-set=-sys_ptrace", sys.executable, "-c", WITHOUT_SIGHT, home]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "stopped\n"
    assert postmasters(home) == []


def test_the_server_runs_as_nobody_special(home):
    with embedded.join(home):
        pid = embedded.status(home).pid
        owner = pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name
        assert owner == ("pgrecall" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)


def test_the_server_gets_nothing_of_the_callers_environment(home, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret-of-another-service")
    monkeypatch.setenv("PGOPTIONS", "-c jit=on")
    with embedded.join(home):
        pid = embedded.status(home).pid
        command = ["cat", f"/proc/{pid}/environ"]
        variables = subprocess.run(
            command, stdout=subprocess.PIPE, check=True, cwd="/", **as_owner(home)
        ).stdout
    assert b"OPENAI_API_KEY" not in variables
    assert b"PGOPTIONS" not in variables
