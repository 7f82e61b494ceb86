"""Which of pgrecall's errors a foreign failure becomes, and the cure that each names."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgrecall.errors import DataDirectoryError, ServerStartError

_ELSEWHERE = "or set PGRECALL_HOME to another directory, or DATABASE_URL to a server of your own"
_FREE_SPACE = f"free some space there (a new database takes about 60 MB), {_ELSEWHERE}"
_OWN_DIRECTORY = f"run as the user that owns it, make it writable for this user, {_ELSEWHERE}"
_PLAIN_FILE = f"move that file away, {_ELSEWHERE}"

_CURES = {
    errno.ENOSPC: ("the disk is full", _FREE_SPACE),
    errno.EDQUOT: ("the disk quota is used up", _FREE_SPACE),
    errno.EFBIG: (
        "a file would exceed the size limit of this process",
        f"raise it (ulimit -f), {_ELSEWHERE}",
    ),
    errno.EROFS: ("the file system is read-only", f"mount it writable, {_ELSEWHERE}"),
    errno.EACCES: ("permission denied", _OWN_DIRECTORY),
    errno.EPERM: ("operation not permitted", _OWN_DIRECTORY),
    errno.ELOOP: (
        "a symbolic link stands where pgrecall keeps a file of its own",
        f"remove it, {_ELSEWHERE}",
    ),
    errno.ENOTDIR: ("a file stands where a directory is needed", _PLAIN_FILE),
    errno.EEXIST: ("a file stands where a directory is needed", _PLAIN_FILE),
    errno.EISDIR: (
        "a directory stands where pgrecall keeps a file of its own",
        f"remove it, {_ELSEWHERE}",
    ),
}
# What the C library says in the locale C, in which the tools run; their exit codes say less.
_LAST_WORDS = {
    "No space left on device": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "File too large": errno.EFBIG,
    "Read-only file system": errno.EROFS,
}
_LAST_CHARACTERS = 2000


def directory_error(path: Path, error: OSError) -> DataDirectoryError:
    """The error for a failed file operation in the server's home: what, where, and the cure."""
    number = error.errno if error.errno is not None else errno.EIO
    reason, cure = _CURES.get(
        number, (error.strerror or str(error), f"look at that directory, {_ELSEWHERE}")
    )
    where = (
        error.filename
        if isinstance(error.filename, str) and Path(error.filename).is_absolute()
        else path
    )
    return DataDirectoryError(
        f"The embedded server can't use {where}: {reason}.", hint=cure[0].upper() + cure[1:] + "."
    )


@contextmanager
def directory_errors(path: Path) -> Iterator[None]:
    """Turn every OSError of the block into a DataDirectoryError about `path`."""
    try:
        yield
    except OSError as error:
        raise directory_error(path, error) from error


def start_error(path: Path, what: str, last_words: str) -> DataDirectoryError | ServerStartError:
    """The error for a tool or server that gave up; `last_words` is its output, or the end of it."""
    for words, number in _LAST_WORDS.items():
        if words in last_words:
            return directory_error(path, OSError(number, words))
    return ServerStartError(
        f"{what} in {path}. Its last words:\n{last_words.strip()[-_LAST_CHARACTERS:] or '(none)'}",
        hint="Mend what they name; a setting of your own stands in data/postgresql.conf.",
    )
