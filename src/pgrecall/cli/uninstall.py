"""pgrecall uninstall."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from pgrecall import Settings
from pgrecall.cli.database import resolve_database
from pgrecall.cli.exit_codes import CONFLICT
from pgrecall.cli.options import AsJson, Dsn
from pgrecall.cli.output import print_json, say, waiting
from pgrecall.domain.uninstall import Uninstallation
from pgrecall.errors import InvalidInputError
from pgrecall.ops.uninstall import plan_uninstall, uninstall_sql
from pgrecall.ops.uninstall import uninstall as take_away

_KEEP_HELP = (
    "First back up every organization to this folder, or URL of one; for the keys in "
    "PGRECALL_BACKUP_RECIPIENTS."
)

Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="Do it. It can't be undone.")]
Keep: TypeAlias = Annotated[str | None, typer.Option(help=_KEEP_HELP, metavar="DIR")]
Sql: TypeAlias = Annotated[
    bool, typer.Option("--sql", help="Print it as SQL for psql; connects to nothing.")
]


def uninstall(
    *,
    yes: Yes = False,
    keep: Keep = None,
    sql: Sql = False,
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Take away from a database all that pgrecall made: memories, tables, functions, and the roles
    and extensions that nothing else uses.

    Without --yes it only says what would go and what would stay.
    """
    if sql:
        if yes or keep is not None:
            raise InvalidInputError("--sql goes with neither --yes nor --keep")
        _print_sql(as_json=as_json)
        return
    with resolve_database(dsn) as database:
        if yes:
            recipients = Settings().backup_recipients
            with waiting("Uninstalling"):
                found = take_away(
                    database,
                    keep=keep,
                    for_recipients=recipients,
                    on_kept=lambda target: say(f"backed up to {target}"),
                )
        else:
            found = plan_uninstall(database)
    if as_json:
        print_json(found)
    else:
        _print(found)
    if found.dependents:
        raise typer.Exit(CONFLICT)


def _print_sql(*, as_json: bool) -> None:
    if as_json:
        print_json({"sql": uninstall_sql()})
    else:
        typer.echo(uninstall_sql())


def _print(found: Uninstallation) -> None:
    for part in found.gone:
        typer.echo(f"{'gone' if found.is_done else 'goes':<6}  {part.kind} {part.name}")
    for part in found.stays:
        typer.echo(f"stays   {part.kind} {part.name}, used by {part.used_by}")
    for part in found.dependents:
        typer.echo(f"in the way  {part.name}: not pgrecall's, and built on it")
    if not (found.gone or found.stays):
        typer.echo("pgrecall is not in this database")
        return
    say(f"memories: {found.memories:,}, organizations: {found.organizations:,}")
    if not found.is_done:
        say("nothing was changed; `pgrecall uninstall --yes` does it")
