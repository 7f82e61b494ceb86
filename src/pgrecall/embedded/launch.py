"""Bring a server up on a data directory that none works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pgrecall.embedded import data_directory, leftovers
from pgrecall.embedded.access import let_in, let_run
from pgrecall.embedded.account import Account
from pgrecall.embedded.binaries import binary, installation
from pgrecall.embedded.command import run_command
from pgrecall.embedded.failures import start_error
from pgrecall.embedded.folders import make_private
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.locks import FileLock
from pgrecall.embedded.log import ServerLog
from pgrecall.embedded.polling import wait_until
from pgrecall.embedded.process import read_pid_file
from pgrecall.errors import ServerStartError

RECOVERY_SECONDS = 60.0
# "&" leaves the server to init, so it is nobody's zombie here; it inherits the open server.lock.
_IN_BACKGROUND = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 &'


@dataclass(frozen=True)
class Run:
    """How a server runs: settings for this run alone, how many seconds it may recover, and in
    which states (as postmaster.pid calls them) it has come up."""

    options: Mapping[str, str]
    patience: float = RECOVERY_SECONDS
    states: frozenset[str] = frozenset({"ready", "standby"})


ORDINARY = Run({})


def launch(
    layout: Layout, account: Account, socket_directory: Path, *, run: Run = ORDINARY
) -> None:
    """Start the server and wait until it is ready, creating its database first if need be.

    Raises DataDirectoryError or ServerStartError with its last words when it gives up.
    """
    leftovers.clear(layout, account, socket_directory)
    let_run(account, installation())
    make_private(layout.log, account)
    make_private(socket_directory, account)
    let_in(account, (layout.log, socket_directory))
    data_directory.prepare(layout, account, socket_directory)
    log = ServerLog(layout.log_file, account)
    before = log.size()
    words = _spawn(layout, account, run)
    if not _await_ready(layout, run):
        what = "The embedded server did not start"
        raise start_error(layout.home, what, words + log.words_since(before))


def _spawn(layout: Layout, account: Account, run: Run) -> str:
    """Start the server in the background; return what kept it from that, if anything did."""
    lock = FileLock(layout.server_lock)
    try:
        if not lock.take():
            raise leftovers.leftovers_error(layout, account)
        in_background = ["/bin/sh", "-c", _IN_BACKGROUND, "sh", str(layout.log_file)]
        server = [str(binary("postgres")), "-D", str(layout.data)]
        options = [
            part for name, value in run.options.items() for part in ("-c", f"{name}={value}")
        ]
        command = in_background + server + options
        return run_command(account, command, pass_fds=[lock.descriptor]).output
    finally:
        lock.close()


def _await_ready(layout: Layout, run: Run) -> bool:
    """Wait until the server is ready; False when it ended instead."""

    def is_ready() -> bool:
        written = read_pid_file(layout)
        return written is not None and written.status in run.states

    def is_decided() -> bool:
        return is_ready() or not leftovers.has_processes(layout)

    if not wait_until(run.patience, is_decided):
        raise ServerStartError(
            f"The server of {layout.home} has not finished its recovery within "
            f"{run.patience:.0f} seconds; it goes on with it.",
            hint="Try again in a while.",
        )
    return is_ready() and leftovers.has_processes(layout)
