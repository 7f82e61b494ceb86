"""What a killed server leaves: processes that still work, and its pid file.

A server's processes keep `server.lock` open, so the lock tells whether one of them lives: in any
container, whatever became of its pid, and as a zombie it holds nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from pgrecall.embedded.account import Account
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.locks import is_held
from pgrecall.embedded.polling import wait_until
from pgrecall.embedded.probe import PORT
from pgrecall.embedded.process import find_postmaster, list_processes
from pgrecall.errors import ServerStartError

PATIENCE_SECONDS = 1.0


def has_processes(layout: Layout) -> bool:
    """Whether any process of a server that pgrecall started is alive."""
    return is_held(layout.server_lock)


def await_postmaster(layout: Layout) -> int | None:
    """The pid of the living server; one that has just been started shows itself in moments."""
    found: int | None = None

    def is_decided() -> bool:
        nonlocal found
        found = find_postmaster(layout)
        return found is not None or not has_processes(layout)

    wait_until(PATIENCE_SECONDS, is_decided)
    return found


def clear(layout: Layout, account: Account, socket_directory: Path) -> None:
    """Make way for a new server where no postmaster lives any more.

    Raises ServerStartError when processes of the old one stay.
    """
    if has_processes(layout):
        are_told = end_processes(layout, account)
        if not wait_until(PATIENCE_SECONDS * are_told, lambda: not has_processes(layout)):
            raise leftovers_error(layout, account)
    # PostgreSQL reads these files by itself, but would take another program, or a zombie, that
    # has the pid in them for a server.
    socket_files = (f".s.PGSQL.{PORT}.lock", f".s.PGSQL.{PORT}")
    left = [layout.postmaster_pid, *(socket_directory / name for name in socket_files)]
    if any(os.path.lexists(file) for file in left) and not list_processes(layout, account):
        for file in left:
            file.unlink(missing_ok=True)


def end_processes(layout: Layout, account: Account) -> bool:
    """Tell all processes of this data directory to end at once, as their postmaster would.

    Returns whether there are any that can be seen from here.
    """
    pids = list_processes(layout, account)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
    return bool(pids)


def leftovers_error(layout: Layout, account: Account) -> ServerStartError:
    """The error about processes that stand in the way."""
    pids = ", ".join(map(str, list_processes(layout, account))) or "not visible from here"
    return ServerStartError(
        f"Processes of an earlier server still work on {layout.data}: {pids}.",
        hint="End them (they may run in another container), then try again.",
    )
