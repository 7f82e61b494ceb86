"""pgrecall restore: a backup, put into a database."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from pgrecall import Settings
from pgrecall.cli.exit_codes import INTERRUPTED
from pgrecall.cli.opening import reached
from pgrecall.cli.options import AsJson, Dsn
from pgrecall.cli.output import print_json, say, steps
from pgrecall.domain.backups import Restored
from pgrecall.errors import InvalidInputError
from pgrecall.ops.backup.restoring import restore as restore_organization

_SOURCE_HELP = "What `pgrecall backup` wrote: a path or a URL."
_AS_HELP = "Put it into this organization instead of its own, by name or UUID."
_MERGE_HELP = "Keep what the organization has, and add what is missing."

Source: TypeAlias = Annotated[str | None, typer.Argument(help=_SOURCE_HELP, metavar="FILE")]
AsOrganization: TypeAlias = Annotated[str | None, typer.Option(help=_AS_HELP, metavar="NAME")]
Merge: TypeAlias = Annotated[bool, typer.Option("--merge", help=_MERGE_HELP)]


def restore(
    source: Source = None,
    *,
    as_organization: AsOrganization = None,
    merge: Merge = False,
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup into a database; forgotten memories come back by `forget --undo`.

    For the schema's owner, into a database that `pgrecall migrate` has brought to this release.
    The whole file is checked before anything is written, and what is written is compared with it.
    Interrupted, it goes on when it is run again. PGRECALL_BACKUP_IDENTITY names the file with the
    age key that opens an encrypted backup.
    """
    # Restores to a point in time are another thing: here is where `--to` branches off.
    if source is None:
        raise InvalidInputError("FILE is missing: what is to be restored?")
    identity = Settings().backup_identity
    with reached(dsn) as database, steps() as tell:
        try:
            done = restore_organization(
                database,
                source,
                as_organization=as_organization,
                merge=merge,
                identity=None if identity is None else str(identity),
                on_step=tell,
            )
        except KeyboardInterrupt:
            say("interrupted; run it again to go on")
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(done)
    else:
        _print_restored(done)


def _print_restored(done: Restored) -> None:
    typer.echo(f"{done.added:,} of {done.rows:,} rows restored to {done.organization}")
    if done.kept:
        say(f"{done.kept:,} rows were there already")
    if done.skipped:
        say(f"{done.skipped:,} rows were left out, since they were erased")
    for notice in done.notices:
        say(notice)
    say(f"as of {done.snapshot_at:%Y-%m-%d %H:%M:%S} UTC, in {done.seconds:.1f} s")
