"""pgbouncer in front of the test's server, giving each transaction another connection."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

# Debian keeps it where an ordinary user's path doesn't look.
PGBOUNCER = shutil.which("pgbouncer", path=os.pathsep.join([*os.get_exec_path(), "/usr/sbin"]))

CONFIGURATION = """
[databases]
* = {target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 2
logfile = {folder}/log
"""


@dataclass(frozen=True)
class Pooler:
    """Where it listens; every database of the server is to be had there, under its name."""

    port: int

    def dsn(self, direct: str) -> str:
        """The way to the database of `direct` through the pooler."""
        database = conninfo_to_dict(direct)["dbname"]
        return make_conninfo(host="127.0.0.1", port=self.port, dbname=database, user="postgres")


@contextmanager
def pooling(program: str, dsn: str) -> Iterator[Pooler]:
    """A pooler with two connections a database, until the end of the block."""
    parts = conninfo_to_dict(dsn)
    named = {key: parts[key] for key in ("host", "port", "user") if key in parts}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with TemporaryDirectory(prefix="pgrecall-") as name:
        folder = Path(name)
        target = " ".join(f"{key}={value}" for key, value in named.items())
        (folder / "users.txt").write_text('"postgres" ""\n')
        text = CONFIGURATION.format(target=target, port=port, folder=folder)
        (folder / "pgbouncer.ini").write_text(text)
        options = ["-q", *_account(folder, str(parts["host"]))]
        server = subprocess.Popen([program, *options, f"{name}/pgbouncer.ini"])
        pooler = Pooler(port)
        try:
            # Not for the template, which nobody may be connected to.
            _wait_for(pooler.dsn("dbname=postgres"))
            yield pooler
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
