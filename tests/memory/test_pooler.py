"""Behind a pooler that gives each transaction another connection; skipped without pgbouncer."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrecall import Memory
from pgrecall.testing import HashingEmbedder

PGBOUNCER = shutil.which("pgbouncer")
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed")


@pytest.fixture
def pooled(pgrecall_dsn: str) -> Iterator[str]:
    """The test's database through a pooler with two connections, shared by transaction."""
    parts = conninfo_to_dict(pgrecall_dsn)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with TemporaryDirectory(prefix="pgrecall-") as name:
        folder = Path(name)
        (folder / "users.txt").write_text('"postgres" ""\n')
        target = " ".join(f"{key}={value}" for key, value in parts.items() if key != "password")
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\npooled = {target}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            f"auth_file = {folder}/users.txt\npool_mode = transaction\ndefault_pool_size = 2\n"
            f"logfile = {folder}/log\n"
        )
        server = subprocess.Popen(
            [str(PGBOUNCER), "-q", *_account(folder, str(parts["host"])), f"{name}/pgbouncer.ini"]
        )
        dsn = make_conninfo(host="127.0.0.1", port=port, dbname="pooled", user="postgres")
        try:
            _wait_for(dsn)
            yield dsn
        finally:
            server.terminate()
            server.wait()


def _account(folder: Path, host: str) -> list[str]:
    """As root, the account that owns the server's socket: pgbouncer refuses to run as root."""
    if os.getuid() != 0:
        return []
    owner = pwd.getpwuid(Path(host).stat().st_uid).pw_name if host.startswith("/") else "nobody"
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, owner)
    return ["-u", owner]


def _wait_for(dsn: str) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            psycopg.connect(dsn, autocommit=True, prepare_threshold=None).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def write_and_read(dsn: str, organization: str, heard: dict[str, set[str]]) -> None:
    with Memory(dsn, organization=organization, embedder=HashingEmbedder()) as memory:
        for turn in range(20):
            memory.remember(f"{organization} drank tea {turn}.")
            heard[organization] |= {hit.content for hit in memory.recall("tea", limit=1000)}


def test_nobody_gets_anothers_identity(pooled: str) -> None:
    names = [f"organization {number}" for number in range(6)]
    heard: dict[str, set[str]] = {name: set() for name in names}
    threads = [
        threading.Thread(target=write_and_read, args=(pooled, name, heard)) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {name: {f"{name} drank tea {turn}." for turn in range(20)} for name in names}
    with psycopg.connect(pooled, autocommit=True, prepare_threshold=None) as connection:
        for _ in range(10):
            assert connection.execute("select current_user").fetchone() == ("postgres",)
