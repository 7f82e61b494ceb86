"""pgrecall restore: a backup, put into a database; or --to, the whole server at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from pgrecall import Settings
from pgrecall.cli.confirmation import Yes
from pgrecall.cli.database import resolve_database
from pgrecall.cli.exit_codes import INTERRUPTED
from pgrecall.cli.options import AsJson, Dsn
from pgrecall.cli.output import print_json, say, steps
from pgrecall.cli.point_in_time import RecoveryOptions, restore_to
from pgrecall.domain.backups import RestoreReport
from pgrecall.errors import InvalidInputError
from pgrecall.ops.backup.dump import DatabaseRestoreReport, is_whole, restore_database
from pgrecall.ops.backup.restore import restore as restore_organization

_SOURCE_HELP = "What `pgrecall backup` wrote: a path or a URL."
_AS_HELP = "Put it into this organization instead of its own, by name or UUID."
_TO_HELP = "The embedded server's whole database as it was then, such as '2026-11-23 10:15+00'."
_INTO_HELP = "With --to: a new home for it, beside the one that is there."
_ARCHIVE_HELP = "With --to: the archive, where the home that knows it is lost."
_TIMELINE_HELP = "With --to: the timeline to follow, instead of the one that was live then."
_DRY_RUN_HELP = "With --to: only say what would be done."
_MERGE_HELP = "Keep what the organization has, and add what is missing."

Source: TypeAlias = Annotated[str | None, typer.Argument(help=_SOURCE_HELP, metavar="FILE")]
AsOrganization: TypeAlias = Annotated[str | None, typer.Option(help=_AS_HELP, metavar="NAME")]
Merge: TypeAlias = Annotated[bool, typer.Option("--merge", help=_MERGE_HELP)]
To: TypeAlias = Annotated[str | None, typer.Option("--to", help=_TO_HELP, metavar="TIME")]
Into: TypeAlias = Annotated[Path | None, typer.Option(help=_INTO_HELP, metavar="DIR")]
Archive: TypeAlias = Annotated[Path | None, typer.Option(help=_ARCHIVE_HELP, metavar="DIR")]
Timeline: TypeAlias = Annotated[int | None, typer.Option(help=_TIMELINE_HELP, metavar="N", min=1)]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help=_DRY_RUN_HELP)]


def restore(
    source: Source = None,
    *,
    as_organization: AsOrganization = None,
    merge: Merge = False,
    to: To = None,
    into: Into = None,
    archive: Archive = None,
    timeline: Timeline = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup into a database; forgotten memories come back by `forget --undo`.

    For the schema's owner, into a database that `pgrecall migrate` has brought to this release.
    The whole file is checked before anything is written, and what is written is compared with it.
    Interrupted, it goes on when it is run again. PGRECALL_BACKUP_IDENTITY names the file with the
    age key that opens an encrypted backup.

    With --to, and without FILE, the embedded server's database becomes what it was at that time;
    the data that is there now stays aside (docs/point-in-time-recovery.md).
    """
    if to is not None:
        if source or as_organization or merge:
            raise InvalidInputError("--to recovers the whole database: it takes no FILE")
        wanted = RecoveryOptions(
            to=to,
            into=into,
            archive=archive,
            timeline=timeline,
            is_dry_run=dry_run,
            is_confirmed=yes,
        )
        restore_to(wanted, dsn, as_json=as_json)
        return
    if into or archive or timeline or dry_run:
        raise InvalidInputError("--into, --archive, --timeline and --dry-run go with --to")
    if source is None:
        raise InvalidInputError("FILE is missing: what is to be restored?")
    done: RestoreReport | DatabaseRestoreReport
    with resolve_database(dsn) as database:
        try:
            if is_whole(source):
                done = _whole(database, source, as_organization, merge=merge)
            else:
                done = _one(database, source, as_organization, merge=merge)
        except KeyboardInterrupt:
            say("interrupted; run it again to go on")
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(done)
    elif isinstance(done, RestoreReport):
        _print_restored(done)
    else:
        _print_database(done)


def _one(database: str, source: str, as_organization: str | None, *, merge: bool) -> RestoreReport:
    with steps() as tell:
        return restore_organization(
            database,
            source,
            as_organization=as_organization,
            merge=merge,
            identity=_identity(),
            on_step=tell,
        )


def _whole(
    database: str, source: str, as_organization: str | None, *, merge: bool
) -> DatabaseRestoreReport:
    if merge or as_organization is not None:
        raise InvalidInputError(
            "the file is of a whole database: --merge and --as-organization are for one of an "
            "organization"
        )
    with steps() as tell:
        return restore_database(
            database, source, identity=_identity(), tools_in=Settings().pg_bin, on_step=tell
        )


def _identity() -> str | None:
    identity = Settings().backup_identity
    return None if identity is None else str(identity)


def _print_database(done: DatabaseRestoreReport) -> None:
    typer.echo(f"{done.rows:,} rows of database {done.database} restored")
    for notice in done.notices:
        say(notice)
    say(f"as of {done.snapshot_at:%Y-%m-%d %H:%M:%S} UTC, in {done.seconds:.1f} s")


def _print_restored(done: RestoreReport) -> None:
    typer.echo(f"{done.added:,} of {done.rows:,} rows restored to {done.organization}")
    if done.kept:
        say(f"{done.kept:,} rows were there already")
    if done.skipped:
        say(f"{done.skipped:,} rows were left out, since they were erased")
    for notice in done.notices:
        say(notice)
    say(f"as of {done.snapshot_at:%Y-%m-%d %H:%M:%S} UTC, in {done.seconds:.1f} s")
