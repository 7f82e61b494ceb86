"""Folders and files that belong to the server's account.

Root writes into directories of a lesser account here, so every step works on an open directory
and follows no symbolic link that this account might have put there.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pgrecall.embedded.account import Account
from pgrecall.errors import DataDirectoryError

_PRIVATE = 0o700
_UNDECODED = "surrogateescape"


def make_home(home: Path) -> None:
    """Create the home if it is missing.

    Root's may be passed, not read, by others: what is in it belongs to the server's account and
    is closed itself.
    """
    if home.is_dir():
        return
    home.parent.mkdir(parents=True, exist_ok=True)
    home.mkdir(exist_ok=True)
    home.chmod(0o711 if os.geteuid() == 0 else _PRIVATE)


def make_private(folder: Path, account: Account) -> None:
    """Create a folder of mode 0700 for the account, or make sure that an existing one is that.

    Raises DataDirectoryError when somebody else owns it; OSError when it is no folder.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=_PRIVATE)
    with opened(folder) as descriptor:
        if account.is_other and os.fstat(descriptor).st_uid == os.geteuid():
            os.fchown(descriptor, account.uid, account.gid)
    close_to_others(folder, account)


def close_to_others(folder: Path, account: Account) -> None:
    """Make sure that the account owns a folder, and that nobody else may look into it."""
    with opened(folder) as descriptor:
        found = os.fstat(descriptor)
        if found.st_uid != account.uid:
            raise DataDirectoryError(
                f"{folder} belongs to another user (id {found.st_uid}), not to {account.name}.",
                hint=f"If it is yours, run chown -R {account.name} '{folder}'; otherwise set "
                "PGRECALL_HOME to another directory.",
            )
        if stat.S_IMODE(found.st_mode) != _PRIVATE:
            os.fchmod(descriptor, _PRIVATE)


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """A descriptor of the folder itself; OSError when it is a file or a symbolic link."""
    if folder.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_text(directory: int, name: str) -> str | None:
    """The text of a file in an open folder, or None."""
    try:
        with open(name, encoding="utf-8", errors=_UNDECODED, opener=opener_in(directory)) as file:
            return file.read()
    except FileNotFoundError:
        return None


def opener_in(directory: int) -> Callable[[str, int], int]:
    """An opener for files of an open folder that follows no symbolic link."""
    return lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, dir_fd=directory)


def write_text(directory: int, name: str, text: str, account: Account) -> None:
    """Replace a file in an open folder as a whole, unless it has that text already."""
    if read_text(directory, name) == text:
        return
    temporary = f"{name}.{secrets.token_hex(4)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors=_UNDECODED) as file:
            file.write(text)
            file.flush()
            if account.is_other:
                os.fchown(file.fileno(), account.uid, account.gid)
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(temporary, dir_fd=directory)
        raise
