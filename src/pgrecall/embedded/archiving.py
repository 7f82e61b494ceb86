"""What was settled about point-in-time recovery of an embedded server.

It stands in `pitr.json` in the home, which belongs to the home's owner, not to the server's
account. The server's settings are made from it at every start.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from pgrecall.embedded.account import Account
from pgrecall.embedded.archive_command import archive_command
from pgrecall.embedded.folders import opened, read_text, write_text
from pgrecall.embedded.layout import Layout
from pgrecall.errors import DataDirectoryError

_FILE = "pitr.json"


@dataclass(frozen=True)
class Archiving:
    """Where the log of one database goes, and for how long.

    `keep_days` or `keep_count` says which base backups stay; `timeout` is after how many seconds
    at the latest a log that was written to is filed away. `system_identifier` is the database's:
    another one that took its place must not write into its archive.
    """

    archive: Path
    system_identifier: int
    keep_days: int | None = 7
    keep_count: int | None = None
    timeout: int = 60
    is_on: bool = True

    @property
    def wal(self) -> Path:
        return self.archive / "wal"

    @property
    def base(self) -> Path:
        return self.archive / "base"

    @property
    def settings(self) -> dict[str, str]:
        """The server's settings for it, by name."""
        return {
            "wal_level": "replica",
            "archive_mode": "on",
            "archive_command": archive_command(self.wal),
            "archive_timeout": str(self.timeout),
        }


def find_archiving(layout: Layout) -> Archiving | None:
    """What was settled, or None where nothing ever was."""
    try:
        with opened(layout.home) as home:
            text = read_text(home, _FILE)
    except FileNotFoundError:
        return None
    if text is None:
        return None
    try:
        found = json.loads(text)
        return Archiving(**{**found, "archive": Path(found["archive"])})
    except (ValueError, TypeError, KeyError) as error:
        raise DataDirectoryError(
            f"{layout.home / _FILE} is damaged.",
            hint="Remove it, and run `pgrecall server pitr enable` with the same --archive.",
        ) from error


def write_archiving(layout: Layout, archiving: Archiving) -> None:
    """Settle it; it holds from the server's next start on."""
    fields = {**archiving.__dict__, "archive": str(archiving.archive)}
    owner = layout.home.stat()
    account = Account("the owner", owner.st_uid, owner.st_gid)
    with opened(layout.home) as home:
        write_text(home, _FILE, json.dumps(fields, indent=2) + "\n", account)
        os.fsync(home)


def system_identifier(data: Path) -> int | None:
    """What tells this database from every other one; None where there is none."""
    try:
        with (data / "global" / "pg_control").open("rb") as file:
            # The first field of the control file, in the machine's own byte order.
            return int(struct.unpack("=Q", file.read(8))[0])
    except (FileNotFoundError, NotADirectoryError, struct.error):
        return None


def settings_for(layout: Layout) -> dict[str, str]:
    """What the server of this home needs set for archiving; nothing if it does none."""
    archiving = find_archiving(layout)
    if archiving is None or not archiving.is_on:
        return {}
    is_same = archiving.system_identifier == system_identifier(layout.data)
    return archiving.settings if is_same else {}
