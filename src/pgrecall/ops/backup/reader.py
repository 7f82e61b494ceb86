"""A backup, read: its files with their lines, and whether all of it is as it was written."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pgrecall.domain.backups import BackupFile, Manifest, parsed
from pgrecall.errors import DamagedBackupError
from pgrecall.ops.backup.archive import MAX_MEMBER_BYTES, Readable, members
from pgrecall.ops.backup.encryption import decrypting
from pgrecall.ops.backup.names import CHECKSUM, MANIFEST, README, README_NAME
from pgrecall.ops.backup.places import Place

OnRows = Callable[[int], None]


@dataclass(frozen=True)
class BackupReader:
    """A backup that can be read any number of times; `keys` open it if it is encrypted."""

    place: Place
    keys: list[Any] = field(default_factory=list)

    def check(self, on_rows: OnRows | None = None) -> Manifest:
        """The manifest, once every byte was compared with what it says.

        `on_rows` hears after each file how many rows there were so far. Raises DamagedBackupError
        for a file that is truncated, altered or none of ours; NotFoundError without one.
        """
        seen = _Contents()
        with self._opened() as stream:
            for name, content in members(stream):
                seen.add(name, content)
                if on_rows is not None:
                    on_rows(seen.rows)
        return seen.checked()

    def files(self, manifest: Manifest) -> Iterator[tuple[BackupFile, list[bytes]]]:
        """Each file with its lines, as the manifest says it.

        Raises DamagedBackupError if the backup was changed since it was checked.
        """
        with self._opened() as stream:
            expected = iter(manifest.files)
            for name, content in members(stream):
                if name in (README_NAME, MANIFEST, CHECKSUM):
                    continue
                file = next(expected, None)
                if file is None or _described(name, content) != (file.name, file.sha256):
                    raise DamagedBackupError("the file was changed since it was checked")
                yield file, _unpacked(name, content).splitlines()

    @contextmanager
    def _opened(self) -> Iterator[Readable]:
        with self.place.reading() as source, decrypting(source, self.keys) as stream:
            yield stream


@dataclass
class _Contents:
    """What was read so far of an archive; only the sums are kept."""

    names: list[str] = field(default_factory=list)
    files: list[tuple[str, str, int, int]] = field(default_factory=list)
    digests: dict[str, Any] = field(default_factory=dict)
    rows: int = 0
    manifest: bytes = b""
    checksum: bytes = b""

    def add(self, name: str, content: bytes) -> None:
        if not self.names and (name, content) != (README_NAME, README):
            raise DamagedBackupError("the file is no backup of pgrecall's")
        self.names.append(name)
        if name == MANIFEST:
            self.manifest = content
        elif name == CHECKSUM:
            self.checksum = content
        elif name != README_NAME:
            self._add_rows(name, content)

    def checked(self) -> Manifest:
        sha256 = hashlib.sha256(self.manifest).hexdigest()
        if self.names[-2:] != [MANIFEST, CHECKSUM] or self.names.count(README_NAME) != 1:
            raise DamagedBackupError("the file is incomplete")
        if self.checksum != f"{sha256}  {MANIFEST}\n".encode():
            raise DamagedBackupError("the manifest is not what it was")
        manifest = parsed(self.manifest)
        said = [(file.name, file.sha256, file.rows, file.bytes) for file in manifest.files]
        for found, expected in zip(self.files, said, strict=False):
            if found != expected:
                raise DamagedBackupError(f"{expected[0]} in it is not what it was")
        if len(self.files) != len(said):
            raise DamagedBackupError("the manifest names other files")
        for table in manifest.tables:
            digest = self.digests.get(table.name, hashlib.sha256())
            if digest.hexdigest() != table.sha256:
                raise DamagedBackupError(f"the rows of {table.name} are not what they were")
        return manifest

    def _add_rows(self, name: str, content: bytes) -> None:
        text = _unpacked(name, content)
        rows = text.count(b"\n")
        self.rows += rows
        self.files.append((*_described(name, content), rows, len(content)))
        self.digests.setdefault(name.partition("/")[0], hashlib.sha256()).update(text)


def _described(name: str, content: bytes) -> tuple[str, str]:
    return name, hashlib.sha256(content).hexdigest()


def _unpacked(name: str, content: bytes) -> bytes:
    """What a file holds; of a bomb, no more than fits into memory."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        text = unpacking.decompress(content, MAX_MEMBER_BYTES)
    except zlib.error as error:
        raise DamagedBackupError(f"{name} in it is damaged: {error}") from None
    if not unpacking.eof or unpacking.unused_data:
        raise DamagedBackupError(f"{name} in it is damaged, or larger than any file of a backup")
    return text
