"""pgrecall list, pgrecall history."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from pgrecall.cli.database import open_memory
from pgrecall.cli.hits import print_hanging
from pgrecall.cli.options import Agent, AsJson, Context, Dsn, Kinds, Organization, User
from pgrecall.cli.output import console, print_json, say
from pgrecall.cli.rendering import change_lines, memory_lines

Limit: TypeAlias = Annotated[int, typer.Option(help="How many on a page, 1 to 1000.")]
Cursor: TypeAlias = Annotated[
    str | None, typer.Option(help="Where the page before this one ended.", metavar="CURSOR")
]
Forgotten: TypeAlias = Annotated[bool, typer.Option("--forgotten", help="Forgotten ones too.")]
Superseded: TypeAlias = Annotated[
    bool, typer.Option("--superseded", help="Earlier values of slots too.")
]
MemoryId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="The memory's id.")]


def list_(
    *,
    user: User = None,
    context: Context = None,
    kind: Kinds = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    forgotten: Forgotten = False,
    superseded: Superseded = False,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """List memories, newest first, page by page."""
    with open_memory(dsn, organization, agent) as memory:
        page = memory.list(
            user_id=user,
            context=context,
            kinds=kind,
            limit=limit,
            after=cursor,
            include_forgotten=forgotten,
            include_superseded=superseded,
        )
    if as_json:
        print_json(page)
        return
    out = console()
    for record in page.items:
        print_hanging(out, *memory_lines(record))
    if page.next_cursor:
        say(f"more with: --cursor {page.next_cursor}")


def history(
    memory: MemoryId,
    *,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of a memory, or of its slot, over time."""
    with open_memory(dsn, organization, agent) as memories:
        changes = memories.history(memory)
    if as_json:
        print_json({"changes": changes})
        return
    out = console()
    for change in changes:
        print_hanging(out, *change_lines(change))
