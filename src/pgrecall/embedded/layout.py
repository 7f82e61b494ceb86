"""Where things stand in the home of an embedded server.

home/
  data/         the database, owned by the server's account, 0700
  run/          the socket, 0700
  log/          server.log and the one before it
  start.lock    held exclusively while somebody decides about starting or stopping
  users.lock    held shared by every process that uses the server
  server.lock   held by the server's processes themselves, as long as one of them lives
  kept          stands there while the server is to run without users
  pitr.json     what was settled about point-in-time recovery
  pitr.lock     held exclusively while somebody makes a base backup or recovers
  archive/      the log and base backups, unless they are elsewhere
  recovery/     a home of its own, in which a recovery is at work
  swap          stands there while one data directory takes the place of another
  data.before-* data directories that a recovery put aside
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pgrecall.embedded.failures import directory_errors


def default_home() -> Path:
    """The home in the user's data directory; the caller may prefer PGRECALL_HOME."""
    import platformdirs

    return platformdirs.user_data_path("pgrecall", appauthor=False)


@dataclass(frozen=True)
class Layout:
    """The paths of one home; `home` is absolute and free of symbolic links."""

    home: Path

    @classmethod
    def of(cls, home: Path) -> Layout:
        with directory_errors(home):
            return cls(home.expanduser().resolve())

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def log_file(self) -> Path:
        return self.log / "server.log"

    @property
    def start_lock(self) -> Path:
        return self.home / "start.lock"

    @property
    def users_lock(self) -> Path:
        return self.home / "users.lock"

    @property
    def server_lock(self) -> Path:
        return self.home / "server.lock"

    @property
    def kept(self) -> Path:
        return self.home / "kept"

    @property
    def pitr_lock(self) -> Path:
        return self.home / "pitr.lock"

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    @property
    def recovery(self) -> Path:
        return self.home / "recovery"

    @property
    def postmaster_pid(self) -> Path:
        return self.data / "postmaster.pid"
