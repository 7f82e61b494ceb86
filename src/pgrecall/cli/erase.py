"""pgrecall erase."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeAlias

import typer

from pgrecall import Receipt
from pgrecall.cli.confirmation import Yes, confirm, is_asked
from pgrecall.cli.database import open_memory, resolve_database
from pgrecall.cli.forget import Context, DryRun, Ids, User
from pgrecall.cli.options import Agent, AsJson, Dsn, OfAgent, Organization
from pgrecall.cli.output import print_json, say
from pgrecall.cli.rendering import memories
from pgrecall.domain.scope import scope
from pgrecall.errors import InvalidInputError
from pgrecall.ops.erasure import erase_everywhere

_EVERY_AGENT_HELP = "What all agents hold, not only --agent. Takes the login of the schema's owner."

EveryAgent: TypeAlias = Annotated[bool, typer.Option("--every-agent", help=_EVERY_AGENT_HELP)]


def erase(
    ids: Ids = None,
    *,
    user: User = None,
    context: Context = None,
    of_agent: OfAgent = None,
    every_agent: EveryAgent = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Delete memories for good, with a receipt: also vectors, history, and words in the index.

    All that is named must apply. It erases what --agent holds, or with --every-agent what all
    hold. It asks first, and without a terminal to ask on takes --yes.
    """
    named = scope(ids or None, user, of_agent, context)
    if not (dry_run or yes or is_asked()):
        raise InvalidInputError(
            "nobody is there to ask, and what is erased does not come back",
            hint="Say --yes, or look first with --dry-run.",
        )
    if every_agent:
        with resolve_database(dsn) as database:
            do = partial(erase_everywhere, database, organization, named)
            answer = _erased(do, dry_run=dry_run, yes=yes)
    else:
        with open_memory(dsn, organization, agent) as memory:
            do = partial(
                memory.erase, ids or None, user_id=user, context=context, agent_id=of_agent
            )
            answer = _erased(do, dry_run=dry_run, yes=yes)
    _show(answer, as_json=as_json)


def _erased(do: Callable[..., Receipt], *, dry_run: bool, yes: bool) -> Receipt:
    if not (dry_run or yes):
        confirm(f"Erase {memories(do(dry_run=True).memories)}? This can't be undone.")
    return do(dry_run=dry_run)


def _show(answer: Receipt, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    typer.echo(f"{memories(answer.memories)} {'would be ' if answer.dry_run else ''}erased")
    for name, count in answer.counts.items():
        if count and name != "memories":
            typer.echo(f"{count:>12,}  {name}")
    if answer.receipt:
        typer.echo(f"receipt {answer.receipt} of {answer.erased_at:%Y-%m-%d %H:%M:%S %Z}")
    if answer.remaining:
        say(f"{answer.remaining:,} of this scope are private and remain")
