"""pgrecall maintain."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import typer

from pgrecall.cli.database import resolve_database
from pgrecall.cli.exit_codes import ERROR
from pgrecall.cli.options import AsJson, Dsn
from pgrecall.cli.output import console, print_json, say
from pgrecall.domain.maintenance import Maintenance, Outcome
from pgrecall.ops.maintenance import maintain as maintained
from pgrecall.ops.maintenance import render_schedule, window
from pgrecall.ops.maintenance.execution import ROLL_UP_DAYS

_WINDOW_HELP = "Begin nothing outside of these hours: local time, or with pg_cron UTC."
_SCHEDULE_HELP = "Print what runs it every day in the window; connects to nothing."
_DAYS_HELP = "After how many days hours of statistics are added up by day."
_DEFAULT_WINDOW = "02:00-04:00"

Apply: TypeAlias = Annotated[bool, typer.Option("--apply", help="Do it; without, only say what.")]
InWindow: TypeAlias = Annotated[
    str | None, typer.Option("--window", help=_WINDOW_HELP, metavar="HH:MM-HH:MM")
]
Schedule: TypeAlias = Annotated[
    Literal["cron", "systemd", "pg_cron"] | None, typer.Option(help=_SCHEDULE_HELP)
]
Days: TypeAlias = Annotated[
    int, typer.Option("--roll-up-after", help=_DAYS_HELP, metavar="DAYS", min=32, max=36500)
]


def maintain(
    *,
    apply: Apply = False,
    in_window: InWindow = None,
    schedule: Schedule = None,
    roll_up_after: Days = ROLL_UP_DAYS,
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Find out what the database needs, and with --apply do it.

    Retention, vectors of dropped models, statistics by day, invalid and bloated indexes, dead
    rows, stale statistics of the planner. One run at a time; safe to stop at any point and to run
    again. Takes the login of the schema's owner.
    """
    hours = window(in_window) if in_window else None
    if schedule is not None:
        text = render_schedule(schedule, hours or window(_DEFAULT_WINDOW), roll_up_after)
        if as_json:
            print_json({"schedule": schedule, "text": text})
        else:
            typer.echo(text, nl=False)
        return
    with resolve_database(dsn) as database:
        report = maintained(
            database,
            is_applied=apply,
            window=hours,
            days=roll_up_after,
            on_outcome=None if as_json else _print,
        )
    _show(report, as_json=as_json)
    if report.failed:
        raise typer.Exit(ERROR)


def _show(report: Maintenance, *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    if not report.is_applied:
        for outcome in report.outcomes:
            _print(outcome)
    if not report.outcomes:
        say("nothing to do")
    elif not report.is_applied:
        say("nothing was done; --apply does it")
    elif report.is_cut_short:
        say("the window is over; the next run goes on")


def _print(outcome: Outcome) -> None:
    task = outcome.task
    out = console()
    out.print(f"{outcome.state:<11}  {task.kind:<10}  {task.target}: {task.reason}")
    if outcome.state in ("planned", "advice"):
        out.print(f"{'':<11}  {'':<10}  {task.sql};", style="dim")
    if outcome.error:
        out.print(f"{'':<11}  {'':<10}  {outcome.error}", style="red")
