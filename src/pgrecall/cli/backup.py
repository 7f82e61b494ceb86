"""pgrecall backup."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import typer
from typer.core import TyperGroup

from pgrecall import Settings
from pgrecall.cli.exit_codes import INTERRUPTED
from pgrecall.cli.opening import reached
from pgrecall.cli.options import AsJson, Dsn, Organization
from pgrecall.cli.output import print_json, progress, say
from pgrecall.domain.backups import Backup
from pgrecall.domain.identity import organization_uuid
from pgrecall.ops.backup.making import back_up

_TARGET_HELP = "A new file: a path, or a URL such as s3://bucket/file.tar (extra `backup`)."

Target: TypeAlias = Annotated[str, typer.Argument(help=_TARGET_HELP, metavar="FILE")]


class _WithDefault(TyperGroup):
    """`pgrecall backup FILE` is `pgrecall backup create FILE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What is left of the arguments."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["create", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="backup",
    cls=_WithDefault,
    help="Back up an organization, as of one moment, while others write.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def backup() -> None:
    """Back up an organization, as of one moment, while others write."""


@app.command()
def create(
    target: Target,
    *,
    organization: Organization = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Write all of an organization to a new file; `create` may be left out.

    For the schema's owner. PGRECALL_BACKUP_RECIPIENTS names the age keys to encrypt for. An
    interrupted backup leaves no file of that name.
    """
    recipients = Settings().backup_recipients
    with reached(dsn) as database, progress("Backing up") as bar:
        try:
            done = back_up(
                database,
                organization_uuid(organization),
                target,
                for_recipients=recipients,
                on_progress=bar,
            )
        except KeyboardInterrupt:
            say("interrupted; nothing is left of it")
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(done)
    else:
        _print_backup(done)


def _print_backup(done: Backup) -> None:
    typer.echo(f"{done.place}: {done.rows:,} rows of {done.organization}, {_size(done.bytes)}")
    say(f"as of {done.snapshot_at:%Y-%m-%d %H:%M:%S} UTC, in {done.seconds:.1f} s")
    if not done.is_encrypted:
        say("not encrypted: PGRECALL_BACKUP_RECIPIENTS names the age keys to encrypt for")


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count:,} bytes"
