"""Running the tools as a developer does, with an environment of which we know all."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict

SECONDS = 120
# What the tools need of ours. Not CI, in which Prisma refuses to work on migrations.
_KEPT = ("HOME", "LANG", "PATH", "PYTHONPATH", "TMPDIR")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass(frozen=True)
class Ended:
    """What a command answered."""

    code: int
    output: str


def address(dsn: str, scheme: str = "postgresql", netloc: str = "localhost", **query: str) -> str:
    """A database as a URL that all drivers read, whether its server has a socket or a port."""
    parts = conninfo_to_dict(dsn)
    login = ":".join(str(parts[key]) for key in ("user", "password") if key in parts)
    place = {key: str(parts[key]) for key in ("host", "port") if key in parts}
    return f"{scheme}://{login}@{netloc}/{parts['dbname']}?{urlencode(place | query)}"


def run(command: Sequence[str | Path], folder: Path, **variables: str) -> Ended:
    """Run a command to its end, with nobody to answer its questions."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Ended(done.returncode, _COLOURS.sub("", done.stdout))


def run_in_terminal(command: Sequence[str | Path], folder: Path, **variables: str) -> Ended:
    """Run a command that only works in a terminal; a question that it asks fails by the time."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(variables),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        output = _read_to_end(ours, time.monotonic() + SECONDS)
        return Ended(child.wait(timeout=SECONDS), _COLOURS.sub("", output))
    finally:
        os.close(ours)
        child.kill()
        child.wait()


def _read_to_end(terminal: int, deadline: float) -> str:
    read = b""
    while select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux says that nobody has the other end any more
            part = b""
        if not part:
            return read.decode(errors="replace")
        read += part
    raise TimeoutError(read.decode(errors="replace"))


def _environment(variables: dict[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "NO_COLOR": "1", "CHECKPOINT_DISABLE": "1", **variables}
