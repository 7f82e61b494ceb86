"""pgrecall server pitr enable, status, base-backup, disable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from pgrecall.cli.database import home
from pgrecall.cli.exit_codes import ERROR
from pgrecall.cli.options import AsJson
from pgrecall.cli.output import print_json, say, waiting
from pgrecall.cli.pitr_output import print_archiver, print_preparation, print_status
from pgrecall.errors import InvalidInputError
from pgrecall.ops import pitr
from pgrecall.ops.pitr import self_hosted

_ARCHIVE_HELP = "The folder of the archive; on another disk it survives this one."
_KEEP_HELP = "7d: what a recovery to any time of 7 days needs; 3: three base backups."
_TIMEOUT_HELP = "What was written is filed away after so many seconds at the latest; else 60."
_OWN_HELP = "A server of your own instead of the embedded one; DATABASE_URL does not count here."
_APPLY_HELP = "With --dsn: run the statements, not only print them."

Archive: TypeAlias = Annotated[
    Path | None, typer.Option("--archive", help=_ARCHIVE_HELP, metavar="DIR")
]
KeepText: TypeAlias = Annotated[
    str | None, typer.Option("--keep", help=_KEEP_HELP, metavar="DAYS|N")
]
Timeout: TypeAlias = Annotated[
    int | None, typer.Option(help=_TIMEOUT_HELP, metavar="SECONDS", min=10, max=86_400)
]
OwnServer: TypeAlias = Annotated[str | None, typer.Option("--dsn", help=_OWN_HELP, metavar="URL")]
Apply: TypeAlias = Annotated[bool, typer.Option("--apply", help=_APPLY_HELP)]

app = typer.Typer(
    name="pitr",
    help="Recover to any moment: file the log away, make base backups.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command()
def enable(
    *,
    archive: Archive = None,
    keep: KeepText = None,
    timeout: Timeout = None,
    dsn: OwnServer = None,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """File the log away from now on, and make a first base backup.

    Starts the embedded server anew where it runs. Of a server of your own (--dsn) it prints, or
    with --apply sets, what makes it archive.
    """
    if dsn is not None:
        if archive is None:
            raise InvalidInputError("--dsn needs --archive DIR, a folder on the server's machine")
        _show_preparation(self_hosted.prepare(dsn, archive, timeout or 60, apply=apply), as_json)
        return
    say(f"database: embedded server in {home()}")
    wanted = None if keep is None else pitr.parse_keep(keep)
    with waiting("Making the first base backup"):
        done = pitr.enable(home(), archive, wanted, timeout)
    if as_json:
        print_json(done)
        return
    settled = done.archiving
    typer.echo(f"the log is filed away in {settled.archive}, within {settled.timeout} seconds")
    typer.echo(f"base backup {done.base_backup.made.name}")
    if done.restarted:
        say("the server was started anew")
    say("next: pgrecall server pitr base-backup, once a day or a week, such as by cron")


@app.command()
def status(*, dsn: OwnServer = None, as_json: AsJson = False) -> None:
    """Say to which times a recovery leads, and what keeps the log from being filed away.

    Exit code 1 if anything does.
    """
    if dsn is not None:
        archiver = self_hosted.look(dsn)
        if as_json:
            print_json(archiver)
        else:
            print_archiver(archiver)
        raise typer.Exit(ERROR if archiver.is_failing else 0)
    found = pitr.status(home())
    if as_json:
        print_json(found)
    else:
        print_status(found)
    raise typer.Exit(ERROR if found.trouble else 0)


@app.command("base-backup")
def base_backup(*, as_json: AsJson = False) -> None:
    """Make a base backup, and remove what no base backup that stays needs any more."""
    say(f"database: embedded server in {home()}")
    with waiting("Making a base backup"):
        done = pitr.make_base_backup(home())
    if as_json:
        print_json(done)
        return
    typer.echo(f"base backup {done.made.name}, {done.made.bytes:,} bytes")
    if done.removed or done.removed_log:
        files = f"{done.removed_log} files of the log"
        typer.echo(f"removed {len(done.removed)} older base backups and {files}")


@app.command()
def disable(*, dsn: OwnServer = None, apply: Apply = False, as_json: AsJson = False) -> None:
    """File nothing away any more. The archive stays, and recovery from it."""
    if dsn is not None:
        _show_preparation(self_hosted.withdraw(dsn, apply=apply), as_json)
        return
    say(f"database: embedded server in {home()}")
    was_on = pitr.disable(home())
    if as_json:
        print_json({"was_on": was_on})
    else:
        typer.echo("off; the archive stays" if was_on else "it was not on")


def _show_preparation(done: self_hosted.Preparation, as_json: bool) -> None:
    if as_json:
        print_json(done)
    else:
        print_preparation(done)
