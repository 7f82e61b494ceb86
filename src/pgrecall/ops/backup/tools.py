"""pg_dump and pg_restore of the server's own major version."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pgrecall.embedded import binary
from pgrecall.errors import BackupError, EmbeddedServerError

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")
# Debian's pg_dump in the path picks a version by itself; these are the programs.
_DEBIAN = "/usr/lib/postgresql/{major}/bin"


@dataclass(frozen=True, slots=True)
class Tools:
    """The folder of the two programs, and their version, such as 18.6."""

    folder: Path
    version: str

    def path(self, name: str) -> str:
        """One of the programs."""
        return str(self.folder / name)


def find_tools(server_version: str, folder: Path | None) -> Tools:
    """The programs in a folder, or else those at hand, that fit a server.

    Raises BackupError if none do: of an older major they can't read the server, and of a newer one
    they write settings into a dump that the server doesn't know, so that it can't be restored.
    """
    wanted = major(server_version)
    seen: list[str] = []
    for place in [folder] if folder else _places(wanted):
        version = _version(place)
        if version is not None and major(version) == wanted:
            return Tools(place, version)
        seen.append(f"{place} ({version or 'not there'})")
    raise BackupError(
        f"the server is PostgreSQL {server_version}, and pg_dump and pg_restore of version "
        f"{wanted} are not in {', '.join(seen) or 'the path'}",
        hint=f"Install the client programs of PostgreSQL {wanted}; PGRECALL_PG_BIN names their "
        "folder. Of an older version they can't read this server, and what a newer one dumps "
        "can't be restored into it.",
    )


def major(version: str) -> int:
    """The major version, of such as 18.6 or 15.18 (Debian 15.18-0+deb12u1)."""
    return int(version.partition(".")[0])


def _places(wanted: int) -> Iterator[Path]:
    with suppress(EmbeddedServerError):
        yield binary("pg_dump").parent
    found = shutil.which("pg_dump")
    if found:
        yield Path(found).parent
    debian = Path(_DEBIAN.format(major=wanted))
    if debian.is_dir():
        yield debian


def _version(folder: Path) -> str | None:
    """The version of both programs, if they are there and of the same one."""
    versions = {_said(folder / name) for name in ("pg_dump", "pg_restore")}
    return versions.pop() if len(versions) == 1 else None


def _said(program: Path) -> str | None:
    if not program.is_file():
        return None
    try:
        done = subprocess.run(
            [str(program), "--version"], check=False, capture_output=True, text=True
        )
    except OSError:
        return None
    found = _VERSION.search(done.stdout)
    return found and f"{found[1]}.{found[2] or 0}"
