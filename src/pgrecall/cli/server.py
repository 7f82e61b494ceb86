"""pgrecall server start, stop, status, psql, pitr: the embedded PostgreSQL server."""

from __future__ import annotations

import os

import typer

from pgrecall import embedded
from pgrecall.cli import pitr
from pgrecall.cli.database import home
from pgrecall.cli.options import AsJson
from pgrecall.cli.output import print_json, say
from pgrecall.embedded import ServerStatus

app = typer.Typer(
    name="server",
    help="Start, stop or look at the embedded PostgreSQL server.",
    no_args_is_help=True,
    add_completion=False,
)
app.add_typer(pitr.app)


@app.command()
def start(as_json: AsJson = False) -> None:
    """Start the server and keep it running until `stop`."""
    say(f"database: embedded server in {home()}")
    _show(embedded.start(home()), as_json=as_json)


@app.command()
def stop(as_json: AsJson = False) -> None:
    """Stop the server, even while others use it."""
    say(f"database: embedded server in {home()}")
    was_running = embedded.stop(home())
    if as_json:
        print_json({"was_running": was_running})
    else:
        typer.echo("stopped" if was_running else "it was not running")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say whether the server runs, and where everything is."""
    _show(embedded.status(home()), as_json=as_json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context) -> None:
    """Open psql on the server; what follows goes to psql, such as: -c 'select 1'."""
    command = [*embedded.psql_command(home()), *context.args]
    os.execv(command[0], command)  # noqa: S606


def _show(found: ServerStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    state = f"running, process {found.pid}" if found.is_running else "not running"
    kept = " until stopped" if found.is_kept else ""
    lines = {
        "server": f"{state}{kept}" if found.is_running else state,
        "version": found.version,
        "connect": found.dsn,
        "data": found.data_directory,
        "log": found.log_file,
    }
    for name, value in lines.items():
        if value is not None:
            typer.echo(f"{name:<8} {value}")
