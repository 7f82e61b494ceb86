"""The server's log: kept small, and read for its last words."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pgrecall.embedded.account import Account
from pgrecall.embedded.folders import opened, opener_in, write_text

_LARGEST = 1_000_000
_KEPT = 100_000
_WORDS = 2_000


@dataclass(frozen=True)
class ServerLog:
    """The log of one home, in a folder of its own."""

    path: Path
    account: Account

    def shorten(self) -> None:
        """Empty a log that has grown large; its end moves to a second file.

        The server appends to the file, so this is right while it runs, too.
        """
        size = self.size()
        if size <= _LARGEST:
            return
        end = self._read(size - _KEPT)
        with opened(self.path.parent) as folder:
            write_text(folder, f"{self.path.name}.1", end, self.account)
            flags = os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(self.path.name, flags, dir_fd=folder))

    def size(self) -> int:
        """Its length in bytes; 0 when there is none."""
        try:
            return self.path.lstat().st_size
        except FileNotFoundError:
            return 0

    def words_since(self, offset: int) -> str:
        """The end of what was written after `offset`."""
        return self._read(max(offset, self.size() - _WORDS))

    def _read(self, offset: int) -> str:
        with opened(self.path.parent) as folder:
            try:
                with open(self.path.name, "rb", opener=opener_in(folder)) as file:
                    file.seek(offset)
                    return file.read().decode(errors="replace")
            except (FileNotFoundError, IsADirectoryError):
                return ""
