"""pgrecall backup create, verify, prune, schedule, list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

import typer
from typer.core import TyperGroup

from pgrecall import Settings
from pgrecall.cli.backup_output import print_backup, print_ledger, print_pruned, print_verified
from pgrecall.cli.database import resolve_database
from pgrecall.cli.exit_codes import INTERRUPTED
from pgrecall.cli.options import AsJson, Dsn, Organization
from pgrecall.cli.output import print_json, progress, say, steps, waiting
from pgrecall.domain.backups import Backup
from pgrecall.domain.identity import organization_uuid
from pgrecall.domain.retention import (
    BackupRetention,
    database_backup_name,
    organization_backup_name,
)
from pgrecall.errors import InvalidInputError
from pgrecall.ops.backup import schedules
from pgrecall.ops.backup.dump import DatabaseBackup, back_up_database
from pgrecall.ops.backup.folder import newest, prune, target_in, tell_deleted
from pgrecall.ops.backup.ledger import list_entries
from pgrecall.ops.backup.places import place
from pgrecall.ops.backup.tables import backup_session
from pgrecall.ops.backup.verification import verify
from pgrecall.ops.backup.writer import back_up

_TARGET_HELP = (
    "A new file, or a folder to name one in: a path, or a URL such as s3://bucket/ "
    "(extra `backup`)."
)
_WHOLE_HELP = "The whole database, by pg_dump, instead of one organization."
_SERVER_HELP = "Another server to make the scratch database on."
_COMMAND_HELP = "How the schedule calls pgrecall."
_ENVIRONMENT_HELP = "The file that sets DATABASE_URL and the keys, readable by its owner alone."

Target: TypeAlias = Annotated[str, typer.Argument(help=_TARGET_HELP, metavar="FILE")]
Source: TypeAlias = Annotated[
    str, typer.Argument(help="A backup, or a folder for its newest one.", metavar="FILE")
]
Folder: TypeAlias = Annotated[str, typer.Argument(help="Where the backups lie.", metavar="DIR")]
Whole: TypeAlias = Annotated[bool, typer.Option("--whole", help=_WHOLE_HELP)]
Server: TypeAlias = Annotated[str | None, typer.Option(help=_SERVER_HELP, metavar="URL")]
Daily: TypeAlias = Annotated[int, typer.Option("--keep-daily", min=0, metavar="DAYS")]
Weekly: TypeAlias = Annotated[int, typer.Option("--keep-weekly", min=0, metavar="WEEKS")]
Monthly: TypeAlias = Annotated[int, typer.Option("--keep-monthly", min=0, metavar="MONTHS")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")]
Limit: TypeAlias = Annotated[int, typer.Option(min=1, max=1000, metavar="COUNT")]
Kind: TypeAlias = Annotated[str, typer.Argument(help="cron or systemd.", metavar="KIND")]
Command: TypeAlias = Annotated[str, typer.Option(help=_COMMAND_HELP, metavar="COMMAND")]
EnvironmentFile: TypeAlias = Annotated[str, typer.Option(help=_ENVIRONMENT_HELP, metavar="FILE")]


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
    help="Back up an organization, as of one moment, or the whole database.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def backup() -> None:
    """Back up an organization, as of one moment, or the whole database."""


@app.command()
def create(
    target: Target,
    *,
    whole: Whole = False,
    organization: Organization = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Write all of an organization, or of the database, to a new file; `create` may be left out.

    For the schema's owner. PGRECALL_BACKUP_RECIPIENTS names the age keys to encrypt for. An
    interrupted backup leaves no file of that name.
    """
    done: Backup | DatabaseBackup
    with resolve_database(dsn) as database:
        try:
            done = _whole(database, target) if whole else _one(database, target, organization)
        except KeyboardInterrupt:
            say("interrupted; nothing is left of it")
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(done)
    else:
        print_backup(done)


@app.command("verify")
def verify_(
    source: Source, *, server: Server = None, dsn: Dsn = None, as_json: AsJson = False
) -> None:
    """Restore a backup into a scratch database, compare all of it, and drop the database.

    Counts, checksums, policies, extensions and a few recalls. The ledger of the database says
    what came of it. Needs the right to create databases.
    """
    settings = Settings()
    with resolve_database(dsn) as database, steps() as tell:
        done = verify(
            database,
            newest(source) if place(source).is_folder() else source,
            server=server,
            identity=None if settings.backup_identity is None else str(settings.backup_identity),
            tools_in=settings.pg_bin,
            on_step=tell,
        )
    if as_json:
        print_json(done)
    else:
        print_verified(done)


@app.command("prune")
def prune_(
    folder: Folder,
    *,
    daily: Daily = 7,
    weekly: Weekly = 4,
    monthly: Monthly = 12,
    dry_run: DryRun = False,
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Delete backups in a folder that need not be kept: the last of each day, week, month is.

    The newest of each organization stays in any case, and so does every file whose name
    `create` did not make.
    """
    done = prune(folder, BackupRetention(daily, weekly, monthly), dry_run=dry_run)
    if done.deleted and not dry_run:
        with resolve_database(dsn) as database:
            tell_deleted(database, folder, done)
    if as_json:
        print_json(done)
    else:
        print_pruned(done)


@app.command()
def schedule(
    kind: Kind,
    folder: Folder,
    *,
    whole: Whole = False,
    organization: Organization = "default",
    daily: Daily = 7,
    weekly: Weekly = 4,
    monthly: Monthly = 12,
    command: Command = "pgrecall",
    environment: EnvironmentFile = "/etc/pgrecall/environment",
    as_json: AsJson = False,
) -> None:
    """Print files for cron or systemd: a backup every night, the newest verified every Sunday.

    cron's goes to /etc/cron.d; systemd's, each after its name, to /etc/systemd/system.
    """
    if kind not in ("cron", "systemd"):
        raise InvalidInputError(f"the kind of schedule is cron or systemd, not {kind}")
    wanted = schedules.Schedule(
        command,
        environment,
        folder,
        None if whole else organization,
        BackupRetention(daily, weekly, monthly),
    )
    files = {"pgrecall": schedules.cron(wanted)} if kind == "cron" else schedules.systemd(wanted)
    if as_json:
        print_json({"files": files})
        return
    for name, text in files.items():
        typer.echo(text if kind == "cron" else f"# {name}\n{text}")


@app.command("list")
def list_(*, limit: Limit = 20, dsn: Dsn = None, as_json: AsJson = False) -> None:
    """Show the ledger: backups, restores and verifications, newest first."""
    with resolve_database(dsn) as database, backup_session(database, "backup") as session:
        entries = list_entries(session, None, limit)
    if as_json:
        print_json({"entries": entries})
    else:
        print_ledger(entries)


def _one(database: str, target: str, organization: str) -> Backup:
    recipients = Settings().backup_recipients
    of = organization_uuid(organization)
    name = organization_backup_name(
        of, organization, datetime.now(UTC), is_encrypted=bool(recipients)
    )
    file = target_in(target, name)
    with progress("Backing up") as bar:
        return back_up(database, of, file, for_recipients=recipients, on_progress=bar)


def _whole(database: str, target: str) -> DatabaseBackup:
    settings = Settings()
    recipients = settings.backup_recipients
    name = database_backup_name(datetime.now(UTC), is_encrypted=bool(recipients))
    file = target_in(target, name)
    with waiting("Dumping"):
        return back_up_database(database, file, for_recipients=recipients, tools_in=settings.pg_bin)
