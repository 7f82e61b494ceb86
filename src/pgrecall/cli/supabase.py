"""pgrecall supabase export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from pgrecall.cli.options import AsJson
from pgrecall.cli.output import print_json, say
from pgrecall.ops.supabase import export_migrations

_REPLACED = (
    "What `supabase db push` has applied before it does not apply again, edited or not: run "
    "`pgrecall migrate` for the files that were replaced."
)

Project: TypeAlias = Annotated[
    Path, typer.Argument(help="The project's folder, made where missing.", metavar="DIR")
]
Force: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Replace files whose text is not that of this release.")
]

app = typer.Typer(
    name="supabase",
    help="Bring the schema into a Supabase project.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def supabase() -> None:
    """Bring the schema into a Supabase project."""


@app.command()
def export(project: Project, *, force: Force = False, as_json: AsJson = False) -> None:
    """Write the migrations to DIR/supabase/migrations, for `supabase db push`.

    Safe to repeat: files that are there already are left alone, and an edited one is refused.
    """
    done = export_migrations(project, force=force)
    if as_json:
        print_json(done)
    else:
        for file in done.files:
            typer.echo(f"{file.state:<9}  {done.folder / file.name}")
    if any(file.state == "replaced" for file in done.files):
        say(_REPLACED)
    say(f"next: {done.next_command}")
