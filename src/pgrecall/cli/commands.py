"""Commands that are imported when they are run, so that an overview costs nothing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from pgrecall.cli.exit_codes import INTERRUPTED, exit_code
from pgrecall.cli.failures import print_error
from pgrecall.errors import PgRecallError


class DeferredCommand(TyperCommand):
    """A command of which only the name and one line are known until it is run.

    `home` is `module:name` of the function, or of the Typer app for a group of commands.
    """

    def __init__(self, name: str, home: str, help: str) -> None:
        super().__init__(name, help=help)
        self._home = home

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """The context of the real command."""
        return self.load().make_context(info_name, args, parent, **extra)

    def load(self) -> Any:
        """The real command."""
        module, name = self._home.split(":")
        found = getattr(import_module(module), name)
        if not isinstance(found, typer.Typer):
            app = typer.Typer(add_completion=False)
            app.command(self.name)(found)
            found = app
        return get_command(found)


class Commands(TyperGroup):
    """The commands of `pgrecall`. An error of ours ends as a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """What the command returns."""
        try:
            return super().invoke(ctx)
        except PgRecallError as error:
            print_error(error)
            raise typer.Exit(exit_code(error)) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
