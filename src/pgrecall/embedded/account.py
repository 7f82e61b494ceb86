"""The operating system account that the server runs as.

PostgreSQL refuses to run as root. So an ordinary user's server runs as that user; root's runs
as the owner of the home, or as the system account `pgrecall` when root owns the home itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from pgrecall.embedded.locks import FileLock
from pgrecall.errors import DataDirectoryError, EmbeddedServerError

if sys.platform != "win32":
    import grp
    import pwd

SERVICE_NAME = "pgrecall"
_RUNNING, _LOCK_NAME, _CREATION_SECONDS = Path("/run"), "pgrecall-account.lock", 60
_AS_OTHERS = (
    "Run pgrecall as an ordinary user, create the account yourself "
    f"(useradd --system --no-create-home --shell /usr/sbin/nologin {SERVICE_NAME}), "
    "or set DATABASE_URL to a server of your own."
)


class Identity(TypedDict, total=False):
    """The arguments of subprocess.Popen that switch to an account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Who owns the database and runs the server."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether the server runs as somebody else than this process: only root does that."""
        return self.uid != os.geteuid()

    @property
    def identity(self) -> Identity:
        if not self.is_other:
            return {}
        groups = os.getgrouplist(self.name, self.gid)
        return {"user": self.uid, "group": self.gid, "extra_groups": groups}


def account_for(home: Path) -> Account:
    """The account for the server of an existing `home`; creates the system account for root.

    Raises DataDirectoryError when the home is another user's.
    """
    owner, mine = home.stat().st_uid, os.geteuid()
    if mine != 0 and owner not in (mine, 0):
        raise DataDirectoryError(
            f"{home} belongs to another user (id {owner}), not to this one (id {mine}).",
            hint="Run as that user, or set PGRECALL_HOME to a directory of your own.",
        )
    if mine != 0 or owner != 0:
        return _account_of(mine or owner)
    return _service_account()


def _account_of(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedServerError(
            f"User id {uid} has no name on this machine, and PostgreSQL needs one.",
            hint=f"Add it to the user database (useradd --uid {uid} NAME), "
            "or set DATABASE_URL to a server of your own.",
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _service_account() -> Account:
    entry = _find_service_entry()
    if entry is None:
        problem = _create_once()
        entry = _find_service_entry()
        if entry is None:
            raise EmbeddedServerError(
                "PostgreSQL does not run as root, and the system account "
                f"{SERVICE_NAME} could not be created: {problem}.",
                hint=_AS_OTHERS,
            )
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _find_service_entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SERVICE_NAME)
    except KeyError:
        return None


def _create_once() -> str:
    """Create the account unless another process just has; return what went wrong, if anything did.

    Of two useradd that run together the later one gives the account another id, and what the
    earlier one's caller has made by then belongs to nobody.
    """
    try:
        lock = FileLock((_RUNNING if _RUNNING.is_dir() else Path("/etc")) / _LOCK_NAME)
    except OSError as error:
        return f"{_LOCK_NAME}: {error.strerror}"
    try:
        if not lock.take_within(_CREATION_SECONDS):
            return "another process has been at it for too long"
        return "" if _find_service_entry() else _create_service_account()
    finally:
        lock.close()


def _create_service_account() -> str:
    """Create the account; return what went wrong, if anything did."""
    shells = [shell for shell in ("/usr/sbin/nologin", "/sbin/nologin") if Path(shell).exists()]
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", *(shells or ["/bin/false"])[:1], *_group_arguments(), SERVICE_NAME]
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    environment = {**os.environ, "PATH": path, "LC_ALL": "C"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except OSError as error:
        return f"useradd: {error.strerror}"
    return done.stderr.strip().rstrip(".") or f"useradd ended with code {done.returncode}"


def _group_arguments() -> list[str]:
    try:
        return ["--gid", str(grp.getgrnam(SERVICE_NAME).gr_gid)]
    except KeyError:
        return ["--user-group"]
