"""Leases: the server runs while any process holds one, and the last one out stops it.

A process holds one shared lock on `users.lock` per home, however many leases it has. To leave,
it asks for the same lock exclusively: it gets it only when no other process is there.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from dataclasses import dataclass, field
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
from pgrecall.errors import EmbeddedServerError

DECISION_SECONDS = 90.0


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
        with _guard:
            share = _shares.get(self.home)
            if share is not None and self in share.leases:
                share.leases.discard(self)
                _leave_if_last(Layout(self.home), share)

    def __enter__(self) -> ServerLease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


@dataclass
class _Share:
    """What this process holds of one home."""

    lock: FileLock
    leases: set[ServerLease] = field(default_factory=set)
    for_child: FileLock | None = None


_guard = threading.RLock()
_shares: dict[Path, _Share] = {}


def join(home: Path) -> ServerLease:
    """Use the server of `home`, and start it first where it does not run.

    Raises DataDirectoryError or ServerStartError, with the cure, when there can be no server.
    """
    require_platform()
    began = time.monotonic()
    layout = Layout.of(home)
    lease = ServerLease(layout.home)
    with _guard, directory_errors(layout.home):
        make_home(layout.home)
        server = Server.of(layout)
        with holding(layout.start_lock, DECISION_SECONDS):
            share = _enter(layout, lease)
            try:
                socket, lease.started = server.ensure_running()
            except BaseException as error:
                share.leases.discard(lease)
                # A server that gave its reason has ended, or goes on recovering by itself.
                _drop_if_last(layout, share, stopping=not isinstance(error, EmbeddedServerError))
                raise
    lease.dsn, lease.seconds = conninfo(socket), time.monotonic() - began
    return lease


def is_used(layout: Layout) -> bool:
    """Whether any process holds a lease. The caller holds start.lock."""
    with _guard:
        if layout.home in _shares:
            return True
        lock = FileLock(layout.users_lock)
        try:
            return not lock.take()
        finally:
            lock.close()


def _enter(layout: Layout, lease: ServerLease) -> _Share:
    share = _shares.get(layout.home)
    if share is None or not share.lock.is_current():
        lock = FileLock(layout.users_lock)
        lock.take(shared=True)  # nobody holds it exclusively but under start.lock, which is ours
        if share is not None:
            share.lock.close()
        share = _shares[layout.home] = _Share(lock, share.leases if share else set())
    share.leases.add(lease)
    return share


def _leave_if_last(layout: Layout, share: _Share) -> None:
    if share.leases:
        return
    try:
        with holding(layout.start_lock, DECISION_SECONDS):
            _drop_if_last(layout, share)
    except FileNotFoundError:
        # The home was deleted, and the server in it is of no use to anybody.
        leftovers.end_processes(layout)
    except (OSError, EmbeddedServerError):
        pass
    _drop(layout, share)


def _drop_if_last(layout: Layout, share: _Share, *, stopping: bool = True) -> None:
    """Drop the share if no lease is left, and stop the server if no other process is there."""
    if share.leases:
        return
    try:
        is_alone = share.lock.is_current() and share.lock.take()
        if is_alone and stopping and not layout.kept.exists():
            with contextlib.suppress(EmbeddedServerError):
                Server.of(layout).stop()
    finally:
        _drop(layout, share)


def _drop(layout: Layout, share: _Share) -> None:
    if _shares.get(layout.home) is share:
        del _shares[layout.home]
        share.lock.close()


def _release_all() -> None:
    with _guard:
        for home, share in list(_shares.items()):
            share.leases.clear()
            _leave_if_last(Layout(home), share)


def _before_fork() -> None:
    """Take a second lock for the child: with the inherited one, each would see only itself."""
    _guard.acquire()
    for share in _shares.values():
        with contextlib.suppress(OSError):
            share.for_child = FileLock(share.lock.path)
            share.for_child.take(shared=True)


def _after_fork_in_parent() -> None:
    for share in _shares.values():
        if share.for_child is not None:
            share.for_child.close()
            share.for_child = None
    _guard.release()


def _after_fork_in_child() -> None:
    for home, share in list(_shares.items()):
        share.lock.close()
        if share.for_child is None:
            del _shares[home]
        else:
            share.lock, share.for_child = share.for_child, None
    _guard.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
atexit.register(_release_all)
