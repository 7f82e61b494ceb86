"""Leases: the server runs while any process holds one, and the last one out stops it.

A process holds one shared lock on `users.lock` per home, however many leases it has. To leave,
it asks for the same lock exclusively: it gets it only when no other process is there.
"""

from __future__ import annotations

import atexit
import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pgrecall.embedded import leftovers
from pgrecall.embedded.binaries import require_platform
from pgrecall.embedded.failures import directory_errors
from pgrecall.embedded.folders import make_home
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.locks import FileLock, holding
from pgrecall.embedded.probe import conninfo
from pgrecall.embedded.server import Server
from pgrecall.embedded.shares import Share, drop, guard, shares
from pgrecall.errors import EmbeddedServerError

DECISION_SECONDS = 90.0
_LEAVING_SECONDS = 10.0


@dataclass(eq=False)
class ServerLease:
    """The right to use the server of `home` at `dsn`, until `release`.

    `started` says whether the server was started for it, `seconds` how long all of it took.
    """

    home: Path
    dsn: str = ""
    started: bool = False
    seconds: float = 0.0

    def release(self) -> None:
        """Give it back; with the last lease of the last process the server stops.

        Safe to repeat. Never raises: what can't be stopped now, the next one to leave stops.
        """
        with guard:
            share = shares.get(self.home)
            if share is not None and self in share.leases:
                share.leases.discard(self)
                _leave_if_last(share)

    def __enter__(self) -> ServerLease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def join(home: Path) -> ServerLease:
    """Use the server of `home`, and start it first where it does not run.

    Raises DataDirectoryError or ServerStartError, with the cure, when there can be no server.
    """
    require_platform()
    began = time.monotonic()
    layout = Layout.of(home)
    lease = ServerLease(layout.home)
    with guard, directory_errors(layout.home):
        make_home(layout.home)
        server = Server.of(layout)
        with holding(layout.start_lock, DECISION_SECONDS):
            share = _enter(server, lease)
            try:
                socket, lease.started = server.ensure_running()
            except BaseException as error:
                share.leases.discard(lease)
                # A server that gave its reason has ended, or goes on recovering by itself.
                _drop_if_last(share, stopping=not isinstance(error, EmbeddedServerError))
                raise
    lease.dsn, lease.seconds = conninfo(socket), time.monotonic() - began
    return lease


def is_used(layout: Layout) -> bool:
    """Whether any process holds a lease. The caller holds start.lock."""
    with guard:
        if layout.home in shares:
            return True
        lock = FileLock(layout.users_lock)
        try:
            return not lock.take()
        finally:
            lock.close()


def _enter(server: Server, lease: ServerLease) -> Share:
    share = shares.get(lease.home)
    if share is None or not share.lock.is_current():
        lock = FileLock(server.layout.users_lock)
        lock.take(shared=True)  # nobody holds it exclusively but under start.lock, which is ours
        if share is not None:
            share.lock.close()
        share = shares[lease.home] = Share(server, lock, share.leases if share else set())
    share.leases.add(lease)
    return share


def _leave_if_last(share: Share) -> None:
    if share.leases:
        return
    layout = share.server.layout
    try:
        with holding(layout.start_lock, _LEAVING_SECONDS):
            _drop_if_last(share)
    except FileNotFoundError:
        # The home was deleted, and the server in it is of no use to anybody.
        with contextlib.suppress(OSError, EmbeddedServerError):
            leftovers.end_processes(layout, share.server.account)
    except (OSError, EmbeddedServerError):
        pass
    drop(share)


def _drop_if_last(share: Share, *, stopping: bool = True) -> None:
    """Drop the share if no lease is left, and stop the server if no other process is there."""
    if share.leases:
        return
    try:
        is_alone = share.lock.is_current() and share.lock.take()
        if is_alone and stopping and not share.server.layout.kept.exists():
            with contextlib.suppress(EmbeddedServerError, OSError):
                share.server.stop()
    finally:
        drop(share)


def _release_all() -> None:
    with guard:
        for share in list(shares.values()):
            share.leases.clear()
            _leave_if_last(share)


atexit.register(_release_all)
