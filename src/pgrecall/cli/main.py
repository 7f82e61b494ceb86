"""The entry point: which commands there are."""

from __future__ import annotations

import signal
import sys
from importlib.metadata import version
from io import TextIOWrapper
from types import FrameType
from typing import Annotated, Any, NoReturn, TypeAlias

import typer

from pgrecall.cli import interrupts
from pgrecall.cli.commands import Commands, DeferredCommand
from pgrecall.cli.exit_codes import MEANINGS, TERMINATED

_OVERVIEW = (
    ("demo", "demo:demo", "See it work: a conversation, five questions, and a stranger."),
    ("remember", "remember:remember", "Remember texts, lines, or a file of messages."),
    ("recall", "recall:recall", "Find the memories that answer a question."),
    ("list", "browse:list_", "List memories, newest first, page by page."),
    ("history", "browse:history", "Show what became of a memory, or of its slot, over time."),
    ("forget", "forget:forget", "Take memories out of recall; --undo brings them back."),
    ("export", "export:export", "Write memories to a file: JSON Lines, CSV or Parquet."),
    ("import", "import_:import_", "Read memories from a file, or from another system's tables."),
    ("erase", "erase:erase", "Delete memories for good, with a receipt."),
    ("config", "config:app", "Show or change what an agent's memory does."),
    (
        "embeddings",
        "embeddings:app",
        "Move to another embedding model while recall goes on.",
    ),
    ("stats", "stats:stats", "Show what the agents of an organization did."),
    ("metrics", "metrics:metrics", "Print how the database does, as Prometheus reads it."),
    ("maintain", "maintain:maintain", "Find out what the database needs, and with --apply do it."),
    ("migrate", "migrate:migrate", "Bring a database to the schema of this release."),
    ("uninstall", "uninstall:uninstall", "Take away from a database all that pgrecall made."),
    (
        "backup",
        "backup:app",
        "Back up an organization, as of one moment, or the whole database.",
    ),
    (
        "restore",
        "restore:restore",
        "Put a backup into a database; forgotten memories come back by `forget --undo`.",
    ),
    ("doctor", "doctor:doctor", "Name what is wrong with a database, and what cures it."),
    ("supabase", "supabase:app", "Bring the schema into a Supabase project."),
    (
        "tune",
        "tune:tune",
        "Propose settings for the server, with the reason and effect.",
    ),
    ("server", "server:app", "Start, stop or look at the embedded PostgreSQL server."),
)
_HELP = (
    "Memory for agents, in your own PostgreSQL.\n\n"
    "The database is that of --dsn, else of DATABASE_URL (also in .env), else an embedded server "
    "that starts by itself. Standard error says which one is used."
)
_EXIT_CODES = "\n".join(f"{code:>5}  {meaning}" for code, meaning in MEANINGS.items())


class _Overview(Commands):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, home, line in _OVERVIEW:
            self.add_command(DeferredCommand(name, f"pgrecall.cli.{home}", line))


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"pgrecall {version('pgrecall')}")
        raise typer.Exit


Version: TypeAlias = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
]

app = typer.Typer(
    cls=_Overview,
    help=_HELP,
    epilog=f"Exit codes:\n{_EXIT_CODES}",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def pgrecall(*, _version: Version = False) -> None:
    """What all commands have in common."""


def main() -> None:
    """Run the command that the arguments name."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    interrupts.keep()
    # So that the embedded server is given back.
    signal.signal(signal.SIGTERM, _end)
    app(prog_name="pgrecall")


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(TERMINATED)
