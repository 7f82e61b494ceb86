"""How errors look on standard error."""

from __future__ import annotations

import typer

from pgrecall.errors import PgRecallError


def print_error(error: PgRecallError) -> None:
    """The message with its code, and the hint below it."""
    typer.secho(f"error {error.code}: {error.message}", err=True, fg="red")
    if error.hint:
        typer.secho(f"hint: {error.hint}", err=True)
