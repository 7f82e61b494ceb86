"""pgrecall migrate."""

from __future__ import annotations

import os
from typing import Annotated, TypeAlias

import typer

from pgrecall._sync import login
from pgrecall._sync import migrate as migrations
from pgrecall.cli.database import resolve_database
from pgrecall.cli.exit_codes import NOT_MIGRATED
from pgrecall.cli.options import AsJson, Dsn
from pgrecall.cli.output import print_json, say, waiting
from pgrecall.domain.drift import Drift
from pgrecall.domain.login import LoginReport
from pgrecall.domain.migration import MigrationReport, MigrationState, PendingMigration
from pgrecall.errors import ConfigurationError, InvalidInputError

_STATUS_HELP = (
    "Only say where each file stands, and which objects differ from what the files made; "
    "exit code 6 unless all is as it should be."
)
_REPAIR_HELP = "Apply all files again, then name what differs still; exit code 6 if anything does."
_LOGIN_HELP = (
    "Then create the role pgrecall_app, or mend it: the login for services, which can only act "
    "for callers."
)
_VARIABLE_HELP = "Its password is in this variable; else a new role gets a generated one."

Plan: TypeAlias = Annotated[bool, typer.Option("--plan", help="Only say what would be applied.")]
Status: TypeAlias = Annotated[bool, typer.Option("--status", help=_STATUS_HELP)]
Sql: TypeAlias = Annotated[bool, typer.Option("--sql", help="Print the SQL; connects to nothing.")]
Repair: TypeAlias = Annotated[bool, typer.Option("--repair", help=_REPAIR_HELP)]
CreateLogin: TypeAlias = Annotated[bool, typer.Option("--create-login", help=_LOGIN_HELP)]
LoginPassword: TypeAlias = Annotated[
    str | None, typer.Option("--login-password-from-env", help=_VARIABLE_HELP, metavar="NAME")
]
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
    repair: Repair = False,
    create_login: CreateLogin = False,
    login_password_from_env: LoginPassword = None,
    accept: Accept = None,
    lock_timeout: LockTimeout = 5.0,
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Bring a database to the schema of this release.

    Safe to run any number of times, and by several at once.
    """
    if plan + status + sql + repair + create_login > 1:
        raise InvalidInputError(
            "--plan, --status, --sql, --repair and --create-login exclude one another"
        )
    if login_password_from_env is not None and not create_login:
        raise InvalidInputError("--login-password-from-env goes with --create-login")
    if sql:
        _print_sql(as_json=as_json)
    elif plan:
        _print_plan(dsn, accept or [], as_json=as_json)
    elif status:
        _print_status(dsn, as_json=as_json)
    elif create_login:
        password = _password(login_password_from_env)
        _apply_and_create_login(dsn, accept or [], lock_timeout, password, as_json=as_json)
    else:
        _apply(dsn, accept or [], lock_timeout, repair=repair, as_json=as_json)


def _print_sql(*, as_json: bool) -> None:
    if as_json:
        print_json({"sql": migrations.sql()})
    else:
        typer.echo(migrations.sql())


def _print_plan(dsn: str | None, accept: list[str], *, as_json: bool) -> None:
    with resolve_database(dsn) as database:
        planned = migrations.plan(database, accept=accept)
    if as_json:
        print_json(planned)
    else:
        _print_files(planned.pending)


def _print_status(dsn: str | None, *, as_json: bool) -> None:
    with resolve_database(dsn) as database:
        found = migrations.status(database)
    if as_json:
        print_json(
            {
                "database": found.database,
                "is_current": found.is_current,
                "migrations": found.migrations,
                "drift": found.drift,
                "drift_unknown": found.drift_unknown,
            }
        )
    else:
        for state in found.migrations:
            typer.echo(_line(state))
        _print_drift(found.drift, found.drift_unknown)
    if not found.is_applied:
        say("`pgrecall migrate` applies or records what is missing; it may be repeated")
    if not found.is_current:
        raise typer.Exit(NOT_MIGRATED)


def _apply(
    dsn: str | None, accept: list[str], lock_timeout: float, *, repair: bool, as_json: bool
) -> None:
    with resolve_database(dsn) as database, waiting("Migrating"):
        report = migrations.migrate(
            database, accept=accept, lock_timeout=lock_timeout, repair=repair
        )
    _say_notices(report)
    if as_json:
        print_json(report)
    else:
        _print_files(report.applied)
        _print_drift(report.drift)
        if report.applied:
            say(f"{len(report.applied)} applied in {report.seconds:.1f} s")
    if any(drift.is_fault for drift in report.drift):
        raise typer.Exit(NOT_MIGRATED)


def _apply_and_create_login(
    dsn: str | None, accept: list[str], lock_timeout: float, password: str | None, *, as_json: bool
) -> None:
    with resolve_database(dsn) as database, waiting("Migrating"):
        report = migrations.migrate(database, accept=accept, lock_timeout=lock_timeout)
        _say_notices(report)
        made = login.create_login(database, password=password)
    if as_json:
        print_json(made)
    else:
        _print_login(made)


def _password(variable: str | None) -> str | None:
    if variable is None:
        return None
    password = os.environ.get(variable)
    if not password:
        raise ConfigurationError(f"the environment has no {variable}, or it is empty")
    return password


def _print_login(made: LoginReport) -> None:
    """The URL to standard output, all else about it to standard error."""
    for change in made.changes:
        say(change)
    if not made.changes:
        say(f"{made.role} is as it should be")
    if made.password is not None:
        say("The password is shown this once.")
    typer.echo(f"DATABASE_URL={made.url}")


def _say_notices(report: MigrationReport) -> None:
    for notice in report.notices:
        say(notice)


def _print_files(files: tuple[PendingMigration, ...]) -> None:
    for file in files:
        typer.echo(f"{file.name}  {file.reason}")
    if not files:
        typer.echo("up to date")


def _print_drift(drift: tuple[Drift, ...], unknown: str | None = None) -> None:
    for each in drift:
        typer.echo(f"{each.change:<8}  {each.kind} {each.name}  cure: {each.cure}")
    if unknown:
        typer.echo(f"whether anything else differs is unknown: {unknown}")


def _line(state: MigrationState) -> str:
    applied = f"{state.applied.applied_at:%Y-%m-%d %H:%M}" if state.applied else ""
    return f"{state.state:<8}  {state.name}  {applied}  {state.reason or ''}".rstrip()
