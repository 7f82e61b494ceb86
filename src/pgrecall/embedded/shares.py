"""What this process holds of each home, across threads and forks."""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from pgrecall.embedded.locks import FileLock
from pgrecall.embedded.server import Server


@dataclass
class Share:
    """One shared lock on the home's users, for all leases that this process has."""

    server: Server
    lock: FileLock
    leases: set[object] = field(default_factory=set)
    for_child: FileLock | None = None


guard = threading.RLock()
shares: dict[Path, Share] = {}


def drop(share: Share) -> None:
    """Give the lock back, once."""
    home = share.server.layout.home
    if shares.get(home) is share:
        del shares[home]
        share.lock.close()


def _before_fork() -> None:
    """Take a second lock for the child: with the inherited one, each would see only itself."""
    guard.acquire()
    for share in shares.values():
        with contextlib.suppress(OSError):
            share.for_child = FileLock(share.lock.path)
            share.for_child.take(shared=True)


def _after_fork_in_parent() -> None:
    for share in shares.values():
        if share.for_child is not None:
            share.for_child.close()
            share.for_child = None
    guard.release()


def _after_fork_in_child() -> None:
    for home, share in list(shares.items()):
        share.lock.close()
        if share.for_child is None:
            del shares[home]
        else:
            share.lock, share.for_child = share.for_child, None
    guard.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
