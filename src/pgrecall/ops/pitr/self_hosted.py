"""Archiving on a PostgreSQL server of one's own: what to set there, and how it stands.

pgrecall sets what a superuser's connection can set. Folders, restarts and base backups are done
on the server's machine, so those are said as commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shlex import quote

from pgrecall._sync.session import connected
from pgrecall.embedded.archive_command import archive_command
from pgrecall.errors import ConflictError, InvalidInputError, PermissionDeniedError
from pgrecall.ops.server_settings import (
    Server,
    ServerSetting,
    compose_reset,
    compose_set,
    identify,
    read_settings,
    run_composed,
)

_NAMES = ("wal_level", "archive_mode", "archive_command", "archive_library", "archive_timeout")
_OURS = ("archive_mode", "archive_command", "archive_timeout")
_NONE = ("", "(disabled)")


@dataclass(frozen=True)
class Preparation:
    """What makes a server archive, or stop it: statements, then commands on its machine.

    `is_applied` says whether the statements were run; `needs_restart` that they take effect with
    the server's next start only.
    """

    statements: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    needs_restart: bool
    is_applied: bool


@dataclass(frozen=True)
class ArchiverStatus:
    """How archiving stands on a server of one's own. `is_failing`: its last attempt failed."""

    mode: str
    command: str | None
    timeout: int
    archived_count: int
    last_archived: str | None
    last_archived_at: datetime | None
    failed_count: int
    last_failed: str | None
    last_failed_at: datetime | None
    is_failing: bool
    pending_restart: bool


def prepare(dsn: str, folder: Path, timeout: int = 60, *, apply: bool = False) -> Preparation:
    """What makes the server file its log away into a folder of its own machine.

    Raises PermissionDeniedError where the role may not set it or a provider hosts the server,
    ConflictError where it archives already in another way.
    """
    if not folder.is_absolute():
        raise InvalidInputError("--archive must be an absolute path on the server's machine")
    with connected(dsn, "pitr") as session:
        server, found = identify(session), read_settings(session, _NAMES)
        _require_own(server)
        values = decide(found, archive_command(folder), timeout)
        statements = compose_set(session, values)
        if apply:
            run_composed(session, statements)
    return Preparation(
        statements=tuple(statements),
        before=(f"sudo install -d -o postgres -g postgres -m 0700 {quote(str(folder))}",),
        after=("sudo systemctl restart postgresql", base_backup_commands(folder)[0]),
        needs_restart=any(found[name].needs_restart for name in values if name in found),
        is_applied=apply,
    )


def withdraw(dsn: str, *, apply: bool = False) -> Preparation:
    """What makes the server file nothing away any more; its archive stays."""
    with connected(dsn, "pitr") as session:
        _require_own(identify(session))
        statements = compose_reset(session, _OURS)
        if apply:
            run_composed(session, statements)
    return Preparation(tuple(statements), (), (), needs_restart=True, is_applied=apply)


def look(dsn: str) -> ArchiverStatus:
    """How archiving stands. Needs no superuser."""
    with connected(dsn, "pitr") as session:
        found = read_settings(session, _NAMES)
        row = session.row("get_archiver")
    command = found.get("archive_command")
    failed, archived = row["last_failed_time"], row["last_archived_time"]
    return ArchiverStatus(
        mode=row["mode"],
        command=None if command is None else command.setting,
        timeout=int(found["archive_timeout"].setting),
        archived_count=row["archived_count"],
        last_archived=row["last_archived_wal"],
        last_archived_at=archived,
        failed_count=row["failed_count"],
        last_failed=row["last_failed_wal"],
        last_failed_at=failed,
        is_failing=failed is not None and (archived is None or failed > archived),
        pending_restart=any(setting.pending_restart for setting in found.values()),
    )


def decide(found: Mapping[str, ServerSetting], command: str, timeout: int) -> dict[str, str]:
    """The settings that must change, with their values. Pure.

    Raises ConflictError where something else files the log away already.
    """
    now = {name: setting.setting for name, setting in found.items()}
    others = [now.get(name, "") for name in ("archive_command", "archive_library")]
    if any(each not in (*_NONE, command) for each in others):
        raise ConflictError(
            "this server files its log away already: " + "; ".join(filter(None, others)),
            hint="Keep that (pgBackRest, for one, does all of it), or take it out first: "
            "ALTER SYSTEM RESET archive_command, archive_library.",
        )
    wanted = {"archive_command": command, "archive_timeout": str(timeout)}
    if now.get("archive_mode") == "off":
        wanted = {"archive_mode": "on", **wanted}
    if now.get("wal_level") == "minimal":
        wanted = {"wal_level": "replica", **wanted}
    return {name: value for name, value in wanted.items() if now.get(name) != value}


def base_backup_commands(folder: Path) -> tuple[str, ...]:
    """What makes a base backup beside such an archive, on the server's machine. Pure."""
    place = quote(str(folder.parent / "base")) + "/$(date -u +%Y%m%dT%H%M%SZ)"
    return (
        f"sudo -u postgres pg_basebackup --pgdata={place} --checkpoint=fast",
        f"sudo -u postgres pg_archivecleanup -x .gz {quote(str(folder))} OLDEST_NEEDED",
    )


def _require_own(server: Server) -> None:
    if server.provider and not server.is_superuser:
        raise PermissionDeniedError(
            f"{server.provider} hosts this server, and archives it itself",
            hint=f"Use {server.provider}'s own point-in-time recovery "
            "(docs/point-in-time-recovery.md).",
        )
    if not server.is_superuser:
        raise PermissionDeniedError(
            "only a superuser may set how a server archives",
            hint="Connect as one: --dsn postgresql://postgres@…",
        )
