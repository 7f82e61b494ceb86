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
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pgrecall.embedded.account import Account
from pgrecall.embedded.command import run_command
from pgrecall.errors import DataDirectoryError, EmbeddedServerError

_ATTRIBUTE = "system.posix_acl_access"
_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")
_OWNER, _USER, _GROUP_OWNER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NOBODY = 0xFFFFFFFF
_SEARCH = 1
_DENIED = 9
_PRINT_FIRST_DENIED = (
    f'for path; do [ -x "$path" ] || {{ printf %s "$path"; exit {_DENIED}; }}; done'
)
_PRINT_FIRST_UNREADABLE = _PRINT_FIRST_DENIED.replace("-x", "-r")
# One of each kind: programs, what they load, and what they read.
_NEEDED = ("bin/postgres", "bin/initdb", "lib/dict_snowball.so", "share/postgres.bki")


class Entry(NamedTuple):
    """One line of an access list; named users and groups carry an id."""

    tag: int
    permissions: int
    id: int = _NOBODY


def let_in(account: Account, folders: Iterable[Path]) -> None:
    """Make every folder of `folders`, and all above them, searchable for the account.

    Raises DataDirectoryError when one denies it and can't be given an access list.
    """
    if not account.is_other:
        return
    wanted = sorted({above for folder in folders for above in (folder, *folder.parents)})
    granted: set[Path] = set()
    while (denied := _first(_PRINT_FIRST_DENIED, account, wanted)) is not None:
        if denied in granted:
            raise _stays_closed(denied, account, "its access list has no effect")
        _grant_search(denied, account)
        granted.add(denied)


def let_run(account: Account, installation: Path) -> None:
    """Make sure that the account may run PostgreSQL's programs.

    Raises EmbeddedServerError when their files are closed to it: those are not ours to open.
    """
    if not account.is_other:
        return
    needed = [installation / name for name in _NEEDED if (installation / name).exists()]
    let_in(account, {file.parent for file in needed})
    if _first(_PRINT_FIRST_UNREADABLE, account, needed) is not None:
        raise EmbeddedServerError(
            f"The server runs as {account.name}, which may not read its programs "
            f"in {installation}.",
            hint=f"Let everybody read them: chmod -R o+rX '{installation}'.",
        )


def _first(script: str, account: Account, paths: list[Path]) -> Path | None:
    """Ask the kernel, as that account, so that every rule which it knows counts."""
    done = run_command(account, ["/bin/sh", "-c", script, "sh", *map(str, paths)])
    return Path(done.output) if done.code == _DENIED else None


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
        hint=f"Let everybody pass it (chmod o+x '{path}'), or use another directory: "
        "PGRECALL_HOME for the data, another virtual environment for the programs.",
    )
