"""pgrecall migrate."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from pgrecall._sync import migrate as migrations
from pgrecall.cli.exit_codes import NOT_MIGRATED
from pgrecall.cli.opening import reached
from pgrecall.cli.options import AsJson, Dsn
from pgrecall.cli.output import print_json, say, waiting
from pgrecall.domain.migration import MigrationState, PendingMigration
from pgrecall.errors import InvalidInputError

_STATUS_HELP = "Only say where each file stands; exit code 6 unless all are applied."

Plan: TypeAlias = Annotated[bool, typer.Option("--plan", help="Only say what would be applied.")]
Status: TypeAlias = Annotated[bool, typer.Option("--status", help=_STATUS_HELP)]
Sql: TypeAlias = Annotated[bool, typer.Option("--sql", help="Print the SQL; connects to nothing.")]
Accept: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="Apply the edited text of this file; repeatable.", metavar="FILE"),
]
LockTimeout: TypeAlias = Annotated[
    float, typer.Option(help="How long to wait for each lock.", metavar="SECONDS", min=0)
]


def migrate(
    *,
    plan: Plan = False,
    status: Status = False,
    sql: Sql = False,
    accept: Accept = None,
    lock_timeout: LockTimeout = 5.0,
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Bring a database to the schema of this release.

    Safe to run any number of times, and by several at once.
    """
    if plan + status + sql > 1:
        raise InvalidInputError("--plan, --status and --sql exclude one another")
    if sql:
        _print_sql(as_json=as_json)
    elif plan:
        _print_plan(dsn, accept or [], as_json=as_json)
    elif status:
        _print_status(dsn, as_json=as_json)
    else:
        _apply(dsn, accept or [], lock_timeout, as_json=as_json)


def _print_sql(*, as_json: bool) -> None:
    if as_json:
        print_json({"sql": migrations.sql()})
    else:
        typer.echo(migrations.sql())


def _print_plan(dsn: str | None, accept: list[str], *, as_json: bool) -> None:
    with reached(dsn) as database:
        planned = migrations.plan(database, accept=accept)
    if as_json:
        print_json(planned)
    else:
        _print_files(planned.pending)


def _print_status(dsn: str | None, *, as_json: bool) -> None:
    with reached(dsn) as database:
        found = migrations.status(database)
    if as_json:
        rows = found.migrations
        print_json({"database": found.database, "is_current": found.is_current, "migrations": rows})
    else:
        for state in found.migrations:
            typer.echo(_line(state))
    if not found.is_current:
        raise typer.Exit(NOT_MIGRATED)


def _apply(dsn: str | None, accept: list[str], lock_timeout: float, *, as_json: bool) -> None:
    with reached(dsn) as database, waiting("Migrating"):
        report = migrations.migrate(database, accept=accept, lock_timeout=lock_timeout)
    for notice in report.notices:
        say(notice)
    if as_json:
        print_json(report)
        return
    _print_files(report.applied)
    if report.applied:
        say(f"{len(report.applied)} applied in {report.seconds:.1f} s")


def _print_files(files: tuple[PendingMigration, ...]) -> None:
    for file in files:
        typer.echo(f"{file.name}  {file.reason}")
    if not files:
        typer.echo("up to date")


def _line(state: MigrationState) -> str:
    applied = f"{state.applied.applied_at:%Y-%m-%d %H:%M}" if state.applied else ""
    return f"{state.state:<8}  {state.name}  {applied}  {state.reason or ''}".rstrip()
