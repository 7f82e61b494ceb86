"""pgrecall export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from pgrecall.cli.database import open_memory
from pgrecall.cli.exit_codes import INTERRUPTED
from pgrecall.cli.options import Agent, AsJson, Context, Dsn, Kinds, OfAgent, Organization, User
from pgrecall.cli.output import print_json, progress, say
from pgrecall.cli.rendering import memories
from pgrecall.ops.transfer.export import export_to, format_of
from pgrecall.ops.transfer.files import FORMATS

_FORMAT_HELP = f"{', '.join(FORMATS)}; else by the file's name, else jsonl."

File: TypeAlias = Annotated[
    str, typer.Argument(metavar="FILE|-", help="Where to; - is standard output.")
]
FileFormat: TypeAlias = Annotated[
    str | None, typer.Option("--format", metavar="FORMAT", help=_FORMAT_HELP)
]
Since: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TIME", help="What occurred then or later, in ISO 8601.")
]
Until: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TIME", help="What occurred before then.")
]
WithHistory: TypeAlias = Annotated[
    bool, typer.Option("--with-history", help="The changes of each memory, too.")
]


def export(
    file: File,
    *,
    file_format: FileFormat = None,
    user: User = None,
    of_agent: OfAgent = None,
    context: Context = None,
    kind: Kinds = None,
    since: Since = None,
    until: Until = None,
    with_history: WithHistory = False,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Write memories to a file: JSON Lines, CSV or Parquet.

    All that the agent may see as of one moment, forgotten memories and earlier values of slots
    too. A file is there only when it is whole.
    """
    chosen = format_of(file, file_format)
    with open_memory(dsn, organization, agent, None) as memory, progress("Exporting") as bar:
        records = memory.transfer.export(
            user_id=user,
            agent_id=of_agent,
            context=context,
            kinds=kind,
            since=since,
            until=until,
            with_history=with_history,
        )
        try:
            target = sys.stdout.buffer if file == "-" else Path(file)
            done = export_to(target, chosen, records, with_history=with_history, on_progress=bar)
        except KeyboardInterrupt:
            say("interrupted; no file was written")
            raise typer.Exit(INTERRUPTED) from None
    if file == "-":
        say(memories(done))
    elif as_json:
        print_json({"file": file, "format": chosen, "memories": done})
    else:
        typer.echo(f"{memories(done)} in {file}")
