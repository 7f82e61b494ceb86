"""What `pgrecall server` does: start, stop, look, and open psql."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from pgrecall.embedded.binaries import require_platform
from pgrecall.embedded.data_directory import find_major
from pgrecall.embedded.failures import directory_errors
from pgrecall.embedded.folders import make_home
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.lease import DECISION_SECONDS, is_used
from pgrecall.embedded.locks import FileLock, holding, open_private
from pgrecall.embedded.probe import conninfo, find_version
from pgrecall.embedded.process import find_postmaster
from pgrecall.embedded.server import Server


@dataclass(frozen=True)
class ServerStatus:
    """The server of one home, as it is now.

    `version` is that of the running server, or the major version of the data; `is_kept` says
    that it runs without users too; `is_used` that some process holds a lease.
    """

    home: Path
    is_running: bool
    pid: int | None
    version: str | None
    dsn: str | None
    is_kept: bool
    is_used: bool
    data_directory: Path
    log_file: Path


def start(home: Path, keep: bool = True) -> ServerStatus:
    """Start the server; it runs until `stop`, or without `keep` until its next user leaves."""
    require_platform()
    layout = Layout.of(home)
    with directory_errors(layout.home):
        make_home(layout.home)
        server = Server.of(layout)
        with holding(layout.start_lock, DECISION_SECONDS):
            server.ensure_running()
            if keep:
                os.close(open_private(layout.kept))
            else:
                layout.kept.unlink(missing_ok=True)
    return status(layout.home)


def stop(home: Path) -> bool:
    """Stop the server, kept or not, even while others use it; return whether one ran."""
    require_platform()
    layout = Layout.of(home)
    if not layout.home.is_dir():
        return False
    with directory_errors(layout.home):
        server = Server.of(layout)
        with holding(layout.start_lock, DECISION_SECONDS):
            layout.kept.unlink(missing_ok=True)
            return server.stop()


def restart(home: Path) -> None:
    """Start the server anew, even while others use it, so that it reads all of its settings.

    It runs for as long as it would have: kept, or with its users.
    """
    require_platform()
    layout = Layout.of(home)
    with directory_errors(layout.home):
        server = Server.of(layout)
        with holding(layout.start_lock, DECISION_SECONDS):
            server.stop()
            server.ensure_running()


def status(home: Path) -> ServerStatus:
    """Look without starting, changing or waiting for anything."""
    require_platform()
    layout = Layout.of(home)
    with directory_errors(layout.home):
        has_home = layout.home.is_dir()
        socket = Server.of(layout).find_socket() if has_home else None
        return ServerStatus(
            home=layout.home,
            is_running=socket is not None,
            pid=find_postmaster(layout) if has_home else None,
            version=find_version(socket) if socket else find_major(layout.data),
            dsn=conninfo(socket) if socket else None,
            is_kept=layout.kept.exists(),
            is_used=has_home and _is_used_now(layout),
            data_directory=layout.data,
            log_file=layout.log_file,
        )


def psql_command(home: Path) -> list[str]:
    """The command that opens psql on the server; arguments added to it go to psql.

    It starts the server when it must, and holds a lease as long as psql runs.
    """
    require_platform()
    return [sys.executable, "-m", "pgrecall.embedded.psql", str(Layout.of(home).home)]


def _is_used_now(layout: Layout) -> bool:
    try:
        deciding = FileLock(layout.start_lock)
    except OSError:  # on a read-only file system nobody uses a server
        return False
    try:
        # Somebody who decides right now is a user; to look in between would disturb him.
        return not deciding.take() or is_used(layout)
    finally:
        deciding.close()
