"""The file of a backup: a tar that is written and read in one go, so that it can be a stream.

Members are written by their size, so every one is small enough to be held in memory. A reader
accepts what the writer would write and nothing else: headers are compared with those that it would
make itself, padding must be zero, so no byte can change without notice.

`tar xf` unpacks it.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import Protocol

from pgrecall.errors import DamagedBackupError

BLOCK = tarfile.BLOCKSIZE
RECORD = tarfile.RECORDSIZE
# Compressed, and far above what a writer makes of one file.
MAX_MEMBER_BYTES = 64 * 1024 * 1024


class Writable(Protocol):
    """What an archive is written to."""

    def write(self, content: bytes, /) -> object:
        """Take all of the content."""


class Readable(Protocol):
    """What an archive is read from."""

    def read(self, size: int, /) -> bytes:
        """Some bytes, no more than asked for; none at the end."""


class ArchiveWriter:
    """Writes members to a stream, which it leaves open. `bytes` counts what was written."""

    def __init__(self, stream: Writable) -> None:
        self._stream = stream
        self.bytes = 0

    def add(self, name: str, content: bytes) -> None:
        """Append a member."""
        self._write(_header(name, len(content)))
        self._write(content)
        self._write(bytes(-len(content) % BLOCK))

    def end(self) -> None:
        """Write what ends a tar."""
        self._write(bytes(2 * BLOCK))
        self._write(bytes(-self.bytes % RECORD))

    def _write(self, content: bytes) -> None:
        self._stream.write(content)
        self.bytes += len(content)


def members(stream: Readable) -> Iterator[tuple[str, bytes]]:
    """The members of an archive, by name and content, to the very end of the stream.

    Raises DamagedBackupError where a byte is not as the writer writes it, or is missing.
    """
    read = BLOCK
    while (block := _exactly(stream, BLOCK)) != bytes(BLOCK):
        name, size = _described(block, is_first=read == BLOCK)
        content = _exactly(stream, size)
        padding = _exactly(stream, -size % BLOCK)
        if padding.strip(b"\0"):
            raise DamagedBackupError(f"the file is damaged after {name}")
        read += BLOCK + size + -size % BLOCK
        yield name, content
    _check_end(stream, read)


def _header(name: str, size: int) -> bytes:
    described = tarfile.TarInfo(name)
    described.size, described.mode = size, 0o600
    return described.tobuf(tarfile.USTAR_FORMAT)


def _described(block: bytes, *, is_first: bool) -> tuple[str, int]:
    try:
        found = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        is_ours = _header(found.name, found.size) == block
    except (tarfile.TarError, ValueError):
        is_ours = False
    if not is_ours:
        where = "is no backup of pgrecall's" if is_first else "is damaged"
        raise DamagedBackupError(f"the file {where}")
    if found.size > MAX_MEMBER_BYTES:
        raise DamagedBackupError(f"{found.name} in it is larger than any file of a backup")
    return found.name, found.size


def _exactly(stream: Readable, size: int) -> bytes:
    """So many bytes; a stream may give fewer at a time."""
    parts: list[bytes] = []
    while size:
        part = stream.read(min(size, 1 << 20))
        if not part:
            raise DamagedBackupError("the file is truncated")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _check_end(stream: Readable, read: int) -> None:
    """After the first of the zero blocks at the end: one more, and up to a whole record."""
    left = BLOCK + -(read + BLOCK) % RECORD
    if _exactly(stream, left).strip(b"\0") or stream.read(1):
        raise DamagedBackupError("the file is damaged at its end")
