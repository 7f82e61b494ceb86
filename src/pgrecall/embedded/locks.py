"""File locks (flock): the kernel drops them when their last holder dies, however it dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgrecall.embedded.polling import wait_until
from pgrecall.errors import ServerStartError

if sys.platform != "win32":
    import fcntl


class FileLock:
    """One open file to lock; processes that inherit its descriptor share the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = open_private(path)

    def take(self, *, shared: bool = False) -> bool:
        """Take the lock, or change its kind, if nobody else is in the way; never waits."""
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self.descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def take_within(self, seconds: float) -> bool:
        """Take the lock, waiting up to `seconds` for those who hold it."""
        return wait_until(seconds, self.take)

    def is_current(self) -> bool:
        """Whether the path still leads to the file that is open here."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        os.close(self.descriptor)


@contextmanager
def holding(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock at `path` exclusively; ServerStartError when others keep it too long."""
    deadline = time.monotonic() + seconds
    while True:
        lock = FileLock(path)
        try:
            if not lock.take_within(max(0.0, deadline - time.monotonic())):
                raise ServerStartError(
                    f"Another process has been starting or stopping the server of "
                    f"{path.parent} for more than {seconds:.0f} seconds.",
                    hint="Try again; if it stays so, end the process that holds that lock.",
                )
            if lock.is_current():
                yield
                return
        finally:
            lock.close()


def is_held(path: Path) -> bool:
    """Whether some process holds the lock at `path`."""
    lock = FileLock(path)
    try:
        return not lock.take()
    finally:
        lock.close()


def open_private(path: Path) -> int:
    """Open or create a file of mode 0600 that belongs to the owner of its directory."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        owner, found = path.parent.stat(), os.fstat(descriptor)
        if os.geteuid() == 0 and found.st_uid != owner.st_uid and found.st_nlink == 1:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
