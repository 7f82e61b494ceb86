"""Run PostgreSQL's programs as the server's account, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from pgrecall.embedded.account import Account
from pgrecall.embedded.binaries import binary
from pgrecall.errors import EmbeddedServerError

# Nothing else of the caller's environment: PGPORT and PGDATA would change what the programs do,
# and keys of other services do not belong into a server's memory.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True)
class Outcome:
    """How a program ended: its exit code, and all that it printed."""

    code: int
    output: str


def run(account: Account, name: str, *arguments: str, text: bytes = b"") -> Outcome:
    """Run one of PostgreSQL's programs to its end, with `text` as its input."""
    return run_command(account, [str(binary(name)), *arguments], text=text)


def run_command(
    account: Account, command: Sequence[str], *, text: bytes = b"", pass_fds: Sequence[int] = ()
) -> Outcome:
    """Run any command as the account, in a session of its own so that Ctrl-C spares it."""
    try:
        done = subprocess.run(
            command,
            check=False,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(),
            cwd="/",
            umask=0o077,
            start_new_session=True,
            pass_fds=pass_fds,
            **account.identity,
        )
    except OSError as error:
        raise EmbeddedServerError(
            f"Can't run {command[0]} as {account.name}: {error.strerror}.",
            hint="Run pgrecall as an ordinary user, or set DATABASE_URL to a server of your own.",
        ) from error
    return Outcome(done.returncode, os.fsdecode(done.stdout))


def _environment() -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {"PATH": os.defpath, **passed, "LC_ALL": "C", "TZ": "UTC"}
