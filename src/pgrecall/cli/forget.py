"""pgrecall forget."""

from __future__ import annotations

from functools import partial
from typing import Annotated, TypeAlias

import typer

from pgrecall import Forgotten
from pgrecall.cli.confirmation import Yes, confirm, is_asked
from pgrecall.cli.database import open_memory
from pgrecall.cli.options import Agent, AsJson, Dsn, OfAgent, Organization
from pgrecall.cli.output import print_json
from pgrecall.cli.rendering import memories

Ids: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="[ID...]", help="Ids of memories.")
]
User: TypeAlias = Annotated[str | None, typer.Option(help="All of this user.", metavar="ID")]
Context: TypeAlias = Annotated[
    str | None, typer.Option(help="All of this conversation.", metavar="KEY")
]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Only say how many it would be.")
]
Undo: TypeAlias = Annotated[
    bool, typer.Option("--undo", help="Bring forgotten memories back into recall.")
]


def forget(
    ids: Ids = None,
    *,
    user: User = None,
    context: Context = None,
    of_agent: OfAgent = None,
    undo: Undo = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Take memories out of recall; --undo brings them back.

    All that is named must apply: --user and --context are that user's memories there.
    On a terminal it asks before it forgets.
    """
    with open_memory(dsn, organization, agent) as memory:
        change = memory.restore if undo else memory.forget
        do = partial(change, ids or None, user_id=user, context=context, agent_id=of_agent)
        if not (undo or dry_run or yes) and is_asked():
            confirm(f"Forget {memories(do(dry_run=True).memories)}?")
        answer = do(dry_run=dry_run)
    _show("restored" if undo else "forgotten", answer, as_json=as_json)


def _show(done: str, answer: Forgotten, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{memories(answer.memories)} {'would be ' if answer.dry_run else ''}{done}")
