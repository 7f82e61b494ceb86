"""What pgrecall backup says to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.table import Table

from pgrecall.cli.output import console, say
from pgrecall.domain.backups import Backup
from pgrecall.ops.backup.dump import DatabaseBackup
from pgrecall.ops.backup.folder import PruneReport
from pgrecall.ops.backup.verification import Verification


def print_backup(done: Backup | DatabaseBackup) -> None:
    """What was made, and of which moment."""
    of = done.organization if isinstance(done, Backup) else f"database {done.database}"
    typer.echo(f"{done.place}: {done.rows:,} rows of {of}, {_size(done.bytes)}")
    say(f"as of {done.snapshot_at:%Y-%m-%d %H:%M:%S} UTC")
    if not done.is_encrypted:
        say("not encrypted: PGRECALL_BACKUP_RECIPIENTS names the age keys to encrypt for")


def print_verified(done: Verification) -> None:
    """What was found, and what is otherwise."""
    typer.echo(
        f"{done.place}: good; {done.rows:,} rows in {done.tables} tables, {done.policies} "
        f"policies, {done.recalls} recalls"
    )
    for notice in done.notices:
        say(notice)
    say(f"as of {done.snapshot_at:%Y-%m-%d %H:%M:%S} UTC, in {done.seconds:.1f} s")


def print_pruned(done: PruneReport) -> None:
    """Each file, and what becomes of it."""
    verb = "would go" if done.dry_run else "deleted"
    for name in done.deleted:
        typer.echo(f"{verb:<8}  {name}")
    for name in done.kept:
        typer.echo(f"{'kept':<8}  {name}")


def print_ledger(entries: Sequence[Mapping[str, Any]]) -> None:
    """One line an entry."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("started", "action", "state", "rows"):
        table.add_column(name, no_wrap=True)
    table.add_column("place", overflow="fold")
    for entry in entries:
        rows = "" if entry["rows"] is None else f"{entry['rows']:,}"
        gone = " (deleted)" if entry["deleted_at"] else ""
        reason = f": {entry['reason']}" if entry["reason"] else ""
        table.add_row(
            f"{entry['started_at']:%Y-%m-%d %H:%M}",
            entry["action"],
            entry["state"],
            rows,
            f"{entry['place']}{gone}{reason}",
        )
    if entries:
        console().print(table)
    else:
        say("no backup was made of this database yet")


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count:,} bytes"
