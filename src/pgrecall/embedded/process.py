"""Which processes serve a data directory: decided by what runs, not by what a file says."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgrecall.embedded.layout import Layout


@dataclass(frozen=True)
class PidFile:
    """What PostgreSQL wrote into postmaster.pid; a crash leaves it behind."""

    pid: int
    socket_directory: str
    status: str

    @property
    def is_ready(self) -> bool:
        return self.status in ("ready", "standby")


def read_pid_file(layout: Layout) -> PidFile | None:
    """The pid file's content, or None when it is missing or not complete."""
    try:
        lines = os.fsdecode(layout.postmaster_pid.read_bytes()).split("\n")
    except FileNotFoundError:
        return None
    if not lines[0].strip().isdigit():
        return None
    lines += [""] * 8
    return PidFile(int(lines[0]), lines[4], lines[7].strip())


def find_postmaster(layout: Layout) -> int | None:
    """The pid of the living server of this data directory, or None."""
    written = read_pid_file(layout)
    if written is not None and serves(written.pid, layout.data):
        return written.pid
    return None


def list_processes(layout: Layout) -> list[int]:
    """The pids of all living PostgreSQL processes of this data directory."""
    import psutil  # type: ignore[import-untyped]

    return [pid for pid in psutil.pids() if serves(pid, layout.data)]


def serves(pid: int, data: Path) -> bool:
    """Whether this process lives and is a PostgreSQL process of this data directory."""
    import psutil

    try:
        process = psutil.Process(pid)
        return (
            process.name() == "postgres"
            and process.status() != psutil.STATUS_ZOMBIE
            and _works_in(process, data)
        )
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        # Another user's process; the server of this directory belongs to its owner, or to us.
        return False


def _works_in(process: Any, data: Path) -> bool:
    """Whether its working directory is `data`, where PostgreSQL's processes stay."""
    place = Path(process.cwd())
    try:
        return place.samefile(data)
    except FileNotFoundError:
        return place == data  # both were deleted
