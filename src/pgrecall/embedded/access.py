"""Let the server's account pass through directories that deny it, and nobody else.

When root starts the server, directories above the home or above PostgreSQL's programs (such as
/root, 0700) may deny search to the server's account. It gets an entry of its own in their POSIX
access list; their modes for everybody else stay as they are.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pgrecall.embedded.account import Account
from pgrecall.errors import DataDirectoryError

_ATTRIBUTE = "system.posix_acl_access"
_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")
_OWNER, _USER, _GROUP_OWNER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NOBODY = 0xFFFFFFFF
_SEARCH = 1
_PRINT_FIRST_DENIED = 'for path; do [ -x "$path" ] || { printf %s "$path"; break; }; done'


class Entry(NamedTuple):
    """One line of an access list; named users and groups carry an id."""

    tag: int
    permissions: int
    id: int = _NOBODY


def let_in(account: Account, paths: Iterable[Path]) -> None:
    """Make every existing path of `paths`, and all directories above, searchable for the account.

    Raises DataDirectoryError when a directory denies it and can't be given an access list.
    """
    if not account.is_other:
        return
    wanted = _with_parents(paths)
    granted: set[Path] = set()
    while (denied := _first_denied(account, wanted)) is not None:
        if denied in granted or not denied.is_dir():
            raise _stays_closed(denied, account, "its access list has no effect")
        _grant_search(denied, account)
        granted.add(denied)


def _with_parents(paths: Iterable[Path]) -> list[Path]:
    return sorted({above for path in paths for above in (path, *path.parents)})


def _first_denied(account: Account, paths: list[Path]) -> Path | None:
    """Ask the kernel, as that account, so that every rule which it knows counts."""
    done = subprocess.run(
        ["/bin/sh", "-c", _PRINT_FIRST_DENIED, "sh", *map(str, paths)],
        capture_output=True,
        check=True,
        cwd="/",
        **account.identity,
    )
    return Path(os.fsdecode(done.stdout)) if done.stdout else None


def _grant_search(directory: Path, account: Account) -> None:
    if sys.platform != "linux":
        raise _stays_closed(directory, account, "pgrecall sets access lists on Linux only")
    try:
        listed = with_search(read_access_list(directory), account.uid)
        packed = _VERSION + b"".join(_ENTRY.pack(*entry) for entry in listed)
        os.setxattr(directory, _ATTRIBUTE, packed)
    except OSError as error:
        raise _stays_closed(directory, account, error.strerror or str(error)) from error


def read_access_list(path: Path) -> list[Entry]:
    """The access list of `path`; one made from its mode when it has none."""
    if sys.platform == "linux":
        try:
            packed = os.getxattr(path, _ATTRIBUTE)
            return [Entry(*fields) for fields in _ENTRY.iter_unpack(packed[len(_VERSION) :])]
        except OSError as error:
            if error.errno not in (errno.ENODATA, errno.ENOTSUP):
                raise
    mode = stat.S_IMODE(path.stat().st_mode)
    return [
        Entry(_OWNER, mode >> 6 & 7),
        Entry(_GROUP_OWNER, mode >> 3 & 7),
        Entry(_OTHER, mode & 7),
    ]


def with_search(listed: list[Entry], uid: int) -> list[Entry]:
    """The list with search for `uid` added; what all others may do stays the same."""
    masks = [entry.permissions for entry in listed if entry.tag == _MASK]
    old_mask = masks[0] if masks else 7
    owner = next(entry for entry in listed if entry.tag == _OWNER)
    other = next(entry for entry in listed if entry.tag == _OTHER)
    # The mask must grow, so what it hid from others until now is taken from them outright.
    grouped = {
        (entry.tag, entry.id): entry.permissions & old_mask
        for entry in listed
        if entry.tag in (_USER, _GROUP_OWNER, _GROUP)
    }
    grouped[_USER, uid] = grouped.get((_USER, uid), 0) | _SEARCH
    mask = 0
    for permissions in grouped.values():
        mask |= permissions
    middle = [Entry(tag, permissions, id_) for (tag, id_), permissions in sorted(grouped.items())]
    return [owner, *middle, Entry(_MASK, mask), other]


def _stays_closed(path: Path, account: Account, reason: str) -> DataDirectoryError:
    return DataDirectoryError(
        f"The server runs as {account.name}, which may not pass {path}: {reason}.",
        hint=f"Set PGRECALL_HOME to a directory that everybody may pass, or: chmod o+x '{path}'.",
    )
