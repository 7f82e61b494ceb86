"""The server's settings and access rules, as text that is written anew at every start.

They stand in `pgrecall.conf`, which `postgresql.conf` includes, so what somebody adds below that
line in `postgresql.conf`, or by ALTER SYSTEM, wins.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from pgrecall.embedded import machine
from pgrecall.embedded.account import Account
from pgrecall.embedded.folders import opened, read_text, write_text

_INCLUDE = "include = 'pgrecall.conf'"
_SETTINGS = """\
# Written by pgrecall at every start. Your own settings belong into postgresql.conf, below its
# line that includes this file.
listen_addresses = ''
unix_socket_directories = {socket_directory}
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = {buffers}kB
# After a crash, write everything out with one call instead of file by file.
recovery_init_sync_method = {sync_method}
# Recall statements are short; compiling them costs more than it gains.
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
# The log is about the server, not about what it stores: a statement, or an error that quotes
# one, would keep a copy of memories that were erased.
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
log_line_prefix = '%m [%p] '
"""
_ACCESS = """\
# Written by pgrecall at every start: the socket only, and only the users of pg_ident.conf.
local all all peer map=pgrecall
local replication all peer map=pgrecall
"""
_USERS_HEAD = "# Written by pgrecall at every start: the owner, and root, log in as any role.\n"


def write_configuration(
    folder: Path, socket_directory: Path, account: Account, further: Mapping[str, str]
) -> None:
    """Bring settings and access rules of a data directory up to date; `further` settings too."""
    settings = _SETTINGS.format(
        socket_directory=_quoted(str(socket_directory)),
        buffers=machine.buffers(machine.memory()) // 1024,
        sync_method=sync_method(),
    )
    settings += "".join(f"{name} = {_quoted(value)}\n" for name, value in further.items())
    with opened(folder) as directory:
        write_text(directory, "pgrecall.conf", settings, account)
        write_text(directory, "pg_hba.conf", _ACCESS, account)
        write_text(directory, "pg_ident.conf", _users(account), account)
        main = read_text(directory, "postgresql.conf") or ""
        if _INCLUDE not in main.splitlines():
            write_text(directory, "postgresql.conf", f"{main}\n{_INCLUDE}\n", account)
        os.fsync(directory)


def sync_method() -> str:
    """How to write a whole directory to disk: in one call where the kernel reports its errors."""
    if sys.platform != "linux":
        return "fsync"
    major, minor = (int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    return "syncfs" if (major, minor) >= (5, 8) else "fsync"


def _users(account: Account) -> str:
    names = dict.fromkeys((account.name, "root"))
    return _USERS_HEAD + "".join(f'pgrecall "{name}" all\n' for name in names)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
