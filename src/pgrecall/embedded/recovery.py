"""Run a server on a base backup until it has recovered, in a home of its own."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pgrecall.embedded import leftovers
from pgrecall.embedded.access import let_in
from pgrecall.embedded.account import Account, account_for
from pgrecall.embedded.command import run as run_program
from pgrecall.embedded.command import run_command
from pgrecall.embedded.failures import directory_errors, start_error
from pgrecall.embedded.folders import make_home, make_private, opened, write_text
from pgrecall.embedded.launch import Run, launch
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.lease import DECISION_SECONDS
from pgrecall.embedded.locks import holding
from pgrecall.embedded.probe import conninfo, ensure_database
from pgrecall.embedded.server import Server
from pgrecall.errors import ServerStartError


def clear_away(layout: Layout) -> None:
    """Stop what an interrupted recovery left running in its home, and remove all of it."""
    if not layout.home.is_dir():
        return
    server = Server.of(layout)
    with directory_errors(layout.home):
        with holding(layout.start_lock, DECISION_SECONDS):
            server.stop()
            leftovers.clear(layout, server.account, server.socket_directory)
        shutil.rmtree(layout.home)


def copy_base(layout: Layout, base: Path) -> None:
    """Make a home whose data directory is a copy of a base backup, compared with its checksums.

    Raises ServerStartError if it is not what was backed up.
    """
    make_home(layout.home)
    owner = layout.home.parent.stat()
    if os.geteuid() == 0:
        os.chown(layout.home, owner.st_uid, owner.st_gid)
    account = account_for(layout.home)
    make_private(layout.data, account)
    let_in(account, [layout.data, base])
    copied = run_command(account, ["cp", "-a", f"{base}/.", str(layout.data)])
    if copied.code != 0:
        raise start_error(layout.home, "The base backup can't be copied", copied.output)
    verified = run_program(account, "pg_verifybackup", "--quiet", str(layout.data))
    if verified.code != 0:
        raise ServerStartError(
            f"The base backup {base.parent} is damaged: {verified.output.strip()[-1000:]}",
            hint="Move it away: recovery then begins with an older one.",
        )
    with opened(layout.data) as data:
        write_text(data, "recovery.signal", "", account)


@contextmanager
def recovered(layout: Layout, options: Mapping[str, str]) -> Iterator[str]:
    """The connection string of the server once it has recovered; stopped again afterwards.

    Raises ServerStartError, with its last words, if it can't recover.
    """
    # However long the log is that it reads; "standby" is before its end.
    with running(layout, Run(options, patience=math.inf, states=frozenset({"ready"}))) as dsn:
        yield dsn


@contextmanager
def running(layout: Layout, run: Run) -> Iterator[str]:
    """The connection string of a server that nobody else joins; stopped again afterwards.

    Raises ServerStartError, with its last words, if it does not come up.
    """
    server = Server.of(layout)
    with directory_errors(layout.home), holding(layout.start_lock, DECISION_SECONDS):
        place = server.socket_directory
        try:
            launch(layout, server.account, place, run=run)
            ensure_database(place, server.account)
            yield conninfo(place)
        finally:
            server.stop()


def check_pages(layout: Layout) -> None:
    """Compare every page of a stopped server's data with its checksum; ServerStartError if bad."""
    done = run_program(account_for(layout.home), "pg_checksums", "--check", str(layout.data))
    if done.code != 0:
        raise start_error(layout.home, "What was recovered is damaged", done.output)


def file_later(layout: Layout, name: str) -> None:
    """Have a file of the log, written while nothing was filed away, filed away later."""
    account: Account = account_for(layout.home)
    with opened(layout.data / "pg_wal" / "archive_status") as folder:
        write_text(folder, f"{name}.ready", "", account)
