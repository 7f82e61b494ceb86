"""Which processes serve a data directory: decided by what runs, not by what a file says."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgrecall.embedded.account import Account
from pgrecall.embedded.command import run_command
from pgrecall.embedded.layout import Layout

_PRINT_WHO_WORKS_IN = """
for process in /proc/[0-9]*; do
  [ "$process/cwd" -ef "$1" ] && read -r name <"$process/comm" && [ "$name" = postgres ] &&
    echo "${process#/proc/}"
done 2>/dev/null
"""


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


def list_processes(layout: Layout, account: Account) -> list[int]:
    """The pids of all living PostgreSQL processes of this data directory."""
    import psutil

    seen = [pid for pid in psutil.pids() if serves(pid, layout.data)]
    return sorted({*seen, *_list_as(account, layout.data)})


def _list_as(account: Account, data: Path) -> list[int]:
    """The same as the account itself sees it: in most containers root sees less of others."""
    if not account.is_other or sys.platform != "linux":
        return []
    done = run_command(account, ["/bin/sh", "-c", _PRINT_WHO_WORKS_IN, "sh", str(data)])
    return [int(pid) for pid in done.output.split() if pid.isdigit()]


def serves(pid: int, data: Path) -> bool:
    """Whether this process lives and is a PostgreSQL process of this data directory."""
    import psutil

    try:
        process = psutil.Process(pid)
        is_alive = process.status() != psutil.STATUS_ZOMBIE
        return is_alive and process.name() == "postgres" and _works_in(process, data)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        # Root without CAP_SYS_PTRACE may not see where it works, but what it was told.
        return _is_told_of(pid, data)


def _works_in(process: Any, data: Path) -> bool:
    """Whether its working directory is `data`, where PostgreSQL's processes stay."""
    place = Path(process.cwd())
    try:
        return place.samefile(data)
    except FileNotFoundError:
        return place == data  # both were deleted


def _is_told_of(pid: int, data: Path) -> bool:
    import psutil

    try:
        return str(data) in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
