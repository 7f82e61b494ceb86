"""Asking before something is done that can't simply be done again."""

from __future__ import annotations

import sys
from typing import Annotated, TypeAlias

import typer

Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


def is_asked() -> bool:
    """Whether there is somebody to ask: standard input is a terminal."""
    return sys.stdin.isatty()


def confirm(question: str) -> None:
    """Go on after a yes; anything else ends the command."""
    # typer.confirm() writes a space to standard output, where only results belong.
    typer.echo(f"{question} [y/N]: ", err=True, nl=False)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise typer.Abort
