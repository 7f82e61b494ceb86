"""Printing how point-in-time recovery stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import typer

from pgrecall.cli.output import say
from pgrecall.ops.pitr import PitrStatus
from pgrecall.ops.pitr.self_hosted import ArchiverStatus, Preparation


def print_status(found: PitrStatus) -> None:
    """How it stands for the embedded server."""
    if found.archive is None:
        typer.echo("pitr     off")
        say("next: pgrecall server pitr enable")
        return
    newest = found.base_backups[-1] if found.base_backups else None
    _print_lines(
        {
            "pitr": f"on, within {found.timeout} seconds" if found.is_on else "off",
            "archive": found.archive,
            "leads": _span(found.first_moment, found.last_moment),
            "base": newest and f"{len(found.base_backups)}, the last one {_at(newest.finished_at)}",
            "keep": found.keep,
            "waiting": f"{found.waiting} files of the log" if found.waiting else None,
            "trouble": found.trouble,
            "aside": ", ".join(map(str, found.aside)) or None,
            "left": found.unfinished and f"{found.unfinished}, of an interrupted recovery",
        }
    )


def print_archiver(found: ArchiverStatus) -> None:
    """How it stands for a server of one's own."""
    _print_lines(
        {
            "mode": f"{found.mode}{', a restart is pending' if found.pending_restart else ''}",
            "command": found.command,
            "filed": f"{found.archived_count} files, the last one {found.last_archived} "
            f"{_at(found.last_archived_at)}",
            "trouble": found.is_failing
            and f"{found.last_failed} failed {_at(found.last_failed_at)}; see the server's log",
        }
    )


def print_preparation(done: Preparation) -> None:
    """The statements on standard output; what is done on the server's machine beside them."""
    for command in done.before:
        say(f"first, on the server's machine: {command}")
    for composed in done.statements:
        typer.echo(composed)
    say("done" if done.is_applied else "nothing was changed; --apply runs the statements")
    if done.needs_restart:
        say("they take effect with the server's next start")
    for command in done.after:
        say(f"then: {command}")


def _print_lines(lines: Mapping[str, object]) -> None:
    for name, value in lines.items():
        if value:
            typer.echo(f"{name:<8} {value}")


def _span(first: datetime | None, last: datetime | None) -> str | None:
    return None if first is None or last is None else f"from {_at(first)} to before {_at(last)}"


def _at(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00"
